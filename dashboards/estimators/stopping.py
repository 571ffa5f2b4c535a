"""When a figure is known well enough, and how far it is to there.

A busy or a normal lake stops at ±10 % of its total. On a near-empty one that would be a census:
it stops at an absolute precision of 0.008 persons present at a time, which over a summer of
1,600 watched hours is ±13 person-hours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from dashboards.estimators.totals import Total

RELATIVE = 0.10
PRESENT = 0.008  # persons present at a time, on average over the watched hours


@dataclass(frozen=True)
class Progress:
    """`tolerance`: half-width to reach, in the total's unit; `more`: frames to read until then."""

    done: bool
    tolerance: float
    absolute: bool  # the lake is so empty that the absolute precision decides
    more: int


def progress(figure: Total, watched_hours: float) -> Progress:
    """How far `figure` is from its precision; `watched_hours` is what it was observed over."""
    relative, absolute = RELATIVE * figure.total, PRESENT * watched_hours
    tolerance = max(relative, absolute)
    done = figure.half <= tolerance
    return Progress(
        done=done,
        tolerance=tolerance,
        absolute=absolute > relative,
        more=0 if done else _more(figure, tolerance),
    )


def _more(figure: Total, tolerance: float) -> int:
    """Frames still to read until the half-width is `tolerance`, the errors staying as they are.

    The variance of a total falls as A / n − B, where B is what a full reading takes off.
    """
    left = figure.frames - figure.read
    wide = (figure.half / tolerance) ** 2 if tolerance > 0 else math.inf
    needed = figure.read * (figure.variance + figure.unread_variance)
    needed /= figure.variance / wide + figure.unread_variance
    return max(1, min(left, math.ceil(needed - figure.read)))
