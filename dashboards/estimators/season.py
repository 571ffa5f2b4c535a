"""A whole season from what was watched of it: an extrapolation, and labelled as one.

Never mixed with a total of the observed period. An hour that was not watched is given the rate of
its day type and band, and what days differ by. A band is an hour of the day of one camera.

Known limit: where few days were watched, the interval holds the truth less often than it says
(docs/attendance.md): days that nobody saw may differ by more than the few that were seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dashboards.estimators.strata import Bools, Floats

REPLICATES = 2000


@dataclass(frozen=True)
class Extrapolated:
    """`total` is `observed`, over `watched_hours`, and what is filled in for `unwatched_hours`; of
    these, `blind_hours` are of day types and bands that were never watched: they are not in the
    figure, and have to be named beside it."""

    total: float
    low: float
    high: float
    observed: float
    watched_hours: float
    unwatched_hours: float
    blind_hours: float
    label: str = "extrapolated"


def extrapolate(
    counted: Floats,
    watched: Floats,
    scheduled: Floats,
    free: Bools,
    *,
    error: float,
    seed: int = 0,
) -> Extrapolated:
    """The season's total with a 95 % interval by bootstrap of days.

    `counted`: estimated count-hours; `watched`, `scheduled`: hours; all [days, bands];
    `free` [days]: weekend or holiday; `error`: standard error of the observed total.
    Days are drawn within their day type and keep their hour bands together, for a fine day is fine
    from morning to evening; each unwatched day also differs from the mean as some watched day did
    (Efron and Tibshirani 1993, ch. 8; van Poorten and others 2015 on outages as gaps).
    """
    rng = np.random.default_rng(seed)
    gap = np.maximum(scheduled - watched, 0.0)
    observed = float(counted.sum())
    centre, blind = observed, 0.0
    drawn = observed + error * rng.standard_normal(REPLICATES)
    for kind in (False, True):
        days = np.flatnonzero(free == kind)
        mine, seen, missing = counted[days], watched[days], gap[days]
        bands = seen.sum(axis=0) > 0
        blind += float(missing[:, ~bands].sum())
        mine, seen, missing = mine[:, bands], seen[:, bands], missing[:, bands]
        if not missing.any():
            continue
        rate = mine.sum(axis=0) / seen.sum(axis=0)
        centre += float((rate * missing.sum(axis=0)).sum())
        known = np.flatnonzero(seen.any(axis=1))
        pick = rng.integers(len(known), size=(REPLICATES, len(known)))
        pick += len(known) * np.arange(REPLICATES)[:, None]
        times = np.bincount(pick.ravel(), minlength=REPLICATES * len(known))
        often = times.reshape(REPLICATES, len(known)).astype(np.float64)
        hours, counts = often @ seen[known], often @ mine[known]
        rates = np.where(hours > 0, counts / np.where(hours > 0, hours, 1), rate)
        drawn += rates @ missing.sum(axis=0)
        apart = np.where(seen > 0, mine / np.where(seen > 0, seen, 1) - rate, 0.0)
        empty = np.flatnonzero(missing.any(axis=1))
        like = rng.integers(len(known), size=(REPLICATES, len(empty)))
        beside = apart[known] @ missing[empty].T  # [watched day, unwatched day]
        drawn += beside[like, np.arange(len(empty))].sum(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Extrapolated(
        total=centre,
        low=max(float(low), 0.0),
        high=float(high),
        observed=observed,
        watched_hours=float(watched.sum()),
        unwatched_hours=float(gap.sum()),
        blind_hours=blind,
    )
