"""What those who read figures alone are told of few persons in a sensitive activity. Pure.

The counts are changed before anything is reckoned from them: whoever did a sensitive activity on a
day on which fewer than so many did it at once is counted with those who rest and those of whom
nobody knows, as "other". Nothing made from such counts holds the difference between a lone bather
and somebody at rest, so no subtraction of totals, days or periods brings it back. None and few
look alike: that nobody bathed would tell of the day on which somebody did.

How many are present is told as it is; only what they do is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dashboards.estimators import units
from dashboards.estimators.strata import Bools, Ints
from dashboards.figures import UNITS
from dashboards.sheets import COUNTS, Sheet

OTHER = "other"  # resting, unknown, and the few
HIDES = ("resting", "unknown")  # among whom the few are counted: never sensitive themselves
BOXES = {"bivouac": "tent", "on_water": "boat"}  # that tell of an activity as persons do


@dataclass(frozen=True)
class Discretion:
    """`activities` are told of from `fewer_than` persons at once on."""

    fewer_than: int
    activities: tuple[str, ...]

    @property
    def kinds(self) -> frozenset[str]:
        """Everything counted on a frame that tells of one of the activities."""
        return frozenset(self.activities) | {BOXES[a] for a in self.activities if a in BOXES}

    def hides(self, kinds: tuple[str, ...]) -> bool:
        """Whether a figure that counts `kinds` tells of sensitive activities alone."""
        return self.kinds.issuperset(kinds)


def discreet(sheet: Sheet, rule: Discretion, night: tuple[float, float]) -> Sheet:
    """`sheet` as it may be told: the same persons on the same frames, fewer of their activities.

    The cell is a local day; of tents a night, and the day for those outside its hours.
    """
    counts = sheet.counts.copy()
    other, day = COUNTS.index("unknown"), sheet.day[sheet.reading]
    counts[:, other] += counts[:, COUNTS.index("resting")]
    counts[:, COUNTS.index("resting")] = 0
    for kind in rule.kinds:
        column = COUNTS.index(kind)
        cell = _nights(sheet, day, night) if kind == "tent" else day
        few = _few(cell, sheet.count(kind).astype(np.int64), rule.fewer_than)
        if kind in rule.activities:
            counts[few, other] += counts[few, column]
        counts[few, column] = 0
    return replace(sheet, counts=counts)


def _nights(sheet: Sheet, day: Ints, window: tuple[float, float]) -> Ints:
    """A number for each night, and another for each day beside its nights: [readings]."""
    clock = sheet.frames["clock"][sheet.reading].astype(np.float64)
    night, inside = units.nights(day, clock, window)
    return np.where(inside, 2 * night, 2 * day + 1)


def _few(cell: Ints, count: Ints, least: int) -> Bools:
    """Readings of cells in none of whose frames `least` were counted at once: [readings]."""
    _cells, number = np.unique(cell, return_inverse=True)
    most = np.zeros(len(_cells), np.int64)
    np.maximum.at(most, number, count)
    return np.asarray((most < least)[number], bool)


def told(found: Mapping[str, Any], sheet: Sheet, rule: Discretion) -> dict[str, Any]:
    """`found`, reckoned from a discreet `sheet`, with no zero where few may have been."""

    def known(*kinds: str) -> bool:
        return not rule.hides(kinds) or bool(sheet.count(*kinds).any())

    changed: dict[str, Any] = {
        "units": {
            unit: figure if known(*UNITS[unit]) else None for unit, figure in found["units"].items()
        },
        "activities": {
            _name(name): figure
            for name, figure in found["activities"].items()
            if known(name) and name != "resting"
        },
        "activities_by_day": {
            day: {_name(name): hours for name, hours in mine.items()}
            for day, mine in found["activities_by_day"].items()
        },
    }
    if rule.hides(("tent",)):
        nights = [{**each, "tents": each["tents"] or None} for each in found["nights"]]
        changed |= {
            "nights": nights,
            "tent_nights": found["tent_nights"] or None,
            "tents_outside_hours": found["tents_outside_hours"] or None,
        }
    return {**found, **changed}


def _name(activity: str) -> str:
    return OTHER if activity == "unknown" else activity
