"""Peak, tent-nights, presence, watched hours and the extrapolated season, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pytest

from dashboards import sheets
from dashboards.estimators import proxy, units
from dashboards.estimators.season import extrapolate
from dashboards.estimators.strata import Floats
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
    free = np.array([0, 0, 0, 1, 1] * 4, bool)
    watched = np.array([[8, 8], [8, 4], [0, 0], [8, 8], [0, 8.0]] * 4)
    rate = np.where(free[:, None], [10.0, 6.0], [2.0, 1.0])
    scheduled = np.full((20, 2), 8.0)
    found = extrapolate(rate * watched, watched, scheduled, free, error=0.0)
    # Days do not differ within their type: working 4 h · 1 + 8 · 2 + 8 · 1, free 8 · 10; × 4.
    assert found.total - found.observed == pytest.approx(4 * (4 + 16 + 8 + 80))
    assert (found.low, found.high) == pytest.approx((found.total, found.total))
    assert found.unwatched_hours == 4 * 28


def _days(*rates: float | None) -> tuple[Floats, Floats, Floats]:
    """Days of one band of eight hours: counts in it (None: not watched), watched, scheduled."""
    watched = np.array([[0.0 if rate is None else 8.0] for rate in rates])
    counted = np.array([[rate or 0.0] for rate in rates])
    return counted, watched, np.full((len(rates), 1), 8.0)


def _ends(
    given: tuple[Floats, Floats, Floats], free: Sequence[int], error: float = 0.0
) -> tuple[float, float, float]:
    found = extrapolate(*given, np.array(free, bool), error=error)
    assert found.low is not None
    assert found.high is not None
    return found.low, found.total, found.high


def test_the_season_s_interval_by_hand() -> None:
    low, total, high = _ends(_days(*[20, 60] * 5, None, None), free=[0] * 12)
    # Mean 40, s² = 10 · 20² / 9. Two days of ten more: 2 · 12 / 10 · s² = N² (1 − n/N) s² / n.
    variance, t = 2 * 12 / 10 * 4000 / 9, 2.262157  # nine degrees of freedom
    assert total == pytest.approx(400 + 80)
    assert low == pytest.approx(480 - t * variance**0.5)
    assert high == pytest.approx(400 + 80 * np.exp(t * np.log1p(variance / 80**2) ** 0.5))
    # The error of what was observed is that of what is filled in as well: 10 of 400, 12 of 480.
    wider = _ends(_days(*[20, 60] * 5, None, None), free=[0] * 12, error=10.0)
    assert wider[2] - total == pytest.approx(np.hypot(high - total, 1.959964 * 12))


def test_a_day_type_with_few_days_differs_as_all_days_do() -> None:
    given = _days(*[20, 60] * 5, 80, 80, None)
    low, total, high = _ends(given, free=[0] * 10 + [1] * 3)
    assert total == pytest.approx(400 + 160 + 80)
    # The two free days are alike. Of both types: (9 · s² + 1 · 0) / (9 · 40² + 1 · 80²).
    usual = 4000 / (9 * 40**2 + 80**2)
    variance, t = usual * 80**2 * (1 + 1 / 2), 2.228139  # 9 + 1 degrees of freedom
    assert low == pytest.approx(total - 80)  # not below what was seen
    assert high == pytest.approx(total + 80 * np.expm1(t * np.log1p(variance / 80**2) ** 0.5))


def test_like_days_in_a_row_say_less_of_those_that_lie_apart() -> None:
    apart = _ends(_days(*[20, 60] * 5, *[None] * 5), free=[0] * 15)
    row = _ends(_days(*[20] * 5, *[60] * 5, *[None] * 5), free=[0] * 15)
    assert row[1] == apart[1]
    assert row[2] - row[1] > 1.5 * (apart[2] - apart[1])


def test_too_few_days_or_people_give_no_interval() -> None:
    for rates in ([20, 60] * 4 + [40], [0] * 8 + [20, 60, 40, 40], [0] * 12):
        given = _days(*rates, None, None)
        found = extrapolate(*given, np.zeros(len(rates) + 2, bool), error=0.0)
        assert found.total == pytest.approx(sum(rates) * (1 + 2 / len(rates)))
        assert (found.low, found.high) == (None, None)
    assert _ends(_days(*[0] * 7, 20, 60, 40, 40, 20, None), free=[0] * 13)


def test_days_that_differ_widen_the_season() -> None:
    rng = np.random.default_rng(1)
    watched = np.full((40, 1), 8.0)
    watched[::4] = 0
    counted = rng.gamma(2.0, 20.0, (40, 1)) * (watched > 0)
    given = counted, watched, np.full((40, 1), 8.0), np.zeros(40, bool)
    found = extrapolate(*given, error=0.0)
    assert found == extrapolate(*given, error=0.0)
    assert found.low is not None
    assert found.high is not None
    # Ten days more of sd s: s · √(10 + 10² / 30) each way, some two times.
    spread = 1.96 * counted[watched > 0].std() * np.sqrt(10 + 100 / 30)
    assert (found.high - found.low) / 2 == pytest.approx(1.1 * spread, rel=0.1)
    wider = extrapolate(*given, error=200.0)
    assert wider.high is not None
    assert wider.high > found.high + 50


def test_hours_of_a_kind_never_watched_are_named_and_left_out() -> None:
    watched = np.array([[8.0, 0.0], [8.0, 0.0]])
    found = extrapolate(watched * 3, watched, np.full((2, 2), 8.0), np.zeros(2, bool), error=0.0)
    assert (found.total, found.blind_hours) == (48, 16)
