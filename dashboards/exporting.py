"""Taking things out: which formats there are, who may have them, and one way to make each.

What leaves is written to the audit trail before its first byte does. Nothing is held whole: a
format is a stream of parts, each lake its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from dashboards import sentences
from dashboards.attendance import attendance, rule_of, span, watched_years
from dashboards.discretion import Discretion
from dashboards.exports import TABLES, days_csv
from dashboards.formats import (
    archive,
    camtrap,
    counters,
    geonature,
    istsos,
    megadetector,
    pieces,
    taking,
    training,
)
from dashboards.formats.pieces import Facts, Piece
from dashboards.formats.workbook import workbook
from dashboards.periods import Period, chosen, usual
from lacs_web.access import Action, allows
from lacs_web.models import AuditEvent, Lake, User

Parts = Iterator[bytes]
Pieces = Iterator[Piece]
PiecesOf = Callable[[Lake, Period, datetime, Sequence[Facts]], Pieces]
ZIP = "application/zip"


SIGNS = {"comma": ",", "point": "."}  # of decimals, as an address names them


@dataclass(frozen=True)
class Options:
    """`discreet`: for somebody who reads figures alone; `decimal`: the sign, where one chooses."""

    discreet: bool = False
    decimal: str = ","


@dataclass(frozen=True)
class Format:
    """`ending` of its file's name; `action`: the right that it asks for.

    `pieces`: of a format that is large enough to be kept and made by a worker, those after the ones
    of which facts are given.
    """

    ending: str
    content_type: str
    action: Action
    make: Callable[[Lake, Period, Options], Parts]
    needs_place: bool = False
    pieces: PiecesOf | None = None


@dataclass(frozen=True)
class Export:
    name: str
    content_type: str
    parts: Parts


def export(*, kind: str, lake: Lake, period: Period, by: User | None, decimal: str = "") -> Export:
    """`kind` is a key of FORMATS, `decimal` one of SIGNS. `by` None: at the console.

    Raises ValidationError.
    """
    sign = decimal_sign(decimal)
    fit(kind, lake)
    wanted = FORMATS[kind]
    write_down(lake=lake, period=period, by=by, format=kind)
    discreet = by is not None and not allows(by, Action.READ_FEW, lake)
    made = wanted.make(lake, period, Options(discreet, sign))
    return Export(name_of(kind, lake, period), wanted.content_type, made)


def fit(kind: str, lake: Lake) -> None:
    """Raise ValidationError where `kind` cannot be made of `lake`."""
    if FORMATS[kind].needs_place and lake.latitude is None:
        raise ValidationError(
            _("This format asks where the lake lies: an administrator of the site gives its "
              "latitude and longitude first.")
        )  # fmt: skip


def frames_of(kind: str, lake: Lake, period: Period) -> int:
    """How many a format of frames works off; Camtrap DP goes through them twice."""
    found = taking.of(lake, period, settled=kind in ("coco", "yolo")).count()
    return 2 * found if kind == "camtrap-dp" else found


def name_of(kind: str, lake: Lake, period: Period) -> str:
    return f"{lake.slug}-{period.first}-{period.last}{FORMATS[kind].ending}"


def decimal_sign(asked: str) -> str:
    """A comma unless a point is asked for. Raises ValidationError."""
    if asked and asked not in SIGNS:
        raise ValidationError({"decimal": [_("Decimals are written with “comma” or “point”.")]})
    return SIGNS[asked or "comma"]


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


def period(lake: Lake, query: Mapping[str, Any]) -> Period:
    """As the lake's page takes it from its address; today before any picture. Raises WrongPeriod.

    Two queries, after `rollups.catch_up`.
    """
    today = timezone.now().astimezone(lake.zone).date()
    return chosen(query, usual(whole(lake) or Period(today, today), watched_years(lake)))


def figures(*, lake: Lake, period: Period, by: User, in_step: bool, **what: str) -> dict[str, Any]:
    """`attendance` as `by` may have it, written down as `what`."""
    write_down(lake=lake, period=period, by=by, **what)
    discreet = not allows(by, Action.READ_FEW, lake)
    return attendance(lake, period.first, period.last, discreet=discreet, in_step=in_step)


def _workbook(lake: Lake, period: Period, options: Options) -> Parts:
    figures = attendance(lake, period.first, period.last, discreet=options.discreet)
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
    return workbook(figures, method=method, names=names, heads=sentences.heads())


def _days(lake: Lake, period: Period, options: Options) -> Parts:
    figures = attendance(lake, period.first, period.last, discreet=options.discreet)
    return days_csv(figures, options.decimal)


def _rule(lake: Lake, options: Options) -> Discretion | None:
    return rule_of(lake) if options.discreet else None


def _counters(lake: Lake, period: Period, options: Options) -> Parts:
    members = counters.members(lake, period, _rule(lake, options), options.decimal)
    return archive.stream(members, made=timezone.now())


def _istsos(lake: Lake, period: Period, options: Options) -> Parts:
    return istsos.parts(lake, period, _rule(lake, options))


def _geonature(lake: Lake, period: Period, options: Options) -> Parts:
    return geonature.parts(lake, period, _rule(lake, options))


def _camtrap(lake: Lake, period: Period, made: datetime, before: Sequence[Facts]) -> Pieces:
    return camtrap.pieces(lake, period, made, before)


def _coco(lake: Lake, period: Period, _made: datetime, before: Sequence[Facts]) -> Pieces:
    return training.coco(lake, period, before)


def _yolo(lake: Lake, period: Period, _made: datetime, before: Sequence[Facts]) -> Pieces:
    return training.yolo(lake, period, before)


def _megadetector(lake: Lake, period: Period, made: datetime, before: Sequence[Facts]) -> Pieces:
    return megadetector.pieces(lake, period, made, before)


def _streamed(pieces_of: PiecesOf) -> Callable[[Lake, Period, Options], Parts]:
    def make(lake: Lake, period: Period, _options: Options) -> Parts:
        made = timezone.now()
        return pieces.stream(pieces_of(lake, period, made, ()), made=made)

    return make


def _of_frames(
    ending: str, content_type: str, pieces_of: PiecesOf, *, needs_place: bool = False
) -> Format:
    return Format(ending, content_type, FRAMES, _streamed(pieces_of), needs_place, pieces_of)


_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv; charset=utf-8"
FIGURES, FRAMES = Action.READ_FIGURES, Action.EXPORT
FORMATS: dict[str, Format] = {
    "xlsx": Format(".xlsx", _XLSX, FIGURES, _workbook),
    "csv": Format("-days.csv", _CSV, FIGURES, _days),
    "counters": Format("-counters.zip", ZIP, FIGURES, _counters),
    "istsos": Format("-istsos.csv", _CSV, FIGURES, _istsos),
    "geonature": Format("-geonature.csv", _CSV, FIGURES, _geonature, needs_place=True),
    "camtrap-dp": _of_frames("-camtrap-dp.zip", ZIP, _camtrap, needs_place=True),
    "coco": _of_frames("-coco.zip", ZIP, _coco),
    "yolo": _of_frames("-yolo.zip", ZIP, _yolo),
    "megadetector": _of_frames("-megadetector.json", "application/json", _megadetector),
}
