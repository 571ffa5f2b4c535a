"""Strata, ranks, the settled prefix and the order of reading, by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dashboards import rollups, sheets
from dashboards.estimators import sampling
from dashboards.estimators.strata import ranks, strata
from dashboards.models import DayFigures


def test_a_rank_rests_on_the_id_and_the_key_alone() -> None:
    first = ranks([7, 8, 9], b"key")
    again = ranks([9, 7], b"key")
    assert again.tolist() == [first[2], first[0]]
    assert len(set(first.tolist())) == 3
    assert first.tolist() != ranks([7, 8, 9], b"other").tolist()


def test_ranks_are_spread_evenly() -> None:
    shares = ranks(range(4000), b"key") / 2.0**64
    counts = np.histogram(shares, bins=10, range=(0, 1))[0]
    assert counts.min() > 320
    assert counts.max() < 480


def test_strata_part_counts_day_types_and_what_the_machine_saw_nearby() -> None:
    machine = np.array([0, 0, 0, 1, 2, 3, 0, 6.0])
    lively = np.array([0, 0, 1, 1, 1, 1, 0, 1], bool)
    free = np.array([0, 0, 0, 0, 0, 0, 1, 0], bool)
    number = strata(np.zeros(8, np.int64), free, machine, lively)
    assert number.tolist() == [0, 0, 2, 3, 3, 4, 1, 5]


def test_a_thin_stratum_joins_the_other_day_type_then_the_next_class() -> None:
    quiet = np.zeros(200)
    machine = np.concatenate([quiet, [1.0], np.full(10, 1.0), [9.0]])
    free = np.zeros(212, bool)
    free[200] = True
    number = strata(np.zeros(212, np.int64), free, machine, machine > 0)
    # One weekend frame of class 1–2 joins the working days' class 1–2, as does the one crowd.
    assert np.unique(number).tolist() == [0, 1]
    assert (number[:200] == 0).all()
    assert (number[200:] == 1).all()


def test_deployments_share_no_stratum_however_thin() -> None:
    place = np.array([0] * 300 + [1])
    number = strata(place, np.zeros(301, bool), np.zeros(301), np.zeros(301, bool))
    assert number.tolist() == [0] * 300 + [1]


def test_the_sample_ends_at_the_first_unsettled_frame() -> None:
    stratum = np.array([0, 0, 0, 0, 1, 1])
    rank = np.array([40, 10, 30, 20, 6, 5], np.uint64)
    place = sampling.places(stratum, rank)
    assert place.tolist() == [3, 0, 2, 1, 1, 0]
    frames = np.zeros(6, sheets.FRAME)
    frames["stratum"], frames["place"] = stratum, place
    frames["settled"] = [True, True, False, True, True, True]
    depths = rollups._depths([DayFigures(frames=frames.tobytes())])
    assert depths == {"sizes": [4, 2], "read": [2, 2], "ends": [2, 2]}
    readings = np.zeros(5, sheets.READING)
    readings["frame"] = [0, 1, 3, 4, 5]
    day = sheets.Packed(7, date(2025, 7, 7), frames.tobytes(), readings.tobytes(), b"")
    # Stratum 0 in order: frames 1, 3, 2 (open), 0 (settled, but beyond the gap).
    sampled = sheets.sheet([day], {7: sheets.Depth(**depths)}).sampled
    assert sampled.tolist() == [False, True, True, True, True]


def test_the_pilot_gives_five_to_each_and_the_rest_by_size() -> None:
    # 80 − (5 + 5 + 3) = 67 by size 900 : 97 : 3.
    assert sampling.pilot(np.array([900, 97, 3])).tolist() == [65, 11, 3]
    assert sampling.pilot(np.array([3, 4])).tolist() == [3, 4]


def test_a_reading_goes_where_it_lowers_the_variance_most() -> None:
    size, read = np.array([1000, 100]), np.array([80, 10])
    # 1000² · 1 / (80 · 81) = 154; 100² · 9 / (10 · 11) = 818, then 682, 577 …
    assert sampling.next_readings(size, read, np.array([1.0, 9.0]), 1).tolist() == [0, 1]
    # … 154 is passed after eighteen readings: 90000 / (24 · 25) = 150, 90000 / (23 · 24) = 163.
    assert sampling.next_readings(size, read, np.array([1.0, 9.0]), 15).tolist() == [1, 14]


def test_the_pilot_comes_first_and_nothing_is_read_twice() -> None:
    size = np.array([900, 97, 3])
    none = np.zeros(3, np.int64)
    assert sampling.next_readings(size, none, None, 80).tolist() == [66, 11, 3]
    assert sampling.next_readings(size, none, None, 10).tolist() == [10, 0, 0]
    assert sampling.next_readings(size, size, np.ones(3), 10).tolist() == [0, 0, 0]
    assert sampling.next_readings(size, none, None, 5000).tolist() == [900, 97, 3]


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_many_readings_at_once_are_the_same_as_one_by_one(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    size = rng.integers(100, 200, 4)
    variance = rng.random(4) + 0.01
    read = sampling.pilot(size)
    at_once = sampling.next_readings(size, read, variance, count)
    by_one = read.copy()
    for _ in range(count):
        by_one = by_one + sampling.next_readings(size, by_one, variance, 1)
    assert (read + at_once).tolist() == by_one.tolist()
