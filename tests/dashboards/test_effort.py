"""Minutes of checking and what they gave: only what was timed, on both sides of the ratio."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.models import Judgement, Plan, Review
from dashboards.effort import effort
from detection.models import Frame
from lacs_web.models import Role
from tests.annotation.test_checks import STATED, say
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def frames() -> list[Frame]:
    deployment = make_deployment(interval_seconds=900)
    start = datetime(2025, 7, 7, 8, tzinfo=UTC)
    made = [make_frame(deployment, start + timedelta(minutes=15 * n)) for n in range(5)]
    examine(*made)
    return made


def test_attendance_per_minute_takes_timed_work_alone(
    frames: list[Frame], django_assert_num_queries: Any
) -> None:
    lake = frames[0].deployment.lake
    one, two = (person(Role.VOLUNTEER, lake, name) for name in ("one", "two"))
    ranger = person(Role.RANGER, lake)
    say(frames[0], one, STATED * 2, seconds=30)
    say(frames[0], two, STATED * 2, seconds=60)
    say(frames[1], one, verdict="skip", seconds=15)
    say(frames[2], ranger, STATED, seconds=15)
    say(frames[3], ranger, STATED)  # imported: without a time
    say(frames[4], ranger, verdict="unreadable", seconds=30)
    effort(lake)  # what changed is worked off
    with django_assert_num_queries(11):
        found = effort(lake)
    assert [(p.user, p.frames, p.minutes, p.settled, p.alone) for p in found.people] == [
        (two, 1, 1.0, 1, False),
        (one, 1, 0.75, 1, False),
        (ranger, 2, 0.75, 2, True),
    ]
    assert (found.minutes, found.untimed, found.frames) == (2.5, 1, 2)
    assert (found.read_hours, found.person_hours) == (0.5, 0.75)
    assert found.person_hours_per_minute == pytest.approx(0.3)
    assert found.people[1].frames_per_minute == pytest.approx(1 / 0.75)


def test_leaning_is_told_once_enough_boxes_were_hidden(frames: list[Frame]) -> None:
    lake = frames[0].deployment.lake
    one = person(Role.VOLUNTEER, lake)
    more = [make_frame(frames[0].deployment) for _ in range(30)]
    examine(*more)
    for place, each in enumerate(more):
        # The machine sees nobody; of ten frames with its boxes shown one is taken for wrong, of
        # twenty without them five are.
        wrong = place == 0 or 10 <= place < 15
        say(each, one, STATED if wrong else [], bare=place >= 10, seconds=1)
    found = effort(lake)
    assert (found.shown, found.hidden) == ((9, 10), (15, 20))
    assert found.leaning == pytest.approx(0.15)
    Judgement.objects.filter(review__bare=True).first().delete()  # type: ignore[union-attr]
    assert effort(lake).leaning is None


def test_the_page_and_its_empty_state(frames: list[Frame]) -> None:
    lake = frames[0].deployment.lake
    client = Client()
    client.force_login(person(Role.OFFICER, lake))
    client.cookies["django_language"] = "en"
    where = reverse("dashboards:effort", args=[lake.slug])
    assert b"Nobody has checked a frame here" in client.get(where).content
    one = person(Role.VOLUNTEER, lake)
    say(frames[0], person(Role.RANGER, lake), STATED, seconds=60)
    say(frames[0], one, STATED, seconds=60)
    Plan.objects.create(lake=lake, total=100, low=90, high=110, more=12)
    page = client.get(where).content.decode()
    assert "0.13" in page  # a quarter of a person-hour in two minutes
    assert "person: 1 of 1 (trust 22 %)" in page
    assert "About 12 frames more" in page
    assert Review.objects.count() == 2
