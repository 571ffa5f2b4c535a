"""What the audit trail says of the circumstances of a deed, in the reader's language.

Verbs write them as JSON under short English names; the names that are told are all here.
"""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from lacs_web.models import ApiToken, Role

NAMES = {
    # people
    "person": gettext_lazy("person"),
    "role": gettext_lazy("role"),
    "scope": gettext_lazy("where"),
    "taken_up": gettext_lazy("taken up"),
    "before": gettext_lazy("before"),
    "address": gettext_lazy("address"),
    "expires": gettext_lazy("expires"),
    "left": gettext_lazy("left"),
    "code": gettext_lazy("with a code"),
    "sessions": gettext_lazy("browsers"),
    "token": gettext_lazy("token"),
    # cards and deployments
    "batch": gettext_lazy("card"),
    "files": gettext_lazy("files"),
    "file": gettext_lazy("file"),
    "by": gettext_lazy("by card"),
    "right": gettext_lazy("right"),
    "correction": gettext_lazy("correction"),
    "anchors": gettext_lazy("camera clock and true time"),
    "deployment": gettext_lazy("deployment"),
    "new": gettext_lazy("new deployment"),
    "from": gettext_lazy("from"),
    "to": gettext_lazy("to"),
    "frame": gettext_lazy("frame"),
    "frames": gettext_lazy("frames"),
    "quarantined": gettext_lazy("in quarantine"),
    "kinds": gettext_lazy("zones"),
    "camera_id": gettext_lazy("camera"),
    "viewpoint": gettext_lazy("viewpoint"),
    "interval_seconds": gettext_lazy("interval between frames (seconds)"),
    "window_start": gettext_lazy("first frame of the day"),
    "window_end": gettext_lazy("last frame of the day"),
    "starts_at": gettext_lazy("from"),
    "ends_at": gettext_lazy("to"),
    "clock_offset_minutes": gettext_lazy("offset of the camera clock from UTC (minutes)"),
    "clock_correction_seconds": gettext_lazy("clock correction (seconds)"),
    # runs
    "run": gettext_lazy("run"),
    "repeats": gettext_lazy("repeats run"),
    "detector": gettext_lazy("detector"),
    "second": gettext_lazy("second detector"),
    "name": gettext_lazy("name"),
    "settings": gettext_lazy("settings"),
    "long_side": gettext_lazy("long side (px)"),
    "tile": gettext_lazy("tile (px)"),
    "detail": gettext_lazy("enlarged to (px)"),
    "overlap": gettext_lazy("overlap of tiles"),
    "gated": gettext_lazy("only where something changed"),
    "second_look": gettext_lazy("second look"),
    "weighed": gettext_lazy("weighed by what changed"),
    "min_score": gettext_lazy("lowest score"),
    "nms_iou": gettext_lazy("greatest overlap of boxes"),
    "layout": gettext_lazy("layout"),
    "max_boxes": gettext_lazy("most boxes"),
    # a candidate: at work, candidate, and the interval of the difference
    "candidate": gettext_lazy("candidate"),
    "figures": gettext_lazy("figures"),
    "recall": gettext_lazy("recall"),
    "precision": gettext_lazy("precision"),
    "error": gettext_lazy("count error a frame"),
    "camera_days": gettext_lazy("camera days"),
    "was": gettext_lazy("was"),
    # the rule of settling, and what it made of what was read
    "least_iou": gettext_lazy("least overlap"),
    "tiny_px": gettext_lazy("tiny below (px)"),
    "tiny_distance": gettext_lazy("distance of tiny boxes"),
    "least_trust": gettext_lazy("least trust"),
    "settled": gettext_lazy("settled"),
    "settled_before": gettext_lazy("settled before"),
    "newly": gettext_lazy("newly settled"),
    "lost": gettext_lazy("no longer settled"),
    "other": gettext_lazy("settled otherwise"),
    "persons": gettext_lazy("persons"),
    "persons_before": gettext_lazy("persons before"),
    "disputed": gettext_lazy("disputed"),
    "disputed_before": gettext_lazy("disputed before"),
    # people in the pictures
    "days": gettext_lazy("days after settling"),
    "unsettled": gettext_lazy("days after coming"),
    "on": gettext_lazy("on"),
    "why": gettext_lazy("reason"),
    "originals": gettext_lazy("originals"),
    "below": gettext_lazy("fewest persons told of"),
    "activities": gettext_lazy("activities"),
    # figures
    "format": gettext_lazy("format"),
    "link": gettext_lazy("link"),
    "for": gettext_lazy("for whom"),
    "framed by": gettext_lazy("shown in a frame by"),
    "lakes beside": gettext_lazy("lakes beside"),
    "country": gettext_lazy("country"),
    "night": gettext_lazy("night"),
    "school year": gettext_lazy("school year"),
    "rows": gettext_lazy("rows"),
    "holiday": gettext_lazy("school holiday"),
    "region": gettext_lazy("region"),
    "first": gettext_lazy("first day"),
    "last": gettext_lazy("last day"),
}
# Name → code → words, as on the pages where it was chosen.
_CODES: dict[str, dict[str, Any]] = {
    "scope": {
        "park": gettext_lazy("the whole park"),
        "lake": gettext_lazy("this lake"),
        **dict(ApiToken.Scope.choices),
    },
    "country": {"FR": gettext_lazy("of France"), "IT": gettext_lazy("of Italy")},
    "kinds": {
        "water": gettext_lazy("water"),
        "shore": gettext_lazy("shore"),
        "meadow": gettext_lazy("meadow"),
        "path": gettext_lazy("path"),
        "ignore": gettext_lazy("ignore"),
    },
    "activities": {
        "bathing": gettext_lazy("bathing"),
        "on_water": gettext_lazy("on the water"),
        "fishing": gettext_lazy("fishing"),
        "walking": gettext_lazy("walking"),
        "bivouac": gettext_lazy("bivouac"),
        "pastoral": gettext_lazy("pastoral work"),
    },
    "format": {
        "xlsx": gettext_lazy("Workbook (XLSX)"),
        "csv": gettext_lazy("Days (CSV)"),
        "counters": gettext_lazy("Hourly counters (CSV)"),
        "istsos": gettext_lazy("istSOS (CSV)"),
        "geonature": gettext_lazy("GeoNature Monitoring (CSV)"),
        "camtrap-dp": gettext_lazy("Camtrap DP"),
        "coco": gettext_lazy("COCO"),
        "yolo": gettext_lazy("YOLO"),
        "megadetector": gettext_lazy("MegaDetector JSON"),
    },
}


