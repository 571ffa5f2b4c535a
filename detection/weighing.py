"""Which machine boxes do not count: those in a zone to ignore, those that fire again and again.

Derived from boxes, zones, light and what people said, so that it may be done anew at any time and
replaces what it said before. What repeats is seen over all cards of a deployment, by what the same
detectors found on them. All of a deployment's runs are owed it (Run.weigh_owed_at) when one of them
finishes, when zones are drawn, when people decide and when cards move (runs.owe_weighing); the
sweep rings for what is owed. The boxes themselves stay as they are.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np
from django.db import transaction
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet

from detection import runs
from detection.models import Decision, Detection, Run, RunFrame, Suppression
from detection.onnx.repeats import Decision as Said
from detection.onnx.repeats import Sightings, repeats
from detection.zoning import stands_in

_CELLS = 192  # of the thumbnail that RunFrame.light holds


def owed() -> QuerySet[Run]:
    return Run.objects.filter(weigh_owed_at__isnull=False).select_related("batch__deployment")


def weigh(run: Run) -> None:
    """Say anew which boxes of `run` do not count; nothing if that was asked for again meanwhile,
    for then it is still owed. Repeats are looked for once the run is finished. A run that was set
    aside stays as it was, for when it counts again.
    """
    if run.set_aside_at:
        aside = Run.objects.filter(pk=run.pk, set_aside_at__isnull=False)
        aside.filter(weigh_owed_at=run.weigh_owed_at).update(weigh_owed_at=None)
        return
    suppressed = _repeats(run) if run.finished_at else {}
    zones = runs.ignored(run.batch.deployment)
    if zones:
        for box in Detection.objects.filter(run=run).only("x", "y", "w", "h").iterator():
            if any(stands_in(box, polygon) for polygon in zones):
                suppressed[box.pk] = Suppression.Reason.IGNORED
    with transaction.atomic():
        asked = Run.objects.filter(
            pk=run.pk, weigh_owed_at=run.weigh_owed_at, set_aside_at__isnull=True
        )
        if not asked.update(weigh_owed_at=None):
            return
        Suppression.objects.filter(detection__run=run).delete()
        Suppression.objects.bulk_create(
            (Suppression(detection_id=pk, reason=reason) for pk, reason in suppressed.items()),
            batch_size=5000,
        )


def _repeats(run: Run) -> dict[int, str]:
    """Box id → reason, of the run's boxes that are the same still thing again and again, or that
    people called one.

    Only the run's own boxes are judged, at the places where it has any. The season's frames are
    needed all the same: a thing must fire in a share of those of like light, boxes or not, so each
    card changes what another's boxes are worth. Of the season's boxes those of the run's labels
    are: which boxes are of one place depends on how the boxes before them drifted.
    """
    sure = Detection.objects.sure()
    labels = set(sure.filter(run=run).order_by().values_list("label", flat=True).distinct())
    if not labels:
        return {}
    frames = _season(run)
    place = {frame: number for number, (frame, *_) in enumerate(frames)}
    of = {frame: by for frame, by, _, _ in frames}
    boxes = [
        box
        for box in sure.filter(run__in=set(of.values()), label__in=labels).values_list(
            "pk", "frame", "label", "x", "y", "w", "h", "evidence", "run"
        )
        if of.get(box[1]) == box[8]
    ]
    its_own = np.array([box[8] == run.pk for box in boxes], np.bool_)
    if not its_own.any():  # its frames have lost their dates
        return {}
    sides = np.array([box[3:7] for box in boxes], np.float64)
    sightings = Sightings(
        np.array([place[box[1]] for box in boxes], np.int64),
        np.concatenate([sides[:, :2], sides[:, :2] + sides[:, 2:]], axis=1),
        [box[2] for box in boxes],
        np.array([np.nan if box[7] is None else box[7] for box in boxes], np.float32),
    )
    instants = np.array([at.timestamp() for _, _, at, _ in frames], np.float64)
    thumbs = [np.frombuffer(bytes(light or b""), np.int8) for _, _, _, light in frames]
    light = None
    if all(len(thumb) == _CELLS for thumb in thumbs):  # else light goes by the hour
        light = np.stack(thumbs).astype(np.float32)
    said = [
        Said(each.label, (each.x, each.y, each.x + each.w, each.y + each.h), each.visitor)
        for each in Decision.objects.filter(frame__batch__deployment=run.batch.deployment_id)
    ]
    reasons = repeats(sightings, instants, light, said, its_own)
    return {box[0]: reason for box, reason in zip(boxes, reasons, strict=True) if reason}


def _season(run: Run) -> list[tuple[int, int, datetime, bytes | memoryview | None]]:
    """(frame, the run that examined it, instant, light) of all frames of the deployment that the
    run's detectors examined, in the order of time: by this run, else by the latest.
    """
    rows = RunFrame.objects.filter(
        Q(run__finished_at__isnull=False) | Q(run=run),
        state=RunFrame.State.DONE,
        run__batch__deployment=run.batch.deployment_id,
        run__detector=run.detector_id,
        run__second_detector=run.second_detector_id,
        frame__captured_at__isnull=False,
    )
    its_own = ExpressionWrapper(Q(run=run), BooleanField())
    told = rows.order_by(its_own, "run").values_list("frame", "run", "frame__captured_at", "light")
    found = {frame: (frame, by, at, light) for frame, by, at, light in told if at is not None}
    return sorted(found.values(), key=lambda each: (each[2], each[0]))
