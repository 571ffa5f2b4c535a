"""What the estimates ask for next, over rows and over drawn seasons; and that the queue obeys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation import queue
from annotation.models import Plan, Review, Turn
from annotation.queue import Desk
from annotation.reviewing import StatedBox, submit
from dashboards import planning, rollups, seasons
from dashboards.attendance import attendance
from dashboards.days import Days
from dashboards.estimators import sampling
from dashboards.models import Change
from dashboards.sheets import COUNTS, FEATURE, Depth
from dashboards.tasks import plan
from detection.models import Deployment, Frame, RunFrame
from lacs_web.models import Role
from tests.cast import person
from tests.dashboards.survey import read, seen
from tests.factories import examine, make_deployment, make_frame

MONDAY = datetime(2025, 7, 7, 4, tzinfo=UTC)


@dataclass
class Lake:
    """The first days of a simulated season, as figures keep them; ids are those of the ranks."""

    raw: rollups.Raw
    strata: tuple[Any, Any, Any]
    persons: Any  # that a reading of each would find
    readable: Any

    @classmethod
    def drawn(cls, lake: int = 1, detector: int = 0, days: int = 20) -> Lake:
        rng = np.random.default_rng(7)
        season = seasons.season(seasons.LAKES[lake], seasons.DETECTORS[detector], rng)
        day, slot = np.nonzero(~season.known_unreadable[:days])
        number = len(day)
        none, ids = np.zeros(number, bool), 1 + rng.permutation(number)
        raw = rollups.Raw(
            id=ids, rank=ids, day=MONDAY.toordinal() + day, clock=season.clock[slot],
            hours=np.full(number, seasons.INTERVAL),
            machine=season.machine[day, slot].astype(np.float64),
            run=np.ones(number, np.int64), doubtful=none, picked=none, settled=none,
            watched=~none, rule=[None] * number, seconds=np.zeros(number),
            counts=np.zeros((number, len(COUNTS)), np.int64),
        )  # fmt: skip
        return cls(raw, rollups._strata(raw, "FR"), season.counts[day, slot],
                   season.readable[day, slot])  # fmt: skip

    def pick(self, ids: set[int]) -> None:
        self.raw = replace(self.raw, picked=np.isin(self.raw.id, list(ids)))
        self.strata = rollups._strata(self.raw, "FR")

    def settle(self, ids: Iterable[int]) -> None:
        settled = self.raw.settled | np.isin(self.raw.id, list(ids))
        counts = self.raw.counts.copy()
        counts[:, 0] = settled * self.persons
        self.raw = replace(
            self.raw, settled=settled, counts=counts, watched=~settled | self.readable
        )

    def asked(self) -> planning.Asked:
        kept = [
            rollups._day(Deployment(pk=1), *part)
            for part in rollups._by_day(self.raw, *self.strata)
        ]
        rows = [{name: getattr(day, name) for name in ("day", "frames", "readings", "population")}
                for day in kept]  # fmt: skip
        days = Days([row | {"deployment": 1} for row in rows], {1: Depth(**rollups._depths(kept))})
        features = np.frombuffer(b"".join(day.features for day in kept), FEATURE)
        return planning.ask(days.sheet, features["frame"])


def test_reading_what_is_asked_until_no_more_is_asked_gives_the_truth_within_its_interval() -> None:
    lake = Lake.drawn()
    for _ in range(200):
        asked = lake.asked()
        if asked.more == 0:
            break
        lake.settle(asked.turns[:20])
    figure = asked.figure
    assert figure
    assert figure.low is not None
    assert figure.high is not None
    whole = float((lake.persons * lake.readable).sum() * seasons.INTERVAL)
    assert figure.low <= whole <= figure.high
    assert (figure.high - figure.low) / 2 <= 0.1 * figure.value
    assert asked.read < len(lake.raw.id) / 5


@settings(deadline=None)
@given(st.sets(st.integers(1, 900)), st.sets(st.integers(1, 900)))
def test_each_stratum_is_asked_for_in_the_order_of_ranks(read: set[int], picked: set[int]) -> None:
    lake = Lake.drawn(days=5)
    lake.pick(picked)
    lake.settle(read)
    turns = lake.asked().turns
    assert len(turns) == len(set(turns)) <= planning.STOCK
    assert not (set(turns) & read)
    assert not (set(turns) & picked)
    # Nobody is asked for a frame before those of its stratum that come first by rank.
    stratum, _place, _x = lake.strata
    raw = lake.raw
    for one in np.unique(stratum[raw.sampled]):
        alike = np.sort(raw.id[raw.sampled & ~raw.settled & (stratum == one)]).tolist()
        here = [pk for pk in turns if pk in set(alike)]
        assert here == alike[: len(here)]


def test_without_frames_nothing_is_asked_for() -> None:
    none = np.zeros(0, np.int64)
    assert planning.ask(Days([], {}).sheet, none) == planning.Asked(0, 0, None, None, [])


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
    django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = survey()
    plan()
    with django_assert_num_queries(2):  # it only asks
        plan()
    (deployment,) = frames[0].deployment.lake.deployments.all()
    Change.objects.create(deployment=deployment)  # as by the thousand while a run goes on
    monkeypatch.setattr(rollups, "AT_ONCE", 0)
    with CaptureQueriesContext(connection) as asked:
        plan()
    assert not [each for each in asked if "features" in each["sql"]]  # no frame is read anew
    monkeypatch.undo()
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
    assert not owed


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
    lake = frames[0].deployment.lake
    assert rollups.catch_up([lake])
    sheet, ids = planning.kept(lake)
    assert ids[sheet.stratum < 0].tolist() == [frames[0].pk]
    asked = planning.ask(sheet, ids)
    assert (asked.frames, asked.read) == (29, 0)
    assert frames[0].pk not in asked.turns


@pytest.mark.django_db
def test_a_frame_is_taken_for_unreadable_on_the_machines_word_until_it_is_read() -> None:
    frames = survey()
    Frame.objects.filter(pk=frames[3].pk).update(flag="fogged")
    lake = frames[0].deployment.lake
    assert rollups.catch_up([lake])
    sheet, ids = planning.kept(lake)
    assert sorted(ids.tolist()) == sorted(each.pk for each in frames if each != frames[3])
    assert sheet.hours.tolist() == pytest.approx([300 / 3600] * 29)
    assert planning.ask(sheet, ids).frames == 29


@pytest.mark.django_db
def test_the_plan_says_what_the_page_says() -> None:
    """Two frames of one interval share its time; the one that could not be read leaves it to the
    other, for the plan as for the page."""
    frames = survey(empty=24, busy=6)
    twin = make_frame(frames[-1].deployment, MONDAY + timedelta(hours=9, seconds=10), rank=99)
    examine(twin, boxes={twin.pk: seen(4)})
    for n, each in enumerate([*frames, twin]):
        if n % 2 == (n < 24):  # the first of each stratum among them
            read(each, n % 3, "unreadable" if each == frames[24] else "")
    plan()
    made = Plan.objects.get()
    said = attendance(frames[0].deployment.lake, MONDAY.date(), MONDAY.date())
    hours = said["units"]["person_hours"]
    assert hours["basis"] == "corrected"
    assert (made.total, made.low, made.high) == (hours["value"], hours["low"], hours["high"])
    assert made.more == said["precision"]["more"]


@pytest.mark.django_db
def test_no_turn_is_given_to_a_frame_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The figures may lag behind the frames."""
    frames = survey()
    lake = frames[0].deployment.lake
    assert rollups.catch_up([lake])
    RunFrame.objects.filter(frame=frames[3]).delete()
    Frame.objects.filter(pk=frames[3].pk).delete()
    monkeypatch.setattr(rollups, "AT_ONCE", 0)
    plan()
    assert set(Turn.objects.values_list("frame", flat=True)) == {
        each.pk for each in frames if each != frames[3]
    }