_MOMENTS = {"expires", "starts_at", "ends_at", "on", "first", "last", "from", "to"}  # ISO


def told(detail: dict[str, Any]) -> str:
    """`detail` in words: "role: ranger; where: the whole park". What is empty is left out."""
    said = ((name, _value(name, value)) for name, value in detail.items())
    return str(_("; ")).join(
        _("%(name)s: %(value)s") % {"name": NAMES.get(name, name), "value": value}
        for name, value in said
        if value
    )


def _value(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, dict):
        inner = told(value)
        return f"({inner})" if inner else ""
    if isinstance(value, list):
        return ", ".join(filter(None, (_value(name, each) for each in value)))
    if value in Role.values and name in {"role", "before"}:
        return str(Role(value).label)
    if name in _CODES:
        return str(_CODES[name].get(value, value))
    if name in _MOMENTS:
        return _when(str(value))
    if name in {"detector", "second"}:  # by their SHA-256
        return str(value)[:12]
    return str(value)


def _when(said: str) -> str:
    """A day or an instant as people write it; as it is what is neither."""
    moment = parse_datetime(said)
    if moment is not None and timezone.is_aware(moment):
        return date_format(timezone.localtime(moment), "DATETIME_FORMAT")
    day = parse_date(said)
    return said if day is None else date_format(day, "DATE_FORMAT")
