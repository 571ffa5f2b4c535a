"""Pedestrian counters that stand beside cameras: their hours come in by file, and are shown apart.

Passages are another thing than person-hours: they are never mixed or added.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import TruncDate
from django.utils.translation import gettext as _

from annotation import importing
from annotation.elsewhere.files import MOST_TEXT
from annotation.elsewhere.said import short, storable
from dashboards.formats import passages
from dashboards.formats.passages import Key, Passages
from dashboards.models import PassageHour
from detection.cards import vault
from detection.megadetector import Refused
from lacs_web.models import AuditEvent, Lake, User


@dataclass(frozen=True)
class Asked:
    """A file at `path`, called `name`; `names`: lines `column = name here`."""

    lake: Lake
    path: Path
    name: str
    winter: bool = False
    replace: bool = False  # hours that are known with another count
    names: str = ""


@dataclass
class Report:
    """What a file holds, beside what is known already."""

    file: str
    sha256: str
    read: Passages
    new: list[Key] = field(default_factory=list)
    same: int = 0
    other: list[Key] = field(default_factory=list)  # known with another count
    written: int = 0

    @property
    def counters(self) -> list[dict[str, Any]]:
        """Counter by counter, as it stands in the file."""
        found = []
        for name in self.read.counters:
            mine = {at: n for (counter, at), n in self.read.hours.items() if counter == name}
            found.append(
                {"counter": name, "hours": len(mine), "passages": sum(mine.values()),
                 "first": min(mine), "last": max(mine)}
            )  # fmt: skip
        return found

    @property
    def reasons(self) -> list[tuple[str, int]]:
        words = passed()
        return [(words[why], n) for why, n in sorted(self.read.passed.items())]


def preview(asked: Asked) -> Report:
    """What `bring_in` would do; raises Refused."""
    if asked.path.stat().st_size > min(settings.IMPORT_MAX_BYTES, MOST_TEXT):
        raise Refused("large")
    read = passages.read(
        asked.path.read_bytes(), asked.lake.zone, winter=asked.winter, names=_names(asked.names)
    )
    if not read.hours:
        raise Refused("no_passages")
    report = Report(storable(asked.name), vault.digest_of(asked.path), read)
    ends = [at for _counter, at in read.hours]
    known = PassageHour.objects.filter(
        lake=asked.lake, counter__in=read.counters, at__range=(min(ends), max(ends))
    )
    before = {(counter, at): n for counter, at, n in known.values_list("counter", "at", "n")}
    for key, n in read.hours.items():
        if key not in before:
            report.new.append(key)
        elif before[key] == n:
            report.same += 1
        else:
            report.other.append(key)
    return report


@transaction.atomic
def bring_in(asked: Asked, user: User | None) -> Report:
    """All of it, or nothing; raises Refused."""
    Lake.objects.select_for_update(no_key=True).get(pk=asked.lake.pk)  # one file at a time
    report = preview(asked)
    keys = report.new + (report.other if asked.replace else [])
    PassageHour.objects.bulk_create(
        (
            PassageHour(lake=asked.lake, counter=counter, at=at, n=report.read.hours[counter, at])
            for counter, at in keys
        ),
        batch_size=2000,
        update_conflicts=True,
        update_fields=["n"],
        unique_fields=["lake", "counter", "at"],
    )
    report.written = len(keys)
    AuditEvent.objects.create(
        user=user,
        lake=asked.lake,
        action="passages read in",
        detail={"name": report.file, "file": report.sha256, "rows": report.written},
    )
    return report


@transaction.atomic
def remove(*, lake: Lake, counter: str, user: User) -> int:
    """All hours of a counter; how many there were."""
    gone, _each = PassageHour.objects.filter(lake=lake, counter=counter).delete()
    if gone:
        AuditEvent.objects.create(
            user=user, lake=lake, action="passages removed", detail={"name": counter, "rows": gone}
        )
    return gone


def kept(lake: Lake) -> list[Mapping[str, Any]]:
    """Counters of the lake with their first and last hour, hours and passages. One query."""
    rows = PassageHour.objects.filter(lake=lake).order_by().values("counter")
    found = rows.annotate(
        hours=Count("pk"), passages=Sum("n"), first=Min("at"), last=Max("at")
    ).order_by("counter")
    return list(found)


def passages_of(lake: Lake, first: date, last: date) -> list[dict[str, Any]]:
    """Passages by counter and local day, with the hours that were counted. One query."""
    begin = datetime.combine(first, time(), lake.zone)
    end = datetime.combine(last + timedelta(days=1), time(), lake.zone)
    rows = (
        PassageHour.objects.filter(lake=lake, at__gte=begin, at__lt=end)
        .order_by()
        .annotate(day=TruncDate("at", tzinfo=lake.zone))
        .values("counter", "day")
        .annotate(hours_counted=Count("pk"), passages=Sum("n"))
        .order_by("counter", "day")
    )
    days: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        days.setdefault(row["counter"], []).append(
            {"day": row["day"], "hours_counted": row["hours_counted"],
             "passages": round(row["passages"], 6)}
        )  # fmt: skip
    return [
        {
            "counter": counter,
            "days_counted": len(mine),
            "hours_counted": sum(each["hours_counted"] for each in mine),
            "passages": round(_sum(mine), 6),
            "days": mine,
        }
        for counter, mine in days.items()
    ]


def _sum(days: Iterable[Mapping[str, Any]]) -> float:
    return float(sum(each["passages"] for each in days))


def _names(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        if line.strip():
            theirs, sign, ours = (each.strip() for each in line.rpartition("="))
            if not sign or not theirs or not ours:
                raise Refused("counter_meaning", found=short(line))
            found[theirs.casefold()] = ours
    return found


def passed() -> dict[str, str]:
    """Why hours of a file are left out, in words."""
    return {
        "empty hours": _("hours without a value: gaps, and no zeros"),
        "parts": _("hours of which a part is missing: they would be too low"),
        "no such hour": _("times that no clock showed, in the night when summer time begins"),
        "told once": _(
            "times that came twice in a night, when summer time ends, and are told once"
        ),
    }


def refusal(refused: Refused) -> str:
    """What was expected, what was found and what to do, in words."""
    texts = {
        "no_moments": _("A line of counters’ names and then a row for each hour, its time first, "
                        "were expected; or compteur;date;donnees. The file begins with %(found)s."),
        "no_passages": _("No whole hour of any counter is in the file."),
        "no_counters": _("No column of the file is a counter that you keep."),
        "counters": _("More than %(most)d counters: leave some out, as in “column = -”."),
        "counter_name": _("%(where)s: a counter’s name of 1 to %(most)d characters was expected, "
                          "found “%(found)s”. Give it another, as in “%(found)s = path”."),
        "counter_meaning": _("“%(found)s” names nothing: “column = name” was expected, one a line, "
                             "or “column = -” to leave it out."),
        "passages": _("%(where)s: passages from 0 to %(most)d were expected, found “%(found)s”."),
        "step": _("A row for every hour, or for every 5 to 30 minutes, was expected; rows are "
                  "%(found)s minutes apart. Export hours."),
        "uneven": _("%(where)s: a time that begins an hour or a part of one was expected, found "
                    "%(found)s."),
        "no_such_hour": _("%(where)s: people were counted at %(found)s, which no clock showed: "
                          "summer time began. Does the counter stay on winter time? Say so below."),
        "moment_twice": _("%(where)s: %(found)s stands there a second time."),
        "year": _("%(where)s: a year from 1990 to 2200 was expected, found %(found)s."),
    }  # fmt: skip
    text = texts.get(refused.why)
    return text % refused.known if text else importing.refusal(refused)
