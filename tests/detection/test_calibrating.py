"""What a score is worth: curves by hand, by simulation, and none where they would say nothing."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection import calibrating
from detection.calibrating import LEAST, MANY, fit, score_for, share


def drawn(count: int, higher: float = 0.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Boxes of which a logit about +1 is right and about −1 wrong, all `higher`."""
    rng = np.random.default_rng(seed)
    right = rng.random(count) < 0.5
    z = np.where(right, 1.0, -1.0) + rng.standard_normal(count) + higher
    return 1 / (1 + np.exp(-z)), right


@pytest.mark.parametrize(("count", "kind"), [(MANY - 1, "platt"), (8 * MANY, "isotonic")])
def test_a_share_is_how_many_are_right(count: int, kind: str) -> None:
    curve = fit(*drawn(count, higher=1.5))
    assert curve is not None
    assert curve["kind"] == kind
    assert curve["right"] + curve["wrong"] == count
    curve = json.loads(json.dumps(curve))  # as it is kept
    scores, right = drawn(40_000, higher=1.5, seed=2)
    told = share(curve, scores)
    for low in np.arange(0.1, 0.9, 0.2):
        like = (told >= low) & (told < low + 0.2)
        assert right[like].mean() == pytest.approx(told[like].mean(), abs=0.08)


def test_the_same_share_gives_the_same_precision_where_scores_do_not() -> None:
    found: dict[str, list[float]] = {"score": [], "share": []}
    for higher in (-0.5, 1.5):
        curve = fit(*drawn(400, higher))
        assert curve is not None
        scores, right = drawn(20_000, higher, seed=3)
        found["score"].append(right[scores >= 0.3].mean())
        found["share"].append(right[share(curve, scores) >= 0.5].mean())
    assert abs(found["score"][0] - found["score"][1]) > 0.15
    assert abs(found["share"][0] - found["share"][1]) < 0.03


def test_platt_by_hand() -> None:
    """Two scores: the curve goes through Platt's targets' means at both, whatever its form."""
    scores = np.repeat([0.2, 0.8], 40)
    right = np.concatenate([np.arange(40) < 10, np.arange(40) < 30])
    curve = fit(scores, right)
    assert curve is not None
    high, low = 41 / 42, 1 / 42
    assert share(curve, 0.2) == pytest.approx((10 * high + 30 * low) / 40, abs=1e-5)
    assert share(curve, 0.8) == pytest.approx((30 * high + 10 * low) / 40, abs=1e-5)
    assert score_for(curve, 0.5) == pytest.approx(0.5, abs=0.011)


def test_pool_adjacent_violators_by_hand() -> None:
    scores = np.array([0.1, 0.2, 0.3, 0.4])
    held = calibrating._isotonic(scores, np.array([False, True, False, True]))
    # 0.2 and 0.3 go together: one of two is right.
    assert held["scores"] == pytest.approx([0.1, 0.25, 0.4])
    assert held["shares"] == pytest.approx([0.25, 0.5, 0.75])
    curve = {"kind": "isotonic", **held}
    assert share(curve, np.array([0.0, 0.175, 1.0])) == pytest.approx([0.25, 0.375, 0.75])
    assert score_for(curve, 0.9) is None


def test_too_few_or_scores_that_tell_nothing_give_no_curve() -> None:
    scores, right = drawn(400)
    assert fit(scores[:0], right[:0]) is None
    few = np.concatenate([scores[right], scores[~right][: LEAST - 1]])
    assert fit(few, np.arange(len(few)) < right.sum()) is None
    flat = np.arange(100) < 50
    assert fit(np.full(100, 0.5), flat) is None or share(
        fit(np.full(100, 0.5), flat) or {}, 0.5
    ) == pytest.approx(0.5, abs=0.02)
    scores, right = drawn(MANY - 1)
    assert fit(1 - scores, right) is None  # the surer, the wronger


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=2 * LEAST, max_size=2 * MANY),
)
def test_whatever_the_boxes_a_curve_rises_within_0_and_1(boxes: list[tuple[float, bool]]) -> None:
    curve = fit(np.array([score for score, _ in boxes]), np.array([hit for _, hit in boxes]))
    if curve is not None:
        told = share(curve, np.linspace(0, 1, 101))
        assert ((told > 0) & (told < 1)).all()
        assert (np.diff(told) >= -1e-12).all()
