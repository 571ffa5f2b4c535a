"""Propose that a frame cannot be read: dark, fog, wet or snowed lens, camera moved.

Cheap statistics of a frame's still against stills of the same camera; a reviewer decides. What the
camera usually shows in each cell of the picture is taken from the others, so a view that is
always bare is no fog.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.onnx.background import FEWEST, Still, align

_DARK = 80.0  # mean level, of 255 (logarithmic): outlines drown in noise below
_USUAL = 75  # percentile of the others' detail that counts as usual in a cell
_ALWAYS = 30  # likewise, as what a cell shows in nearly any light: sky and water show less
_BARE = 5.0  # detail that a cell must usually have to tell anything
_LOST = 0.45  # of the usual detail: less is lost
_FOG = 0.55  # share of cells that lost their detail
_WET = 0.055  # likewise, of cells that always have it, where the rest is as sharp as ever
_SHARP = 0.8  # of the usual detail, in four fifths of the cells that are not lost
_WHITE = 205.0  # level of snow on the lens by day
_GREY = 12.0  # greatest difference between channels of what is white
_SNOW = 0.12  # share of cells newly white and bare
_STEP = 0.48  # of the way to white, from one cell to the next: snow has an edge, fog thickens
_MOVED = 0.01  # of the width
_ALIKE = 12.0  # difference of mean level within which outlines may be compared
_ENOUGH = 9  # alignments that a median is taken of
_OTHER = 0.4  # of the usual likeness of outlines: less is another view, or a turned one

T = TypeVar("T")


class Problem(StrEnum):
    DARK = "dark"
    FOG = "fog"
    WET = "wet"
    SNOW = "snow"
    MOVED = "moved"


@dataclass(frozen=True)
class Quality:
    """`problems` proposed (at most one: the gravest); what they rest on: `level` mean of 0–255
    (logarithmic), `lost` share of cells without their usual detail, `white` share of cells newly
    white, `shift` (x, y) as fractions of the width. All but `level` are 0 with too few others.
    """

    problems: tuple[Problem, ...]
    level: float
    lost: float = 0.0
    white: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)


def judge(still: Still, others: Sequence[Still]) -> Quality:
    """The quality of `still` by `others` of the same camera, of any light, a dozen or more.

    For movement those before it count (all if none is): after a knock the camera is moved for as
    long as most of `others` before it look elsewhere.
    """
    level = float(still.grid.mean())
    if level < _DARK:
        return Quality((Problem.DARK,), level)
    seen = [other for other in others if other.detail.shape == still.detail.shape
            and other.grid.mean() >= _DARK]  # fmt: skip
    if len(seen) < FEWEST:
        return Quality((), level)
    always, usual = np.percentile([each.detail for each in seen], [_ALWAYS, _USUAL], axis=0)
    tells, firm = usual >= _BARE, always >= _BARE
    lost = (still.detail < _LOST * usual) & tells
    share = float(lost.sum() / max(1, tells.sum()))
    gone = (still.detail < _LOST * always) & firm
    kept = (still.detail / np.maximum(always, 1e-6))[firm & ~gone]
    sharp = bool(kept.size) and float(np.percentile(kept, 20)) >= _SHARP
    before = np.median([other.grid for other in seen], axis=0)
    white = lost & _white(still.grid) & ~_white(before)
    veil = (still.grid - before).mean(axis=2) / np.maximum(255 - before.mean(axis=2), 20)
    snow = float(white.sum() / max(1, tells.sum()))
    moved, other_view = _movement(still, seen)
    problems = []
    if snow >= _SNOW and _steepest(np.clip(veil, 0, 1), tells) >= _STEP:
        problems.append(Problem.SNOW)
    elif share >= _FOG:
        problems.append(Problem.FOG)
    elif other_view or float(np.hypot(*moved)) >= _MOVED:
        problems.append(Problem.MOVED)
    elif (
        sharp
        and abs(level - float(np.median([each.grid.mean() for each in seen]))) <= _ALIKE
        and gone.sum() >= _WET * firm.sum()
        and _patchy(gone)
    ):  # by day only: at dusk detail goes in patches too
        problems.append(Problem.WET)
    return Quality(tuple(problems), level, share, snow, moved)


def _white(grid: NDArray[np.float32]) -> NDArray[np.bool_]:
    """[12,16] whether each cell of a grid [12,16,3] is white."""
    spread = grid.max(axis=2) - grid.min(axis=2)
    return np.asarray((grid.min(axis=2) >= _WHITE) & (spread <= _GREY), np.bool_)


def _steepest(veil: NDArray[np.float32], tells: NDArray[np.bool_]) -> float:
    """The greatest step of `veil` [12,16] between neighbouring cells that tell anything."""
    down = np.abs(np.diff(veil, axis=0))[tells[1:] & tells[:-1]]
    across = np.abs(np.diff(veil, axis=1))[tells[:, 1:] & tells[:, :-1]]
    return float(np.concatenate([down, across]).max(initial=0))


def _patchy(lost: NDArray[np.bool_]) -> bool:
    """Whether what is lost lies in patches, as drops do, rather than in one stripe."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(lost.astype(np.uint8), connectivity=4)
    sides = stats[1:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    return count > 1 and bool((sides.max(axis=1) <= lost.shape[1] // 2).all())


def _some(all_: Sequence[T]) -> list[T]:
    """At most _ENOUGH of them, spread over all: a median needs no more, and each costs."""
    count = min(_ENOUGH, len(all_))
    return [all_[number * len(all_) // count] for number in range(count)]


def _movement(still: Still, seen: Sequence[Still]) -> tuple[tuple[float, float], bool]:
    """How far the view moved, as fractions of the width, and whether it is another view."""
    alike = [each for each in seen if abs(each.grid.mean() - still.grid.mean()) <= _ALIKE]
    earlier = [other for other in alike if other.at < still.at] or alike
    if len(earlier) < FEWEST:
        return (0.0, 0.0), False
    x, y, likeness = np.median([align(still, other) for other in _some(earlier)], axis=0)
    if likeness < _OTHER:  # else it is more than that share of what is usual, which is 1 at most
        usual = np.median([align(one, two)[2] for one, two in _some(list(pairwise(alike)))])
        if likeness < _OTHER * usual:
            return (0.0, 0.0), True
    wide = still.level.shape[1]
    return (float(x / wide), float(y / wide)), False
