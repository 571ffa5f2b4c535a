"""The bars that a camera burns in at the top or the bottom: date, temperature, logo.

Their ground is black or white and as even as no landscape, from the edge of the picture to a sharp
line across all of it. Letters without a bar behind them are not found. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Bars = tuple[float, float]  # height at the top and at the bottom, shares of the picture's
NONE: Bars = (0.0, 0.0)
_MOST = 1 / 8  # of the height
_EVEN = 8  # levels of 255 from black or from white
_WITHIN, _BEYOND = 0.6, 0.3  # share of a row's pixels that are of the ground, at least and at most


def bars(rgb: NDArray[Any]) -> Bars:
    """What `rgb` uint8 [H,W,3] shows by itself; NaN where that cannot be told: at night a black
    bar has no end.
    """
    height = len(rgb)
    most = int(height * _MOST) + 2
    return _rows(rgb[:most]) / height, _rows(rgb[::-1][:most]) / height


def agreed(seen: Sequence[Bars]) -> Bars:
    """The bars of a camera by what its pictures show, at least one: what half of those that can
    tell have.
    """
    edges = (sorted(one for one in edge if one == one) for edge in zip(*seen, strict=True))
    top, bottom = (edge[len(edge) // 2] if edge else 0.0 for edge in edges)
    return top, bottom


def outside(xyxy: NDArray[Any], height: float, found: Bars) -> NDArray[np.bool_]:
    """[N] which boxes [N,4] (left, top, right, bottom) have their centre in no bar of a picture
    that is `height` high in their unit.
    """
    middle = (xyxy[:, 1] + xyxy[:, 3]) / 2 / height
    return np.asarray((middle >= found[0]) & (middle <= 1 - found[1]), np.bool_)


def _rows(strip: NDArray[Any]) -> float:
    """How many rows of `strip`, from the edge of the picture inwards, are a bar."""
    ground = np.median(strip[0], axis=0)
    if ground.max() <= _EVEN:
        even = strip.max(axis=2) <= _EVEN
    elif ground.min() >= 255 - _EVEN:
        even = strip.min(axis=2) >= 255 - _EVEN
    else:
        return 0
    share = even.mean(axis=1)
    inside = share >= _WITHIN
    high = int(inside.argmin())
    if not inside.all() and share[min(high + 1, len(share) - 1)] <= _BEYOND:
        return high
    return np.nan if ground.max() <= _EVEN else 0
