"""Totals and their intervals: worked by hand, and what must hold for any reading."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.estimators import proxy, stopping, totals
from dashboards.estimators.strata import Floats, Ints
from dashboards.estimators.totals import Total, estimate, population

WIDTH = len(proxy.FEATURES)


def blank(frames: int) -> Floats:
    return np.zeros((frames, WIDTH))


def reading(
    stratum: Ints, place: Ints, x: Floats, y: Floats, seen: np.ndarray, hour: float = 1.0
) -> Total | None:
    """The total of y, given per frame and hour, when the frames `seen` are read."""
    whole = population(stratum, np.full(len(y), hour), x)
    return estimate(
        whole, stratum=stratum[seen], place=place[seen], x=x[seen] * hour, y=y[seen] * hour
    )


def test_plain_expansion_by_hand() -> None:
    whole = population(np.zeros(10, np.int64), np.ones(10), blank(10))
    y = np.array([0.0, 1.0, 2.0, 5.0])
    found = estimate(whole, stratum=np.zeros(4, np.int64), place=np.arange(4), x=blank(4), y=y)
    assert found is not None
    # Mean 2; squared errors 4, 1, 0, 9 (sum 14), fourth powers 16, 1, 0, 81 (98), cubes sum 18.
    # One error more: (98 + 7²) / (14 + 7) = 7. Variance of a frame: (14 + 0.15 · 7) / 4 = 3.7625.
    # Of the total: 10 · 6 / 4 · 3.7625 = 56.4375.
    assert found.total == pytest.approx(20)
    assert found.variance == pytest.approx(56.4375)
    # All strata together say (14 + 7) / 4 = 5.25 with one error more; fifty errors' worth of it.
    assert found.planning == pytest.approx([(14 + 50 * 7) / (4 + 50 * 7 / 5.25)])
    # Kurtosis 4 · 98 / 14² = 2: 2 · 4 / (2 − 1) = 8 degrees, but no more than 4 − 1.
    assert found.df == pytest.approx(3)
    # Third cumulant: 15 · 10 · (1 − 0.8) / 4 · (18 + 0.15 · 7^1.5) / 4 = 38.959; t = 3.18245.
    # Shift 3.18245² · 38.959 / 56.4375 / 2 = 3.496; half 1.05 · √(3.18245² · 56.4375 + 3.496²).
    assert found.high == pytest.approx(20 + 3.4957 + 25.3704, abs=2e-3)
    assert found.low == 8  # never below what was settled: 0 + 1 + 2 + 5
    assert found.proxy == "none"


def test_expansion_is_unbiased_over_all_samples() -> None:
    y = np.array([0.0, 3.0, 1.0, 7.0, 2.0])
    found = []
    for chosen in combinations(range(5), 2):
        seen = np.isin(np.arange(5), chosen)
        place = np.argsort(np.argsort(~seen, kind="stable"), kind="stable")
        one = reading(np.zeros(5, np.int64), place, blank(5), y, seen)
        assert one is not None
        found.append(one.total)
    assert np.mean(found) == pytest.approx(y.sum())


def test_strata_add_up_by_hand() -> None:
    stratum = np.array([0, 0, 0, 0, 1, 1])
    place = np.array([0, 1, 2, 3, 0, 1])
    y = np.array([1.0, 3.0, 9.0, 9.0, 5.0, 6.0])
    seen = np.array([1, 1, 0, 0, 1, 1], bool)
    found = reading(stratum, place, blank(6), y, seen)
    assert found is not None
    # Stratum 0: 4 · 2 = 8, errors ±1 (square sum 2, fourth 2): one more = (2 + 1) / (2 + 1) = 1;
    # variance 4 · 2 / 2 · (2 + 0.15) / 2 = 4.3. Stratum 1 is fully read: 11, exactly.
    assert found.total == pytest.approx(8 + 11)
    assert found.variance == pytest.approx(4.3)
    assert found.low >= 1 + 3 + 5 + 6


def test_a_sample_without_an_error_is_not_certain() -> None:
    whole = population(np.zeros(1000, np.int64), np.full(1000, 0.5), blank(1000))
    found = estimate(
        whole, stratum=np.zeros(100, np.int64), place=np.arange(100), x=blank(100), y=np.zeros(100)
    )
    assert found is not None
    # Part of one person in one frame of half an hour: 1000 · 900 / 100 · (0.15 · 0.5²) / 100.
    assert found.total == 0
    assert found.variance == pytest.approx(3.375)
    assert found.low == 0
    assert found.high > 5


def test_a_machine_that_counts_right_leaves_a_hundredth_of_the_variance() -> None:
    rng = np.random.default_rng(5)
    y = rng.poisson(2.0, 2000).astype(float)
    x = blank(2000)
    x[:, 0] = y
    stratum, place = np.zeros(2000, np.int64), np.arange(2000)
    with_it = reading(stratum, place, x, y, place < 200)
    without = reading(stratum, place, blank(2000), y, place < 200)
    assert with_it is not None
    assert without is not None
    assert with_it.proxy == "machine"
    assert with_it.variance < without.variance / 50
    assert with_it.total == pytest.approx(y.sum(), rel=0.01)


def test_a_machine_that_counts_noise_is_left_out() -> None:
    rng = np.random.default_rng(6)
    y = rng.poisson(2.0, 2000).astype(float)
    x = blank(2000)
    x[:, 0] = rng.poisson(2.0, 2000)
    found = reading(np.zeros(2000, np.int64), np.arange(2000), x, y, np.arange(2000) < 200)
    assert found is not None
    assert found.proxy == "none"


def test_no_figure_before_every_stratum_is_read() -> None:
    stratum, place = np.array([0, 0, 1]), np.array([0, 1, 0])
    assert reading(stratum, place, blank(3), np.ones(3), np.array([1, 1, 0], bool)) is None


def test_frames_read_outside_the_queue_are_exact() -> None:
    whole = population(np.zeros(10, np.int64), np.ones(10), blank(10))
    sample: dict[str, Any] = {
        "stratum": np.zeros(4, np.int64),
        "place": np.arange(4),
        "x": blank(4),
        "y": np.array([0.0, 1.0, 2.0, 5.0]),
    }
    bare, with_some = estimate(whole, **sample), estimate(whole, certain=30.0, **sample)
    assert bare is not None
    assert with_some is not None
    assert with_some.total == bare.total + 30
    assert with_some.high == pytest.approx(bare.high + 30)
    assert with_some.low == bare.low + 30


@st.composite
def seasons(draw: st.DrawFn) -> tuple[Ints, Ints, Floats, Floats, np.ndarray]:
    """A few strata of frames with features, counts and a settled prefix of each."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = draw(st.lists(st.integers(2, 40), min_size=1, max_size=4))
    stratum = np.repeat(np.arange(len(sizes)), sizes)
    place = np.concatenate([np.arange(size) for size in sizes])
    y = rng.poisson(draw(st.floats(0, 3)), len(stratum)).astype(float)
    x = rng.random((len(stratum), WIDTH))
    x[:, 0] = rng.binomial(y.astype(int), 0.6)
    read = np.array([draw(st.integers(1, size)) for size in sizes])
    return stratum, place, x, y, place < read[stratum]


