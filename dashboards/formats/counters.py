"""Hourly counters for the BiodivTourAlps analysis: `compteur;date;donnees`, as `read.csv2` reads.

One counter for each lake and unit, one row for each local hour in which a frame was read, whatever
cards changed in it: the mean count on the readable frames read, which is person-hours in that hour.
Cameras that stand beside one another are added, as in every figure; one that takes over from
another within the hour counts for its part of it. An hour that nobody read has no row: it is no
zero. Herds are a counter of their own. A second table carries the effort, day by day and of all
cameras together: without it, sums of hours say nothing.

Who reads figures alone has no counter of a sensitive activity: an hour holds too few persons.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

import numpy as np

from dashboards import rollups
from dashboards.discretion import Discretion
from dashboards.estimators.strata import Floats
from dashboards.formats import table
from dashboards.formats.archive import Member
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


def members(lake: Lake, period: Period, rule: Discretion | None = None) -> Iterator[Member]:
    rollups.catch_up([lake], at_once=False)
    told = [unit for unit, kinds in UNITS.items() if rule is None or not rule.hides(kinds)]
    head = ("compteur", "date", "donnees")
    yield "compteurs.csv", table.lines(head, _hours(lake, period, told), delimiter=";", mark=True)
    days = ("compteur", "jour", "heures_observees", "heures_lues")
    yield "jours.csv", table.lines(days, _effort(lake, period, told), delimiter=";", mark=True)


def _hours(lake: Lake, period: Period, told: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    places = {place.pk: place for place in Deployment.objects.filter(lake=lake)}
    for day, rows in _days(lake, period):
        read, part, means = (np.zeros((len(rows), 24, n)) for n in (1, 1, len(told)))
        for number, each in enumerate(rows):
            read[number, :, 0], means[number] = _means(each, told)
            part[number, :, 0] = _stood(places[each["deployment"]], day, lake)
        weight = np.where(part > 0, part, 1.0) * (read > 0)
        share = weight.sum(axis=0)  # of the hour, of all cameras
        value = (weight * means).sum(axis=0) / np.where(share > 1, 1.0, np.maximum(share, 1e-9))
        for hour in np.flatnonzero(share[:, 0]):
            for number, unit in enumerate(told):
                said = table.decimal(float(value[hour, number]))
                yield f"{lake.slug}_{unit}", f"{day} {hour:02}:00:00", said


def _means(row: Mapping[str, Any], told: Sequence[str]) -> tuple[Floats, Floats]:
    """Of one deployment and day: hours read [24], and mean counts on them [24, told]."""
    frames = np.frombuffer(row["frames"], FRAME)
    read = np.frombuffer(row["readings"], READING)
    mine = frames[read["frame"]]
    at = mine["clock"].astype(np.int64)
    weight = mine["hours"] * mine["readable"]
    counts = np.stack([read["counts"][:, COLUMNS[unit]].sum(axis=1) for unit in told], axis=1)
    hours, sums = np.zeros(24), np.zeros((24, len(told)))
    np.add.at(hours, at, weight)
    np.add.at(sums, at, counts * weight[:, None])
    return hours, sums / np.where(hours > 0, hours, 1.0)[:, None]


def _stood(place: Deployment, day: date, lake: Lake) -> Floats:
    """The part of each local hour in which a deployment stood there: [24]."""
    midnight = datetime.combine(day, time(), lake.zone)

    def hours(instant: datetime | None) -> float:
        return (instant - midnight).total_seconds() / 3600 if instant else np.inf

    begins = np.arange(24)
    ends = np.minimum(begins + 1, hours(place.ends_at))
    stood: Floats = np.clip(ends - np.maximum(begins, hours(place.starts_at)), 0.0, 1.0)
    return stood


def _effort(lake: Lake, period: Period, told: Sequence[str]) -> Iterator[tuple[str, str, str, str]]:
    for day, rows in _days(lake, period):
        watched = sum(each["watched_hours"] for each in rows)
        read = sum(each["read_hours"] for each in rows)
        if watched:
            for unit in told:
                yield (f"{lake.slug}_{unit}", day.isoformat(), table.decimal(watched),
                       table.decimal(read))  # fmt: skip


def _days(lake: Lake, period: Period) -> Iterator[tuple[date, list[dict[str, Any]]]]:
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
