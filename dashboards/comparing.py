"""Like held against like: kinds of day, school holidays, parts of a period, years.

Each part of the days is a population of its own where each of its strata was read, else a domain of
the whole deployments (dashboards/figures.py): its interval holds either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
from django.db.models import Q

from dashboards import figures
from dashboards.calendar import Band, Kind, kind_of_day, schools_on
from dashboards.days import PACKED, Days, Tally
from dashboards.models import DayFigures
from lacs_web.models import Lake

OTHER_YEARS = 3  # that a period is held against


def day_types(days: Days, country: str) -> list[dict[str, Any]]:
    """Days of the week, weekends and public holidays: persons at a time, and by local hour."""
    kinds = {day: kind_of_day(day, country) for day in days.kept}
    found = []
    for kind in (Kind.WEEK, Kind.WEEKEND, Kind.HOLIDAY):
        part = _by_hour(days.on({day for day, mine in kinds.items() if mine is kind}))
        if part:
            found.append({"kind": kind.value, **part})
    return found


def school(days: Days, bands: Sequence[Band]) -> list[dict[str, Any]]:
    """Each region's school holidays against its other days, of school years that are written down.

    A region has a row only where both kinds of day were watched.
    """
    known: dict[frozenset[date], Any] = {}  # zones often have the same summer
    found = []
    for region in sorted({band.region for band in bands}):
        mine = [band for band in bands if band.region == region]
        open_ = {day: schools_on(day, mine) for day in days.kept}
        off, on = (frozenset(d for d, each in open_.items() if each is state)
                   for state in (False, True))  # fmt: skip
        for some in (off, on):
            if some not in known:
                known[some] = _against(days.on(some))
        if known[off] and known[on]:
            found.append({"region": region, "holidays": known[off], "term": known[on]})
    return found


def _against(days: Days) -> dict[str, Any] | None:
    """None where nothing was watched."""
    return _rated(days, figures.Part(days.sheet)) if days.tallies else None


def _rated(days: Days, part: figures.Part) -> dict[str, Any]:
    sheet = days.sheet
    rate = part.rate(sheet.persons)
    return {
        "days_observed": len(days.tallies),
        "watched_hours": float((sheet.hours * sheet.watched).sum()),
        "present": asdict(rate) if rate else None,
    }


def _by_hour(days: Days) -> dict[str, Any] | None:
    """`_against`, the hours read, and persons present at each local hour."""
    if not days.tallies:
        return None
    sheet = days.sheet
    part = figures.Part(sheet)
    hour = sheet.frames["clock"].astype(np.int64)
    watched = np.bincount(hour, sheet.hours * sheet.watched, 24)
    by_hour = figures.present(part, hour, 24)
    return _rated(days, part) | {
        "read_hours": sum(each.read_hours for each in by_hour),
        "hours": [
            {"hour": n, "persons_present": by_hour[n].value,
             "low": by_hour[n].low, "high": by_hour[n].high}
            for n in np.flatnonzero(watched > 0).tolist()
        ],
    }  # fmt: skip


def groups(periods: Sequence[tuple[date, date]], days: Days) -> list[dict[str, Any]]:
    """Each of `periods`: its counts, its estimate and how many are present at a time.

    `days_observed` is its effort; a period that was not observed has no figure.
    """
    found = []
    for first, last in periods:
        mine = days if len(periods) == 1 else days.between(first, last)
        tally = Tally.of(list(mine.tallies.values()))
        part = figures.Part(mine.sheet)
        persons = mine.sheet.persons
        figure, rate = part.figure(persons), part.rate(persons)
        found.append(
            {
                "from": first,
                "to": last,
                "days_observed": len(mine.tallies),
                **tally.figures(),
                "basis": (figure.basis if figure else tally.basis)
                if mine.tallies
                else "not observed",
                "person_hours": asdict(figure) if figure else None,
                "present": asdict(rate) if rate else None,
            }
        )
    return found


def years(lake: Lake, first: date, last: date, days: Days) -> list[dict[str, Any]]:
    """The same calendar days of earlier years against this one, on like days: fortnights and day
    types that were watched in both. Years without a figure are left out. One query; none for a
    period of more than a year.
    """
    if (last - first).days > 365:
        return []
    asked = Q()
    for back in range(1, OTHER_YEARS + 1):
        asked |= Q(day__range=(_back(first, back), _back(last, back)))
    rows = Days(
        list(
            DayFigures.objects.filter(asked, deployment__lake=lake)
            .order_by("day", "deployment")
            .values(*PACKED)
        ),
        days.depths,
    )

    def alike(day: date) -> tuple[int, bool, bool]:
        """Month, its first or second half, free day or not."""
        return day.month, day.day <= 15, kind_of_day(day, lake.country) is not Kind.WEEK

    found = []
    for back in range(1, OTHER_YEARS + 1):
        begin, end = _back(first, back), _back(last, back)
        then = rows.between(begin, end)
        both = {alike(day) for day in days.kept} & {alike(day) for day in then.kept}
        rates = []
        for side in (days, then) if both else ():
            sheet = side.on({day for day in side.kept if alike(day) in both}).sheet
            rates.append(figures.Part(sheet).rate(sheet.persons))
        known = [asdict(rate) for rate in rates if rate]
        if len(known) == 2:
            found.append({"from": begin, "to": end, "now": known[0], "then": known[1]})
    return found


def _back(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:  # 29 February
        return day.replace(year=day.year - years, day=28)
