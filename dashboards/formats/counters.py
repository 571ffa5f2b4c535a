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

from collections.abc import Iterator, Sequence

from dashboards import rollups
from dashboards.discretion import Discretion
from dashboards.formats import hourly, table
from dashboards.formats.archive import Member
from dashboards.periods import Period
from lacs_web.models import Lake


def members(
    lake: Lake, period: Period, rule: Discretion | None = None, sign: str = ","
) -> Iterator[Member]:
    """`sign` of decimals."""
    rollups.catch_up([lake], at_once=False)
    told = hourly.told(rule)
    head = ("compteur", "date", "donnees")
    yield (
        "compteurs.csv",
        table.lines(head, _hours(lake, period, told, sign), delimiter=";", mark=True),
    )
    days = ("compteur", "jour", "heures_observees", "heures_lues")
    yield (
        "jours.csv",
        table.lines(days, _effort(lake, period, told, sign), delimiter=";", mark=True),
    )


def _hours(
    lake: Lake, period: Period, told: Sequence[str], sign: str
) -> Iterator[tuple[str, str, str]]:
    for each in hourly.hours(lake, period, told):
        for unit, value in zip(told, each.counts, strict=True):
            if value is not None:
                at = f"{each.day} {each.hour:02}:00:00"
                yield f"{lake.slug}_{unit}", at, table.decimal(value, sign)


def _effort(
    lake: Lake, period: Period, told: Sequence[str], sign: str
) -> Iterator[tuple[str, str, str, str]]:
    for day, rows in hourly.days(lake, period):
        watched = sum(each["watched_hours"] for each in rows)
        read = sum(each["read_hours"] for each in rows)
        if watched:
            for unit in told:
                yield (f"{lake.slug}_{unit}", day.isoformat(), table.decimal(watched, sign),
                       table.decimal(read, sign))  # fmt: skip
