"""Clocks, intervals and daily windows in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from detection.labels import Label
from detection.models import Deployment, Detector
from lacs_web.models import Lake


def pair(name: object, value: object) -> str:
    """ "name: value", as the reader's language sets a colon."""
    return _("%(name)s: %(value)s") % {"name": name, "value": value}


def utc_offset(minutes: int) -> str:
    """ "UTC+1", "UTC−3:30", "UTC"."""
    if not minutes:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")


def clocks(lake: Lake, year: int) -> dict[int, str]:
    """The clocks that a camera at `lake` may run on: offset from UTC in minutes → name."""
    january, july = (
        int(datetime(year, month, 1, tzinfo=UTC).astimezone(lake.zone).utcoffset().total_seconds())  # type: ignore[union-attr]
        // 60
        for month in (1, 7)
    )
    winter, summer = min(january, july), max(january, july)
    named = {winter: _("winter time"), summer: _("summer time")}
    if winter == summer:
        named = {winter: _("local time")}
    return {**named, 0: named.get(0, "UTC")}


def clock(deployment: Deployment) -> str:
    """ "winter time, UTC+1", with the correction where there is one."""
    minutes, seconds = deployment.clock_offset_minutes, deployment.clock_correction_seconds
    name = clocks(deployment.lake, deployment.starts_at.year).get(minutes, "")
    shown = utc_offset(minutes)
    text = shown if name in ("", shown) else f"{name}, {shown}"
    if seconds:
        text += " " + ngettext(
            "(corrected by %(n)+d second)", "(corrected by %(n)+d seconds)", abs(seconds)
        ) % {"n": seconds}
    return text


def interval(seconds: int) -> str:
    """ "5 min", "90 s", "1 h"."""
    for unit, short in ((3600, "h"), (60, "min")):
        if seconds % unit == 0:
            return f"{seconds // unit} {short}"
    return f"{seconds} s"


def dated_anew(counted: dict[str, int]) -> str:
    """What a correction did to frames: their numbers "frames" and "quarantined", in words."""
    dated = ngettext(
        "%(n)d frame is dated anew.", "%(n)d frames are dated anew.", counted["frames"]
    ) % {"n": counted["frames"]}
    if not counted["quarantined"]:
        return dated
    return f"{dated} " + ngettext(
        "%(n)d is in quarantine.", "%(n)d are in quarantine.", counted["quarantined"]
    ) % {"n": counted["quarantined"]}


def label(value: str) -> str:
    """The class of a box in words."""
    return {
        Label.PERSON: _("person"),
        Label.TENT: _("tent"),
        Label.BOAT: _("boat"),
        Label.DOG: _("dog"),
        Label.SHEEP: _("sheep"),
        Label.CATTLE: _("cattle"),
        Label.GOAT: _("goat"),
        Label.HORSE: _("horse or mule"),
        Label.VEHICLE: _("vehicle"),
        Label.OTHER: _("other"),
    }[Label(value)]


def probed(detector: Detector) -> str:
    """What trying a detector on real pictures has shown."""
    if detector.probe is None:
        return _(
            "Not yet tried on real pictures: that waits for frames on which something is found."
        )
    evidence: dict[str, float] = detector.probe["evidence"]
    best = max(evidence, key=lambda way: evidence[way])
    told = {
        "fits": _("It sees best when fed as it is (%(way)s)."),
        "otherwise": _(
            "It seems to be made for other pictures than it is fed: %(best)s finds more than "
            "%(way)s. Do not trust what it finds."
        ),
        "unclear": _("Too little is seen on the pictures to tell whether it is fed rightly."),
    }[detector.probe["verdict"]]
    return " ".join([told % {"way": detector.probe["described"], "best": best}, *_found(detector)])


def _found(detector: Detector) -> Iterator[str]:
    """What the pictures that a detector was tried on showed it, and how fast."""
    told = detector.probe or {}
    if told.get("seconds") is None:
        return  # tried before this was kept
    boxes = ", ".join(f"{label(name)} {n}" for name, n in told["boxes"].items()) or _("nothing")
    yield ngettext(
        "On %(n)d picture it found: %(boxes)s; %(seconds)s s a picture.",
        "On %(n)d pictures it found: %(boxes)s; %(seconds)s s a picture.",
        told["pictures"],
    ) % {
        "n": told["pictures"],
        "boxes": boxes,
        "seconds": number_format(told["seconds"], 2),
    }
