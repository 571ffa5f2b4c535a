"""Frames and readings of some days as arrays: how they are packed, laid together and parted. Pure.

A day is packed as four arrays. Strata, places and features rest on the machine's counts and the
calendar alone; only `settled` and `Reading` rest on reviews.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.calendar import Kind, kind_of_day
from dashboards.estimators import proxy
from dashboards.estimators.strata import Bools, Floats, Ints
from detection.labels import Activity, Label

Rows = NDArray[np.void]
ACTIVITIES = [activity.value for activity in Activity]
HERD = (Label.SHEEP, Label.CATTLE, Label.GOAT, Label.HORSE)
# Counted on a settled frame: persons by activity, then things; persons are the sum of activities.
THINGS = ["tent", "boat", "herd", "dog", "vehicle"]
COUNTS = [*ACTIVITIES, *THINGS]

FRAME = np.dtype(
    [
        ("clock", "<f4"),  # local hours after midnight, below 24 (`clocks`)
        ("hours", "<f8"),  # that it stands for
        ("stratum", "<i2"),  # −1: outside the sampled population
        ("place", "<i4"),  # in its stratum's order of reading
        ("machine", "<u2"),  # persons
        ("examined", "?"),
        ("settled", "?"),
        ("readable", "?"),  # as far as is known
    ]
)
READING = np.dtype(
    [
        ("frame", "<i4"),  # its number in the day
        ("counts", "<u2", (len(COUNTS),)),
        ("x", "<f4", (len(proxy.FEATURES),)),
    ]
)
# Sums of hours × features of one stratum in one day.
POPULATION = np.dtype([("stratum", "<i2"), ("x", "<f8", (len(proxy.FEATURES),))])
# Beside each FRAME of a day, in the same order.
FEATURE = np.dtype([("frame", "<i8"), ("x", "<f4", (len(proxy.FEATURES),))])


@dataclass(frozen=True)
class Packed:
    """One day of one deployment, as it is stored."""

    deployment: int
    day: date
    frames: bytes
    readings: bytes
    population: bytes


@dataclass(frozen=True)
class Depth:
    """How far a deployment is read; each [strata]."""

    sizes: Sequence[int]
    read: Sequence[int]  # frames of the sample
    ends: Sequence[int]  # place of the first frame that is not settled


@dataclass(frozen=True)
class Sheet:
    """Some days laid together: `n` frames, `r` readings; strata are those of whole deployments."""

    deployment: Ints  # [n] id
    day: Ints  # [n] ordinal of the local day
    frames: Rows  # [n] FRAME
    stratum: Ints  # [n] −1: outside the sampled population
    reading: Ints  # [r] number of its frame
    counts: Ints  # [r, COUNTS]
    x: Floats  # [r, features], not times hours
    sampled: Bools  # [r] before the first unsettled frame of its stratum
    sizes: Ints  # [strata] frames in all days
    read: Ints  # [strata] readings of the sample in all days
    population: Floats  # [strata, features] sums of hours × features over the sheet's own days

    @property
    def hours(self) -> Floats:
        return np.asarray(self.frames["hours"])

    @property
    def watched(self) -> Bools:
        """[n] as far as is known."""
        return np.asarray(self.frames["readable"])

    @property
    def readable(self) -> Bools:
        """[r] as people settled it."""
        return self.watched[self.reading]

    def count(self, *names: str) -> Floats:
        """[r] of the named kinds together; an unreadable frame counts nothing."""
        columns = [COUNTS.index(name) for name in names]
        return np.asarray(self.counts[:, columns].sum(axis=1) * self.readable, np.float64)

    @property
    def persons(self) -> Floats:
        return self.count(*ACTIVITIES)


def sheet(days: Sequence[Packed], depths: dict[int, Depth]) -> Sheet:
    """`days` laid together; `depths` by deployment."""
    offsets, total = {}, 0
    for pk in sorted(depths):
        offsets[pk] = total
        total += len(depths[pk].sizes)

    def by_stratum(name: str) -> Ints:
        return np.array([n for pk in sorted(depths) for n in getattr(depths[pk], name)], np.int64)

    every, sizes = _joined([day.frames for day in days], FRAME)
    read, readings = _joined([day.readings for day in days], READING)
    sums, parts = _joined([day.population for day in days], POPULATION)
    offset = np.array([offsets[day.deployment] for day in days], np.int64)
    stratum = every["stratum"].astype(np.int64)
    stratum = np.where(stratum < 0, -1, stratum + np.repeat(offset, sizes))
    starts = np.repeat(np.cumsum(sizes) - sizes, readings)
    at = read["frame"].astype(np.int64) + starts
    mine = stratum[at]
    sampled = mine >= 0
    sampled[sampled] = every["place"][at[sampled]] < by_stratum("ends")[mine[sampled]]
    population = np.zeros((total, len(proxy.FEATURES)))
    owner = sums["stratum"].astype(np.int64) + np.repeat(offset, parts)
    np.add.at(population, owner, sums["x"])
    ordinal = np.array([day.day.toordinal() for day in days], np.int64)
    return Sheet(
        deployment=np.repeat(np.array([day.deployment for day in days], np.int64), sizes),
        day=np.repeat(ordinal, sizes),
        frames=every,
        stratum=stratum,
        reading=at,
        counts=read["counts"].astype(np.int64),
        x=read["x"].astype(np.float64),
        sampled=sampled,
        sizes=by_stratum("sizes"),
        read=by_stratum("read"),
        population=population,
    )


def clocks(clock: Floats) -> NDArray[np.float32]:
    """`clock` as FRAME keeps it, never rounded up: the last moment of an hour is no other hour."""
    kept = clock.astype(np.float32)
    return np.where(kept > clock, np.nextafter(kept, np.float32(0)), kept)


def is_free(day: Ints, country: str) -> Bools:
    """Weekends and public holidays among local days, given as ordinals: a stratum's day type."""
    known, number = np.unique(day, return_inverse=True)
    kinds = [kind_of_day(date.fromordinal(each), country) for each in known.tolist()]
    return np.array([kind is not Kind.WEEK for kind in kinds], bool)[number]


def population(stratum: Ints, hours: Floats, x: NDArray[Any]) -> bytes:
    """The packed sums of hours × features of a day's frames, by stratum."""
    kinds = np.unique(stratum[stratum >= 0])
    rows = np.zeros(len(kinds), POPULATION)
    rows["stratum"] = kinds
    for n, kind in enumerate(kinds):
        here = stratum == kind
        rows["x"][n] = hours[here] @ x[here].astype(np.float64)
    return rows.tobytes()


def _joined(parts: Sequence[bytes], kind: np.dtype[Any]) -> tuple[Rows, Ints]:
    """All rows of `parts`, and how many each has."""
    sizes = np.array([len(part) // kind.itemsize for part in parts], np.int64)
    return np.frombuffer(b"".join(parts), kind), sizes