@given(seasons(), st.integers(0, 2**32 - 1))
def test_the_order_of_frames_does_not_matter(season, seed: int) -> None:  # type: ignore[no-untyped-def]
    stratum, place, x, y, seen = season
    mixed = np.random.default_rng(seed).permutation(len(y))
    one = reading(stratum, place, x, y, seen)
    other = reading(stratum[mixed], place[mixed], x[mixed], y[mixed], seen[mixed])
    assert one is not None
    assert other is not None
    for name in ("total", "low", "high"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-6, abs=1e-6)


@given(seasons())
def test_what_is_fully_read_is_exact(season) -> None:  # type: ignore[no-untyped-def]
    stratum, place, x, y, _ = season
    found = reading(stratum, place, x, y, np.ones(len(y), bool))
    assert found is not None
    assert found.exact
    assert (found.low, found.total, found.high) == pytest.approx((y.sum(),) * 3)


@given(seasons())
def test_the_interval_holds_its_total_and_all_that_was_settled(season) -> None:  # type: ignore[no-untyped-def]
    stratum, place, x, y, seen = season
    found = reading(stratum, place, x, y, seen)
    assert found is not None
    assert found.low >= y[seen].sum() - 1e-9
    assert found.high >= found.low
    assert np.isfinite([found.total, found.low, found.high]).all()


