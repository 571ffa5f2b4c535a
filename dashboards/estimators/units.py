"""The other units of attendance: peak, tent-nights, presence.

Peak and tent-nights come from settled frames only and are no estimates: what nobody read cannot
raise them, so they say "at least". Herds are counted apart and never enter a person figure:
their hours are `totals.estimate` of hours × (animals > 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboards.estimators.strata import Bools, Floats, Ints

NIGHT = (19.0, 9.0)  # o'clock: bivouac is allowed from the first to the second


@dataclass(frozen=True)
class Interval:
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Peak:
    """`index`: the first settled frame with that many, to be named by day and hour."""

    count: int
    index: int


@dataclass(frozen=True)
class Tents:
    """`nights`: highest settled tent count of each night, summed over the nights.

    `nights_read`: nights with a settled frame; `outside`: the same sum over days for tents seen
    outside the allowed hours, never part of `nights`.
    """

    nights: int
    nights_read: int
    outside: int


def peak(counts: Ints) -> Peak | None:
    """The most at one time among settled, readable frames [n]; None where there is none."""
    if not len(counts):
        return None
    index = int(np.argmax(counts))
    return Peak(int(counts[index]), index)


def tent_nights(day: Ints, clock: Floats, tents: Ints, night: tuple[float, float] = NIGHT) -> Tents:
    """Tents of settled, readable frames by night. [n]: number of the local day, hours, tents.

    A night bears the number of the day on which it begins.
    """
    number, inside = nights(day, clock, night)
    summed, nights_read = _highest(number[inside], tents[inside])
    outside, _ = _highest(day[~inside], tents[~inside])
    return Tents(summed, nights_read, outside)


def nights(day: Ints, clock: Floats, night: tuple[float, float] = NIGHT) -> tuple[Ints, Bools]:
    """The night of each frame [n], and whether it lies within its night's hours [n].

    A night over midnight bears the number of the day on which it begins.
    """
    begins, ends = night
    evening, morning = clock >= begins, clock < ends
    if begins > ends:
        return np.where(morning & ~evening, day - 1, day), evening | morning
    return day, evening & morning


def days_with(day: Ints, present: Bools) -> int:
    """Days with at least one settled frame that shows it: [n], [n]."""
    return len(np.unique(day[present]))


def _highest(group: Ints, count: Ints) -> tuple[int, int]:
    """The highest count of each group, summed, and the number of groups."""
    kinds, number = np.unique(group, return_inverse=True)
    most = np.zeros(len(kinds), np.int64)
    np.maximum.at(most, number, count)
    return int(most.sum()), len(kinds)
