"""Peak, tent-nights, presence, watched hours and the extrapolated season, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dashboards.estimators import proxy, units
from dashboards.estimators.season import extrapolate
from dashboards.estimators.totals import estimate, population

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


def test_watched_hours_are_all_but_the_unreadable() -> None:
    whole = population(np.zeros(100, np.int64), np.full(100, 0.5), np.zeros((100, 10)))
    readable = np.arange(20) >= 2  # two of twenty are fog
    found = units.watched_hours(
        whole,
        stratum=np.zeros(20, np.int64),
        place=np.arange(20),
        hours=np.full(20, 0.5),
        readable=readable,
        certain=7.0,
    )
    assert found is not None
    assert found.value == pytest.approx(7 + 50 * 0.9)
    assert 7 + 9 <= found.low < found.value < found.high <= 57 - 1


def test_a_rate_is_the_total_per_watched_hour() -> None:
    hours = np.full(60, 0.5)
    whole = population(np.zeros(600, np.int64), np.full(600, 0.5), np.zeros((600, 10)))
    sample: dict[str, Any] = {
        "stratum": np.zeros(60, np.int64),
        "place": np.arange(60),
        "x": np.zeros((60, len(proxy.FEATURES))),
        "y": np.tile([0.0, 1.0, 2.0], 20),
    }
    figure = estimate(whole, **sample)
    watched = units.Interval(300.0, 300.0, 300.0)
    assert figure is not None
    found = units.per_watched_hour(whole, figure, watched, hours=hours, **sample)
    assert found is not None
    # All hours are watched: the rate is the total over 300 and so is its interval.
    assert found.value == pytest.approx(600 / 300)
    assert found.high == pytest.approx(figure.high / 300, rel=0.02)
    nothing = units.Interval(0.0, 0.0, 0.0)
    assert units.per_watched_hour(whole, figure, nothing, hours=hours, **sample) is None


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
