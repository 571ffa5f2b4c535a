"""Two detectors against what people settled, on values worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from detection.contesting import LEAST_DAYS, Contest, Settled, contest, wilson
from detection.measuring import Judged


def judged(truth: int, hits: int, extra: int = 0, height: float = 30) -> Judged:
    found = hits + extra
    of = np.array([*range(hits), *[-1] * extra], np.int64)
    tall = np.full(found, height, np.float32)
    return Judged(np.ones(found, np.float32), tall, of >= 0, of, np.full(truth, height, np.float32))


def seen(days: int, old: int, new: int, extra: int = 0, frames: int = 4) -> Contest:
    """`frames` a day with 4 true boxes each, of which each side finds so many."""
    one = [
        Settled(1, day, judged(4, old), judged(4, new, extra))
        for day in range(days)
        for _ in range(frames)
    ]
    return contest(one, 1)


def test_wilson_is_as_published() -> None:
    assert wilson(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998


def test_shares_and_errors_are_those_worked_by_hand() -> None:
    found = seen(8, old=2, new=3, extra=1)
    assert (found.frames, found.days) == (32, 8)
    row = found.rows[0]
    assert (row.frames, row.truth) == (32, 128)
    assert (row.recall.old.at, row.recall.new.at, row.recall.difference.at) == (0.5, 0.75, 0.25)
    assert (row.precision.old.at, row.precision.new.at) == (1, 0.75)
    assert row.precision.old.low == pytest.approx(wilson(64, 64)[0])  # the bootstrap is blind here
    assert (row.error.old.at, row.error.new.at) == (2, 0)
    assert (row.recall.verdict, row.precision.verdict, row.error.verdict) == (
        "better", "worse", "better",
    )  # fmt: skip
    assert found.verdict == "mixed"
    heights = {each.height: each for each in found.rows[1:]}
    assert heights["24-48"].recall == row.recall
    assert heights["<12"].recall.verdict == ""
    assert heights["<12"].recall.new.at is None


def test_verdicts_and_few_days() -> None:
    assert seen(8, 2, 3).verdict == "better"
    assert seen(8, 3, 2).verdict == "worse"
    assert seen(8, 3, 3).verdict == "chance"
    few = seen(LEAST_DAYS - 1, 0, 4)
    assert few.verdict == "few"
    assert few.rows[0].recall.difference.low is None
    assert (contest([], 1).verdict, contest([], 1).rows) == ("few", [])


def test_what_one_day_alone_gives_is_chance_and_days_are_drawn_together() -> None:
    """A hundred frames of one odd day are one day: drawn frame by frame they would look sure."""
    odd = [Settled(1, 0, judged(4, 2), judged(4, 4)) for _ in range(100)]
    rest = [Settled(1, day, judged(4, 2), judged(4, 2)) for day in range(1, 9)]
    found = contest([*odd, *rest], 1)
    assert found.rows[0].recall.difference.at is not None
    assert found.rows[0].recall.difference.at > 0.4
    assert found.verdict == "chance"


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    """40 days whose days differ and both detectors with them: the true difference is 0.1."""
    rng = np.random.default_rng(1)
    held = 0
    for _ in range(60):
        frames = []
        for day in range(40):
            ease = rng.uniform(0.2, 0.7)
            pair = [judged(5, int(rng.binomial(5, share))) for share in (ease, ease + 0.1)]
            frames.append(Settled(1, day, *pair))
        apart = contest(frames, 1).rows[0].recall.difference
        assert apart.low is not None
        assert apart.high is not None
        held += apart.low <= 0.1 <= apart.high
    assert held >= 51  # of 60; 57 expected


def test_other_cameras_have_a_row_and_change_nothing_else() -> None:
    own = [Settled(1, day, judged(2, 1), judged(2, 2)) for day in range(7)]
    other = [Settled(9, day, judged(2, 2), judged(2, 0)) for day in range(7)]
    both = contest([*own, *other], 1)
    assert both.rows[:5] == contest(own, 1).rows
    assert both.rows[5].camera == 9
    assert both.rows[5].recall.verdict == "worse"
    assert both.verdict == "better"
