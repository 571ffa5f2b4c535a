"""Several hands at the same moment find no gap between a question and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

import pytest
from django.db import connection

from lacs_web import brake
from lacs_web.models import AuditEvent, SigninAttempt

T = TypeVar("T")
pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*works: Callable[[], T]) -> list[T | Exception]:
    """What each of `works` gives or raises, all beginning together."""
    start = Barrier(len(works))

    def one(work: Callable[[], T]) -> T | Exception:
        try:
            start.wait(10)
            return work()
        except Exception as problem:
            return problem
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def test_of_many_guesses_as_many_are_looked_at_as_may_be() -> None:
    looked: list[int] = []

    def wrong() -> None:
        with brake.guess(account="ranger@example.org", address="192.0.2.1"):
            looked.append(1)
            raise KeyError

    said = at_once(*[wrong] * 12)
    assert len(looked) == SigninAttempt.objects.count() == brake.MOST_TOGETHER
    assert sum(isinstance(each, brake.TooMany) for each in said) == 12 - brake.MOST_TOGETHER
    assert AuditEvent.objects.filter(action="sign-in paused").count() == 1
