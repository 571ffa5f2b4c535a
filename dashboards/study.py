"""Whether the intervals hold: simulated seasons read in the queue's order until the stop says done.

Each season is read as reviewers read it: readings go where the planning says, the figure is looked
at again after every few, and reading stops at the first look that says so. What counts is whether
the interval *of that moment* holds the truth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from dashboards import seasons
from dashboards.estimators import proxy, sampling, season, stopping, strata, totals
from dashboards.estimators.strata import Bools, Floats, Ints, summed

LOOK, GROWTH = 5, 0.03  # readings between two looks: at least 5, or 3 % of those had
Z = 1.959964


@dataclass(frozen=True)
class Frames:
    """One season's frames that the machine did not call unreadable, in the order of reading."""

    stratum: Ints
    plain_stratum: Ints  # day type × machine count (0 · 1–2 · 3–5 · 6+): what the oracle has
    place: Ints
    x: Floats  # [frames, 10], times hours
    y: Floats  # person-hours that a reading would find
    watched: Floats  # hours that a reading would find readable
    hour: float
    groups: tuple[Ints, Ints]  # local hour; day of the week: from 0 each


@dataclass(frozen=True)
class Means:
    """Persons present by group of frames at the stop: groups, those whose interval holds the truth,
    and half-width over the mean of all."""

    groups: int
    held: int
    width: float


@dataclass(frozen=True)
class Stop:
    """One season read until the stop. Hours are person-hours but for `watched`."""

    truth: float
    watched: float  # hours
    figure: totals.Total
    tolerance: float
    plain: float  # frames that simple random reading takes, its variance being known
    oracle: float  # … that the best allotment to the same strata takes, all variances being known
    census: int
    hours: Means
    weekdays: Means

    @property
    def held(self) -> bool:
        slack = 1e-9 * max(self.truth, 1.0)
        return self.figure.low - slack <= self.truth <= self.figure.high + slack


@dataclass(frozen=True)
class Cell:
    """What the seasons of one lake and one detector show; frames are means over the seasons."""

    lake: str
    detector: str
    seasons: int
    coverage: float
    truth_below: float  # share of the seasons whose truth lies below the interval
    truth_above: float
    bias: float  # of the truth
    bias_present: float  # persons present at a time
    read: float
    read_most: float  # 95 % of the seasons stop before
    plain: float
    oracle: float
    census: float
    present: float  # persons present at a time, the truth
    width: float  # half-width at the stop, of the truth
    proxies: dict[str, float]  # share of the seasons
    hours_coverage: float  # of persons present at each local hour
    hours_width: float  # half-width over the mean
    weekdays_coverage: float
    weekdays_width: float


def lay_out(one: seasons.Season, rng: np.random.Generator) -> Frames:
    """The season's frames in strata and a random order, as the queue would have them."""
    kept = ~one.known_unreadable
    day, slot = np.nonzero(kept)
    free = one.free[day]
    machine = one.machine[kept].astype(np.float64)
    camera = np.zeros_like(day)
    x, lively = proxy.features(camera, day, one.clock[slot], free, machine)
    stratum = strata.strata(camera, free, machine, lively)
    plain = 2 * np.digitize(machine, strata.EDGES[:3]) + free
    place = sampling.places(stratum, rng.permutation(len(day)).astype(np.uint64))
    hour = seasons.INTERVAL
    readable = one.readable[kept]
    return Frames(
        stratum=stratum,
        plain_stratum=np.unique(plain, return_inverse=True)[1],
        place=place,
        x=x * hour,
        y=np.asarray(one.counts[kept] * readable * hour),
        watched=np.asarray(readable * hour),
        hour=hour,
        groups=(one.clock[slot].astype(np.int64) - int(one.clock[0]), day % 7),
    )


