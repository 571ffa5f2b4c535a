"""What a sitting gave, and why nothing is left: true, blind, and with what to do next."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from annotation import progress
from annotation.models import Draft, Judgement, Plan, Review
from annotation.queue import Desk
from annotation.reviewing import submit
from detection.models import Frame
from lacs_web.models import Lake, Role
from tests.annotation.test_api import Tab
from tests.annotation.test_checks import STATED, say
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def frames() -> list[Frame]:
    deployment = make_deployment()
    made = [make_frame(deployment) for _ in range(4)]
    examine(*made)
    return made


def desk(lake: Lake, role: Role = Role.VOLUNTEER, name: str = "") -> Desk:
    return Desk.of(person(role, lake, name), lake)


def timed(frame: Frame, by: Desk, seconds: float, verdict: str = "nobody") -> Review:
    return submit(
        frame=frame,
        reviewer=by.reviewer,
        request_id=uuid.uuid4(),
        verdict=verdict,
        seconds=seconds,
    )


def test_a_sitting_counts_frames_minutes_and_what_they_settled(
    frames: list[Frame], django_assert_num_queries: Any
) -> None:
    lake = frames[0].deployment.lake
    one, two = desk(lake, name="one"), desk(lake, name="two")
    since = timezone.now()
    for each in frames[:3]:
        timed(each, two, 5)
    timed(frames[0], one, 30)
    timed(frames[0], one, 20)  # a second thought costs time and is no second frame
    timed(frames[1], one, 70, "unreadable")
    timed(frames[2], one, 60, "skip")
    with django_assert_num_queries(4):
        found = progress.done(one, since)
    assert (found.frames, found.seconds, found.minutes, found.settled) == (2, 180, 3, 1)
    assert found.days == []
    for each in frames[1:]:
        timed(each, desk(lake, Role.RANGER), 1)
    assert [day.isoformat() for day in progress.done(one, since).days] == ["2025-07-26"]
    assert progress.done(one, timezone.now()) == progress.Done(0, 0, 0, [])


def test_a_check_counts_as_done_and_never_as_settled(frames: list[Frame]) -> None:
    lake = frames[0].deployment.lake
    one = desk(lake)
    since = timezone.now()
    Draft.objects.create(frame=frames[0], reviewer=one.reviewer, check_frame=True)
    say(frames[0], desk(lake, Role.RANGER).reviewer)
    say(frames[0], one.reviewer)
    found = progress.done(one, since)
    assert (found.frames, found.settled) == (1, 0)


def test_the_card_says_how_the_interval_shrank_and_agreement_only_of_days_gone_by(
    frames: list[Frame],
) -> None:
    lake = frames[0].deployment.lake
    one = desk(lake)
    since = timezone.now()
    plan = Plan.objects.create(lake=lake, total=100, low=80, high=120, more=9)
    timed(frames[0], one, 61)
    assert progress.card(one, since, 0.25) == [
        "1 frame in 1 minute.",
        "The total of Lauvitel was known to ±25 %; now it is to ±20 %.",
    ]
    assert progress.card(one, since, 0.2)[1] == "The total of Lauvitel is known to ±20 %."
    plan.delete()
    more = [make_frame(frames[0].deployment) for _ in range(12)]
    for each in more:
        say(each, desk(lake, Role.RANGER).reviewer)
        say(each, one.reviewer, STATED if each is more[0] else [])
    assert Judgement.objects.filter(answers__nobody="right").count() == 11
    assert progress.agreement(one) is None  # all of today
    tomorrow = timezone.now() + timedelta(days=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", lambda: tomorrow)
        assert progress.agreement(one) == pytest.approx(11 / 13)


def why(one: Tab, day: str | None = None) -> dict[str, str]:
    with translation.override("en"):
        one.client.cookies["django_language"] = "en"
        found: dict[str, str] = one.claim(day=day).json()["rest"]
        return found


def test_nothing_left_is_said_truly_and_with_what_to_do_next(frames: list[Frame]) -> None:
    lake = frames[0].deployment.lake
    one = Tab(person(Role.VOLUNTEER, lake), lake)
    two = Tab(person(Role.VOLUNTEER, lake, "two"), lake)
    assert two.claim(want=4).json()["rest"] is None
    assert "The 4 frames that are left are with other people" in why(one)["text"]
    nowhere = why(one, "2025-07-27")
    assert nowhere["text"] == "4 frames of other days wait for you."
    assert nowhere["url"] == reverse("annotation:review", args=[lake.slug])
    say(frames[0], one.user)
    say(frames[1], one.user, verdict="flag")
    make_frame(frames[0].deployment)  # that no detector has read
    for each in frames[2:]:
        say(each, person(Role.RANGER, lake))
    said = why(one)
    assert said["title"] == "Nothing is left to check for you"
    assert said["text"] == (
        "1 frame waits for another person’s word or comes back to you later. "
        "1 frame waits for the ranger to decide. "
        "1 frame waits for the detector, which masks people first; come back later."
    )
    for each in Frame.objects.all():
        say(each, person(Role.RANGER, lake))
    assert why(one)["title"] == "Everything is checked"
    assert why(one)["url"] == reverse("dashboards:lake", args=[lake.slug])


def test_a_lake_without_pictures_says_so() -> None:
    lake = make_deployment().lake
    assert why(Tab(person(Role.VOLUNTEER, lake), lake))["title"] == "Nothing to check yet"


def test_the_round_answers_in_sentences_and_refuses_nonsense(frames: list[Frame]) -> None:
    lake = frames[0].deployment.lake
    one = Tab(person(Role.VOLUNTEER, lake), lake)
    where = reverse("annotation:round", args=[lake.slug])
    answer = one.client.get(where, {"since": "2025-01-01T00:00:00Z", "precision": "0.2"})
    assert answer.json()["lines"]
    assert answer.json()["precision"] is None
    for wrong in ({}, {"since": "yesterday"}, {"since": "2025-01-01T00:00Z", "precision": "x"}):
        assert one.client.get(where, wrong).status_code == 400
