"""Attendance of lakes, from what is kept for each day. Never invents a zero.

Three kinds of hours stand apart: validated (frames that people settled), machine only (frames that
only a detector saw), and frames that nobody has looked at. Machine counts enter an estimate as the
readings weigh them, and no other figure. A day without a readable frame is absent: not observed,
never zero. What is extrapolated to unwatched hours stands apart and says so.

`attendance` feeds the lake's page, its CSV and `manage.py attendance` alike; `overview` gives
counts for many lakes at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
from django.conf import settings
from django.core.cache import cache
from django.db.models import Max, Min, OuterRef, Q, QuerySet, Subquery, Sum

from dashboards import comparing, counting, discretion, figures, rollups, school, sheets
from dashboards.calendar import Band, bands_on, kind_of_day
from dashboards.days import COLUMNS, TALLY, Days, Tally, depth_of
from dashboards.discretion import Discretion
from dashboards.estimators import units
from dashboards.estimators.strata import Floats, Ints
from dashboards.models import DayFigures, DeploymentFigures
from dashboards.periods import fortnights, months, seasons
from dashboards.sheets import ACTIVITIES, Sheet
from detection.labels import COUNTED_SCORE
from detection.models import Deployment, Frame, Run
from lacs_web.models import Lake

REMEMBERED = 7 * 24 * 3600  # seconds; only to free the memory of what nobody asks for


@dataclass(frozen=True)
class Seen:
    """A lake's counts over the 30 days up to its last picture, for the overview."""

    first: date
    last: date
    last_observed: date
    tally: Tally


def span(lakes: Iterable[Lake]) -> dict[int, tuple[date, date]]:
    """Lake id → local days of its first and last dated picture; absent without any. One query."""
    zones = {lake.pk: lake.zone for lake in lakes}
    dated = Frame.objects.filter(deployment=OuterRef("pk"), captured_at__isnull=False)
    ends = (
        Deployment.objects.filter(lake__in=zones)
        .annotate(
            first=Subquery(dated.order_by("captured_at").values("captured_at")[:1]),
            last=Subquery(dated.order_by("-captured_at").values("captured_at")[:1]),
        )
        .order_by()
        .values_list("lake")
        .annotate(Min("first"), Max("last"))
    )
    return {
        lake: (first.astimezone(zones[lake]).date(), last.astimezone(zones[lake]).date())
        for lake, first, last in ends
        if first is not None
    }


def watched_years(lake: Lake) -> dict[int, date]:
    """Year → its first day that was watched, as figures are kept; absent: none was. One query."""
    days = DayFigures.objects.filter(deployment__lake=lake, n_frames__gt=0).order_by()
    return dict(days.values_list("day__year").annotate(Min("day")))


def overview(lakes: Sequence[Lake], days: int = 30) -> dict[int, Seen]:
    """Lake id → what was counted in the `days` up to its last picture. Three queries."""
    rollups.catch_up(lakes)
    ends = span(lakes)
    periods = {
        lake.pk: (max(ends[lake.pk][0], ends[lake.pk][1] - timedelta(days=days - 1)),
                  ends[lake.pk][1])
        for lake in lakes
        if lake.pk in ends
    }  # fmt: skip
    if not periods:
        return {}
    asked = Q()
    for pk, (first, last) in periods.items():
        asked |= Q(deployment__lake=pk, day__range=(first, last))
    found = (
        DayFigures.objects.filter(asked)
        .order_by()
        .values_list("deployment__lake")
        .annotate(
            Max("day"),
            *(Sum(name) for name in TALLY[:7]),
            Max("peak_persons"),
        )
    )
    return {
        lake: Seen(*periods[lake], last_observed, Tally(*counts))
        for lake, last_observed, *counts in found
        if counts[0]
    }


def rule_of(lake: Lake) -> Discretion | None:
    """From how many persons on partners are told of sensitive activities; None: of all."""
    if not lake.discreet_below or not lake.discreet_activities:
        return None
    return Discretion(lake.discreet_below, tuple(sorted(lake.discreet_activities)))