def read(frames: Frames) -> Iterator[tuple[totals.Total, stopping.Progress, Bools]]:
    """The figure at each look and what is read, until all is or nobody asks for more."""
    hours = np.full(len(frames.y), frames.hour)
    whole = totals.population(frames.stratum, hours, frames.x / frames.hour)
    had = np.zeros(len(whole.size), np.int64)
    variance = None
    while had.sum() < whole.size.sum():
        count = max(LOOK, int(GROWTH * had.sum())) if variance is not None else sampling.PILOT
        had = had + sampling.next_readings(whole.size, had, variance, count)
        seen: Bools = frames.place < had[frames.stratum]
        stratum = frames.stratum[seen]
        figure = totals.estimate(
            whole, stratum=stratum, place=frames.place[seen], x=frames.x[seen], y=frames.y[seen]
        )
        assert figure is not None  # noqa: S101  # the pilot reads every stratum
        variance = figure.planning
        watched = np.bincount(stratum, frames.watched[seen], len(had)) / had
        yield figure, stopping.progress(figure, float((watched * whole.size).sum())), seen


def one(lake: seasons.Lake, detector: seasons.Detector, seed: tuple[int, ...]) -> Stop:
    """One season drawn, read until the stop, and held against its truth."""
    rng = np.random.default_rng(seed)
    frames = lay_out(seasons.season(lake, detector, rng), rng)
    for figure, state, seen in read(frames):  # noqa: B007  # the last of them is the stop
        if state.done:
            break
    truth, watched = float(frames.y.sum()), float(frames.watched.sum())
    wanted = max(stopping.RELATIVE * truth, stopping.PRESENT * watched)
    return Stop(
        truth=truth,
        watched=watched,
        figure=figure,
        tolerance=state.tolerance,
        plain=_needed(np.zeros_like(frames.stratum), frames.y, wanted),
        oracle=_oracle(frames, wanted),
        census=len(frames.y),
        hours=_means(frames, seen, frames.groups[0]),
        weekdays=_means(frames, seen, frames.groups[1]),
    )


def _means(frames: Frames, seen: Bools, group: Ints) -> Means:
    groups, size = int(group.max()) + 1, np.bincount(frames.stratum)
    cell = np.bincount(frames.stratum * groups + group, minlength=len(size) * groups)
    none = np.zeros(groups)
    value, low, high = totals.means(
        size,
        frames.hour,
        share=cell.reshape(len(size), groups) / size[:, None],
        hours=summed(group, np.full(len(group), frames.hour), groups),
        machine=summed(group, frames.x[:, 0], groups),
        stratum=frames.stratum[seen],
        group=group[seen],
        y=frames.y[seen],
        m=frames.x[seen, 0],
        lost=frames.hour - frames.watched[seen],
        certain=(none, none),
    )
    truth = summed(group, frames.y, groups) / summed(group, frames.watched, groups)
    known = ~np.isnan(value)
    held = known & (low - 1e-9 <= truth) & (truth <= high + 1e-9)
    width = float((high - low)[known].mean() / 2 / max(float(truth[known].mean()), 1e-9))
    return Means(int(known.sum()), int(held.sum()), width)


def cell(lake: seasons.Lake, detector: seasons.Detector, number: int, seed: int) -> Cell:
    """`number` seasons of `lake` and `detector`. The same `seed` draws the same seasons."""
    key = (seasons.LAKES.index(lake), seasons.DETECTORS.index(detector))
    stops = [one(lake, detector, (seed, *key, each)) for each in range(number)]
    truth = np.array([each.truth for each in stops])
    watched = np.array([each.watched for each in stops])
    total = np.array([each.figure.total for each in stops])
    had = np.array([each.figure.read for each in stops])
    proxies = [each.figure.proxy for each in stops]
    return Cell(
        lake=lake.name,
        detector=detector.name,
        seasons=number,
        coverage=float(np.mean([each.held for each in stops])),
        truth_below=float(np.mean([each.truth < each.figure.low for each in stops])),
        truth_above=float(np.mean([each.truth > each.figure.high for each in stops])),
        bias=float((total - truth).mean() / truth.mean()),
        bias_present=float(((total - truth) / watched).mean()),
        read=float(had.mean()),
        read_most=float(np.quantile(had, 0.95)),
        plain=float(np.mean([each.plain for each in stops])),
        oracle=float(np.mean([each.oracle for each in stops])),
        census=float(np.mean([each.census for each in stops])),
        present=float((truth / watched).mean()),
        width=float(np.mean([each.figure.half for each in stops]) / truth.mean()),
        proxies={kind: proxies.count(kind) / number for kind in proxy.KINDS},
        hours_coverage=_covered([each.hours for each in stops]),
        hours_width=float(np.mean([each.hours.width for each in stops])),
        weekdays_coverage=_covered([each.weekdays for each in stops]),
        weekdays_width=float(np.mean([each.weekdays.width for each in stops])),
    )


