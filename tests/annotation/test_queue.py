"""Whom to serve which frame: two reviewers never hold one, and what is said to be left is left."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone

from annotation import drafts, queue, reviewing, ruling
from annotation.models import Hold, Review, SettledFrame, Turn
from annotation.queue import Desk
from annotation.reviewing import submit
from annotation.settling import Rule
from dashboards import machinery, rollups
from detection import claims, doctor, renditions
from detection.models import Frame, Lifting, Run, RunFrame
from lacs_web.models import Lake, Role
from tests.cast import person
from tests.detection.test_faults import HOUR, set_clock
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = pytest.mark.django_db


def survey(number: int, **fields: Any) -> list[Frame]:
    """Frames of one lake that a detector has read; the last one comes first by rank."""
    deployment = make_deployment()
    frames = [make_frame(deployment, rank=number - each, **fields) for each in range(number)]
    examine(*frames)
    return frames


def desk(role: Role, lake: Lake, name: str = "") -> Desk:
    return Desk.of(person(role, lake, name), lake)


def lake_of(frames: list[Frame]) -> Lake:
    return frames[0].deployment.lake


def say(frame: Frame, by: Desk, verdict: str = "nobody") -> Review:
    return submit(frame=frame, reviewer=by.reviewer, request_id=uuid.uuid4(), verdict=verdict)


def test_frames_come_by_rank_and_are_held_by_one() -> None:
    frames = survey(5)
    one = desk(Role.VOLUNTEER, lake_of(frames), "one")
    two = desk(Role.VOLUNTEER, lake_of(frames), "two")
    assert queue.claim(one, want=3) == frames[:1:-1]
    assert queue.claim(two, want=3) == frames[1::-1]
    assert queue.claim(two, want=3, holding=[frames[1].pk, frames[0].pk]) == []
    assert queue.waiting(two).count() == 5  # three of them with somebody else


def test_a_reload_is_served_its_own_frames_again() -> None:
    frames = survey(4)
    one = desk(Role.VOLUNTEER, lake_of(frames))
    first = queue.claim(one, want=2)
    assert queue.claim(one, want=3) == [*first, frames[1]]


def test_a_lease_that_lapses_returns_the_frame() -> None:
    frames = survey(1)
    one = desk(Role.VOLUNTEER, lake_of(frames), "one")
    two = desk(Role.VOLUNTEER, lake_of(frames), "two")
    assert queue.claim(one, want=1) == frames
    assert queue.claim(two, want=1) == []
    Hold.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert queue.claim(two, want=1) == frames
    # The first one's page renews what it believes to hold: too late, and it does not steal.
    assert queue.take(one, [frames[0].pk]) == set()
    drafts.serve(frames=frames, reviewer=one.reviewer)
    with pytest.raises(queue.HeldByAnother):
        queue.keep(one, frames[0])


def test_a_lapsed_hold_that_nobody_took_is_renewed() -> None:
    frames = survey(1)
    one = desk(Role.VOLUNTEER, lake_of(frames))
    queue.claim(one, want=1)
    Hold.objects.update(until=timezone.now() - timedelta(hours=1))
    queue.claim(one, want=0, holding=[frames[0].pk])
    assert queue.holds(frames[0], one.reviewer)


def test_nobody_holds_what_they_were_not_served_nor_more_than_a_sitting_needs() -> None:
    frames = survey(30)
    one = desk(Role.VOLUNTEER, lake_of(frames))
    queue.claim(one, want=0, holding=[frame.pk for frame in frames])
    assert not Hold.objects.exists()
    held: list[int] = []
    for _ in range(8):
        held += [frame.pk for frame in queue.claim(one, want=5, holding=held)]
    assert len(held) == Hold.objects.count() == queue.MOST_HELD


def test_holding_a_frame_of_another_lake_is_not_had_by_asking() -> None:
    frames = survey(1)
    elsewhere = desk(Role.VOLUNTEER, make_lake("muzelle"))
    queue.claim(elsewhere, want=0, holding=[frames[0].pk, 10**12])
    assert not Hold.objects.exists()


def test_what_is_settled_decided_or_undated_is_not_served() -> None:
    frames = survey(4)
    undated = make_frame(frames[0].deployment, rank=0)
    Frame.objects.filter(pk=undated.pk).update(
        captured_at=None, quarantine=Frame.Quarantine.NO_DATE
    )
    lake = lake_of(frames)
    one, two = desk(Role.VOLUNTEER, lake, "one"), desk(Role.VOLUNTEER, lake, "two")
    say(frames[0], desk(Role.RANGER, lake))  # settled
    say(frames[1], one)  # waits for a second opinion
    say(frames[2], one, "skip")
    assert queue.claim(one, want=9) == [frames[3]]
    assert queue.waiting(one).count() == 1
    assert queue.claim(two, want=9) == [frames[2], frames[1]]
    assert queue.waiting(two).count() == 3


def test_a_skipped_frame_comes_back_last_another_day(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = survey(2)
    one = desk(Role.VOLUNTEER, lake_of(frames))
    say(frames[1], one, "skip")
    monkeypatch.setattr(queue, "SKIP_RESTS", timedelta(0))
    assert queue.claim(one, want=2) == [frames[0], frames[1]]


def test_flagged_frames_go_to_those_who_may_settle_and_come_first() -> None:
    frames = survey(3)
    lake = lake_of(frames)
    say(frames[0], desk(Role.VOLUNTEER, lake, "one"), "flag")
    assert frames[0] not in queue.claim(desk(Role.VOLUNTEER, lake, "two"), want=3)
    Hold.objects.all().delete()
    assert queue.claim(desk(Role.RANGER, lake), want=1) == [frames[0]]


def test_a_flag_taken_back_is_no_flag() -> None:
    frames = survey(1)
    lake = lake_of(frames)
    one = desk(Role.VOLUNTEER, lake, "one")
    say(frames[0], one, "flag")
    say(frames[0], one, "nobody")
    assert queue.claim(desk(Role.VOLUNTEER, lake, "two"), want=1) == frames


def test_what_no_detector_has_read_goes_to_those_who_may_lift_the_mask_last() -> None:
    deployment = make_deployment()
    unread, read = make_frame(deployment, rank=1), make_frame(deployment, rank=2)
    examine(read)
    lake = deployment.lake
    assert queue.claim(desk(Role.VOLUNTEER, lake), want=2) == [read]
    Hold.objects.all().delete()
    assert queue.claim(desk(Role.RANGER, lake), want=2) == [read, unread]


def test_a_day_is_the_lakes_own() -> None:
    deployment = make_deployment()
    evening = make_frame(deployment, datetime(2025, 7, 26, 21, 59, tzinfo=UTC))
    night = make_frame(deployment, datetime(2025, 7, 26, 22, 1, tzinfo=UTC))
    examine(evening, night)
    one = desk(Role.VOLUNTEER, deployment.lake)
    assert queue.claim(one, want=2, day=date(2025, 7, 27)) == [night]
    assert queue.waiting(one, date(2025, 7, 26)).get() == evening


def test_what_the_estimates_ask_for_comes_first_then_all_others_by_rank() -> None:
    frames = survey(5)
    Turn.objects.create(frame=frames[1], place=7)
    Turn.objects.create(frame=frames[0], place=3)
    one = desk(Role.VOLUNTEER, lake_of(frames))
    wanted = [frames[number] for number in (0, 1, 4, 3, 2)]
    assert queue.claim(one, want=5) == wanted


def test_a_day_by_hand_is_read_by_the_clock_and_ends_up_beside_the_sample() -> None:
    frames = survey(4)
    one = desk(Role.VOLUNTEER, lake_of(frames))
    day = date(2025, 7, 26)
    assert queue.claim(one, want=4, day=day) == frames  # whose ranks fall
    drafts.serve(frames=frames[:2], reviewer=one.reviewer, picked=True)
    drafts.serve(frames=frames, reviewer=one.reviewer, picked=False)
    for each in frames:
        reviewing.decide(
            desk=one,
            frame=each,
            version=0,
            request_id=uuid.uuid4(),
            verdict="nobody",
            boxes=[],
            seconds=1,
            comment="",
        )
    assert list(Review.objects.values_list("picked", flat=True)) == [True, True, False, False]


def test_a_decision_taken_back_is_served_first_again_but_not_over_anothers_vote() -> None:
    frames = survey(2)
    lake = lake_of(frames)
    ranger = desk(Role.RANGER, lake)
    say(frames[0], ranger)
    mine = drafts.serve(frames=[frames[0]], reviewer=ranger.reviewer)[frames[0].pk]
    drafts.save(draft=mine, version=0, boxes=[], open=True)
    assert set(queue.claim(ranger, want=2)) == set(frames)
    say(frames[0], desk(Role.OFFICER, lake))
    assert frames[0] not in queue.waiting(ranger)


def test_what_was_done_today_counts_frames_once_and_no_skips() -> None:
    frames = survey(3)
    one = desk(Role.VOLUNTEER, lake_of(frames))
    say(frames[0], one)
    say(frames[0], one, "unreadable")
    say(frames[1], one, "flag")
    say(frames[2], one, "skip")
    assert queue.done_today(one) == 2


@pytest.mark.parametrize("off", [HOUR, -HOUR])
def test_a_web_server_whose_clock_jumped_takes_nothing_from_others_and_holds_no_longer(
    off: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    (frame,) = survey(1)
    lake = lake_of([frame])
    one, two = desk(Role.VOLUNTEER, lake, "one"), desk(Role.RANGER, lake, "two")
    queue.claim(one, want=1)
    deployment = frame.deployment_id
    with monkeypatch.context() as there:
        set_clock(there, off)
        assert queue.claim(two, want=1) == []  # an hour ahead it seems to have lapsed
        assert queue.take(two, [frame.pk]) == set()
        assert queue.holds(frame, one.reviewer)
        assert queue.claim(one, want=1) == [frame]  # and is renewed
        renditions.lift(frame=frame, user=two.reviewer)
        token = uuid.uuid4()
        Run.objects.update(finished_at=None)
        RunFrame.objects.update(state="pending", claim=token)
        claims.renew(RunFrame, token)
        assert doctor.stale_claims() is None
        assert machinery.machinery([lake]).inference.at_work
        assert rollups.owed(HOUR / 2, 2 * HOUR) == []
        assert rollups.owed(timedelta(0), HOUR) == [deployment]
    left = Hold.objects.get().until - timezone.now()
    assert timedelta(0) < left <= timedelta(seconds=settings.REVIEW_LEASE_SECONDS)
    left = Lifting.objects.get().until - timezone.now()
    assert timedelta(0) < left <= timedelta(seconds=settings.LIFTED_SECONDS)
    assert renditions.is_lifted(frame, two.reviewer)


@pytest.mark.django_db(transaction=True)
def test_reviewers_who_claim_at_the_same_moment_never_hold_the_same_frame() -> None:
    frames = survey(60)
    lake = lake_of(frames)
    desks = [desk(Role.VOLUNTEER, lake, f"v{number}") for number in range(6)]
    gate = threading.Barrier(len(desks))
    got: dict[int, list[int]] = {}

    def work(number: int) -> None:
        try:
            gate.wait(timeout=20)
            mine: list[int] = []
            for _ in range(5):
                mine += [f.pk for f in queue.claim(desks[number], want=2, holding=mine)]
            got[number] = mine
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(desks))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    served = [pk for mine in got.values() for pk in mine]
    assert len(got) == len(desks)
    assert len(served) == len(set(served)) == 60  # all of them, each once, nobody short of work
    for number, mine in got.items():
        assert set(mine) == set(
            Hold.objects.filter(reviewer=desks[number].reviewer).values_list("frame", flat=True)
        )
    assert connection.is_usable()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["review", "rule"])
def test_a_first_review_beside_a_change_of_the_rule_is_settled_by_the_new_rule(first: str) -> None:
    (frame,) = survey(1)
    lake = lake_of([frame])
    ranger = desk(Role.RANGER, lake)

    def review() -> None:
        say(frame, ranger, "nobody")

    def rule() -> None:
        ruling.change(lake=lake, rule=Rule(least_trust=0.9), by=ranger.reviewer)

    one, other = (review, rule) if first == "review" else (rule, review)
    done = threading.Event()

    def work() -> None:
        try:
            other()
        finally:
            done.set()
            connections.close_all()

    second = threading.Thread(target=work)
    with transaction.atomic():
        one()
        second.start()
        while not done.wait(0.02) and not _somebody_waits():
            pass
    second.join(60)
    assert SettledFrame.objects.get().rule["least_trust"] == 0.9


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
        return cursor.fetchone() is not None