@given(seasons(), st.sampled_from([0.25, 2.0]))
def test_hours_only_scale_a_figure(season, hour: float) -> None:  # type: ignore[no-untyped-def]
    stratum, place, x, y, seen = season
    one = reading(stratum, place, x, y, seen)
    scaled = reading(stratum, place, x, y, seen, hour)
    assert one is not None
    assert scaled is not None
    assert scaled.total == pytest.approx(hour * one.total, rel=1e-6, abs=1e-6)
    assert scaled.high == pytest.approx(hour * one.high, rel=1e-6, abs=1e-6)


def figure(total: float, half: float, *, read: int = 100, frames: int = 10_000) -> Total:
    return Total(
        total=total,
        low=total - half,
        high=total + half,
        df=50.0,
        proxy="none",
        frames=frames,
        read=read,
        variance=half**2 / 4,
        unread_variance=0.0,
        planning=np.ones(1),
    )


def test_the_stop_is_a_tenth_of_the_total_or_a_fixed_share_of_a_person_present() -> None:
    busy = stopping.progress(figure(5000, 500), watched_hours=1600)
    assert busy == stopping.Progress(done=True, tolerance=500, absolute=False, more=0)
    empty = stopping.progress(figure(40, 12), watched_hours=1600)
    assert empty == stopping.Progress(done=True, tolerance=12.8, absolute=True, more=0)


def test_half_the_width_takes_four_times_the_readings() -> None:
    wide = stopping.progress(figure(5000, 1000), watched_hours=1600)
    assert (wide.done, wide.more) == (False, 300)
    few = stopping.progress(figure(5000, 1000, frames=250), watched_hours=1600)
    assert few.more == 150  # no more than there are


def test_no_more_readings_are_asked_for_than_the_finite_population_needs() -> None:
    whole = totals.population(np.zeros(1000, np.int64), np.ones(1000), blank(1000))
    y = np.tile([0.0, 2.0], 50)
    found = estimate(
        whole, stratum=np.zeros(100, np.int64), place=np.arange(100), x=blank(100), y=y
    )
    assert found is not None
    state = stopping.progress(found, watched_hours=1000)
    # Half-width 1.05 · 1.99 · √(1000 · 900 / 100 · 1.0015) ≈ 198 to 100: (198 / 100)² = 3.9 times
    # the variance. n = 100 · (9014 + 1002) / (9014 / 3.9 + 1002).
    assert state.more == pytest.approx(203, abs=2)


def test_readings_follow_what_all_strata_together_say_of_a_machine_count() -> None:
    # Variances 1, 3 and 9 at mean counts 0, 1 and 4: close to the line 1 + 2 · count.
    size = np.array([1000, 200, 100])
    stratum = np.repeat(np.arange(3), size)
    x = blank(1300)
    x[:, 0] = np.array([0.0, 1.0, 4.0])[stratum]
    whole = population(stratum, np.ones(1300), x)
    n = np.full(3, 40)
    assert totals._usual(np.array([1.0, 3.0, 9.0]), n, whole) == pytest.approx([1, 3, 9])
    # A stratum that shows none stays near what the others say; none falls below zero.
    lucky = totals._usual(np.array([1.0, 0.0, 9.0]), n, whole)
    assert lucky[1] > 0.5
    assert totals._usual(np.array([5.0, 3.0, 1.0]), n, whole) == pytest.approx(
        np.full(3, totals._usual(np.array([5.0, 3.0, 1.0]), n, whole)[0])
    )