WATCHED = (5, 10, 20, 40, 80)  # days of a season of 100
STRETCHES = (1, 5, 20)  # days watched without a break


@dataclass(frozen=True)
class Filled:
    """Seasons of a lake of which only some days were watched, and every frame of these was read."""

    lake: str
    days: int  # watched
    stretch: int  # days of a stretch in which they were watched, or were not
    seasons: int
    refused: float  # share without an interval
    coverage: float | None  # of the intervals; None where there is none
    truth_below: float
    truth_above: float
    bias: float  # of the truth
    width: float  # half-width, of the truth


def filled(lake: seasons.Lake, days: int, number: int, seed: int, *, stretch: int = 1) -> Filled:
    """`number` seasons of `lake`, `days` of each drawn by chance and the rest extrapolated."""
    blocks = np.arange(seasons.DAYS) // stretch
    low, high, total, truth = np.empty((4, number))
    for each in range(number):
        rng = np.random.default_rng((seed, seasons.LAKES.index(lake), days, each))
        one = seasons.season(lake, seasons.DETECTORS[0], rng)
        chosen = np.zeros(seasons.DAYS, bool)
        while not (chosen & one.free).any() or not (chosen & ~one.free).any():
            drawn = rng.choice(seasons.DAYS // stretch, days // stretch, replace=False)
            chosen = np.isin(blocks, drawn)
        known = one.readable & chosen[:, None]
        counted, watched, scheduled = (
            _by_hour(value) for value in (one.counts * known, known, np.ones_like(known))
        )
        found = season.extrapolate(counted, watched, scheduled, one.free, error=0.0)
        low[each] = np.nan if found.low is None else found.low
        high[each] = np.nan if found.high is None else found.high
        total[each] = found.total
        truth[each] = one.counts.sum() * seasons.INTERVAL
    given = ~np.isnan(low)
    some = max(int(given.sum()), 1)
    below, above = float((truth < low).sum()) / some, float((truth > high).sum()) / some
    return Filled(
        lake=lake.name,
        days=days,
        stretch=stretch,
        seasons=number,
        refused=float(1 - given.mean()),
        coverage=1 - below - above if given.any() else None,
        truth_below=below,
        truth_above=above,
        bias=float((total - truth).mean() / truth.mean()),
        width=float((high - low)[given].sum() / some / 2 / truth.mean()),
    )


def _by_hour(value: Ints | Bools) -> Floats:
    """Sums of value [days, frames] × hours by local hour: [days, hours]."""
    a_day = round(1 / seasons.INTERVAL)
    return np.asarray(value.reshape(seasons.DAYS, -1, a_day).sum(axis=2) * seasons.INTERVAL)


def _covered(found: list[Means]) -> float:
    return sum(each.held for each in found) / max(sum(each.groups for each in found), 1)


def _oracle(frames: Frames, wanted: float) -> float:
    """Frames that the best allotment takes with the machine count alone, its slope the best."""
    machine = frames.x[:, 0]
    spread = machine.var()
    best = float(np.cov(machine, frames.y, bias=True)[0, 1] / spread) if spread else 0.0
    tried = (0.0, best / 2, best, 1.0)
    return min(_needed(frames.plain_stratum, frames.y - each * machine, wanted) for each in tried)


def _needed(stratum: Ints, error: Floats, wanted: float) -> float:
    """Frames that give half-width `wanted` to the total of `error` by Neyman's allotment.

    A stratum that would be asked for more frames than it has is read whole.
    """
    size = np.bincount(stratum).astype(np.float64)
    mean = np.bincount(stratum, error) / size
    sd = np.sqrt(np.bincount(stratum, (error - mean[stratum]) ** 2) / size)
    whole = np.zeros(len(size), bool)
    while True:
        rest = ~whole
        load = float((size * sd)[rest].sum())
        needed = load**2 / ((wanted / Z) ** 2 + float((size * sd**2)[rest].sum()))
        over = rest & (needed * size * sd > size * load)
        if load == 0.0 or not over.any():
            return needed + float(size[whole].sum())
        whole |= over
