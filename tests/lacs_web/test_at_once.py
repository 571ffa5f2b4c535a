"""Several hands at the same moment find no gap between a question and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any, TypeVar

import pytest
from django.db import connection
from django.test import Client

from lacs_web import accounts, brake, leaving, roles, second
from lacs_web.accounts import signin_path
from lacs_web.models import AuditEvent, Membership, Role, SigninAttempt, User
from tests.factories import make_lake

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


@pytest.mark.parametrize("how", ["both leave", "each demotes the other", "one leaves, one demotes"])
def test_two_administrators_do_not_both_go(how: str) -> None:
    lake = make_lake()
    held = [
        Membership.objects.create(
            user=User.objects.create_user(f"{n}@example.org"),
            role=Role.ADMINISTRATOR,
            park=lake.park,
        )
        for n in range(2)
    ]
    one, other = held

    def leave(mine: Membership) -> Callable[[], None]:
        return lambda: leaving.forget(user=mine.user)

    def demote(whom: Membership, by: Membership) -> Callable[[], None]:
        return lambda: roles.change(membership=whom, role=Role.RANGER, lake=lake, by=by.user)

    works = {
        "both leave": (leave(one), leave(other)),
        "each demotes the other": (demote(other, one), demote(one, other)),
        "one leaves, one demotes": (leave(one), demote(other, one)),
    }
    said = at_once(*works[how])
    assert sum(isinstance(each, Exception) for each in said) == 1, said
    assert Membership.objects.filter(role=Role.ADMINISTRATOR, park=lake.park).count() == 1


def test_a_link_lets_one_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both would come in if both got past the question whether the link is good still."""
    link = signin_path(User.objects.create_user("ranger@example.org"))
    past = Barrier(2)

    def enter(*given: Any, **more: Any) -> Any:
        with suppress(BrokenBarrierError):  # nobody else comes while this one is here
            past.wait(0.5)
        return second.enter(*given, **more)

    monkeypatch.setattr(accounts, "enter", enter)
    said = at_once(*[lambda: Client().post(link).status_code] * 2)
    assert sorted(map(str, said)) == ["302", "410"]
