"""Figures of some days, with their intervals, from the arrays of a sheet. Pure.

What was read and what only the machine saw are never added up: the machine's counts enter a figure
only as the estimates weigh them (dashboards/estimators/totals.py). What no detector has examined
and nobody has read is in no figure; its hours are named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import numpy as np

from dashboards.estimators import sampling, season, stopping, totals, units
from dashboards.estimators.strata import Bools, Floats, Ints, summed
from dashboards.sheets import ACTIVITIES, Sheet

# Unit → kinds of boxes that it counts, on frames that people settled.
UNITS = {
    "person_hours": tuple(ACTIVITIES),
    "bather_hours": ("bathing",),
    "angler_hours": ("fishing",),
    "boat_hours": ("boat",),
    "herd_hours": ("herd",),  # hours with a herd in sight, never persons
}


@dataclass(frozen=True)
class Figure:
    """A total of count-hours over the days of a sheet.

    `basis`: "fully read", "corrected" (readings and machine counts together) or "partly read": then
    too little is read for an interval, `low` and `high` are None, and the value is what was counted
    on the frames read alone.
    """

    value: float
    low: float | None
    high: float | None
    basis: str


@dataclass(frozen=True)
class Mean:
    """Persons present on average in a group of frames; None where nothing was read there.

    `low` and `high` are None where no interval can be given.
    """

    value: float | None
    low: float | None
    high: float | None
    read_hours: float


class Part:
    """The sampled frames of a sheet as `totals.estimate` takes them, and its readings.

    Where every stratum of these days has been read, they are a population of their own; else the
    whole deployments are, in which a frame of another day counts nothing: that is wider, and holds
    as soon as each stratum has been read anywhere.
    """

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        inside = sheet.stratum >= 0
        mine = np.flatnonzero(sheet.sampled)
        at = sheet.reading[mine]
        strata = len(sheet.sizes)
        here = np.bincount(sheet.stratum[inside], minlength=strata)
        n = np.bincount(sheet.stratum[at], minlength=strata)
        own = bool((n[here > 0] > 0).all())
        size = here if own else sheet.sizes
        self.known = own or bool((sheet.read[sheet.sizes > 0] > 0).all())
        self.mine = mine
        stratum = sheet.stratum[at]
        self.beside = 0  # readings of other days, all zeros
        if not own and self.known:
            rest = np.repeat(np.arange(strata), np.maximum(sheet.read - n, 0))
            self.beside = len(rest)
            stratum = np.concatenate([stratum, rest])
        place = np.concatenate([sheet.frames["place"][at].astype(np.int64), np.arange(self.beside)])
        kept = np.flatnonzero(size > 0)
        number = np.full(strata, -1, np.int64)
        number[kept] = np.arange(len(kept))
        self.number = number
        hours = sheet.hours[inside]
        self.population = totals.Population(
            size[kept], sheet.population[kept], float(hours.mean()) if len(hours) else 0.0
        )
        self.stratum, self.place = number[stratum], place
        self.hours = sheet.hours[at]  # [sample]
        self.x = self._filled(sheet.x[mine] * self.hours[:, None])
        self.frame_hours = float(hours.sum())
        self.certain = np.flatnonzero(sheet.stratum[sheet.reading] < 0)
        self.whole = bool(sheet.frames["settled"].all())
        self._totals: dict[bytes, totals.Total | None] = {}

    def total(self, counts: Floats) -> totals.Total | None:
        """The total of counts [readings] × hours; None where too little is read."""
        key = counts.tobytes()
        if key not in self._totals:
            y = counts * self.sheet.hours[self.sheet.reading]
            self._totals[key] = self._estimate(y, settled=float(y.sum()))
        return self._totals[key]

    def _estimate(self, y: Floats, *, settled: float) -> totals.Total | None:
        """Of y [readings], count-hours."""
        if not self.known or not len(self.population.size):
            return None
        return totals.estimate(
            self.population,
            stratum=self.stratum,
            place=self.place,
            x=self.x,
            y=self._filled(y[self.mine]),
            certain=float(y[self.certain].sum()),
            settled=settled,
        )

    def figure(self, counts: Floats) -> Figure | None:
        """None where nothing is read: that is no zero."""
        sheet = self.sheet
        if not sheet.readable.any():
            return None
        counted = float(counts @ sheet.hours[sheet.reading])
        if self.whole:
            return Figure(counted, counted, counted, "fully read")
        found = self.total(counts)
        if found is None:
            return Figure(counted, None, None, "partly read")
        # Skewed errors may shift an interval; the figure itself stays within it.
        return Figure(
            found.total, min(found.low, found.total), max(found.high, found.total), "corrected"
        )

    def watched(self) -> units.Interval | None:
        """Hours that a reading would find readable, of those that the figures speak of."""
        sheet = self.sheet
        lost = self.total((~sheet.readable).astype(np.float64))
        certain = self.certain[sheet.readable[self.certain]]
        sure = float(sheet.hours[sheet.reading[certain]].sum())
        if self.whole:
            hours = float(sheet.hours[sheet.reading[sheet.readable]].sum())
            return units.Interval(hours, hours, hours)
        if lost is None:
            return None
        whole = self.frame_hours + sure
        read = float(sheet.hours[sheet.reading[sheet.readable]].sum())
        return units.Interval(
            whole - lost.total, max(whole - lost.high, read), max(whole - lost.low, read)
        )

    def rate(self, counts: Floats) -> units.Interval | None:
        """`counts` [readings] per watched hour: how many are present at a time."""
        watched = self.watched()
        if watched is None or watched.value <= 0:
            return None
        sheet = self.sheet
        if self.whole:
            value = float(counts @ sheet.hours[sheet.reading]) / watched.value
            return units.Interval(value, value, value)
        figure = self.total(counts)
        if figure is None:
            return None
        rate = figure.total / watched.value
        apart = counts - rate * sheet.readable  # the error of a ratio, linearised
        found = self._estimate(apart * sheet.hours[sheet.reading], settled=-np.inf)
        if found is None:
            return None
        below, above = found.total - found.low, found.high - found.total
        return units.Interval(
            rate,
            max(rate - max(below, 0.0) / watched.value, 0.0),
            rate + max(above, 0.0) / watched.value,
        )

    def means(self, group: Ints, groups: int) -> tuple[Floats, Floats, Floats] | None:
        """Persons present by group of frames, with intervals [groups] each; `group` [frames]."""
        if not self.known or not len(self.population.size):
            return None
        sheet, strata = self.sheet, len(self.population.size)
        inside = np.flatnonzero(sheet.stratum >= 0)
        cell = self.number[sheet.stratum[inside]] * groups + group[inside]
        share = np.bincount(cell, minlength=strata * groups).reshape(strata, groups)
        hours = sheet.hours[inside]
        at = sheet.reading
        y, mine = sheet.persons * sheet.hours[at], group[at[self.mine]]
        kept = group[at[self.certain]]
        readable = sheet.hours[at] * sheet.readable
        return totals.means(
            self.population.size,
            self.population.hour,
            share=share / self.population.size[:, None],
            hours=summed(group[inside], hours, groups),
            machine=summed(group[inside], hours * sheet.frames["machine"][inside], groups),
            stratum=self.stratum,
            group=np.concatenate([mine, np.full(self.beside, -1)]),
            y=self._filled(y[self.mine]),
            m=self.x[:, 0],
            lost=self._filled((sheet.hours[at] - readable)[self.mine]),
            certain=(
                summed(kept, y[self.certain], groups),
                summed(kept, readable[self.certain], groups),
            ),
        )

    @property
    def weights(self) -> Floats:
        """Of each reading, how many frames it speaks for: [readings].

        As long as a stratum is unread anywhere, each speaks for itself alone, and means are those
        of the frames read.
        """
        sheet = self.sheet
        if self.whole or not self.representative:
            return np.ones(len(sheet.reading))
        stratum = sheet.stratum[sheet.reading]
        share = sheet.sizes / np.maximum(sheet.read, 1)
        weight = np.where(sheet.sampled, share[np.maximum(stratum, 0)], 0.0)
        weight[self.certain] = 1.0
        return weight

    @property
    def representative(self) -> bool:
        sheet = self.sheet
        return bool(len(sheet.sizes)) and bool((sheet.read[sheet.sizes > 0] > 0).all())

    def _filled(self, rows: Floats) -> Floats:
        return np.concatenate([rows, np.zeros((self.beside, *rows.shape[1:]))])


def estimated(part: Part, pace: float | None) -> dict[str, Any]:
    """Every figure of these days that rests on more than one day, for page, file and command.

    `pace`: seconds that a reading took.
    """
    sheet = part.sheet
    watched = part.watched()
    rate = part.rate(sheet.persons)
    counts = {
        unit: _counted(sheet, kinds, presence=unit == "herd_hours") for unit, kinds in UNITS.items()
    }
    figures = {unit: part.figure(each) for unit, each in counts.items()}
    activities = {name: part.figure(sheet.count(name)) for name in ACTIVITIES}
    whole = sum(figure.value for figure in activities.values() if figure)
    return {
        "units": {unit: asdict(figure) if figure else None for unit, figure in figures.items()},
        "activities": {
            name: {**asdict(figure), "share": figure.value / whole if whole else None}
            for name, figure in activities.items()
            if figure and (figure.value or figure.high)
        },
        "watched": asdict(watched) if watched else None,
        "present": asdict(rate) if rate else None,
        "unseen_hours": float(
            sheet.hours[sheet.watched & ~sheet.frames["examined"] & ~sheet.frames["settled"]].sum()
        ),
        "sampled": {
            "frames": int((sheet.stratum >= 0).sum()),
            "read": len(part.mine),
            "certain": len(part.certain),
        },
        "precision": precision(part, counts["person_hours"], pace),
        "to_read": {
            unit: precision(part, each, pace) for unit, each in counts.items() if each.any()
        },
        "missed": missed(sheet, part.weights),
        "representative": part.whole or part.representative,
    }


def precision(part: Part, counts: Floats, pace: float | None) -> dict[str, Any] | None:
    """What is still to read for the total of `counts`: frames, and minutes at `pace`.

    None where the detector has examined nothing or all is read. `first`: nothing can be said before
    each stratum has its first readings.
    """
    sheet = part.sheet
    if part.whole or not len(sheet.sizes):
        return None
    found = part.total(counts)
    watched = part.watched()
    if found is None or watched is None:
        owed = np.maximum(sampling.pilot(sheet.sizes) - sheet.read, 0)
        more, first, state = int(owed.sum()), True, None
    else:
        state = stopping.progress(found, watched.value)
        more, first = state.more, False
    return {
        "more": more,
        "minutes": more * pace / 60 if pace is not None else None,
        "seconds_a_frame": pace,
        "first": first,
        "done": bool(state and state.done),
        "absolute": bool(state and state.absolute),
        "tolerance": state.tolerance if state else None,
        "half": found.half if found else None,
        "proxy": found.proxy if found else None,
    }


def missed(sheet: Sheet, weights: Floats) -> dict[str, Any] | None:
    """How often the detector misses people and sees some who are not there, by the readings.

    Counted frame by frame: a person missed and a stone taken for one in the same frame cancel out.
    """
    at = sheet.reading
    held = sheet.frames["examined"][at] & sheet.readable
    if not held.any():
        return None
    truth, machine = sheet.persons[held], sheet.frames["machine"][at][held].astype(np.float64)
    weight = weights[held]
    people, boxes = float(weight @ truth), float(weight @ machine)
    return {
        "frames": int(held.sum()),
        "missed": float(weight @ np.maximum(truth - machine, 0)) / people if people else None,
        "extra": float(weight @ np.maximum(machine - truth, 0)) / boxes if boxes else None,
    }


def present(part: Part, group: Ints, groups: int, *, bare: bool = False) -> list[Mean]:
    """Persons present on average in each group of frames; `group` [frames]. `bare`: no intervals.

    Where every stratum has a reading, the machine's counts corrected by the readings, with an
    interval; else each reading speaks for the frames like it (`Part.weights`). A group without a
    reading has no mean, which is no zero.
    """
    sheet = part.sheet
    mine = group[sheet.reading]
    hours = sheet.hours[sheet.reading] * sheet.readable
    read = np.bincount(mine, hours, groups)
    found = None if bare or part.whole else part.means(group, groups)
    if found is None:
        weights = part.weights
        over = np.bincount(mine, weights * hours, groups)
        count = np.bincount(mine, weights * hours * sheet.persons, groups)
        value = np.where(over > 0, count / np.where(over > 0, over, 1.0), np.nan)
        ends = value if part.whole and not bare else np.full(groups, np.nan)
        found = value, ends, ends
    value, low, high = (np.where(read > 0, each, np.nan) for each in found)
    return [
        Mean(_known(value[n]), _known(low[n]), _known(high[n]), float(read[n]))
        for n in range(groups)
    ]


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def nights(sheet: Sheet, window: tuple[float, float] = units.NIGHT) -> dict[str, Any]:
    """Tents by night, from settled frames alone: what nobody read cannot raise them."""
    at = sheet.reading[sheet.readable]
    day, clock = sheet.day[at], sheet.frames["clock"][at].astype(np.float64)
    tents = sheet.count("tent")[sheet.readable].astype(np.int64)
    found = units.tent_nights(day, clock, tents, window)
    night, inside = units.nights(day, clock, window)
    most: dict[int, int] = {}
    for which, count in zip(night[inside].tolist(), tents[inside].tolist(), strict=True):
        most[which] = max(most.get(which, 0), count)
    herd = sheet.count("herd")[sheet.readable] > 0
    return {
        "tent_nights": found.nights if found.nights_read else None,
        "nights_read": found.nights_read,
        "tents_outside_hours": found.outside if (~inside).any() else None,
        "nights": [
            {"night": date.fromordinal(which), "tents": count}
            for which, count in sorted(most.items())
        ],
        "herd_days": units.days_with(day, herd) if len(day) else None,
    }


def whole_season(
    part: Part, scheduled: Mapping[int, Floats], free: Bools, first: date, last: date
) -> season.Extrapolated | None:
    """The person-hours of all scheduled hours from `first` to `last`: an extrapolation.

    `scheduled`: hours [days, 24] of each deployment; `free` [days]: weekend or public holiday. None
    where the observed total has no interval, or nothing is missing.

    Cameras see different things: each fills its own hours alone, and one without a frame none.
    Hours that are in no figure, because nobody has examined or read them, are filled like those
    that were not watched.
    """
    sheet = part.sheet
    figure = part.figure(sheet.persons)
    if figure is None or figure.low is None or figure.high is None:
        return None
    places, days = np.array(sorted(scheduled)), (last - first).days + 1
    planned = np.concatenate([scheduled[pk] for pk in places.tolist()], axis=1)
    row = (sheet.day - first.toordinal()) * len(places)
    row += np.searchsorted(places, sheet.deployment)
    cell = row * 24 + sheet.frames["clock"].astype(np.int64)
    known = sheet.watched & ((sheet.stratum >= 0) | sheet.frames["settled"])
    watched = summed(cell, sheet.hours * known, planned.size).reshape(days, -1)
    gap = np.maximum(planned - watched, 0.0)
    if gap.sum() < 0.01 * planned.sum():
        return None
    counted: Floats = _spread(sheet, part, figure.value, cell, planned.size).reshape(days, -1)
    error = (figure.high - figure.low) / 2 / 1.959964
    return season.extrapolate(counted, watched, planned, free, error=error)


def _spread(sheet: Sheet, part: Part, total: float, cell: Ints, cells: int) -> Floats:
    """`total` over cells of hours: what was read where it was read, the rest as strata have it."""
    y = sheet.persons * sheet.hours[sheet.reading]
    counted = np.bincount(cell[sheet.reading], y, cells)
    rest = total - float(y.sum())
    if rest <= 0 or not len(sheet.sizes):
        return np.asarray(counted, np.float64)
    unread = (sheet.stratum >= 0) & ~sheet.frames["settled"]
    strata = len(sheet.sizes)
    mine = part.mine
    stratum = sheet.stratum[sheet.reading[mine]]
    over = np.bincount(stratum, sheet.hours[sheet.reading[mine]], strata)
    mean = np.bincount(stratum, y[mine], strata) / np.maximum(over, 1e-12)
    guess = np.where(unread, sheet.hours * mean[np.maximum(sheet.stratum, 0)], 0.0)
    if guess.sum() <= 0:
        guess = sheet.hours * unread
    if guess.sum() > 0:
        counted = counted + np.bincount(cell, guess * rest / guess.sum(), cells)
    return np.asarray(counted, np.float64)


def _counted(sheet: Sheet, kinds: Sequence[str], *, presence: bool) -> Floats:
    counts = sheet.count(*kinds)
    return (counts > 0).astype(np.float64) if presence else counts


def scheduled_hours(
    first: date,
    last: date,
    *,
    window: tuple[float, float] | None,
    shift: Sequence[float],
    bands: Bools,
) -> Floats:
    """Scheduled hours of one deployment in each local hour of each day: [days, 24].

    `window`: first and last frame of the day by the camera's clock, in hours; `shift` [days]: local
    time less the camera's clock, in hours; `bands` [24]: hours of the day in which it ever took a
    frame, which are taken for its schedule where no window is written down.
    """
    days = (last - first).days + 1
    if window is None:
        return np.tile(bands.astype(np.float64), (days, 1))
    found = np.zeros((days, 24))
    edges = np.arange(24)
    for day in range(days):
        start, stop = window[0] + shift[day], window[1] + shift[day]
        for wrap in (-24.0, 0.0, 24.0):
            over = np.minimum(edges + 1, stop + wrap) - np.maximum(edges, start + wrap)
            found[day] += np.maximum(over, 0.0)
    return np.minimum(found, 1.0)
