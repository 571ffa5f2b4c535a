"""What the estimates ask for next, over rows and over drawn seasons; and that the queue obeys."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation import queue
from annotation.models import Plan, Review, Turn
from annotation.queue import Desk
from annotation.reviewing import StatedBox, submit
from dashboards import planning, seasons
from dashboards.estimators import proxy, sampling
from dashboards.tasks import plan
from detection.models import Frame
from lacs_web.models import Role
from tests.cast import person
from tests.dashboards.survey import read, seen
from tests.factories import examine, make_deployment, make_frame

MONDAY = datetime(2025, 7, 7, 4, tzinfo=UTC)


def drawn(lake: int = 1, detector: int = 0, days: int = 20) -> tuple[planning.Frames, Any]:
    """The first days of a simulated season, nothing read, and what a reading of each would find."""
    rng = np.random.default_rng(7)
    season = seasons.season(seasons.LAKES[lake], seasons.DETECTORS[detector], rng)
    day, slot = np.nonzero(~season.known_unreadable[:days])
    order = rng.permutation(len(day))
    day, slot = day[order], slot[order]
    number = len(day)
    frames = planning.Frames(
        id=np.arange(1, number + 1),
        deployment=np.zeros(number, np.int64),
        day=day,
        clock=season.clock[slot],
        free=season.free[day],
        hours=np.full(number, seasons.INTERVAL),
        machine=season.machine[day, slot].astype(np.float64),
        seen=np.ones(number, bool),
        sampled=np.ones(number, bool),
        settled=np.zeros(number, bool),
        readable=np.ones(number, bool),
        persons=np.zeros(number, np.int64),
    )
    return frames, (season.counts[day, slot], season.readable[day, slot])


def settle(frames: planning.Frames, ids: list[int], truth: Any) -> planning.Frames:
    settled = frames.settled.copy()
    settled[np.array(ids, np.int64) - 1] = True
    return dataclasses.replace(
        frames,
        settled=settled,
        readable=np.where(settled, truth[1], True),
        persons=np.where(settled, truth[0], 0),
    )


def test_reading_what_is_asked_until_no_more_is_asked_gives_the_truth_within_its_interval() -> None:
    frames, truth = drawn()
    for _ in range(200):
        asked = planning.ask(frames)
        if asked.more == 0:
            break
        frames = settle(frames, asked.turns[:20], truth)
    assert asked.figure
    whole = float((truth[0] * truth[1]).sum() * seasons.INTERVAL)
    assert asked.figure.low <= whole <= asked.figure.high
    assert asked.figure.half <= 0.1 * asked.figure.total
    assert asked.read < len(frames.id) / 5


@given(st.sets(st.integers(1, 900)), st.sets(st.integers(1, 900)))
def test_each_stratum_is_asked_for_in_the_order_of_ranks(read: set[int], picked: set[int]) -> None:
    frames, truth = drawn(days=5)
    sampled = frames.sampled.copy()
    sampled[[pk - 1 for pk in picked if pk <= len(frames.id)]] = False
    frames = dataclasses.replace(frames, sampled=sampled)
    frames = settle(frames, [pk for pk in read if pk <= len(frames.id)], truth)
    turns = planning.ask(frames).turns
    assert len(turns) == len(set(turns)) <= planning.STOCK
    assert not (set(turns) & read)
    assert not (set(turns) & picked)
    # Nobody is asked for a frame before those of like machine count, day type and neighbourhood.
    apart = proxy.features(
        frames.deployment, frames.day, frames.clock, frames.free, frames.machine
    )[1]
    likes: dict[Any, list[int]] = {}
    for pk in frames.id[frames.sampled & ~frames.settled].tolist():
        at = pk - 1
        key = (frames.machine[at], frames.free[at], apart[at])
        likes.setdefault(key, []).append(pk)
    for alike in likes.values():
        here = [pk for pk in turns if pk in set(alike)]
        assert here == alike[: len(here)]


def test_without_frames_nothing_is_asked_for() -> None:
    empty = np.array([], np.int64)
    none = planning.Frames(*(empty.astype(t) for t in (
        int, int, int, float, bool, float, float, bool, bool, bool, bool, int)))  # fmt: skip
    assert planning.ask(none) == planning.Asked(0, 0, None, None, [])


def survey(empty: int = 24, busy: int = 6) -> list[Frame]:
    """Frames of a Monday that the machine found empty, then some in which it saw four people."""
    deployment = make_deployment(interval_seconds=300)
    frames = [
        make_frame(deployment, MONDAY + timedelta(minutes=5 * number), rank=1000 - number)
        for number in range(empty)
    ]
    later = [
        make_frame(deployment, MONDAY + timedelta(hours=9, minutes=5 * number), rank=number)
        for number in range(busy)
    ]
    examine(*frames, *later, boxes={each.pk: seen(4) for each in later})
    return frames + later


@pytest.mark.django_db
def test_turns_are_given_out_and_the_queue_follows_them() -> None:
    frames = survey()
    plan()
    first = sampling.FIRST
    turns = list(Turn.objects.order_by("place").values_list("frame", flat=True))
    assert len(turns) == len(frames)  # all that is left, for it is less than a stock
    lake = frames[0].deployment.lake
    ranger = Desk.of(person(Role.RANGER, lake), lake)
    assert [each.pk for each in queue.claim(ranger, want=20)] == turns[:20]
    # By rank alone the six busy frames would come first, then the empty ones from the last on.
    assert turns[:first] == [each.pk for each in frames[23:18:-1]]
    made = Plan.objects.get()
    assert (made.frames, made.read, made.total, made.more) == (30, 0, None, None)


@pytest.mark.django_db
def test_a_plan_is_made_anew_when_something_was_read_and_only_then(
    django_assert_num_queries: Any,
) -> None:
    frames = survey()
    plan()
    with django_assert_num_queries(2):  # it only asks
        plan()
    for each in frames:
        read(each, 4 if each in frames[24:] else 0)
    assert planning.owed()
    plan()
    assert not Turn.objects.exists()
    made = Plan.objects.get()
    assert (made.frames, made.read, made.more) == (30, 30, 0)
    assert made.total == made.low == made.high == pytest.approx(6 * 4 * 300 / 3600)
    with django_assert_num_queries(2):
        owed = planning.owed()
    assert owed == {}


@pytest.mark.django_db
def test_a_frame_chosen_by_hand_counts_exactly_and_leaves_the_sample() -> None:
    frames = survey()
    submit(
        frame=frames[0],
        reviewer=person(Role.RANGER, frames[0].deployment.lake),
        request_id=Review._meta.get_field("author").get_default(),
        verdict="boxes",
        boxes=[StatedBox("person", "", 0.1, 0.1, 0.1, 0.1)],
        picked=True,
    )
    found = planning.frames_of(frames[0].deployment.lake)
    assert found.id[~found.sampled].tolist() == [frames[0].pk]
    asked = planning.ask(found)
    assert (asked.frames, asked.read) == (29, 0)
    assert frames[0].pk not in asked.turns


@pytest.mark.django_db
def test_a_frame_is_taken_for_unreadable_on_the_machines_word_until_it_is_read() -> None:
    frames = survey()
    Frame.objects.filter(pk=frames[3].pk).update(flag="fogged")
    found = planning.frames_of(frames[0].deployment.lake)
    assert found.id[~found.sampled].tolist() == [frames[3].pk]
    assert found.hours.tolist() == [300 / 3600] * 30
    assert found.free.any() == False  # noqa: E712  # a Monday
    assert (found.clock.min(), found.machine.max()) == (6.0, 4.0)
