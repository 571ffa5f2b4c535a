"""Local hours of a lake from its kept days: what people counted in each, and how far it was read.

An hour's value is the mean count on its readable frames that were read, which is person-hours in
that hour. Cameras that stand beside one another are added, as in every figure; one that takes over
from another within the hour counts for its part of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

import numpy as np

from dashboards.discretion import Discretion
from dashboards.estimators.strata import Floats
from dashboards.models import DayFigures
from dashboards.periods import Period
from dashboards.sheets import ACTIVITIES, COUNTS, FRAME, READING
from detection.models import Deployment
from lacs_web.models import Lake

UNITS = {
    "personnes": tuple(ACTIVITIES),
    "baigneurs": ("bathing",),
    "pecheurs": ("fishing",),
    "bateaux": ("boat",),
    "tentes": ("tent",),
    "troupeaux": ("herd",),
}
COLUMNS = {unit: [COUNTS.index(kind) for kind in kinds] for unit, kinds in UNITS.items()}


@dataclass(frozen=True)
class Hour:
    """A local hour that was watched. `counts`: one a unit, None where nobody read."""

    day: date
    hour: int
    counts: Sequence[float | None]
    whole: bool  # every frame that was watched in it was read
    machine: float | None  # persons, of the machine alone; None where it examined nothing


def told(rule: Discretion | None) -> list[str]:
    """The units that may be told hour by hour: of a sensitive activity an hour holds too few."""
    return [unit for unit, kinds in UNITS.items() if rule is None or not rule.hides(kinds)]


def hours(lake: Lake, period: Period, units: Sequence[str]) -> Iterator[Hour]:
    places = {place.pk: place for place in Deployment.objects.filter(lake=lake)}
    for day, rows in days(lake, period):
        of = [_Day(each, units, _stood(places[each["deployment"]], day, lake)) for each in rows]
        read = _together([each.stood for each in of], [each.read for each in of],
                         [each.counts for each in of])  # fmt: skip
        seen = _together([each.stood for each in of], [each.examined for each in of],
                         [each.machine for each in of])  # fmt: skip
        watched = np.sum([each.watched for each in of], axis=0)
        unread = np.sum([each.unread for each in of], axis=0)
        for hour in np.flatnonzero(watched > 0):
            counts, machine = read[hour], seen[hour]
            yield Hour(
                day,
                int(hour),
                [None if np.isnan(one) else float(one) for one in counts],
                not unread[hour],
                None if np.isnan(machine[0]) else float(machine[0]),
            )


class _Day:
    """One deployment's day, by its hours: [24] each, and [24, units]."""

    def __init__(self, row: Mapping[str, Any], units: Sequence[str], stood: Floats) -> None:
        frames = np.frombuffer(row["frames"], FRAME)
        readings = np.frombuffer(row["readings"], READING)
        clock = frames["clock"].astype(np.int64)
        weight = frames["hours"] * frames["readable"]
        columns = [readings["counts"][:, COLUMNS[unit]].sum(axis=1) for unit in units]
        at = readings["frame"]
        self.stood = stood
        self.watched = np.bincount(clock, weight, 24)
        settled = frames["settled"] & frames["readable"]
        self.unread = np.bincount(clock[frames["readable"] & ~frames["settled"]], minlength=24)
        self.read, self.counts = _mean(clock[at], weight[at], np.stack(columns, axis=1))
        examined = weight * frames["examined"] * ~settled
        self.examined, self.machine = _mean(clock, examined, frames["machine"][:, None])


def _mean(clock: Any, weight: Floats, counts: Any) -> tuple[Floats, Floats]:
    """Hours [24] and weighted means [24, n] of `counts` [rows, n]."""
    total, sums = np.zeros(24), np.zeros((24, counts.shape[1]))
    np.add.at(total, clock, weight)
    np.add.at(sums, clock, counts * weight[:, None])
    return total, sums / np.where(total > 0, total, 1.0)[:, None]


def _together(stood: list[Floats], weight: list[Floats], means: list[Floats]) -> Floats:
    """Of all cameras [24, n]; NaN where none has anything."""
    there = np.stack(weight)[:, :, None] > 0
    part = np.stack(stood)[:, :, None]
    mine = np.where(part > 0, part, 1.0) * there
    share = mine.sum(axis=0)
    value = (mine * np.stack(means)).sum(axis=0) / np.where(share > 1, 1.0, np.maximum(share, 1e-9))
    return np.where(share > 0, value, np.nan)


def _stood(place: Deployment, day: date, lake: Lake) -> Floats:
    """The part of each local hour in which a deployment stood there: [24]."""
    midnight = datetime.combine(day, time(), lake.zone)

    def since(instant: datetime | None) -> float:
        return (instant - midnight).total_seconds() / 3600 if instant else np.inf

    begins = np.arange(24)
    ends = np.minimum(begins + 1, since(place.ends_at))
    stood: Floats = np.clip(ends - np.maximum(begins, since(place.starts_at)), 0.0, 1.0)
    return stood


def days(lake: Lake, period: Period) -> Iterator[tuple[date, list[dict[str, Any]]]]:
    """Each day's rows, one a deployment; a few hundred days are held at a time, never all."""
    found = (
        DayFigures.objects.filter(deployment__lake=lake, day__range=(period.first, period.last))
        .order_by("day", "deployment")
        .values("deployment", "day", "frames", "readings", "watched_hours", "read_hours")
        .iterator(chunk_size=100)
    )
    day: date | None = None
    rows: list[dict[str, Any]] = []
    for each in found:
        if day is not None and each["day"] != day:
            yield day, rows
            rows = []
        day = each["day"]
        rows.append(dict(each))
    if day is not None:
        yield day, rows