def attendance(
    lake: Lake, first: date, last: date, *, discreet: bool = False, in_step: bool | None = None
) -> dict[str, Any]:
    """Figures from `first` to `last`, both included, in the lake's own days.

    `discreet`: as somebody may have them who reads figures alone (dashboards/discretion.py);
    `in_step`: what `rollups.catch_up` said where it was asked just before. Eight queries at most,
    whatever the data. `manage.py attendance --json` prints exactly this.
    """
    if in_step is None:
        in_step = rollups.catch_up([lake])
    bands = school.bands(lake)
    places = list(Deployment.objects.filter(lake=lake).select_related("deploymentfigures"))
    kept = list(_days(lake, first, last).values("day", "deployment", *TALLY))
    tallies = Days(kept, {}).tallies
    rule = rule_of(lake) if discreet else None
    reckoned = _reckoned(lake, first, last, places, bands, rule)
    activities, hours = reckoned.pop("activities_by_day"), reckoned["units"]["person_hours"]
    whole = Tally.of(list(tallies.values()))
    detectors = _detectors(whole.runs)
    asked = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {
        "lake": lake.slug,
        "from": first,
        "to": last,
        **whole.figures(),
        "basis": hours["basis"] if hours else whole.basis if tallies else None,
        "interval_95": _interval(hours),
        **reckoned,
        "days_observed": len(tallies),
        "cameras": _cameras(kept, places),
        "days": [
            {"day": day, **each.figures(), **_method(each, detectors),
             "activities": activities.get(day, {})}
            for day, each in tallies.items()
        ],
        "calendar": [
            {"day": day, "kind": kind_of_day(day, lake.country),
             "school": sorted({band.region for band in bands_on(day, bands)})}
            for day in asked
        ],
        "not_observed": [day for day in asked if day not in tallies],
        "in_step": in_step,
        "passages": counting.passages_of(lake, first, last),
        "discretion": asdict(rule) if rule else None,
        "method": {"counted_score": COUNTED_SCORE, **_method(whole, detectors)},
    }  # fmt: skip


def _cameras(kept: Iterable[Mapping[str, Any]], places: Sequence[Deployment]) -> int:
    """The most cameras that watched on one day, those left out that took over from one another."""
    found: dict[date, set[int]] = {}
    for row in kept:
        if row["n_frames"]:
            found.setdefault(row["day"], set()).add(row["deployment"])
    most = 0
    for pks in set(map(frozenset, found.values())):
        mine = [place for place in places if place.pk in pks]
        for one in mine:
            beside = (each for each in mine if each.starts_at <= one.starts_at)
            most = max(most, sum(not each.ends_at or one.starts_at < each.ends_at
                                 for each in beside))  # fmt: skip
    return most


def _days(lake: Lake, first: date, last: date) -> QuerySet[DayFigures]:
    kept = DayFigures.objects.filter(deployment__lake=lake, day__range=(first, last))
    return kept.order_by("day", "deployment")


def _reckoned(
    lake: Lake,
    first: date,
    last: date,
    places: Sequence[Deployment],
    bands: Sequence[Band],
    rule: Discretion | None,
) -> dict[str, Any]:
    """What is estimated from all frames of the period; remembered until anything under it changes.

    Two queries, none where it is remembered.
    """
    key = _key(lake, first, last, places, bands, rule)
    known: dict[str, Any] | None = cache.get(key)
    if known is not None:
        return known
    depths = {place.pk: depth_of(getattr(place, "deploymentfigures", None)) for place in places}
    days = Days(list(_days(lake, first, last).values(*COLUMNS)), depths)
    night = (_clock(lake.night_begins), _clock(lake.night_ends))
    sheet = discretion.discreet(days.sheet, rule, night) if rule else days.sheet
    part = figures.Part(sheet)
    found = {
        **figures.estimated(part, days.pace),
        "peak": _peak(sheet),
        "activities_by_day": _activities(sheet),
        "hours": _hours(part),
        "week": _week(part),
        "weekdays": _weekdays(part),
        "day_types": comparing.day_types(days, lake.country),
        "school": comparing.school(days, bands),
        "night": {"begins": lake.night_begins, "ends": lake.night_ends},
        **figures.nights(sheet, night),
        "months": comparing.groups(months(first, last), days),
        "fortnights": comparing.groups(fortnights(first, last), days),
        "seasons": comparing.groups(seasons(first, last), days),
        "years": comparing.years(lake, first, last, days),
        "season": _season(lake, places, part, first, last),
    }
    if rule:
        found = discretion.told(found, sheet, rule)
    cache.set(key, found, REMEMBERED)
    return found


