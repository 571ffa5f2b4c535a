"""Lakes beside one another over one year: persons present at a time, with intervals.

Person-hours per watched hour, for only that compares lakes that were watched differently. A rate is
reckoned from all readings of a year, which takes a while: it is remembered until a figure under it
changes. Says of no lake that it is busier than another whose interval overlaps; readers see both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.conf import settings
from django.core.cache import cache
from django.db.models import QuerySet, Sum

from dashboards import rollups
from dashboards.days import PACE, PACKED, Days, depth_of
from dashboards.figures import Part, precision
from dashboards.models import DayFigures, DeploymentFigures
from dashboards.sheets import Depth
from lacs_web.models import Lake

REMEMBERED = 7 * 24 * 3600  # seconds; only to free the memory of what nobody asks for
# How a rate was got, the surest first; in this order lakes stand.
BASES = ("fully read", "corrected", "partly read", "machine only", "not looked at")


@dataclass(frozen=True)
class Standing:
    """`value`: persons present at a time; `low`, `high` hold it at 95 %, None where too little was
    read. "partly read": over the hours read alone; "machine only" is not validated.
    """

    lake: Lake
    basis: str  # of BASES
    value: float | None
    low: float | None
    high: float | None
    watched_hours: float
    frames: int
    frames_read: int
    precision: dict[str, Any] | None  # what is still to read, as `figures.precision` says it

    @property
    def share_read(self) -> float:
        return self.frames_read / self.frames if self.frames else 0.0


class Rate(NamedTuple):
    value: float
    low: float
    high: float
    whole: bool  # every frame was read


class Known(NamedTuple):
    """Of a lake and year; the rate is None where too little was read."""

    rate: Rate | None
    precision: dict[str, Any] | None


@dataclass(frozen=True)
class Ranking:
    """`years` in which a lake was watched, the latest first; `rows` of `year`, one of them."""

    years: Sequence[int]
    year: int | None  # None before anything was observed
    rows: Sequence[Standing]  # the surest figures first, of these the highest


def ranking(lakes: Sequence[Lake], wanted: str = "") -> Ranking:
    """Of the year `wanted`, else the latest. Four queries, one more where a rate is not known."""
    rollups.catch_up(lakes)
    watched = DayFigures.objects.filter(deployment__lake__in=lakes, n_frames__gt=0).order_by()
    years = sorted(watched.values_list("day__year", flat=True).distinct(), reverse=True)
    if not years:
        return Ranking([], None, [])
    year = next((each for each in years if str(each) == wanted), years[0])
    return Ranking(years, year, _rows(lakes, year))


def _rows(lakes: Sequence[Lake], year: int) -> list[Standing]:
    sums = {
        lake: counts
        for lake, *counts in _days(lakes, year)
        .order_by()
        .values_list("deployment__lake")
        .annotate(
            Sum("n_frames"),
            Sum("n_read"),
            Sum("watched_hours"),
            Sum("read_hours"),
            Sum("validated_person_hours"),
            Sum("machine_only_hours"),
            Sum("machine_only_person_hours"),
        )
        if counts[0]
    }
    observed = [lake for lake in lakes if lake.pk in sums]
    known = _known(observed, year)
    rows = [_standing(lake, sums[lake.pk], known[lake.pk]) for lake in observed]
    return sorted(rows, key=lambda row: (_group(row), -(row.value or 0.0), row.lake.name))


def _days(lakes: Iterable[Lake | int], year: int) -> QuerySet[DayFigures]:
    return DayFigures.objects.filter(
        deployment__lake__in=lakes, day__range=(date(year, 1, 1), date(year, 12, 31))
    )


def _group(row: Standing) -> int:
    """Figures with an interval stand together, whether read whole or in part."""
    return max(BASES.index(row.basis), 1)


def _standing(lake: Lake, sums: Sequence[Any], known: Known) -> Standing:
    frames, read, watched, read_hours, validated, machine_hours, machine = sums
    rate = known.rate
    value, low, high = rate[:3] if rate else (None, None, None)
    basis = "not looked at"
    if rate:
        basis = "fully read" if rate.whole else "corrected"
    elif read_hours:
        basis, value = "partly read", validated / read_hours
    elif machine_hours:
        basis, value = "machine only", machine / machine_hours
    return Standing(lake, basis, value, low, high, watched, frames, read, known.precision)


def _known(lakes: Sequence[Lake], year: int) -> dict[int, Known]:
    """By lake."""
    depths: dict[int, dict[int, Depth]] = {lake.pk: {} for lake in lakes}
    states: dict[int, list[str]] = {lake.pk: [] for lake in lakes}
    for each in DeploymentFigures.objects.filter(deployment__lake__in=lakes).select_related(
        "deployment"
    ):
        depths[each.deployment.lake_id][each.pk] = depth_of(each)
        states[each.deployment.lake_id].append(f"{each.pk} {each.at.isoformat()}")
    keys = {lake.pk: _key(lake, year, states[lake.pk]) for lake in lakes}
    known = cache.get_many(keys.values())
    found: dict[int, Known] = {pk: known[key] for pk, key in keys.items() if key in known}
    kept: dict[int, list[dict[str, Any]]] = {pk: [] for pk in keys if pk not in found}
    if kept:
        for row in (
            _days(kept, year)
            .order_by("day", "deployment")
            .values("deployment__lake", *PACKED, *PACE)
        ):
            kept[row["deployment__lake"]].append(row)
    for pk, rows in kept.items():
        found[pk] = _reckoned(Days(rows, depths[pk]))
        cache.set(keys[pk], found[pk], REMEMBERED)
    return found


def _reckoned(days: Days) -> Known:
    """As the lake's own page has it (dashboards/figures.py)."""
    sheet = days.sheet
    part = Part(sheet)
    rate = part.rate(sheet.persons) if sheet.readable.any() else None
    return Known(
        Rate(rate.value, rate.low, rate.high, part.whole) if rate else None,
        precision(part, sheet.persons, days.pace),
    )


def _key(lake: Lake, year: int, states: Sequence[str]) -> str:
    """Another one as soon as a figure of the lake was written anew, or the software is another."""
    digest = hashlib.sha256(" ".join([settings.VERSION, *sorted(states)]).encode()).hexdigest()
    return f"rate:{lake.pk}:{year}:{digest}"
