"""The still background and what differs from it, under all that an empty lake does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from detection.benchmarks.drawn import Days
from detection.labels import Activity, Label
from detection.onnx import background
from detection.onnx.background import (
    APART,
    FEWEST,
    Change,
    Still,
    align,
    change,
    median,
    neighbours,
    remember,
    shift,
    unlikeness,
)
from detection.scenes.model import Moment, Pose, Thing
from detection.scenes.render import render
from tests.detection.onnx.conftest import VIEW

NOON = datetime(2025, 7, 26, 14, 12)  # noqa: DTZ001 - camera clock
PEOPLE = [
    Thing(Label.PERSON, 0.30, 0.93, Activity.RESTING, Pose.SIT, 0),
    Thing(Label.PERSON, 0.80, 0.86, Activity.WALKING, Pose.WALK, 2),
    Thing(Label.PERSON, 0.15, 0.70, Activity.WALKING, Pose.WALK, 3),
]
WEATHER: dict[str, dict[str, Any]] = {
    "as usual": {},
    "overcast": {"cloud": 1.0},
    "blue sky": {"cloud": 0.0},
    "a shadow moves": {"shadow_edge": 0.45},
    "wind": {"ripple": 1.0},
    "a bank of fog": {"bank": 0.8},
    "thin fog": {"fog": 0.3},
    "knocked": {"shift_px": (6.0, -4.0)},
    "knocked askew": {"turn_deg": 0.5},
    "rain": {"rain": 0.6, "cloud": 0.9},
    "drops": {"drops": 4},
}


def differing(moment: Moment, things: Sequence[Thing], quiet: list[Still]) -> tuple[Change, Any]:
    drawn = render(VIEW, moment, things)
    still = remember(drawn.image, moment.seconds)
    behind = background.background(still, neighbours(still, quiet))
    assert behind is not None
    boxes = np.array([[b.x, b.y, b.w, b.h] for b in drawn.boxes]).reshape(-1, 4)
    return change(still, behind), boxes


@pytest.mark.parametrize("weather", WEATHER)
def test_people_differ_and_weather_does_not(weather: str, quiet: list[Still]) -> None:
    moment = Moment(NOON, **WEATHER[weather])
    empty, _ = differing(moment, [], quiet)
    assert (empty.excess > 0).mean() < 0.01
    peopled, boxes = differing(moment, PEOPLE, quiet)
    assert len(boxes) == len(PEOPLE)
    assert (peopled.within(boxes) > 0.1).all()
    spots = peopled.spots
    for x, y, w, h in boxes:  # each lies under a spot, for a tile to be laid there
        centre = np.array([x + w / 2, y + h / 2])
        assert ((spots[:, :2] <= centre + 0.02) & (spots[:, 2:] >= centre - 0.02)).all(1).any()


def test_who_sits_for_an_hour_stays_a_difference(quiet: list[Still]) -> None:
    """Neighbours are taken apart in time, so that few of them hold whoever sits there."""
    sitter = Thing(Label.PERSON, 0.30, 0.93, Activity.RESTING, Pose.SIT, 0)
    start = datetime(2025, 7, 26, 13)  # noqa: DTZ001
    moments = [Moment(start.replace(minute=minute)) for minute in range(0, 60, 5)]
    sitting = [render(VIEW, moment, [sitter]) for moment in moments]
    stills = [remember(s.image, m.seconds) for s, m in zip(sitting, moments, strict=True)]
    for at, drawn in enumerate(sitting):
        others = [*stills[:at], *stills[at + 1 :], *quiet]
        behind = background.background(stills[at], neighbours(stills[at], others))
        assert behind is not None
        (box,) = drawn.boxes
        found = change(stills[at], behind).within(np.array([[box.x, box.y, box.w, box.h]]))
        assert found[0] > 0.1


def test_neighbours_are_alike_and_apart(weekend: Days) -> None:
    stills = weekend.stills
    for at in (5, 12, 30):
        chosen = neighbours(stills[at], stills)
        assert stills[at] not in chosen
        times = sorted(each.at for each in [*chosen, stills[at]])
        assert min(b - a for a, b in pairwise(times)) >= APART
        likeness = unlikeness(stills[at], chosen).tolist()
        assert likeness == sorted(likeness)


def test_too_few_neighbours_are_no_background(quiet: list[Still]) -> None:
    still = remember(render(VIEW, Moment(NOON)).image, Moment(NOON).seconds)
    assert background.background(still, neighbours(still, quiet)[: FEWEST - 1]) is None
    night = Moment(NOON.replace(hour=22))
    dark = remember(render(VIEW, night).image, night.seconds)
    assert neighbours(dark, quiet) == []  # none of like light


def test_neighbours_of_another_size_do_not_count(quiet: list[Still]) -> None:
    other = remember(np.zeros((300, 400, 3), np.uint8), Moment(NOON).seconds)
    assert neighbours(other, quiet) == []


@pytest.mark.parametrize("moved", [(6.0, -4.0), (-13.0, 2.5), (0.0, 0.0)])
def test_a_knock_is_measured(moved: tuple[float, float]) -> None:
    still, knocked = (
        remember(render(VIEW, Moment(NOON, shift_px=px)).image, 0.0) for px in ((0.0, 0.0), moved)
    )
    assert shift(knocked, still) == pytest.approx(moved, abs=0.7)
    assert shift(still, knocked) == pytest.approx((-moved[0], -moved[1]), abs=0.7)


def test_what_has_nothing_in_common_is_not_moved() -> None:
    random = np.random.default_rng(2)
    one, two = (remember(random.integers(0, 255, (480, 640, 3), np.uint8), 0.0) for _ in range(2))
    assert shift(one, two) == (0.0, 0.0)
    assert align(one, one)[2] == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize("count", range(1, 11))
def test_median_is_numpys(count: int) -> None:
    random = np.random.default_rng(count)
    stack = [random.integers(0, 256, (5, 7, 3), np.uint8) for _ in range(count)]
    middle = np.sort(np.stack(stack), axis=0)[(count - 1) // 2]
    assert np.array_equal(median(stack), middle)


def test_the_share_that_differs_by_hand() -> None:
    excess = np.zeros((10, 20), np.uint8)
    excess[2:4, 5:10] = 9
    found = Change(excess, np.zeros((0, 4), np.float32)).within(
        np.array(
            [[0.25, 0.2, 0.25, 0.2], [0.25, 0.2, 0.5, 0.4], [0.9, 0.9, 0.3, 0.3], [0, 0, 0, 0]]
        )
    )
    assert found == pytest.approx([1.0, 0.25, 0.0, 0.0])


def test_a_background_comes_back_as_a_picture(quiet: list[Still]) -> None:
    drawn = render(VIEW, Moment(NOON), PEOPLE)
    still = remember(drawn.image, Moment(NOON).seconds)
    behind = background.background(still, neighbours(still, quiet))
    assert behind is not None
    empty = render(VIEW, Moment(NOON)).image
    land = np.s_[300:]  # sky and water move on
    error = np.abs(behind.rgb()[land].astype(int) - empty[land])
    assert np.median(error) <= 8
    # The logarithmic scale and back, to a level or two of its steps.
    assert np.abs(background._UNLOG[background._LOG].astype(int) - np.arange(256)).max() <= 3
