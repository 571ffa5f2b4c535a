"""A frame as the editor is given it: picture, boxes, time at the lake. Reads; decides nothing.

Blind: of other people's reviews nothing is in it.
"""

from __future__ import annotations

import zoneinfo
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Exists, F, OuterRef, Subquery
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from annotation import calibrations, proposing
from annotation.models import Draft
from annotation.queue import Desk
from detection.labels import Label
from detection.models import Detection, Frame, Lifting, RunFrame, Zone
from detection.onnx.repeats import CAME

EVENING, MORNING = time(19), time(9)  # between which a tent follows from frame to frame


def present(
    desk: Desk, frames: Sequence[Frame], served: Mapping[int, Draft]
) -> list[dict[str, Any]]:
    """The frames in their order, as JSON, with the drafts that they were served as.

    The number of queries does not grow with theirs.
    """
    if not frames:
        return []
    boxes = boxes_of(list(served.values()))
    before = _before(frames)
    doubts = _doubts(frames, list(served.values()))
    lifted = set(
        Lifting.objects.filter(
            frame__in=frames, frame__purge=None, user=desk.reviewer, until__gt=Now()
        ).values_list("frame_id", flat=True)
        if desk.lifts  # else the door would refuse it
        else ()
    )
    gone = {frame.pk for frame in frames if hasattr(frame, "purge")}
    zone = desk.lake.zone
    return [
        {
            "id": frame.pk,
            "version": served[frame.pk].version,
            "boxes": boxes[frame.pk],
            "image": picture(frame.pk, lifted=frame.pk in lifted),
            "masked": frame.pk not in lifted,
            "unmask_url": ""
            if frame.pk in gone or not desk.lifts
            else reverse("annotation:unmask", args=[frame.pk]),
            "mask_stays": mask_stays() if frame.pk in gone and desk.lifts else "",
            "previous": before.get(frame.pk),
            "width": frame.width,
            "height": frame.height,
            "captured_at": frame.captured_at,
            "day_label": date_format(_local(frame, zone), "DATE_FORMAT"),
            "time_label": date_format(_local(frame, zone), "H:i"),
            "deployment": frame.deployment.viewpoint,
            "place": frame.deployment_id,
            "night": _night(frame, zone),
            "doubt": doubts.get(frame.pk, ""),
            "machine": "done" if served[frame.pk].run_id else "waiting",
        }
        for frame in frames
    ]


def mask_stays() -> str:
    return _("The original of this frame is gone: its mask stays.")


def picture(frame: int, *, lifted: bool = False) -> str:
    return reverse("detection:picture", args=[frame]) + ("?lifted=1" if lifted else "")


def boxes_of(given: Sequence[Draft]) -> dict[int, list[dict[str, Any]]]:
    """Frame id → boxes: the reviewer's own, else what the machine of the draft's run suggests."""
    found: dict[int, list[dict[str, Any]]] = {draft.frame_id: draft.boxes or [] for draft in given}
    untouched = {d.frame_id: d.run_id for d in given if d.boxes is None and d.run_id and not d.bare}
    if not untouched:
        return found
    machine = Detection.objects.counted().filter(
        frame__in=untouched, run__in=set(untouched.values())
    )
    seen: dict[int, list[Detection]] = defaultdict(list)
    place: dict[int, int] = {}  # frame → deployment
    for each in machine.annotate(deployment=F("frame__deployment")).order_by("pk"):
        if each.run_id == untouched[each.frame_id]:
            seen[each.frame_id].append(each)
            place[each.frame_id] = each.deployment  # type: ignore[attr-defined]  # annotated
    water: dict[int, list[Any]] = defaultdict(list)
    zones = Zone.objects.filter(kind=Zone.Kind.WATER, deployment__frames__in=untouched).distinct()
    for zone in zones:
        water[zone.deployment_id].append(zone.polygon)
    curves = calibrations.of_runs({untouched[frame] for frame in seen}) if seen else {}
    for frame, detections in seen.items():
        boats = [each for each in detections if each.label == Label.BOAT]
        known = curves[detections[0].run_id]
        found[frame] = [
            _suggestion(each, calibrations.worth(known, each), boats, water[place[frame]])
            for each in detections
        ]
    return found


def _doubts(frames: Sequence[Frame], given: Sequence[Draft]) -> dict[int, str]:
    """Frame id → why it may be unreadable, in words; proposed by its card, else by the run that
    each draft shows.
    """
    flagged = {
        frame.pk: _("Perhaps unreadable: %(problem)s") % {"problem": frame.get_flag_display()}
        for frame in frames
        if frame.flag
    }
    runs = {draft.frame_id: draft.run_id for draft in given if draft.run_id}
    rows = RunFrame.objects.filter(frame__in=runs, run__in=set(runs.values())).exclude(problem="")
    return flagged | {
        row.frame_id: _("Perhaps unreadable: %(problem)s") % {"problem": row.get_problem_display()}
        for row in rows.only("frame", "run", "problem")
        if row.run_id == runs[row.frame_id] and row.frame_id not in flagged
    }


def _suggestion(
    each: Detection, worth: float, boats: list[Detection], water: list[Any]
) -> dict[str, Any]:
    doing = ""
    if each.label == Label.PERSON:
        doing = proposing.activity(each, boats=boats, water=water)
    return {
        "key": f"d{each.pk}",
        "label": each.label,
        "activity": doing,
        **{side: round(getattr(each, side), 6) for side in "xywh"},
        "score": round(worth, 3),  # as it is shown; stored ones stay
        "detection": each.pk,
        "source_class": each.source_class,
        # Nothing had changed there: it may be a thing.
        "still": each.evidence is not None and each.evidence < CAME,
    }


def _before(frames: Sequence[Frame]) -> dict[int, dict[str, str]]:
    """Frame id → the last picture of the same camera before it, of those a detector has read."""
    done = RunFrame.objects.showing().filter(frame=OuterRef("pk"))
    last = Frame.objects.filter(
        Exists(done),
        deployment=OuterRef("deployment"),
        captured_at__lt=OuterRef("captured_at"),
    ).order_by("-captured_at")
    pairs = dict(
        Frame.objects.filter(pk__in=[frame.pk for frame in frames]).values_list(
            "pk", Subquery(last.values("pk")[:1])
        )
    )
    rows = Frame.objects.in_bulk([pk for pk in pairs.values() if pk])
    zone = frames[0].deployment.lake.zone
    return {
        pk: {
            "image": picture(other),
            "time_label": date_format(_local(rows[other], zone), "SHORT_DATE_FORMAT")
            + date_format(_local(rows[other], zone), " H:i"),
        }
        for pk, other in pairs.items()
        if other
    }


def _night(frame: Frame, zone: zoneinfo.ZoneInfo) -> str:
    """The day on whose evening the frame's night began; "" by day."""
    at = _local(frame, zone)
    if MORNING <= at.time() < EVENING:
        return ""
    return (at - timedelta(hours=12)).date().isoformat()


def _local(frame: Frame, zone: zoneinfo.ZoneInfo) -> datetime:
    assert frame.captured_at  # quarantined frames are never served  # noqa: S101
    return frame.captured_at.astimezone(zone)
