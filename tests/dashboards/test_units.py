"""Peak, tent-nights, presence, watched hours and the extrapolated season, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest

from dashboards import sheets
from dashboards.estimators import proxy, units
from dashboards.estimators.season import extrapolate
from dashboards.figures import Part

NONE = np.zeros((0,), np.int64)


def test_the_peak_is_the_first_frame_with_the_most() -> None:
    assert units.peak(np.array([1, 7, 3, 7])) == units.Peak(7, 1)
    assert units.peak(NONE) is None


def test_a_night_lasts_from_evening_to_morning_and_counts_its_most() -> None:
    day = np.array([0, 1, 1, 1, 1, 2])
    clock = np.array([20.0, 6.0, 8.99, 9.0, 19.0, 5.0])
    tents = np.array([3, 5, 4, 2, 1, 0])
    # Night of day 0: most of 3, 5, 4; night of day 1: 1 and 0; at nine sharp it is day.
    assert units.tent_nights(day, clock, tents) == units.Tents(6, 2, 2)
    assert units.tent_nights(NONE, NONE.astype(float), NONE) == units.Tents(0, 0, 0)


def test_a_window_may_lie_within_one_day() -> None:
    found = units.tent_nights(
        np.array([0, 0]), np.array([1.0, 5.0]), np.array([2, 9]), night=(0.0, 4.0)
    )
    assert found == units.Tents(2, 1, 9)


def test_days_with_a_herd_are_counted_once() -> None:
    assert units.days_with(np.array([3, 3, 4, 5]), np.array([True, True, False, True])) == 2


def part(
    sampled: int, read: int, *, fog: int = 0, persons: Sequence[int] | int = 0, certain: int = 0
) -> Part:
    """Half-hours of one stratum, the first `read` of them read, of these the first `fog`
    unreadable; and some read outside the queue."""
    number = np.arange(sampled + certain)
    rows = np.zeros(len(number), sheets.FRAME)
    rows["hours"], rows["place"], rows["examined"] = 0.5, number, True
    rows["stratum"] = np.where(number < sampled, 0, -1)
    rows["settled"] = (number < read) | (number >= sampled)
    rows["readable"] = number >= fog
    said = np.zeros(read + certain, sheets.READING)
    said["frame"] = np.flatnonzero(rows["settled"])
    said["counts"][:, 0] = persons
    x = np.zeros((len(number), len(proxy.FEATURES)))
    population = sheets.population(rows["stratum"], rows["hours"], x)
    day = sheets.Packed(1, date(2025, 7, 7), rows.tobytes(), said.tobytes(), population)
    return Part(sheets.sheet([day], {1: sheets.Depth([sampled], [read], [read])}))


def test_watched_hours_are_all_but_the_unreadable() -> None:
    found = part(100, 20, fog=2, certain=14).watched()  # two of twenty are fog
    assert found is not None
    assert found.value == pytest.approx(7 + 50 * 0.9)
    assert 7 + 9 <= found.low < found.value < found.high <= 57 - 1


def test_a_rate_is_the_total_per_watched_hour() -> None:
    mine = part(600, 60, persons=[0, 1, 2] * 20)
    persons = mine.sheet.persons
    figure, found = mine.total(persons), mine.rate(persons)
    assert figure is not None
    assert found is not None
    # All hours are watched: the rate is the total over 300 and so is its interval.
    assert found.value == pytest.approx(600 * 0.5 / 300)
    assert found.high == pytest.approx(figure.high / 300, rel=0.02)
    nothing = part(4, 4, fog=4)
    assert nothing.rate(nothing.sheet.persons) is None


def test_a_fully_watched_season_extrapolates_to_itself() -> None:
    counted = np.arange(12.0).reshape(6, 2)
    hours = np.full((6, 2), 8.0)
    found = extrapolate(counted, hours, hours, np.array([0, 0, 0, 0, 1, 1], bool), error=0.0)
    assert (found.total, found.low, found.high) == (66, 66, 66)
    assert (found.unwatched_hours, found.label) == (0, "extrapolated")


def test_unwatched_hours_take_the_rate_of_their_day_type_and_band() -> None:
    free = np.array([0, 0, 0, 1, 1], bool)
    watched = np.array([[8, 8], [8, 4], [0, 0], [8, 8], [0, 8.0]])
    rate = np.where(free[:, None], [10.0, 6.0], [2.0, 1.0])
    scheduled = np.full((5, 2), 8.0)
    found = extrapolate(rate * watched, watched, scheduled, free, error=0.0)
    # Days do not differ within their type: working 4 h · 1 + 8 · 2 + 8 · 1, free 8 · 10.
    assert found.total - found.observed == pytest.approx(4 + 16 + 8 + 80)
    assert (found.low, found.high) == pytest.approx((found.total, found.total))
    assert found.unwatched_hours == 28


def test_days_that_differ_widen_the_season_and_the_seed_repeats_it() -> None:
    rng = np.random.default_rng(1)
    watched = np.full((40, 1), 8.0)
    watched[30:] = 0
    counted = rng.gamma(2.0, 20.0, (40, 1)) * (watched > 0)
    given = counted, watched, np.full((40, 1), 8.0), np.zeros(40, bool)
    found = extrapolate(*given, error=0.0)
    assert found == extrapolate(*given, error=0.0)
    # Ten days more of sd s: s · √(10 + 10² / 30) each way, 1.96 times.
    spread = 1.96 * counted[:30].std() * np.sqrt(10 + 100 / 30)
    assert (found.high - found.low) / 2 == pytest.approx(spread, rel=0.1)
    assert extrapolate(*given, error=200.0).high > found.high + 50


def test_hours_of_a_kind_never_watched_are_named_and_left_out() -> None:
    watched = np.array([[8.0, 0.0], [8.0, 0.0]])
    found = extrapolate(watched * 3, watched, np.full((2, 2), 8.0), np.zeros(2, bool), error=0.0)
    assert (found.total, found.blind_hours) == (48, 16)
