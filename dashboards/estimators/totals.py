"""A total over the observed period and its interval, from a stratified sample of readings.

Per stratum h the unread frames are predicted, and the prediction corrected by what the readings
show of it (difference estimator, Särndal, Swensson, Wretman 1992; PPI++, arXiv 2311.01453):

    T̂_h = Σ_read y + (N_h − n_h) · mean over read i of [ y_i + (x̄_unread − x_i) β_−i ]

β_−i are slopes fitted without frame i's fold. β = 0 is the plain expansion, a machine count alone
with β = 1 the plain difference estimator. The kind of proxy with the smallest variance is taken, a
richer one only where it gains clearly.

Three things make the interval hold at the moment when somebody stops because it looks narrow:
- rare errors: each stratum's variance counts some part of one more error of the size seen there
  (of the size seen anywhere, where none was seen), so that no sample looks free of error;
- degrees of freedom by Satterthwaite from the kurtosis of the errors: twenty misses in a thousand
  readings tell as little of a variance as twenty readings do;
- the interval solves (T − T̂)² = t² V(T), where V changes with T as the skewness of the errors
  says, so that a sample that missed the crowds is not taken for a quiet lake.
Readings are allotted by a variance that all strata together give, as a line in the machine count
of a stratum and its neighbourhood: were each stratum's own variance to decide, one whose sample
happened to show no error would never be read again, and the total would run low.
Totals of one population only; extrapolates to nothing (see `season`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from dashboards.estimators import proxy
from dashboards.estimators.strata import Floats, Ints, summed

FLOOR = 0.15  # of one more error, in the variance that is reported
POOLED = 50.0  # errors in a stratum at which readings follow them as much as all strata together
CAUTION = 1.05  # widens every interval: the price of stopping when it looks narrow
GAIN = 0.95  # a richer proxy must leave less than this share of the variance
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Population:
    """The frames that are sampled: `size` [strata], and sums of hours × features [strata, 10]."""

    size: Ints
    x: Floats
    hour: float  # hours that one frame stands for, on average: the size of one person missed


@dataclass(frozen=True)
class Total:
    """A total in count-hours. `low` to `high` holds it with 95 % confidence.

    `planning`: variance of one frame by which the next reading is chosen [strata].
    """

    total: float
    low: float
    high: float
    df: float
    proxy: str  # a key of proxy.KINDS
    frames: int
    read: int
    variance: float  # of the total
    unread_variance: float  # what a reading of every frame takes off it: Σ N S²
    planning: Floats

    @property
    def half(self) -> float:
        return (self.high - self.low) / 2

    @property
    def exact(self) -> bool:
        return self.read == self.frames


def population(stratum: Ints, hours: Floats, x: Floats) -> Population:
    """What `estimate` needs of all sampled frames. [frames], [frames], [frames, 10]."""
    count = int(stratum.max(initial=-1)) + 1
    return Population(
        np.bincount(stratum, minlength=count),
        _sums(stratum, x * hours[:, None], count),
        float(hours.mean()) if len(hours) else 0.0,
    )


def estimate(
    frames: Population,
    *,
    stratum: Ints,
    place: Ints,
    x: Floats,
    y: Floats,
    certain: float = 0.0,
    settled: float | None = None,
) -> Total | None:
    """The total of y over `frames` and what was read with certainty; None before all strata are.

    Of the sample: its `stratum`, `place` in the stratum's order, `x` [n, 10] and `y`, the last
    two times the frame's hours; an unreadable frame has y = 0, for it holds no observed hour.
    `certain`: total of the frames read outside the queue; `settled`: total of all settled frames
    where some lie beyond the prefix; the interval never ends below it.
    """
    strata = len(frames.size)
    n = np.bincount(stratum, minlength=strata)
    if (n[frames.size > 0] == 0).any():
        return None
    n1 = np.maximum(n, 1)
    size = frames.size.astype(np.float64)
    unread = size - n
    weight = size * unread / (n1 * np.maximum(n - 1, 1))  # of a squared error in the variance

    sums = _sums(stratum, x, strata)
    ahead = (frames.x - sums) / np.maximum(unread, 1.0)[:, None]
    ahead[unread == 0] = 0.0
    mean_y = np.bincount(stratum, y, strata) / n1
    centred_x, centred_y = x - (sums / n1[:, None])[stratum], y - mean_y[stratum]
    fold = place % proxy.FOLDS
    best: tuple[float, str, Floats, Floats] | None = None
    apart = ahead[stratum] - x
    for kind, beta in proxy.slopes(centred_x, centred_y, weight[stratum], fold).items():
        e = y + (apart[:, : beta.shape[1]] * beta[fold]).sum(axis=1)
        mean = np.bincount(stratum, e, strata) / n1
        error = e - mean[stratum]
        spread = float((weight[stratum] * error**2).sum())
        if best is None or spread < GAIN * best[0]:
            best = spread, kind, mean, error
    assert best is not None  # noqa: S101  # there is always the kind "none"
    _, kind, mean, error = best
    total = float((n * mean_y + unread * mean).sum()) + certain

    errors = _errors(error, stratum, strata, frames.hour)
    around = _spread(size, n, errors)
    variance, df = float(around.variance), float(around.df)
    low, high = total + float(around.below), total + float(around.above)
    second, one = errors.second, errors.one
    floor = float(y.sum()) + certain if settled is None else settled
    usual = _usual((second + errors.anywhere * n / n.sum()) / n1, n1, frames)
    return Total(
        total=total,
        low=max(low, floor),
        high=max(high, floor),
        df=df,
        proxy=kind,
        frames=int(size.sum()),
        read=int(n.sum()),
        variance=variance,
        unread_variance=float((size * (second + FLOOR * one) / n1).sum()),
        planning=(second + POOLED * one) / (n1 + POOLED * one / usual),
    )


def means(
    size: Ints,
    hour: float,
    *,
    share: Floats,
    hours: Floats,
    machine: Floats,
    stratum: Ints,
    group: Ints,
    y: Floats,
    m: Floats,
    lost: Floats,
    certain: tuple[Floats, Floats],
) -> tuple[Floats, Floats, Floats]:
    """Persons present at a time in each of some groups of frames: value, low, high [groups].

    Of the sampled frames: `size` of each stratum, `share` of it in each group [strata, groups],
    `hours` and `machine` counts × hours [groups]. Of the sample: `stratum`, `group` (−1: none),
    counts × hours as read `y` and by the machine `m`, and the hours that turned out unreadable
    `lost`: [n] each; every stratum has a reading. `certain`: y and hours read outside the queue
    [groups] each. NaN where no hour is watched.

    A difference estimate (`machine` corrected by what the readings show of it) of a domain: strata
    are read as wholes, so that a group may have no reading in one of them. Its one error more falls
    into a group as often as the stratum's frames do.
    """
    strata, groups = share.shape
    n = np.maximum(np.bincount(stratum, minlength=strata), 1)
    mean = [np.bincount(stratum, each, strata) / n for each in (y, m)]
    apart = m - mean[1][stratum]
    weight = (size / n)[stratum]
    spread = float((weight * apart**2).sum())
    slope = float((weight * apart * (y - mean[0][stratum])).sum()) / spread if spread else 0.0

    mine = np.flatnonzero(group >= 0)
    cell = stratum[mine] * groups + group[mine]

    def total(value: Floats) -> Floats:
        return summed(group[mine], weight[mine] * value[mine], groups)

    watched = hours - total(lost) + certain[1]
    with np.errstate(invalid="ignore", divide="ignore"):
        value = (slope * machine + total(y - slope * m) + certain[0]) / watched
    value = np.where(watched > 1e-9, np.maximum(value, 0.0), np.nan)
    rate = np.nan_to_num(value)
    error = y - slope * m + np.where(group >= 0, rate[group], 0.0) * lost  # of a ratio, linearised
    power = [
        summed(cell, error[mine] ** k, strata * groups).reshape(strata, groups)
        for k in (1, 2, 3, 4)
    ]
    found = _central(power, n[:, None], hour)
    around = _spread(size[:, None].astype(np.float64), n[:, None], found, share)
    least = (summed(group[mine], y[mine], groups) + certain[0]) / (hours + certain[1] + 1e-12)
    scale = np.where(watched > 1e-9, watched, np.nan)
    # Skewness moves the upper end alone: where few are read, an error seen is no sign of more.
    low = np.minimum(np.maximum(value - around.half / scale, least), value)
    return value, low, np.maximum(value + around.above / scale, value)


@dataclass(frozen=True)
class _Errors:
    """Sums of the powers of errors by stratum; `anywhere`: the square of an error seen anywhere."""

    second: Floats
    third: Floats
    fourth: Floats
    anywhere: float

    @property
    def one(self) -> Floats:
        """The square of one error more in each stratum."""
        return (self.fourth + self.anywhere**2) / (self.second + self.anywhere)


def _errors(error: Floats, stratum: Ints, strata: int, hour: float) -> _Errors:
    squared = error**2
    second, third, fourth = (
        summed(stratum, power, strata) for power in (squared, squared * error, squared**2)
    )
    return _Errors(second, third, fourth, _anywhere(second, fourth, hour))


def _anywhere(second: Floats, fourth: Floats, hour: float) -> float:
    """A person more or less at least; where no error is seen, that."""
    seen = float(second.sum())
    return max(hour**2, float(fourth.sum()) / seen) if seen > 1e-9 * hour**2 else hour**2


def _central(power: list[Floats], n: Ints, hour: float) -> _Errors:
    """Of errors that are 0 outside their group: from the sums of their powers."""
    one, two, three, four = power
    mean = one / n
    second = np.maximum(two - n * mean**2, 0.0)
    third = three - 3 * mean * two + 2 * n * mean**3
    fourth = np.maximum(four - 4 * mean * three + 6 * mean**2 * two - 3 * n * mean**4, 0.0)
    return _Errors(second, third, fourth, _anywhere(second, fourth, hour))


@dataclass(frozen=True)
class _Spread:
    """Of totals: [] or [groups] each. `half`: without the skewness that moves both ends."""

    variance: Floats
    df: Floats
    half: Floats
    below: Floats
    above: Floats


def _spread(size: Floats, n: Ints, errors: _Errors, part_of: Floats | float = 1.0) -> _Spread:
    """How far a total may lie from what is there; strata along the first axis of all.

    `part_of`: how much of one error more falls into it.
    """
    second, one = errors.second, errors.one
    n1 = np.maximum(n, 1)
    more = FLOOR * part_of
    share = n / np.maximum(size, 1.0)
    part = size * (size - n) / n1
    parts = part * (second + more * one) / n1
    variance = parts.sum(axis=0)
    skew = part * size * np.maximum(1 - 2 * share, 0.0) / n1
    skew = skew * (errors.third + more * one**1.5) / n1
    kurtosis = n1 * errors.fourth / np.maximum(second**2, 1e-300)
    # No error seen: as if one had been, among n readings.
    kurtosis = np.where(second > 0, kurtosis, n1)
    known = np.clip(2 * n1 / np.maximum(kurtosis - 1, 1e-9), 1.0, np.maximum(n - 1, 1))
    open_ = variance > 0.0  # else every frame is read
    some = np.where(open_, variance, 1.0)
    df = np.where(open_, some**2 / np.maximum((parts**2 / known).sum(axis=0), 1e-300), np.inf)
    t = stdtrit(np.clip(df, 2.0, 1e9), (1 + CONFIDENCE) / 2)
    shift = np.where(open_, t**2 * skew.sum(axis=0) / some / 2, 0.0)
    half = np.where(open_, CAUTION * np.hypot(t * np.sqrt(some), shift), 0.0)
    plain = np.where(open_, CAUTION * t * np.sqrt(some), 0.0)
    return _Spread(np.where(open_, variance, 0.0), df, plain, shift - half, shift + half)


def _usual(variance: Floats, n: Ints, frames: Population) -> Floats:
    """The variance [strata] that the strata's machine counts suggest: base + slope × count ≥ 0.

    Least squares, weighted as the sampling errors of variances are; three rounds suffice.
    """
    count = (frames.x[:, 0] + frames.x[:, 1]) / np.maximum(frames.size, 1) / frames.hour
    usual = np.full(len(n), float((n * variance).sum() / n.sum()))
    least = 1e-6 * usual
    for _ in range(3):
        weight = n / usual**2
        whole, first, second = weight.sum(), weight @ count, weight @ count**2
        level, moment = weight @ variance, weight @ (variance * count)
        spread = whole * second - first**2
        slope = (whole * moment - first * level) / spread if spread > 1e-12 * whole * second else 0
        base = (level - slope * first) / whole
        if slope < 0:
            base, slope = level / whole, 0.0
        elif base < 0:
            base, slope = 0.0, moment / second
        usual = np.maximum(base + slope * count, least)
    return usual


def _sums(stratum: Ints, x: Floats, strata: int) -> Floats:
    """Sums of the rows of x [n, columns] by stratum: [strata, columns]."""
    columns = x.shape[1]
    cell = (stratum[:, None] * columns + np.arange(columns)).ravel()
    sums = np.bincount(cell, x.ravel(), strata * columns)
    return np.asarray(sums, np.float64).reshape(strata, columns)
