"""Hourly counters for the BiodivTourAlps analysis: `compteur;date;donnees`, as `read.csv2` reads.

One counter for each lake and unit, one row for each local hour in which a frame was read, whatever
cards changed in it: the mean count on the readable frames read, which is person-hours in that hour.
An hour that nobody read has no row: it is no zero. Herds are a counter of their own. A second table
carries the effort, day by day: without it, sums of hours say nothing.

Who reads figures alone has no counter of a sensitive activity: an hour holds too few persons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np

from dashboards import rollups
from dashboards.discretion import Discretion
from dashboards.formats import table
from dashboards.formats.archive import Member
from dashboards.models import DayFigures
from dashboards.periods import Period
from dashboards.sheets import ACTIVITIES, COUNTS, FRAME, READING
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
    for day, rows in _days(lake, period):
        hours, sums = np.zeros(24), np.zeros((24, len(told)))
        for each in rows:
            frames = np.frombuffer(bytes(each["frames"]), FRAME)
            read = np.frombuffer(bytes(each["readings"]), READING)
            mine = frames[read["frame"]]
            at = np.minimum(mine["clock"].astype(np.int64), 23)
            weight = mine["hours"] * mine["readable"]
            np.add.at(hours, at, weight)
            counts = np.stack(
                [read["counts"][:, COLUMNS[unit]].sum(axis=1) for unit in told], axis=1
            )
            np.add.at(sums, at, counts * weight[:, None])
        for hour in np.flatnonzero(hours):
            for number, unit in enumerate(told):
                value = table.decimal(float(sums[hour, number] / hours[hour]))
                yield f"{lake.slug}_{unit}", f"{day} {hour:02}:00:00", value


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
        .values("day", "frames", "readings", "watched_hours", "read_hours")
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