def _key(
    lake: Lake,
    first: date,
    last: date,
    places: Sequence[Deployment],
    bands: Sequence[Band],
    rule: Discretion | None,
) -> str:
    """Another one as soon as any row under `_reckoned` is another, or the software is."""
    state: list[Any] = [settings.VERSION, lake.country, lake.time_zone, lake.night_begins,
                        lake.night_ends, rule, *bands]  # fmt: skip
    for place in sorted(places, key=lambda each: each.pk):
        kept: DeploymentFigures | None = getattr(place, "deploymentfigures", None)
        state += [place.pk, kept and kept.at, place.starts_at, place.ends_at,
                  place.window_start, place.window_end, place.interval_seconds,
                  place.clock_offset_minutes]  # fmt: skip
    digest = hashlib.sha256(repr(state).encode()).hexdigest()
    return f"attendance:{lake.pk}:{first}:{last}:{digest}"


def _interval(figure: Mapping[str, Any] | None) -> list[float] | None:
    return None if figure is None or figure["low"] is None else [figure["low"], figure["high"]]


def _peak(sheet: Sheet) -> dict[str, Any] | None:
    """The most persons settled on one frame, and its first local day and hour."""
    at = np.flatnonzero(sheet.readable)
    found = units.peak(sheet.persons[at].astype(np.int64))
    if found is None:
        return None
    frame = sheet.reading[at[found.index]]
    return {
        "persons": found.count,
        "day": date.fromordinal(int(sheet.day[frame])),
        "hour": int(sheet.frames["clock"][frame]),
    }


def _activities(sheet: Sheet) -> dict[date, dict[str, float]]:
    """Person-hours of each activity on the frames read, by day; only what was seen."""
    hours = sheet.hours[sheet.reading]
    days, number = np.unique(sheet.day[sheet.reading], return_inverse=True)
    found: dict[date, dict[str, float]] = {date.fromordinal(day): {} for day in days.tolist()}
    for name in ACTIVITIES:
        sums = np.bincount(number, sheet.count(name) * hours, len(days))
        for day, value in zip(days.tolist(), sums.tolist(), strict=True):
            if value:
                found[date.fromordinal(day)][name] = value
    return found


def _hours(part: figures.Part) -> list[dict[str, Any]]:
    sheet = part.sheet
    hour = sheet.frames["clock"].astype(np.int64)
    at = sheet.reading
    counted = np.bincount(hour[at], sheet.persons * sheet.hours[at], 24).tolist()
    return [
        {"hour": n, "watched_hours": watched, "read_hours": each.read_hours,
         "validated_person_hours": counted[n] if each.read_hours else None,
         "persons_present": each.value, "low": each.low, "high": each.high}
        for n, watched, each in _watched(part, hour, 24)
    ]  # fmt: skip


def _week(part: figures.Part) -> list[dict[str, Any]]:
    """Persons present on average by weekday (0: Monday) and local hour; what was not watched is
    absent. Without intervals: a cell may rest on one reading."""
    sheet = part.sheet
    cell = _weekday(sheet) * 24 + sheet.frames["clock"].astype(np.int64)
    return [
        {"weekday": n // 24, "hour": n % 24, "watched_hours": watched,
         "read_hours": each.read_hours, "persons_present": each.value}
        for n, watched, each in _watched(part, cell, 7 * 24, bare=True)
    ]  # fmt: skip


