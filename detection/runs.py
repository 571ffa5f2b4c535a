"""Runs: start one, take frames from it, write what the machine saw, finish it.

A run's frames are rows (RunFrame) that are claimed, never messages: Redis may forget everything.
Boxes and the row's "done" are written in one transaction under the claim, so each frame is
examined exactly once however often it was tried.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.utils import timezone

from detection import claims
from detection.models import Batch, CardFile, Detection, Detector, Frame, Run, RunFrame
from lacs_web.models import AuditEvent, User

State = RunFrame.State


@dataclass(frozen=True)
class Box:
    """One machine box; x, y, w, h are fractions of the frame, from the top left."""

    label: str
    source_class: str
    score: float
    x: float
    y: float
    w: float
    h: float


@transaction.atomic
def start_run(
    *, batch: Batch, detector: Detector, options: dict[str, Any], user: User | None
) -> Run:
    """Owe `detector` every dated frame that came first with `batch`. One open run at a time."""
    run, created = Run.objects.get_or_create(
        batch=batch,
        detector=detector,
        finished_at=None,
        defaults={"settings": options, "software": settings.VERSION, "started_by": user},
    )
    if created:
        frames = Frame.objects.filter(batch=batch, quarantine="").values_list("pk", flat=True)
        RunFrame.objects.bulk_create(
            (RunFrame(run=run, frame_id=pk) for pk in frames), batch_size=5000
        )
        AuditEvent.objects.create(
            user=user,
            lake=batch.deployment.lake,
            action="run started",
            detail={"run": run.pk, "detector": detector.sha256, "batch": batch.pk},
        )
    return run


def owed(run: Run) -> QuerySet[RunFrame]:
    return RunFrame.objects.filter(run=run, state=State.PENDING).select_related("frame")


def open_runs() -> QuerySet[Run]:
    return Run.objects.filter(finished_at__isnull=True, paused=False)


def batches_owed_a_run() -> QuerySet[Batch]:
    """Closed batches, wholly read, with frames, that no run was ever started for."""
    unread = CardFile.objects.filter(
        batch=OuterRef("pk"), state__in=[CardFile.State.AWAITED, CardFile.State.STORED]
    )
    return Batch.objects.filter(
        ~Exists(unread),
        ~Exists(Run.objects.filter(batch=OuterRef("pk"))),
        Exists(Frame.objects.filter(batch=OuterRef("pk"), quarantine="")),
        closed_at__isnull=False,
    )


@transaction.atomic
def store(*, row: RunFrame, token: uuid.UUID, boxes: Sequence[Box]) -> bool:
    """Write the boxes of one frame; False, with nothing written, if the claim was lost."""
    held = RunFrame.objects.filter(pk=row.pk, claim=token, state=State.PENDING)
    if not held.update(state=State.DONE, claim=None, lease_until=None, reason=""):
        return False
    Detection.objects.bulk_create(
        Detection(run_id=row.run_id, frame_id=row.frame_id, **vars(box)) for box in boxes
    )
    return True


def fail(*, row: RunFrame, token: uuid.UUID, reason: str) -> None:
    """This frame cannot be examined; the others go on."""
    RunFrame.objects.filter(pk=row.pk, claim=token, state=State.PENDING).update(
        state=State.FAILED, reason=reason[:300], claim=None, lease_until=None
    )


def give_up_on_poison(run: Run) -> None:
    """Frames that stopped a worker MAX_ATTEMPTS times are named and no longer tried."""
    owed(run).filter(attempts__gte=settings.MAX_ATTEMPTS, lease_until__lt=timezone.now()).update(
        state=State.FAILED, reason="examining it stopped the worker repeatedly", claim=None
    )


def finish_if_done(run: Run) -> bool:
    """Close the run once nothing is pending."""
    if RunFrame.objects.filter(run=run, state=State.PENDING).exists():
        return False
    Run.objects.filter(pk=run.pk, finished_at__isnull=True).update(finished_at=timezone.now())
    return True


def progress(run: Run) -> dict[str, int]:
    """Frames by state, counted over rows: {"pending", "done", "failed", "total"}. One query."""
    counts = dict(
        RunFrame.objects.filter(run=run).order_by().values_list("state").annotate(n=Count("pk"))
    )
    result = {state.value: counts.get(state, 0) for state in State}
    return result | {"total": sum(result.values())}


def take(run: Run, limit: int) -> tuple[uuid.UUID, list[RunFrame]]:
    return claims.claim(owed(run), limit)
