"""What kind of day a day is: public holidays of France and Italy, weekends, school holidays. Pure.

Two things that are not the same: a public holiday, of which a country has a dozen a year and which
changes who comes that day; and a band of school holidays, of weeks, in one region. A day has one
`Kind`; bands lie beside it, since most of a summer is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache

import holidays
from vacances_scolaires_france import SchoolHolidayDates, UnsupportedYearException

ZONES = ("A", "B", "C")
# A school year that the table of the French ministry knows whole has each of these.
_WHOLE = 5
_LANGUAGES = {"FR": {"fr": "fr", "en": "en_US"}, "IT": {"it": "it_IT", "en": "en_US"}}
_OWN = {"FR": "fr", "IT": "it_IT"}


class Kind(StrEnum):
    HOLIDAY = "holiday"  # a public one, on whatever day of the week it falls
    WEEKEND = "weekend"
    WEEK = "week"


@dataclass(frozen=True, order=True)
class Band:
    """School holidays of one region, both days included."""

    first: date
    last: date
    region: str  # "FR-A", …, as lacs_web.models.SchoolHoliday.Region has them
    name: str


@cache
def public_holidays(country: str, year: int, language: str = "en") -> dict[date, str]:
    """Day → name, of "FR" (without Alsace-Moselle's own) or "IT" (without patron saints of towns).

    Names are in `language` where they are known in it, else in the country's own.
    """
    spoken = _LANGUAGES[country].get(language, _OWN[country])
    return dict(sorted(holidays.country_holidays(country, years=year, language=spoken).items()))


def kind_of_day(day: date, country: str) -> Kind:
    """One of three, for every day: the day type that figures are compared by."""
    if day in public_holidays(country, day.year):
        return Kind.HOLIDAY
    return Kind.WEEKEND if day.weekday() >= 5 else Kind.WEEK


def bands_on(day: date, bands: Iterable[Band]) -> list[Band]:
    """The school holidays that `day` lies in; empty while every school is open."""
    return sorted(band for band in bands if band.first <= day <= band.last)


def schools_on(day: date, bands: Sequence[Band]) -> bool | None:
    """Whether schools are open on `day` as far as the `bands` of one region say; None where they
    say nothing: no holiday of that school year (September to August) is among them.
    """
    if any(band.first <= day <= band.last for band in bands):
        return False
    year = _school_year(day)
    return True if any(_school_year(band.first) == year for band in bands) else None


def _school_year(day: date) -> int:
    return day.year if day.month >= 9 else day.year - 1


def french_school_year(year: int) -> list[Band]:
    """Zones A, B and C from September of `year` to August of the next, as the ministry gave them.

    Empty where its table ends before, for half a year would look like a whole one.
    """
    table = SchoolHolidayDates()
    try:
        days = table.holidays_for_year(year) | table.holidays_for_year(year + 1)
    except UnsupportedYearException:
        return []
    inside = {
        day: row for day, row in days.items() if date(year, 9, 1) <= day <= date(year + 1, 8, 31)
    }
    found = []
    for zone in ZONES:
        column = f"vacances_zone_{zone.lower()}"
        mine = [(day, row["nom_vacances"]) for day, row in sorted(inside.items()) if row[column]]
        found += _bands(mine, f"FR-{zone}")
        if len({name for _, name in mine}) < _WHOLE:
            return []
    return found


def _bands(days: Sequence[tuple[date, str]], region: str) -> list[Band]:
    """Runs of days without a gap and of one name."""
    bands: list[Band] = []
    for day, name in days:
        if bands and bands[-1].last == day - timedelta(days=1) and bands[-1].name == name:
            bands[-1] = Band(bands[-1].first, day, region, name)
        else:
            bands.append(Band(day, day, region, name))
    return bands
