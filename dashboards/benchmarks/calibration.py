"""What a share that is learnt from the readings does to precision, and would do to the interval.

Scores are drawn onto simulated seasons (dashboards/seasons.py), logits about +1 for persons and −1
for what is none; at the second of two lakes all are higher. *precision*: of boxes that the curve
has not seen, from the score of figures on and from the share .5 on. *coverage*: of the 95 %
interval when reading stops, with the score of figures as it is, and had the machine's counts been
taken from a score learnt from the very readings, within the strata as they were and with strata
made anew.

    LACS_BENCH_SEASONS=300
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dashboards import seasons, study
from dashboards.estimators import proxy, sampling, strata, totals
from dashboards.estimators.strata import Bools, Floats
from dashboards.seasons import LAKES, Detector, Ints
from detection import calibrating
from detection.labels import COUNTED_SCORE

SEEN = Detector("scored", near=0.95, far=0.5, repeats=0.0, herd=0.0)
NOBODY = 0.5  # boxes of nobody a frame, on average
HIGHER = 1.5  # logits, at the second lake
WANTED = 0.5  # share from which boxes would count


@dataclass(frozen=True, eq=False)
class Scored:
    """Boxes of one season: the place of their frame among those that are sampled, score, truth."""

    frame: Ints
    score: Floats
    right: Bools

    def counts(self, least: float, frames: int) -> Floats:
        kept = self.frame[self.score >= least]
        return np.bincount(kept, minlength=frames).astype(np.float64)


def draw(lake: seasons.Lake, higher: float, rng: np.random.Generator) -> tuple[Any, Scored]:
    """A season whose machine counts are those of its scored boxes, and these."""
    one = seasons.season(lake, SEEN, rng)
    kept = ~one.known_unreadable
    found = one.machine[kept]
    wrong = rng.poisson(NOBODY * rng.gamma(0.5, 2.0, kept.shape)[kept])
    frame = np.repeat(np.arange(len(found)), found + wrong)
    right = np.zeros(len(frame), bool)
    ends = np.cumsum(found + wrong)
    right[
        np.concatenate(
            [np.arange(e - f - w, e - w) for e, f, w in zip(ends, found, wrong, strict=True)]
        )
    ] = True
    z = np.where(right, 1.0, -1.0) + rng.standard_normal(len(frame)) * 1.2 + higher
    boxes = Scored(frame, 1 / (1 + np.exp(-z)), right)
    machine = np.zeros(kept.shape, np.int64)
    machine[kept] = boxes.counts(COUNTED_SCORE, len(found)).astype(np.int64)
    return replace(one, machine=machine), boxes


def measure() -> dict[str, Any]:
    number = int(os.environ.get("LACS_BENCH_SEASONS", "300"))
    told = {lake.name: _lake(lake, number) for lake in LAKES[:2]}
    worst = min(each["coverage"]["as it is"] for each in told.values())
    return {
        "what": "coverage of the interval with calibrated scores beside it, the lower of two lakes",
        "figure": worst,
        "unit": "of 95 % intervals",
        "limit": 0.93,
        "ratio": round(worst / 0.93, 3),
        "conditions": {"seasons": number, **told},
    }


def _lake(lake: seasons.Lake, number: int) -> dict[str, Any]:
    held: dict[str, list[bool]] = {"as it is": [], "learnt": [], "learnt, strata anew": []}
    precision: dict[str, list[list[float]]] = {"score": [[], []], "share": [[], []]}
    lost, boxes_read = [], []
    for each in range(number):
        for place, higher in enumerate((0.0, HIGHER)):
            rng = np.random.default_rng((11, LAKES.index(lake), place, each))
            one, boxes = draw(lake, higher, rng)
            frames = study.lay_out(one, rng)
            for figure, state, seen in study.read(frames):  # noqa: B007  # the last is the stop
                if state.done:
                    break
            mine = seen[boxes.frame]
            boxes_read.append(int(mine.sum()))
            curve = calibrating.fit(boxes.score[mine], boxes.right[mine])
            least = COUNTED_SCORE
            if curve is not None:
                least = calibrating.score_for(curve, WANTED) or COUNTED_SCORE
            for name, at in (("score", COUNTED_SCORE), ("share", least)):
                shown = ~mine & (boxes.score >= at)
                precision[name][place].append(float(boxes.right[shown].mean()))
            if place:
                continue
            truth = float(frames.y.sum())
            held["as it is"].append(figure.low <= truth <= figure.high)
            for name, anew in (("learnt", False), ("learnt, strata anew", True)):
                other, left = _with(one, frames, boxes, least, seen, anew)
                if anew:
                    lost.append(1 - left)
                if other is not None:
                    held[name].append(other.low <= truth <= other.high)
    return {
        "coverage": {name: round(float(np.mean(each)), 3) for name, each in held.items() if each},
        "figures without an interval, strata anew": number - len(held["learnt, strata anew"]),
        "readings lost, strata anew": round(float(np.mean(lost)), 3),
        "boxes read": int(np.median(boxes_read)),
        "precision": {
            name: [round(float(np.mean(each)), 3) for each in pair]
            for name, pair in precision.items()
        },
    }


def _with(
    one: seasons.Season, frames: study.Frames, boxes: Scored, least: float, seen: Bools, anew: bool
) -> tuple[totals.Total | None, float]:
    """The figure of the same readings, had the machine counted from the score `least` on; and the
    share of the readings that still are a sample.
    """
    machine = boxes.counts(least, len(frames.y))
    day, slot = np.nonzero(~one.known_unreadable)
    none, free = np.zeros_like(day), one.free[day]
    x, lively = proxy.features(none, day, one.clock[slot], free, machine)
    stratum, place = frames.stratum, frames.place
    if anew:
        stratum = strata.strata(none, free, machine, lively)
        # In each stratum by the ranks that the queue went by, to the first that is not read.
        place = sampling.places(stratum, _ranks(frames))
        ends = np.bincount(stratum)
        np.minimum.at(ends, stratum[~seen], place[~seen])
        had, seen = seen.sum(), place < ends[stratum]
        left = float(seen.sum() / had)
        if (np.bincount(stratum[seen], minlength=len(ends)) < 1).any():
            return None, left
    else:
        left = 1.0
    hours = np.full(len(frames.y), frames.hour)
    found = totals.estimate(
        totals.population(stratum, hours, x),
        stratum=stratum[seen], place=place[seen], x=x[seen] * frames.hour, y=frames.y[seen],
    )  # fmt: skip
    return found, left


def _ranks(frames: study.Frames) -> Any:
    """An order of all frames that keeps that within each stratum: by the share of it before."""
    size = np.bincount(frames.stratum)
    return np.argsort(np.argsort((frames.place + 0.5) / size[frames.stratum])).astype(np.uint64)
