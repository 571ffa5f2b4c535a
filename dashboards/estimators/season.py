"""A whole season from what was watched of it: an extrapolation, and labelled as one.

Never mixed with a total of the observed period. An hour that was not watched is given the rate of
its day type and band. A band is an hour of the day of one camera.

Days are what was sampled: a ratio estimator in post-strata, whose variance is that of days and has
the finite population correction (Cochran 1977, ch. 5A and 6; leverages as in MacKinnon and White
1985). What makes its interval hold where few days were watched, or crowds come on few:
- a day type with few days is not taken to differ less, against its mean, than all days do, nor to
  be quieter than they are (collapsed strata, Cochran 5A.12);
- Student's quantile, with Satterthwaite's degrees of freedom;
- the upper end is that of a log-normal interval, as for animals counted on few plots (Burnham and
  others 1987; Buckland and others 2001, ch. 3);
- like days follow each other: days are correlated as an autoregression of order one says, its
  correlation estimated one standard error too high (Marriott and Pope 1954); this may only widen.

Known limit: of what changes over the season, a single stretch of days shows nothing. There the
interval holds the truth less often than it says (docs/attendance.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.special import stdtrit

from dashboards.estimators.strata import Bools, Floats

DAYS = 10  # watched: fewer give no interval
PEOPLED = 5  # of these, days on which people were there
THIN = 10  # days of a type from which it is judged by itself
CONFIDENCE = 0.95
Z = 1.959964


@dataclass(frozen=True)
class Extrapolated:
    """`total` is `observed`, over `watched_hours`, and what is filled in for `unwatched_hours`; of
    these, `blind_hours` are of day types and bands that were never watched: they are not in the
    figure, and have to be named beside it. `low` and `high` are None where too few days were
    watched, or people seen on too few."""

    total: float
    low: float | None
    high: float | None
    observed: float
    watched_hours: float
    unwatched_hours: float
    blind_hours: float
    label: str = "extrapolated"


@dataclass(frozen=True)
class _Kind:
    """A day type. Arrays are of all days of the season, 0 on those of the other type.

    `days`: watched; hours of bands that were watched on few of them make it fewer. `hours`: filled
    in, or else watched; they weigh the bands. `level`: their mean rate. `missing`, `shown`: hours
    to fill in, and hours filled in from this day; both in hours of mean rate. `apart`: by how much
    this day moves what is filled in.
    """

    days: float
    hours: float
    level: float
    filled: float
    blind: float
    missing: Floats
    shown: Floats
    apart: Floats

    @property
    def variance(self) -> float:
        """Of the rate of a day."""
        return self.days * float((self.apart**2).sum()) / self.hours**2


def extrapolate(
    counted: Floats, watched: Floats, scheduled: Floats, free: Bools, *, error: float
) -> Extrapolated:
    """The season's total with a 95 % interval.

    `counted`: estimated count-hours; `watched`, `scheduled`: hours; all [days, bands], days in
    their order; `free` [days]: weekend or holiday; `error`: standard error of the observed total,
    which what is filled in from it has in proportion.
    """
    gap = np.maximum(scheduled - watched, 0.0)
    observed = float(counted.sum())
    kinds = [_kind(free == kind, counted, watched, gap) for kind in (False, True)]
    filled = sum(kind.filled for kind in kinds)
    blind = sum(kind.blind for kind in kinds)
    total = observed + filled
    known = [kind for kind in kinds if kind.days > 0]
    below = above = 0.0
    enough = True
    days: Bools = np.asarray(watched.any(axis=1))
    if any(kind.missing.any() for kind in known):
        by_day = counted.sum(axis=1)[days]
        enough = (
            len(by_day) >= DAYS
            and sum(kind.days for kind in known) >= 0.9 * DAYS  # fog may take some hours
            and int((by_day > by_day.mean() / 10).sum()) >= PEOPLED
        )
        if enough:
            below, above = _reach(known, days, filled)
    side = Z * error * (total / observed if observed > 0 else 1.0)
    least = max(observed - Z * error, 0.0)
    return Extrapolated(
        total=total,
        low=max(total - float(np.hypot(below, side)), least) if enough else None,
        high=total + float(np.hypot(above, side)) if enough else None,
        observed=observed,
        watched_hours=float(watched.sum()),
        unwatched_hours=float(gap.sum()),
        blind_hours=blind,
    )


def _kind(mine: Bools, counted: Floats, watched: Floats, gap: Floats) -> _Kind:
    seen, missing = watched * mine[:, None], gap * mine[:, None]
    hours = seen.sum(axis=0)
    bands = hours > 0
    blind = float(missing[:, ~bands].sum())
    none = np.zeros(len(mine))
    if not bands.any():
        return _Kind(0.0, 0.0, 0.0, 0.0, blind, none, none, none)
    seen, missing, hours = seen[:, bands], missing[:, bands], hours[bands]
    count = counted[:, bands] * mine[:, None]
    rate = count.sum(axis=0) / hours
    weight = missing.sum(axis=0) if missing.any() else hours
    over = float(weight.sum())
    level = float(rate @ weight) / over
    share = seen / hours
    shape = rate / level if level > 0 else np.ones(len(rate))
    only = 1 - share < 1e-9  # a band of a single day shows nothing of how days differ
    apart = np.where(only, 0.0, (count - rate * seen) / np.sqrt(np.where(only, 1.0, 1 - share)))
    return _Kind(
        days=over / float(weight @ (share**2).sum(axis=0)),
        hours=over,
        level=level,
        filled=float(rate @ missing.sum(axis=0)),
        blind=blind,
        missing=missing @ shape,
        shown=share @ (weight * shape) * missing.any(),
        apart=apart @ (weight / hours),
    )


def _reach(kinds: Sequence[_Kind], known: Bools, filled: float) -> tuple[float, float]:
    """How far the truth may lie below and above what is filled in; `known` [days]: watched."""
    days = np.array([kind.days for kind in kinds])
    level = np.array([kind.level for kind in kinds])
    rates = np.array([kind.variance for kind in kinds])
    df = np.maximum(days - 1, 0.0)
    usual = float(df @ rates) / max(float(df @ level**2), 1e-300)  # against the mean, squared
    thin = days < THIN
    least = usual * np.maximum(level, days @ level / days.sum()) ** 2
    rates = np.where(thin, np.maximum(rates, least), rates)
    df = np.where(thin, df.sum(), df)
    size = np.array([(kind.missing**2).sum() + (kind.shown**2).sum() for kind in kinds])
    parts = rates * size  # Σ is N² (1 − n/N) s² / n where all days are alike
    variance = float(parts.sum())
    if variance <= 0:
        return 0.0, 0.0
    t = float(stdtrit(max(variance**2 / float((parts**2 / np.maximum(df, 1)).sum()), 1.0),
                      (1 + CONFIDENCE) / 2))  # fmt: skip
    scale = np.sqrt(rates)
    apart = sum(
        kind.apart * kind.days / kind.hours / each
        for kind, each in zip(kinds, scale, strict=True)
        if each > 0
    )
    moved = sum(each * (kind.missing - kind.shown) for kind, each in zip(kinds, scale, strict=True))
    rho = _persistence(np.asarray(apart), known)
    seen, number = known.astype(np.float64), int(known.sum())
    alike = (_quadratic(seen, rho) - number) / (number * (number - 1))
    # Days that are alike show less of how days differ, and say less of those that lie apart.
    variance = max(variance, _quadratic(np.asarray(moved), rho)) / (1 - alike)
    reach = t * variance**0.5
    above = filled * float(np.expm1(t * np.log1p(variance / filled**2) ** 0.5)) if filled else 0.0
    return min(reach, filled), max(reach, above)


def _persistence(apart: Floats, known: Bools) -> float:
    """Correlation of a day with the next, one standard error too high; `apart`: 0 if unknown."""
    pairs, number = int((known[1:] & known[:-1]).sum()), int(known.sum())
    power = float((apart**2).sum())
    if pairs < 2 or power <= 0:
        return 0.0
    found = float(apart[1:] @ apart[:-1]) / pairs / (power / number)
    found = (found + 1 / number) / (1 - 4 / number) + float(np.sqrt(1 / pairs))
    return min(max(found, 0.0), 0.9)


def _quadratic(value: Floats, rho: float) -> float:
    """Σ over days i, j of value_i value_j ρ^|i − j|."""
    before: Floats = lfilter([0.0, rho], [1.0, -rho], value)
    return float((value**2).sum() + 2 * (value @ before))
