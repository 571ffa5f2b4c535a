"""Frames placed and dated anew after a clock or the period of a deployment changed.

What the camera's clock said (`clock_at`) is never touched, so that every correction can be undone
by another one. The rule is that of `detection.cards.fitting`, spelled as a few UPDATEs: a summer
has more than a hundred thousand frames.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from detection import runs
from detection.cards.clock import EARLIEST
from detection.models import Camera, CardFile, ClockCorrection, Deployment, Frame

State, Reason = CardFile.State, Frame.Quarantine


def redate(deployment: Deployment) -> dict[str, int]:
    """Derive deployment, instants and quarantine again of what the camera took at this lake.

    Returns {"frames", "quarantined"}, counts of `deployment` after it. Receipts follow, and runs
    owe what was not dated before. Call it in a transaction.
    """
    others = Deployment.objects.filter(lake=deployment.lake_id, camera=deployment.camera_id)
    siblings = [deployment, *others.exclude(pk=deployment.pk).select_related("lake", "camera")]
    _place(siblings)
    for each in siblings:
        _date(each)
        runs.owe_newly_dated(each)
    frames = Frame.objects.filter(deployment=deployment)
    return {
        "frames": frames.count(),
        "quarantined": frames.exclude(quarantine="").count(),
    }


def _place(siblings: list[Deployment]) -> None:
    """Move frames between the deployments of one camera; the one chosen for the card wins."""
    if len(siblings) == 1:
        return
    pool = Frame.objects.filter(deployment__in=siblings, clock_at__isnull=False)
    for chosen in (False, True):
        for each in siblings:
            here = pool.filter(batch__deployment=each) if chosen else pool
            for part, instant in _parts(here, each):
                inside = Q(instant__gte=each.starts_at)
                if each.ends_at is not None:
                    inside &= Q(instant__lte=each.ends_at)
                part.alias(instant=instant).filter(inside).update(deployment=each)


def _date(deployment: Deployment) -> None:
    outside = Q(instant__lt=deployment.starts_at)
    if deployment.ends_at is not None:
        outside |= Q(instant__gt=deployment.ends_at)
    doubts = [
        (Q(instant=None), Reason.NO_DATE),
        (Q(instant__lt=EARLIEST), Reason.ABSURD),
        (Q(instant__gt=timezone.now() + timedelta(days=1)), Reason.FUTURE),
        (Q(exif__BodySerialNumber__in=_foreign(deployment)), Reason.CAMERA),
        (outside, Reason.OUTSIDE),
    ]
    frames = Frame.objects.filter(deployment=deployment).exclude(quarantine=Reason.SUPERSEDED)
    for part, instant in _parts(frames, deployment):
        dated = Case(*(When(doubt, then=None) for doubt, _ in doubts), default=instant)
        reason = Case(
            *(When(doubt, then=Value(why.value)) for doubt, why in doubts), default=Value("")
        )
        part.alias(instant=instant).update(captured_at=dated, quarantine=reason)
    files = CardFile.objects.filter(
        frame__in=frames,
        frame__batch=F("batch"),
        state__in=[State.NEW, State.QUARANTINED],
    )
    files.filter(frame__quarantine="").update(state=State.NEW, reason="")
    for _, why in doubts:
        files.filter(frame__quarantine=why).update(state=State.QUARANTINED, reason=str(why.label))


def _foreign(deployment: Deployment) -> list[str]:
    """Serial numbers of the park's other cameras: their pictures were not taken here."""
    others = Camera.objects.filter(park=deployment.lake.park_id).exclude(pk=deployment.camera_id)
    return list(others.values_list("serial", flat=True))


def _parts(
    frames: QuerySet[Frame], deployment: Deployment
) -> Iterator[tuple[QuerySet[Frame], Any]]:
    """Frames whose clock is one, with the expression of their instant."""
    found = ClockCorrection.objects.filter(undone_at=None)
    of_batches: dict[int, ClockCorrection] = {}
    for one in found.filter(batch__frames__in=frames).distinct().order_by("made_at", "pk"):
        assert one.batch_id is not None  # noqa: S101
        of_batches[one.batch_id] = one
    for batch, correction in of_batches.items():
        yield frames.filter(batch=batch), _corrected(correction)
    general = found.filter(batch=None, deployment=deployment).first()
    rest = frames.exclude(batch__in=list(of_batches))
    yield rest, _corrected(general) if general else _instant(deployment)


def _corrected(correction: ClockCorrection) -> Any:
    """`clock.corrected`, in the database."""
    passed = ExpressionWrapper(
        F("clock_at") - Value(correction.clock_1, output_field=DateTimeField()),
        output_field=DurationField(),
    )
    if correction.clock_2 and correction.true_2:
        rate = (correction.true_2 - correction.true_1) / (correction.clock_2 - correction.clock_1)
        passed = ExpressionWrapper(
            passed * Value(rate, output_field=FloatField()), output_field=DurationField()
        )
    return ExpressionWrapper(
        Value(correction.true_1, output_field=DateTimeField()) + passed,
        output_field=DateTimeField(),
    )


def _instant(deployment: Deployment) -> Any:
    offset = Coalesce(F("clock_utc_offset_minutes"), Value(deployment.clock_offset_minutes))
    minutes = ExpressionWrapper(
        offset * Value(timedelta(minutes=1), output_field=DurationField()),
        output_field=DurationField(),
    )
    correction = Value(
        timedelta(seconds=deployment.clock_correction_seconds), output_field=DurationField()
    )
    return ExpressionWrapper(F("clock_at") - minutes + correction, output_field=DateTimeField())
