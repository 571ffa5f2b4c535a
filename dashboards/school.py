"""A lake's calendar as people keep it: school holidays of it or of its whole park, its country and
its night; changes are on record."""

from __future__ import annotations

from datetime import time

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from dashboards.calendar import Band, french_school_year
from lacs_web.models import AuditEvent, Lake, SchoolHoliday, User


def of(lake: Lake) -> QuerySet[SchoolHoliday]:
    """Those that hold at `lake`: its own, and its park's."""
    return SchoolHoliday.objects.filter(Q(lake=lake) | Q(park=lake.park_id))


def bands(lake: Lake) -> list[Band]:
    """As figures take them, in the order of time. One query."""
    rows = of(lake).values_list("first", "last", "region", "name")
    return sorted(Band(*row) for row in rows)


@transaction.atomic
def keep(*, holiday: SchoolHoliday, lake: Lake, by: User) -> None:
    """Save a new row or a changed one. Raises ValidationError."""
    new = holiday.pk is None
    holiday.full_clean()
    holiday.save()
    _record("school holiday added" if new else "school holiday changed", holiday, lake, by)


@transaction.atomic
def remove(*, holiday: SchoolHoliday, lake: Lake, by: User) -> None:
    _record("school holiday removed", holiday, lake, by)
    holiday.delete()


@transaction.atomic
def set_days(*, lake: Lake, country: str, night_begins: time, night_ends: time, by: User) -> None:
    """Whose public holidays hold at `lake`, and when its night is. Raises ValidationError.

    Another country changes day types: the figures are made anew (dashboards/migrations/0003).
    """
    lake.country, lake.night_begins, lake.night_ends = country, night_begins, night_ends
    lake.full_clean()
    lake.save(update_fields=["country", "night_begins", "night_ends"])
    night = [f"{night_begins:%H:%M}", f"{night_ends:%H:%M}"]
    detail = {"country": country, "night": night}
    AuditEvent.objects.create(user=by, lake=lake, action="calendar changed", detail=detail)


@transaction.atomic
def fill(*, year: int, lake: Lake, whole_park: bool, by: User) -> int:
    """Write the French school year that begins in `year`, as the ministry gave it; rows added.

    What stands there already stays as it is, whoever wrote it. Raises ValidationError.
    """
    wanted = french_school_year(year)
    if not wanted:
        raise ValidationError(
            _("The ministry’s calendar of %(first)d–%(second)d is not known here: add its rows by "
              "hand."),
            params={"first": year, "second": year + 1},
        )  # fmt: skip
    scope = {"park": lake.park} if whole_park else {"lake": lake}
    there = set(of(lake).values_list("region", "first"))
    rows = [
        SchoolHoliday(**scope, region=band.region, name=band.name, first=band.first, last=band.last)
        for band in wanted
        if (band.region, band.first) not in there
    ]
    SchoolHoliday.objects.bulk_create(rows)
    detail = {"school year": year, "rows": len(rows), "scope": "park" if whole_park else "lake"}
    AuditEvent.objects.create(user=by, lake=lake, action="school year filled in", detail=detail)
    return len(rows)


def _record(action: str, holiday: SchoolHoliday, lake: Lake, by: User) -> None:
    detail = {
        "holiday": holiday.pk,
        "region": holiday.region,
        "name": holiday.name,
        "first": str(holiday.first),
        "last": str(holiday.last),
        "scope": "park" if holiday.park_id else "lake",
    }
    AuditEvent.objects.create(user=by, lake=lake, action=action, detail=detail)
