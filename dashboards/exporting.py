"""Taking things out: which formats there are, who may have them, and one way to make each.

What leaves is written to the audit trail before its first byte does. Nothing is held whole: a
format is a stream of parts, each lake its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboards import sentences
from dashboards.attendance import attendance, rule_of, span
from dashboards.exports import TABLES, days_csv
from dashboards.formats import archive, camtrap, counters, megadetector, training
from dashboards.formats.workbook import workbook
from dashboards.periods import Period
from lacs_web.access import Action, allows
from lacs_web.models import AuditEvent, Lake, User

Parts = Iterator[bytes]
ZIP = "application/zip"


@dataclass(frozen=True)
class Format:
    """`ending` of its file's name; `action`: the right that it asks for.

    `make` takes, last, whether it is for somebody who reads figures alone (`discreet`).
    """

    ending: str
    content_type: str
    action: Action
    make: Callable[[Lake, Period, bool], Parts]
    needs_place: bool = False


@dataclass(frozen=True)
class Export:
    name: str
    content_type: str
    parts: Parts


def export(*, kind: str, lake: Lake, period: Period, by: User | None) -> Export:
    """`kind` is a key of FORMATS. `by` None: at the console. Raises ValidationError."""
    wanted = FORMATS[kind]
    if wanted.needs_place and lake.latitude is None:
        raise ValidationError(
            _("This format asks where the lake lies: an administrator of the site gives its "
              "latitude and longitude first.")
        )  # fmt: skip
    write_down(lake=lake, period=period, by=by, format=kind)
    discreet = by is not None and not allows(by, Action.READ_FEW, lake)
    name = f"{lake.slug}-{period.first}-{period.last}{wanted.ending}"
    return Export(name, wanted.content_type, wanted.make(lake, period, discreet))


def write_down(*, lake: Lake, period: Period, by: User | None, **what: str) -> None:
    """That something leaves, to the audit trail."""
    AuditEvent.objects.create(
        user=by,
        lake=lake,
        action="exported",
        detail={**what, "from": str(period.first), "to": str(period.last)},
    )


def whole(lake: Lake) -> Period | None:
    """From its first dated picture to its last; None before any."""
    ends = span([lake]).get(lake.pk)
    return Period(*ends) if ends else None


def _workbook(lake: Lake, period: Period, discreet: bool) -> Parts:
    figures = attendance(lake, period.first, period.last, discreet=discreet)
    basis = figures["basis"]
    method = [
        (_("Lake"), f"{lake.name}, {lake.park}"),
        (_("Period"), f"{period.first} – {period.last}, {lake.time_zone}"),
        (_("How it was got"), sentences.bases()[basis] if basis else "–"),
        *([] if figures["in_step"] else [(_("Not up to date"), sentences.behind())]),
        (_("Frames read"), f"{figures['frames_read']} / {figures['frames']}"),
        (_("Watched hours"), f"{figures['watched_hours']:.2f}"),
        (_("Detector"), "\n".join(figures["method"]["detectors"]) or "–"),
        (_("Counted from a score of"), f"{figures['method']['counted_score']}"),
        (_("Validation rule"), "\n".join(map(sentences.rule, figures["method"]["rules"])) or "–"),
        (_("Person-hours"), _("The persons on a frame × the time that the frame stands for, "
          "summed. They measure presence, and do not say how many different people came.")),
        (_("Intervals"), _("low to high holds the figure with a confidence of 95%; empty where "
          "too little was read for one.")),
        *([(_("Extrapolated, not observed"), f"{filled} {sentences.extrapolation_measured()}")]
          if (season := figures["season"]) and (filled := sentences.extrapolated(season)) else []),
        (_("Empty cells"), _("Not known or not observed; never zero.")),
        *([(_("Few persons"), few)] if (few := sentences.few(figures["discretion"])) else []),
        (_("Made by"), f"LACS, {timezone.now().astimezone(lake.zone):%Y-%m-%d %H:%M}"),
    ]  # fmt: skip
    names = {"method": _("Method"), "days": "days", **{table: table for table in TABLES}}
    return workbook(figures, method=method, names=names)


def _days(lake: Lake, period: Period, discreet: bool) -> Parts:
    figures = attendance(lake, period.first, period.last, discreet=discreet)
    return days_csv(figures)


def _counters(lake: Lake, period: Period, discreet: bool) -> Parts:
    rule = rule_of(lake) if discreet else None
    return archive.stream(counters.members(lake, period, rule), made=timezone.now())


def _camtrap(lake: Lake, period: Period, _discreet: bool) -> Parts:
    made = timezone.now()
    return archive.stream(camtrap.members(lake, period, made), made=made)


def _coco(lake: Lake, period: Period, _discreet: bool) -> Parts:
    return archive.stream(training.coco(lake, period), made=timezone.now())


def _yolo(lake: Lake, period: Period, _discreet: bool) -> Parts:
    return archive.stream(training.yolo(lake, period), made=timezone.now())


def _megadetector(lake: Lake, period: Period, _discreet: bool) -> Parts:
    return megadetector.parts(lake, period, timezone.now())


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv; charset=utf-8"
FIGURES, FRAMES = Action.READ_FIGURES, Action.EXPORT
FORMATS: dict[str, Format] = {
    "xlsx": Format(".xlsx", _XLSX, FIGURES, _workbook),
    "csv": Format("-days.csv", _CSV, FIGURES, _days),
    "counters": Format("-counters.zip", ZIP, FIGURES, _counters),
    "camtrap-dp": Format("-camtrap-dp.zip", ZIP, FRAMES, _camtrap, needs_place=True),
    "coco": Format("-coco.zip", ZIP, FRAMES, _coco),
    "yolo": Format("-yolo.zip", ZIP, FRAMES, _yolo),
    "megadetector": Format("-megadetector.json", "application/json", FRAMES, _megadetector),
}
