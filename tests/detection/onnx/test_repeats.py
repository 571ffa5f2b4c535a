"""Repeats: the stone goes, people and tents stay; on drawn days and by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from detection.benchmarks.drawn import ROCK, Days, draw, sight
from detection.labels import Activity, Label
from detection.onnx.repeats import Decision, Reason, Sightings, repeats
from detection.scenes.model import Pose, Thing
from detection.scenes.plan import plan, roughened
from tests.detection.onnx.conftest import VIEW

HOUR = 3600.0


def share_suppressed(days: Days, seed: int) -> dict[str, float]:
    sightings, held = sight(days, seed)
    reasons = repeats(sightings, days.instants, days.light)
    gone = Counter(kind for kind, reason in zip(held, reasons, strict=True) if reason)
    return {kind: gone[kind] / count for kind, count in Counter(held).items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_stone_goes_and_people_and_tents_stay(weekend: Days, seed: int) -> None:
    gone = share_suppressed(weekend, seed)
    assert gone[ROCK] >= 0.9
    assert gone["person"] <= 0.01
    assert gone["tent"] == 0
    assert gone["sheep"] == 0


def test_part_of_the_boxes_is_judged_as_it_would_be_among_all(weekend: Days) -> None:
    sightings, _ = sight(weekend, 1)
    every = repeats(sightings, weekend.instants, weekend.light)
    wanted = sightings.frame < len(weekend.frames) // 3
    some = repeats(sightings, weekend.instants, weekend.light, wanted=wanted)
    assert any(some)
    assert some == [why if asked else None for why, asked in zip(every, wanted, strict=True)]


def test_hard_conditions_hide_nobody() -> None:
    """Changing light, a moving shadow, ripples, banks of fog and a camera that is knocked twice,
    by up to 2 px of 640 each way.
    """
    frames = roughened(plan(date(2025, 7, 25), 3, 40, seed=1), 1, knock=2.0)
    gone = share_suppressed(draw(VIEW, frames), 1)
    assert gone[ROCK] >= 0.9
    assert gone["person"] <= 0.01
    assert gone["tent"] == 0


@pytest.mark.parametrize("rough", [False, True])
def test_who_sits_for_hours_and_the_tent_of_a_night_stay(rough: bool) -> None:
    """A sitter of an hour, one of five hours, and a tent that stands from dusk to late morning,
    each at a place of its own, among a lake's usual rhythm and in hard conditions.
    """
    start = date(2025, 7, 25)
    frames = [replace(frame, things=()) for frame in plan(start, 2, 30, seed=3)]
    if rough:
        frames = roughened(frames, seed=3)
    first = frames[0].moment.at.replace(hour=0, minute=0)
    sitter = Thing(Label.PERSON, 0.30, 0.93, Activity.RESTING, Pose.SIT, 0)
    stays = [
        (sitter, 13.0, 14.0),
        (replace(sitter, x=0.62, y=0.95, look=5), 10.0, 15.0),
        (Thing(Label.TENT, 0.14, 0.86, look=2), 19.0, 34.0),
    ]
    for at, frame in enumerate(frames):
        hours = (frame.moment.at - first) / timedelta(hours=1)
        things = tuple(thing for thing, begins, ends in stays if begins <= hours < ends)
        frames[at] = replace(frame, things=things)
    days = draw(VIEW, frames)
    gone = share_suppressed(days, seed=4)
    assert gone["person"] == 0
    assert gone["tent"] == 0
    assert gone[ROCK] >= 0.9


def made(
    times: Sequence[float], evidence: float | Sequence[float], label: str = "person"
) -> tuple[Sightings, np.ndarray]:
    """One place that fires at `times` (hours), among frames every quarter of an hour for four
    days.
    """
    instants = np.arange(0, 4 * 24, 0.25) * HOUR
    count = len(times)
    return (
        Sightings(
            np.array([round(hour * 4) for hour in times], np.int64),
            np.tile([0.4, 0.5, 0.42, 0.56], (count, 1)),
            [label] * count,
            np.broadcast_to(np.asarray(evidence, np.float32), (count,)),
        ),
        instants,
    )


MORNINGS = [day * 24 + hour for day in range(4) for hour in (8.0, 8.5, 9.25)]
RECURS = [Reason.RECURS]


def test_it_recurs_in_like_light_and_nothing_changed() -> None:
    assert repeats(*made(MORNINGS, 0.0)) == RECURS * len(MORNINGS)


def test_a_box_that_differs_stays_though_the_stone_behind_goes() -> None:
    evidence = [0.0] * len(MORNINGS)
    evidence[4] = 0.3  # in the midst of the second morning: someone before the stone
    kept = [at for at, why in enumerate(repeats(*made(MORNINGS, evidence))) if why is None]
    assert kept == [4]


def test_a_stay_that_began_with_a_difference_stays_whole() -> None:
    evidence = [0.0] * len(MORNINGS)
    evidence[3] = 0.3
    kept = [at for at, why in enumerate(repeats(*made(MORNINGS, evidence))) if why is None]
    assert kept == [3, 4, 5]


def test_one_day_alone_is_no_repeat_in_like_light() -> None:
    assert repeats(*made([8.0, 8.25, 8.5, 8.75, 9.0], 0.0)) == [None] * 5


def test_without_a_background_three_days_are_needed() -> None:
    assert repeats(*made(MORNINGS, np.nan)) == RECURS * len(MORNINGS)
    two = MORNINGS[:6]
    assert repeats(*made(two, np.nan)) == [None] * 6


def test_a_tent_is_no_stone_before_three_days_and_never_once_it_came() -> None:
    night = [19 + quarter / 4 for quarter in range(56)]
    assert repeats(*made(night, 0.0, "tent")) == [None] * 56
    always = [day * 24 + half / 2 for day in range(4) for half in range(12, 42)]
    assert set(repeats(*made(always, 0.0, "tent"))) == {Reason.RECURS}
    came = [0.4] + [0.0] * (len(always) - 1)
    assert set(repeats(*made(always, came, "tent"))) == {None}


def test_a_persons_word_counts() -> None:
    place = (0.4, 0.5, 0.42, 0.56)
    once, instants = made([8.0, 30.0], [0.0, 0.5])
    dismissed = [Decision("person", place, visitor=False)]
    assert repeats(once, instants, decisions=dismissed) == [Reason.DISMISSED, None]
    accepted = [Decision("person", place, visitor=True)]
    assert repeats(*made(MORNINGS, 0.0), decisions=accepted) == [None] * len(MORNINGS)
    assert repeats(*made(MORNINGS, 0.0), decisions=accepted + dismissed)[0] is Reason.DISMISSED
    elsewhere = [Decision("person", (0.1, 0.1, 0.2, 0.2), visitor=True)]
    assert repeats(*made(MORNINGS, 0.0), decisions=elsewhere) == RECURS * len(MORNINGS)


def test_other_places_and_labels_are_other_things() -> None:
    sightings, instants = made(MORNINGS, 0.0)
    spread = sightings.xyxy + np.arange(len(MORNINGS))[:, None] * 0.03
    moved = replace(sightings, xyxy=spread)
    assert repeats(moved, instants) == [None] * len(MORNINGS)
    labels = ["person", "dog", "sheep", "boat"] * 3
    assert repeats(replace(sightings, labels=labels), instants)[:2] == [None, None]


def test_no_boxes_no_reasons() -> None:
    none = Sightings(np.zeros(0, np.int64), np.zeros((0, 4)), [], np.zeros(0, np.float32))
    assert repeats(none, np.arange(5.0)) == []
    assert repeats(none, np.zeros(0), np.zeros((0, 12, 16), np.float32)) == []
