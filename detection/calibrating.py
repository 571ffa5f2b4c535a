"""What a score is worth at one place: the share of boxes of that score that people found right.

Platt's curve with few boxes (Platt 1999: a logistic in the score's logit, two numbers, targets
drawn towards the middle), pool-adjacent-violators with many (any rising curve, Barlow et al. 1972);
with too few, or where scores tell nothing, none. docs/decisions/0014 says where it is used. Pure.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

LEAST = 20  # right and wrong boxes, each, for a curve
MANY = 300  # boxes from which any rising curve is fitted
_STEPS = 50
_NEAREST = 1e-4  # of 0 and 1

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Curve = dict[str, Any]  # JSON: {"kind", "right", "wrong", and "slope", "at" | "scores", "shares"}


def fit(scores: Floats, right: Bools) -> Curve | None:
    """The curve of boxes of these `scores` that people found `right` or not; None: they do not
    give one.
    """
    hits = int(right.sum())
    misses = len(right) - hits
    if min(hits, misses) < LEAST:
        return None
    counted = {"right": hits, "wrong": misses}
    if len(scores) >= MANY:
        return {"kind": "isotonic", **counted, **_isotonic(scores, right)}
    found = _platt(_logit(scores), right)
    return None if found is None else {"kind": "platt", **counted, **found}


def share(curve: Curve, scores: Floats | float) -> Floats:
    """How many boxes of these scores are right, as a share."""
    asked = np.asarray(scores, np.float64)
    if curve["kind"] == "isotonic":
        return np.interp(asked, curve["scores"], curve["shares"])
    return np.asarray(1 / (1 + np.exp(-(curve["slope"] * _logit(asked) + curve["at"]))))


def score_for(curve: Curve, wanted: float) -> float | None:
    """The lowest score, to a hundredth, from which at least this share is right."""
    grid = np.arange(101) / 100
    good = np.flatnonzero(share(curve, grid) >= wanted)
    return float(grid[good[0]]) if len(good) else None


def _logit(scores: Floats) -> Floats:
    held = np.clip(scores, _NEAREST, 1 - _NEAREST)
    return np.asarray(np.log(held / (1 - held)))


def _platt(x: Floats, right: Bools) -> dict[str, float] | None:
    """Newton's method on the logistic likelihood, which is concave; None unless it rises."""
    hits = right.sum()
    high, low = (hits + 1) / (hits + 2), 1 / (len(x) - hits + 2)
    target = np.where(right, high, low)
    rows = np.stack([x, np.ones_like(x)], axis=1)
    beta = np.zeros(2)

    def loss(at: Floats) -> float:
        z = rows @ at
        return float((np.logaddexp(0, z) - target * z).sum())

    for _ in range(_STEPS):
        p = 1 / (1 + np.exp(-(rows @ beta)))
        gradient = rows.T @ (target - p)
        hessian = (rows * (p * (1 - p))[:, None]).T @ rows + 1e-9 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        while loss(beta + step) > loss(beta) and np.abs(step).max() > 1e-12:
            step = step / 2
        beta = beta + step
        if np.abs(step).max() < 1e-9:
            break
    if beta[0] <= 0:
        return None
    return {"slope": round(float(beta[0]), 6), "at": round(float(beta[1]), 6)}


def _isotonic(scores: Floats, right: Bools) -> dict[str, list[float]]:
    """Blocks of like score whose shares rise; each stands at its mean score, lines between."""
    order = np.argsort(scores, kind="stable")
    blocks: list[list[float]] = []  # boxes, right, sum of scores
    for score, hit in zip(scores[order].tolist(), right[order].tolist(), strict=True):
        blocks.append([1.0, float(hit), score])
        while len(blocks) > 1 and blocks[-2][1] * blocks[-1][0] >= blocks[-1][1] * blocks[-2][0]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    held = np.array(blocks)
    shares = (held[:, 1] + 0.5) / (held[:, 0] + 1)  # none and all of few are not never and always
    return {
        "scores": np.round(held[:, 2] / held[:, 0], 5).tolist(),
        "shares": np.round(np.maximum.accumulate(shares), 5).tolist(),
    }
