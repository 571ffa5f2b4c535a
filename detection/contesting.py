"""Two detectors on the same settled frames: shares and errors with 95 % intervals. Pure.

Frames of one day share weather and visitors, so days are what is drawn again, both detectors
together (paired cluster bootstrap by percentiles; Efron & Tibshirani 1993, Davison & Hinkley 1997).
With few days, or a share of none or all, where that is blind, a share has Wilson's interval (1927).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from detection.measuring import HEIGHTS, Judged

LEAST_DAYS = 6  # below which no difference is told from chance
DRAWS = 2000
MEASURES = ("recall", "precision", "error")
_Z = 1.959964
_BANDS = [(0.0, np.inf), *HEIGHTS.values()]  # all, then each height
_TRUTH, _FOUND, _SHOWN, _RIGHT, _ERROR, _FRAMES = range(6)
Array = NDArray[np.float64]
Verdict = Literal["better", "worse", "chance", "few", ""]


@dataclass(frozen=True, eq=False)
class Settled:
    """One class in one settled frame: what each detector found of it."""

    camera: int
    day: Hashable
    old: Judged
    new: Judged


@dataclass(frozen=True)
class Value:
    """With its interval, None where there is none; `at` None: nothing to say it of."""

    at: float | None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Measure:
    """`difference`: new less old. `verdict` of the new: "" without a difference, "few": too few
    days to tell.
    """

    old: Value
    new: Value
    difference: Value
    verdict: Verdict


@dataclass(frozen=True)
class Row:
    """`height`: one of HEIGHTS, or "" for all."""

    camera: int
    height: str
    frames: int
    truth: int
    recall: Measure
    precision: Measure
    error: Measure


@dataclass(frozen=True)
class Contest:
    frames: int
    days: int
    rows: list[Row]  # all, the heights; then the other cameras

    @property
    def verdict(self) -> Verdict | Literal["mixed"]:
        """Of the new over all heights."""
        if not self.frames:
            return "few"
        said = {getattr(self.rows[0], name).verdict for name in MEASURES}
        if "few" in said or said == {""}:
            return "few"
        if {"better", "worse"} <= said:
            return "mixed"
        return "better" if "better" in said else "worse" if "worse" in said else "chance"


def contest(frames: Sequence[Settled], camera: int) -> Contest:
    """Of `camera`; the others have a row each. Drawn from a fixed seed: the same frames always
    give the same.
    """
    by_camera: dict[int, list[Settled]] = {camera: []}
    for each in frames:
        by_camera.setdefault(each.camera, []).append(each)
    own = by_camera.pop(camera)
    rows = [_row(camera, own, band) for band in range(len(_BANDS))] if own else []
    rows += [_row(other, theirs, 0) for other, theirs in sorted(by_camera.items())]
    return Contest(len(own), len({each.day for each in own}), rows)


def wilson(part: float, whole: float) -> tuple[float, float]:
    share, z2 = part / whole, _Z * _Z
    middle = (share + z2 / (2 * whole)) / (1 + z2 / whole)
    half = _Z * math.sqrt(share * (1 - share) / whole + z2 / (4 * whole**2)) / (1 + z2 / whole)
    return max(0.0, middle - half), min(1.0, middle + half)


def _counts(one: Judged, low: float, high: float) -> list[int]:
    """Of one frame and side, boxes from `low` px to below `high`: recall goes by the true box's
    height, precision by the found one's own.
    """
    tall = one.truth[one.of[one.hits]]
    inside = (one.heights >= low) & (one.heights < high)
    truth = int(((one.truth >= low) & (one.truth < high)).sum())
    found = int(((tall >= low) & (tall < high)).sum())
    shown = int(inside.sum())
    return [truth, found, shown, int((inside & one.hits).sum()), abs(shown - truth), 1]


def _row(camera: int, frames: Sequence[Settled], band: int) -> Row:
    number = {day: place for place, day in enumerate(dict.fromkeys(each.day for each in frames))}
    by_day = np.zeros((len(number), 2, _FRAMES + 1))  # day, side, count
    for each in frames:
        by_day[number[each.day]] += [_counts(side, *_BANDS[band]) for side in (each.old, each.new)]
    drawn = None
    if len(number) >= LEAST_DAYS:
        rng = np.random.default_rng(len(number))
        weights = rng.multinomial(len(number), [1 / len(number)] * len(number), size=DRAWS)
        drawn = np.einsum("bd,dsc->bsc", weights.astype(np.float64), by_day)
    sums = by_day.sum(axis=0)
    return Row(
        camera,
        list(HEIGHTS)[band - 1] if band else "",
        len(frames),
        int(sums[0, _TRUTH]),
        _measure(sums, drawn, _FOUND, _TRUTH),
        _measure(sums, drawn, _RIGHT, _SHOWN),
        _measure(sums, drawn, _ERROR, _FRAMES),
    )


def _measure(sums: Array, drawn: Array | None, part: int, whole: int) -> Measure:
    share = part != _ERROR
    at = _ratio(sums, part, whole)
    again = None if drawn is None else _ratio(drawn, part, whole)
    old, new = (
        _value(at[side], None if again is None else again[:, side],
               (sums[side, part], sums[side, whole]) if share else None)
        for side in (0, 1)
    )  # fmt: skip
    if old.at is None or new.at is None:
        return Measure(old, new, Value(None), "")
    apart = _value(at[1] - at[0], None if again is None else again[:, 1] - again[:, 0], None)
    if apart.low is None or apart.high is None:
        return Measure(old, new, apart, "few")
    up, down = apart.low > 0, apart.high < 0
    if not (up or down):
        return Measure(old, new, apart, "chance")
    return Measure(old, new, apart, "better" if up == share else "worse")


def _ratio(counts: Array, part: int, whole: int) -> Array:
    """[…, side]; NaN where there is nothing."""
    below = counts[..., whole]
    return np.where(below > 0, counts[..., part] / np.maximum(below, 1), np.nan)


def _value(at: float, again: Array | None, share: tuple[float, float] | None) -> Value:
    if np.isnan(at):
        return Value(None)
    if share and (again is None or share[0] in (0, share[1])):
        return Value(float(at), *wilson(*share))
    known = None if again is None else again[~np.isnan(again)]
    if known is None or not len(known):
        return Value(float(at))
    low, high = np.percentile(known, [2.5, 97.5])
    return Value(float(at), float(low), float(high))
