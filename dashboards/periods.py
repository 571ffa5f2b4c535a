"""Periods of whole local days: the usual ones, and what somebody asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

MOST_DAYS = 4000  # what one page or file holds
FIRST_YEAR, LAST_YEAR = 1990, 2200


class WrongPeriod(ValueError):
    """What was asked for is no period; the argument says which rule it breaks."""


@dataclass(frozen=True)
class Period:
    """From `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def meet(self, other: Period) -> Period | None:
        """The days that are in both; None where there are none."""
        first, last = max(self.first, other.first), min(self.last, other.last)
        return Period(first, last) if first <= last else None


def usual(observed: Period, watched: Mapping[int, date]) -> dict[str, Period]:
    """The periods offered for what was observed, by name; each lies within it.

    `watched`: year → its first day that was watched. "season" is the calendar year of the last day,
    from that day on; "2024" and so on are those of the years before it that were watched.
    """
    last = observed.last

    def since(first: date) -> Period:
        return Period(max(first, observed.first), last)

    return {
        "week": since(last - timedelta(days=6)),
        "month": since(last - timedelta(days=29)),
        "season": since(watched.get(last.year, date(last.year, 1, 1))),
        **{
            str(year): Period(max(observed.first, date(year, 1, 1)), date(year, 12, 31))
            for year in range(last.year - 1, observed.first.year - 1, -1)
            if year in watched
        },
        "all": since(observed.first),
    }


def asked(first: str, last: str) -> Period:
    """The period between two ISO dates.

    Raises WrongPeriod("date" | "order" | "long" | "years").
    """
    try:
        period = Period(date.fromisoformat(first), date.fromisoformat(last))
    except ValueError:
        raise WrongPeriod("date") from None
    if period.last < period.first:
        raise WrongPeriod("order")
    if period.days > MOST_DAYS:
        raise WrongPeriod("long")
    if not FIRST_YEAR <= period.first.year <= period.last.year <= LAST_YEAR:
        raise WrongPeriod("years")
    return period


def chosen(query: Mapping[str, Any], presets: Mapping[str, Period]) -> Period:
    """What an address asks for, else the season of the last picture: readings are drawn from it.

    Raises WrongPeriod.
    """
    if "from" in query or "to" in query:
        return asked(query.get("from", ""), query.get("to", ""))
    return presets.get(query.get("period", ""), presets["season"])


def months(first: date, last: date) -> list[tuple[date, date]]:
    """The calendar months from `first` to `last`, the outer ones cut there."""
    return _cut(first, last, (1,))


def fortnights(first: date, last: date) -> list[tuple[date, date]]:
    """Days 1 to 15 and 16 to the end of each month (quinzaines), the outer ones cut."""
    return _cut(first, last, (1, 16))


def seasons(first: date, last: date) -> list[tuple[date, date]]:
    """The calendar years, for a lake's season never meets New Year; the outer ones cut."""
    years = range(first.year, last.year + 1)
    return [(max(first, date(y, 1, 1)), min(last, date(y, 12, 31))) for y in years]


def _cut(first: date, last: date, starts: tuple[int, ...]) -> list[tuple[date, date]]:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    begins = [day for day in days if day == first or day.day in starts]
    return [
        (day, after - timedelta(days=1))
        for day, after in zip(begins, [*begins[1:], last + timedelta(days=1)], strict=True)
    ]
