"""The audit trail of a lake: whole, in words, filtered, and of no other lake."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from lacs_web import trail
from lacs_web.models import AuditEvent, Lake, Role, User
from tests.cast import person
from tests.factories import make_lake

# Rare, or of the whole installation: shown in the administration alone, or as they are written.
ELSEWHERE = {"account deleted", "detector registered", "detector tried", "sign-in paused"}


def test_every_deed_has_words() -> None:
    sources = [
        path.read_text()
        for app in ("lacs_web", "detection", "annotation", "dashboards")
        for path in Path(settings.BASE_DIR, app).rglob("*.py")
        if not {"embedded", "training"} & set(path.parts)
    ]
    pattern = r'(?:action="|how="|_record\("|action = ")([^"]+)"'
    written = {found for text in sources for found in re.findall(pattern, text)}
    written -= {"append", "store_true"}  # argparse
    assert len(written) > 30
    assert written - ELSEWHERE <= set(trail.WORDS)


@pytest.fixture
def lake() -> Lake:
    return make_lake()


@pytest.fixture
def officer(lake: Lake) -> User:
    return person(Role.OFFICER, lake)


def page(user: User, lake: Lake, **asked: Any) -> str:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client.get(reverse("trail", args=[lake.slug]), asked).content.decode()


@pytest.mark.django_db
def test_the_page_shows_this_lake_and_its_people_alone(lake: Lake, officer: User) -> None:
    far = make_lake("cornu", "asters")
    stranger = person(Role.RANGER, far)
    AuditEvent.objects.create(user=officer, lake=lake, action="mask lifted", detail={"frame": 77})
    AuditEvent.objects.create(user=officer, action="signed in")
    AuditEvent.objects.create(user=officer, action="changed in the administration",
                              detail={"secret": "elsewhere"})  # fmt: skip
    AuditEvent.objects.create(user=stranger, lake=far, action="exported")
    AuditEvent.objects.create(user=stranger, action="signed in")
    shown = page(officer, lake)
    assert shown.count("<tr>") == 3
    assert "frame: 77" in shown
    assert "elsewhere" not in shown
    assert stranger.email not in shown


@pytest.mark.django_db
def test_it_is_filtered_and_paged(lake: Lake, officer: User, monkeypatch: Any) -> None:
    ranger = person(Role.RANGER, lake)
    for user, action, day in (
        (ranger, "mask lifted", 1),
        (ranger, "exported", 2),
        (officer, "mask lifted", 3),
    ):
        event = AuditEvent.objects.create(user=user, lake=lake, action=action)
        # 23:30 UTC is the next day at the lake.
        AuditEvent.objects.filter(pk=event.pk).update(at=datetime(2025, 7, day, 23, 30, tzinfo=UTC))

    def rows(**asked: Any) -> int:
        return page(officer, lake, **asked).count("<tr>") - 1

    assert rows() == 3
    assert rows(who="RANGER@") == 2
    assert rows(what="mask lifted") == 2
    assert rows(what="mask lifted", who="ranger") == 1
    assert rows(first="2025-07-03", last="2025-07-03") == 1
    assert rows(first="2025-07-05") == -1
    assert "?" not in page(officer, lake, who="x").split("Older")[0][-5:]
    monkeypatch.setattr(trail, "SHOWN", 2)
    first = page(officer, lake, what="")
    before = re.search(r"before=(\d+)", first)
    assert before
    assert (first.count("<tr>") - 1, rows(before=before[1])) == (2, 1)


@pytest.mark.django_db
def test_its_cost_does_not_grow(lake: Lake, officer: User, django_assert_num_queries: Any) -> None:
    client = Client()
    client.force_login(officer)
    for number in range(3):
        AuditEvent.objects.create(user=person(Role.RANGER, lake, f"r{number}"), lake=lake,
                                  action="exported")  # fmt: skip
        with django_assert_num_queries(5):
            client.get(reverse("trail", args=[lake.slug]))