def at_a_time(y: Any, m: Any, group: Any, seen: Any, **given: Any) -> tuple[Floats, Floats, Floats]:
    """Means of ten hours of one stratum, in groups; `y` and `m` of each hour, those `seen` read."""
    y, m, group, seen = (np.array(each) for each in (y, m, group, seen))
    groups = int(group.max()) + 1
    whole: dict[str, Any] = {
        "share": np.bincount(group, minlength=groups)[None, :] / len(y),
        "hours": np.bincount(group, minlength=groups).astype(np.float64),
        "machine": np.bincount(group, m, groups),
        "lost": np.zeros(len(seen)),
        "certain": (np.zeros(groups), np.zeros(groups)),
    }
    return totals.means(
        np.array([len(y)]), 1.0, stratum=np.zeros(len(seen), np.int64), group=group[seen],
        y=y[seen].astype(np.float64), m=m[seen].astype(np.float64), **(whole | given),
    )  # fmt: skip


HALVES = [0] * 5 + [1] * 5


def test_means_by_hand() -> None:
    """Two halves of ten hours, two hours read of each: 2 and 4, 1 and 0; no machine."""
    y = [2, 4, 9, 9, 9, 1, 0, 9, 9, 9]
    value, low, high = at_a_time(y, [0.0] * 10, HALVES, [0, 1, 5, 6])
    assert value == pytest.approx([2.5 * 6 / 5, 2.5 * 1 / 5])  # each reading speaks for 2.5 hours
    # Of the first half: errors 2, 4, 0, 0 about 1.5. Squares 11, cubes 9, fourth powers 49.25; of
    # the second: 0.75 and 0.328. Squares of an error anywhere: 49.578 / 11.75 = 4.219; one more:
    # (49.25 + 4.219²) / (11 + 4.219) = 4.406, half of which falls into this half.
    # 10 · 6 / 4 · (11 + 0.15 · 0.5 · 4.406) / 4 = 42.489; 3 degrees: t = 3.18245.
    # Cumulant 15 · 10 · 0.2 / 4 · (9 + 0.075 · 4.406^1.5) / 4 = 18.18; shift 2.166.
    assert high[0] == pytest.approx(3 + (2.166 + 1.05 * np.hypot(20.744, 2.166)) / 5, abs=0.01)
    assert low == pytest.approx([6 / 5, 1 / 5])  # what was settled is there


def test_a_machine_that_is_right_by_a_factor_leaves_no_error() -> None:
    m = [1.0, 2, 0, 3, 1, 0, 5, 1, 0, 0]
    value, low, high = at_a_time([2 * each for each in m], m, HALVES, [0, 1, 2, 5, 6])
    assert value == pytest.approx([2 * 7 / 5, 2 * 6 / 5])
    assert (low < value).all()
    assert (value < high).all()  # a sample without an error is not without one elsewhere


def test_means_of_what_was_wholly_read_are_exact() -> None:
    y, m = [2, 4, 1, 0, 3, 1, 0, 0, 0, 1], [0.0, 1, 5, 0, 0, 0, 0, 2, 0, 0]
    lost = np.array([0.0, 0, 0, 0, 0, 0, 1, 0, 0, 0])  # fog in one of the last five
    certain = (np.array([6.0, 0.0]), np.array([1.0, 0.0]))  # six persons in an hour beside
    found = at_a_time(y, m, HALVES, range(10), lost=lost, certain=certain)
    for each in found:
        assert each == pytest.approx([(10 + 6) / 6, 2 / 4])


def test_means_are_unbiased_over_all_samples() -> None:
    y, m = [2, 4, 1, 0, 3, 1], [0.0] * 6
    every = [at_a_time(y, m, [0, 0, 0, 1, 1, 1], seen)[0] for seen in combinations(range(6), 3)]
    assert np.mean(every, axis=0) == pytest.approx([7 / 3, 4 / 3])


def test_a_group_that_was_never_watched_has_no_mean() -> None:
    value, low, high = at_a_time([1] * 4, [0.0] * 4, [0, 0, 2, 2], [0, 2])
    for each in (value, low, high):
        assert np.isnan(each[1])
        assert not np.isnan(each[[0, 2]]).any()
