"""What a reviewer has before them, change by change. Does not ask who holds the frame."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from annotation.models import Draft
from detection.models import Frame, RunFrame
from lacs_web.models import User


class Conflict(Exception):
    """The draft has moved on since the version that the writer saw."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(f"version {draft.version}")
        self.draft = draft


@transaction.atomic(savepoint=False)
def serve(
    *,
    frames: Sequence[Frame],
    reviewer: User,
    picked: bool = True,
    checks: Collection[int] = (),
    bare: Collection[int] = (),
) -> dict[int, Draft]:
    """Frame id → draft of `reviewer`, made where there is none, with the run whose boxes it shows.

    The latest run that has read the frame; but a draft that was touched keeps the run that it
    began with, since its boxes came from there. `picked`: new ones are of frames that somebody
    chose, not the queue; `checks` and `bare` (ids): of frames that were settled already, and of
    frames whose machine boxes are not shown.
    """
    done = RunFrame.objects.filter(frame=OuterRef("pk"), state=RunFrame.State.DONE)
    runs = dict(
        Frame.objects.filter(pk__in=[frame.pk for frame in frames]).values_list(
            "pk", Subquery(done.order_by("-run").values("run")[:1])
        )
    )
    Draft.objects.bulk_create(
        (
            Draft(
                frame=frame,
                reviewer=reviewer,
                run_id=runs[frame.pk],
                picked=picked,
                check_frame=frame.pk in checks,
                bare=frame.pk in bare,
            )
            for frame in frames
        ),
        ignore_conflicts=True,
    )
    drafts = {
        draft.frame_id: draft for draft in Draft.objects.filter(frame__in=runs, reviewer=reviewer)
    }
    for draft in drafts.values():
        if draft.boxes is None and draft.run_id != runs[draft.frame_id]:
            draft.run_id = runs[draft.frame_id]
            draft.save(update_fields=["run"])
    return drafts


def save(*, draft: Draft, version: int, boxes: list[dict[str, Any]] | None, open: bool) -> int:
    """Write over `version`; returns the next one. Raises Conflict when it was not the last.

    `boxes` None leaves the boxes as they are.
    """
    change: dict[str, Any] = {"version": F("version") + 1, "open": open}
    if boxes is not None:
        change["boxes"] = boxes
    if not Draft.objects.filter(pk=draft.pk, version=version).update(**change):
        draft.refresh_from_db()
        raise Conflict(draft)
    return version + 1