def _weekdays(part: figures.Part) -> list[dict[str, Any]]:
    return [
        {"weekday": n, "watched_hours": watched, "read_hours": each.read_hours,
         "persons_present": each.value, "low": each.low, "high": each.high}
        for n, watched, each in _watched(part, _weekday(part.sheet), 7)
    ]  # fmt: skip


def _weekday(sheet: Sheet) -> Ints:
    return np.asarray((sheet.day - 1) % 7)  # the first of all days was a Monday


def _watched(
    part: figures.Part, group: Ints, groups: int, *, bare: bool = False
) -> list[tuple[int, float, figures.Mean]]:
    """The groups that were watched: number, hours, persons present; `bare`: without intervals."""
    sheet = part.sheet
    hours = np.bincount(group, sheet.hours * sheet.watched, groups)
    means = figures.present(part, group, groups, bare=bare)
    return [(n, float(hours[n]), means[n]) for n in np.flatnonzero(hours > 0).tolist()]


def _season(
    lake: Lake, places: Sequence[Deployment], part: figures.Part, first: date, last: date
) -> dict[str, Any] | None:
    """The scheduled hours that were not watched added by extrapolation; None where none are."""
    sheet = part.sheet
    if not len(sheet.day):
        return None
    first = max(first, date.fromordinal(int(sheet.day.min())))
    last = min(last, date.fromordinal(int(sheet.day.max())))
    clock = sheet.frames["clock"].astype(np.int64)
    scheduled = {}
    for place in places:
        seen = np.bincount(clock[sheet.deployment == place.pk], minlength=24) > 0
        if not seen.any():  # it was silent: as the others
            seen = np.bincount(clock, minlength=24) > 0
        scheduled[place.pk] = _scheduled(lake, place, first, last, seen)
    ordinals = np.arange(first.toordinal(), last.toordinal() + 1)
    free = sheets.is_free(ordinals, lake.country)
    found = figures.whole_season(part, scheduled, free, first, last)
    return {"from": first, "to": last, **asdict(found)} if found else None


def _scheduled(lake: Lake, place: Deployment, first: date, last: date, seen: Any) -> Floats:
    """Hours that a deployment was to watch, by local day and hour, within its own dates."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    begins = place.starts_at.astimezone(lake.zone).date()
    ends = place.ends_at.astimezone(lake.zone).date() if place.ends_at else last
    window = None
    if place.window_start and place.window_end:
        step = place.interval_seconds / 3600  # the last frame stands for an interval too
        window = (_clock(place.window_start), _clock(place.window_end) + step)
    offset = [
        (lake.zone.utcoffset(datetime.combine(day, time(12))) or timedelta()).total_seconds() / 3600
        - place.clock_offset_minutes / 60
        for day in days
    ]
    found = figures.scheduled_hours(first, last, window=window, shift=offset, bands=seen)
    mine = np.array([begins <= day <= ends for day in days])
    return np.where(mine[:, None], found, 0.0)


def _clock(moment: time) -> float:
    return moment.hour + moment.minute / 60 + moment.second / 3600


def _detectors(runs: Sequence[int]) -> dict[int, str]:
    """Run id → detector's name, the start of its hash, and the software that ran it; where that
    was elsewhere, that it was.
    """
    return {
        run.pk: str(run.detector)
        if run.imported_from
        else f"{run.detector} · {run.detector.sha256[:12]} · LACS {run.software}"
        for run in Run.objects.filter(pk__in=runs).select_related("detector")
    }


def _method(tally: Tally, detectors: dict[int, str]) -> dict[str, list[str]]:
    return {
        "detectors": sorted({detectors[run] for run in tally.runs}),
        "rules": list(tally.rules),
    }
