"""Runs: start one, take frames from it, write what the machine saw, finish it.

A run's frames are rows (RunFrame) that are claimed, never messages: Redis may forget everything.
Boxes and the row's "done" are written in one transaction under the claim, so each frame is
examined exactly once however often it was tried.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Case, Count, Exists, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from detection import claims
from detection.models import (
    Batch,
    CardFile,
    Deployment,
    Detection,
    Detector,
    Frame,
    Run,
    RunFrame,
    Suppression,
    Zone,
)
from detection.zoning import Polygon, stands_in
from lacs_web.models import AuditEvent, User

State = RunFrame.State
EXAMINED = (State.DONE, State.ASIDE)
# Why what a run had not come to is not examined: taken up again with the run.
SET_ASIDE = "set aside before it was examined"


class AlreadyRunning(Exception):
    """This detector is at work on this batch, or paused there; `run` is that run."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"run {run.pk}")
        self.run = run


class NothingToExamine(Exception):
    """No dated frame whose original is kept is there for a run."""


@dataclass(frozen=True)
class Box:
    """One machine box; x, y, w, h are fractions of the frame, from the top left. `evidence`:
    the share of it that differs from the background, None where there was none.
    """

    label: str
    source_class: str
    score: float
    x: float
    y: float
    w: float
    h: float
    evidence: float | None = None


@dataclass(frozen=True)
class Outcome:
    """What looking at one frame gave: boxes, a proposed problem or "", the kind of light."""

    boxes: Sequence[Box]
    problem: str = ""
    light: bytes = b""


@transaction.atomic
def start_run(
    *,
    batch: Batch,
    detector: Detector,
    options: dict[str, Any],
    user: User | None,
    second: Detector | None = None,
    repeats: Run | None = None,
    only_failed: bool = False,
) -> Run:
    """Owe `detector` (and a `second` beside it) every dated frame that came first with `batch`;
    given `only_failed`, those that the run it `repeats` could not examine.

    Raises AlreadyRunning, for a detector has one open run of a batch at a time, and
    NothingToExamine: frames whose originals were purged are left out.
    """
    run, created = Run.objects.get_or_create(
        batch=batch,
        detector=detector,
        finished_at=None,
        defaults={
            "second_detector": second,
            "settings": options,
            "software": settings.VERSION,
            "started_by": user,
            "repeats": repeats,
        },
    )
    if not created:
        raise AlreadyRunning(run)
    frames = Frame.objects.filter(batch=batch, quarantine="", purge=None)
    if repeats is not None and only_failed:
        failed = RunFrame.objects.filter(run=repeats, state=State.FAILED)
        frames = frames.filter(pk__in=failed.values("frame"))
    # In the order of time: rows are claimed in the order of their keys, and a frame's neighbours
    # make its background.
    owed_frames = frames.order_by("captured_at", "pk").values_list("pk", flat=True)
    rows = [RunFrame(run=run, frame_id=pk) for pk in owed_frames]
    if not rows:
        raise NothingToExamine
    RunFrame.objects.bulk_create(rows, batch_size=5000)
    AuditEvent.objects.create(
        user=user,
        lake=batch.deployment.lake,
        action="run started",
        detail={
            "run": run.pk,
            "detector": detector.sha256,
            "batch": batch.pk,
            **({"second": second.sha256} if second else {}),
            **({"repeats": repeats.pk} if repeats else {}),
        },
    )
    return run


@transaction.atomic
def set_paused(*, run: Run, paused: bool, user: User) -> None:
    """Have workers leave an open run alone after what they hold, or take it up again."""
    changed = Run.objects.filter(pk=run.pk, finished_at__isnull=True, paused=not paused)
    if changed.update(paused=paused):
        AuditEvent.objects.create(
            user=user,
            lake=run.batch.deployment.lake,
            action="run paused" if paused else "run resumed",
            detail={"run": run.pk},
        )


@transaction.atomic
def set_aside(*, run: Run, user: User) -> bool:
    """Have a run that was a mistake count nowhere and go no further; whether that was not so
    already. Its boxes stay as they are, and mask whom they show.
    """
    _hold(run.batch.deployment)
    standing = Run.objects.filter(pk=run.pk, set_aside_at=None)
    now = timezone.now()
    if not standing.update(set_aside_at=now, finished_at=Coalesce("finished_at", now)):
        return False
    rows = RunFrame.objects.filter(run=run)
    rows.filter(state=State.PENDING).update(
        state=State.FAILED, reason=SET_ASIDE, claim=None, lease_until=None, attempts=0
    )
    frames = rows.filter(state=State.DONE).update(state=State.ASIDE)
    _note_aside(run, user, "run set aside", frames)
    return True


@transaction.atomic
def count_again(*, run: Run, user: User) -> bool:
    """Take back `set_aside`; whether there was something to take back. What the run had not come
    to is owed again. Raises AlreadyRunning where the detector is at work on the batch by now.
    """
    _hold(run.batch.deployment)
    rows = RunFrame.objects.filter(run=run)
    if not Run.objects.filter(pk=run.pk).exclude(set_aside_at=None).update(set_aside_at=None):
        return False
    frames = rows.filter(state=State.ASIDE).update(state=State.DONE)
    left = rows.filter(reason=SET_ASIDE, frame__quarantine="", frame__purge=None)
    if left.update(state=State.PENDING, reason=""):
        try:
            with transaction.atomic():
                Run.objects.filter(pk=run.pk).update(finished_at=None)
        except IntegrityError:  # one_open_run_per_batch_and_detector
            busy = Run.objects.get(batch=run.batch_id, detector=run.detector_id, finished_at=None)
            raise AlreadyRunning(busy) from None
    _note_aside(run, user, "run counted again", frames)
    return True


def _note_aside(run: Run, user: User, action: str, frames: int) -> None:
    """In the audit trail; which boxes repeat is seen over all runs that count."""
    owe_weighing(run.batch.deployment)
    AuditEvent.objects.create(
        user=user,
        lake=run.batch.deployment.lake,
        action=action,
        detail={"run": run.pk, "frames": frames},
    )


@transaction.atomic
def keep_for_new_cards(
    *,
    deployment: Deployment,
    detector: Detector,
    options: dict[str, Any],
    user: User,
    second: Detector | None = None,
) -> None:
    """Examine what comes in at `deployment` by this detector with these settings, and by a
    `second` beside it.
    """
    Deployment.objects.filter(pk=deployment.pk).update(
        detector=detector, second_detector=second, detection=options
    )
    AuditEvent.objects.create(
        user=user,
        lake=deployment.lake,
        action="detection chosen",
        detail={
            "deployment": deployment.slug,
            "detector": detector.sha256,
            "settings": options,
            **({"second": second.sha256} if second else {}),
        },
    )


@transaction.atomic
def take_back_kept(*, deployment: Deployment, user: User) -> None:
    """Examine what comes in at `deployment` as usual again. Taking back twice is harmless."""
    chosen = Deployment.objects.filter(pk=deployment.pk).exclude(detector=None, detection=None)
    if chosen.update(detector=None, second_detector=None, detection=None):
        AuditEvent.objects.create(
            user=user,
            lake=deployment.lake,
            action="detection taken back",
            detail={"deployment": deployment.slug},
        )


def owed(run: Run) -> QuerySet[RunFrame]:
    return RunFrame.objects.filter(run=run, state=State.PENDING).select_related("frame")


def open_runs() -> QuerySet[Run]:
    return Run.objects.filter(finished_at__isnull=True, paused=False)


def batches_owed_a_run() -> QuerySet[Batch]:
    """Closed batches, read as far as they came, with frames, that no run was ever started for."""
    unread = CardFile.objects.filter(batch=OuterRef("pk"), state=CardFile.State.STORED)
    return Batch.objects.filter(
        ~Exists(unread),
        ~Exists(Run.objects.filter(batch=OuterRef("pk"))),
        Exists(Frame.objects.filter(batch=OuterRef("pk"), quarantine="", purge=None)),
        closed_at__isnull=False,
    )


@transaction.atomic
def owe_newly_dated(deployment: Deployment) -> None:
    """Have each batch's last run examine also what was in quarantine when it began, and no run
    what is there by now.

    A finished run is taken up again, with the settings that it had. The sweep rings for it.
    """
    undated = RunFrame.objects.exclude(frame__quarantine="")
    undated.filter(run__batch__deployment=deployment, state=State.PENDING).delete()
    for batch in Batch.objects.filter(deployment=deployment, runs__isnull=False).distinct():
        here = batch.runs.filter(imported_from="", set_aside_at=None).select_for_update(no_key=True)
        run = here.order_by(F("finished_at").desc(nulls_first=True)).first()
        if run is None:
            continue
        owed_too = Frame.objects.filter(
            ~Exists(RunFrame.objects.filter(run=run, frame=OuterRef("pk"))),
            batch=batch,
            quarantine="",
            purge=None,
        ).order_by("captured_at", "pk")
        rows = [RunFrame(run=run, frame=frame) for frame in owed_too.only("pk")]
        if rows:
            RunFrame.objects.bulk_create(rows, batch_size=5000)
            Run.objects.filter(pk=run.pk).update(finished_at=None)


@transaction.atomic
def store(
    *,
    token: uuid.UUID,
    outcomes: Sequence[tuple[RunFrame, Outcome]],
    ignored: Sequence[Polygon] = (),
) -> int:
    """Write what some frames gave; how many were written: nothing of those whose claim was lost.

    Boxes that stand in a zone of `ignored` are suppressed at once, so that they never count. Three
    queries, however many frames; none without any.
    """
    if not outcomes:
        return 0
    asked = [row.pk for row, _ in outcomes]
    claimed = RunFrame.objects.filter(pk__in=asked, claim=token, state=State.PENDING)
    # What somebody else holds just now (a run that is set aside) is being taken away.
    held = set(claimed.select_for_update(skip_locked=True).values_list("pk", flat=True))
    kept = [(row, outcome) for row, outcome in outcomes if row.pk in held]
    if not kept:
        return 0
    RunFrame.objects.filter(pk__in=held).update(
        state=State.DONE,
        claim=None,
        lease_until=None,
        reason="",
        examined_at=timezone.now(),
        problem=Case(*(When(pk=row.pk, then=Value(outcome.problem)) for row, outcome in kept)),
        light=Case(*(When(pk=row.pk, then=Value(outcome.light)) for row, outcome in kept)),
    )
    write(
        (
            Detection(run_id=row.run_id, frame_id=row.frame_id, **vars(box))
            for row, outcome in kept
            for box in outcome.boxes
        ),
        ignored,
    )
    return len(kept)


def write(boxes: Iterable[Detection], ignored: Sequence[Polygon]) -> None:
    """Two queries, for up to thousands of boxes."""
    stored = Detection.objects.bulk_create(boxes)
    Suppression.objects.bulk_create(
        Suppression(detection=each, reason=Suppression.Reason.IGNORED)
        for each in stored
        if any(stands_in(each, polygon) for polygon in ignored)
    )


def ignored(deployment: Deployment) -> list[Polygon]:
    """Outlines of the zones whose boxes count nowhere."""
    zones = Zone.objects.filter(deployment=deployment, kind=Zone.Kind.IGNORE)
    return list(zones.values_list("polygon", flat=True))


def note_engine(run: Run, engine: str) -> None:
    """Keep, once, what the run ran on."""
    if engine:
        Run.objects.filter(pk=run.pk, engine="").update(engine=engine[:200])
        run.engine = engine


def fail(*, row: RunFrame, token: uuid.UUID, reason: str) -> None:
    """This frame cannot be examined; the others go on."""
    RunFrame.objects.filter(pk=row.pk, claim=token, state=State.PENDING).update(
        state=State.FAILED,
        reason=reason[:300],
        claim=None,
        lease_until=None,
        examined_at=timezone.now(),
    )


def give_up_on_poison(run: Run) -> None:
    """Frames that stopped a worker MAX_ATTEMPTS times are named and no longer tried."""
    claims.poisoned(owed(run)).update(
        state=State.FAILED, reason="examining it stopped the worker repeatedly", claim=None
    )


def finish_if_done(run: Run) -> bool:
    """Close the run once nothing is pending; all cards' boxes are then to be weighed together."""
    if RunFrame.objects.filter(run=run, state=State.PENDING).exists():
        return False
    now = timezone.now()
    with transaction.atomic(savepoint=False):
        _hold(run.batch.deployment)
        if Run.objects.filter(pk=run.pk, finished_at__isnull=True).update(finished_at=now):
            # What repeats on this card may be what fired a few times on another.
            Run.objects.filter(
                batch__deployment=run.batch.deployment_id, finished_at__isnull=False
            ).update(weigh_owed_at=now)
    return True


@transaction.atomic(savepoint=False)
def owe_weighing(*deployments: Deployment) -> None:
    """Have the boxes of all runs over cards of `deployments` weighed anew (weighing.py)."""
    _hold(*deployments)
    Run.objects.filter(batch__deployment__in=deployments).update(weigh_owed_at=timezone.now())


def _hold(*deployments: Deployment) -> None:
    """Lock the runs of `deployments` in the order of their keys, until the transaction ends:
    whoever changes one and then all of them takes them so, or two of them wait for each other.
    """
    theirs = Run.objects.filter(batch__deployment__in=deployments).order_by("pk")
    list(theirs.select_for_update(of=("self",), no_key=True).values_list("pk"))


def progress(run: Run) -> dict[str, int]:
    """Frames by state, counted over rows: {"pending", "done", "failed", "total"}. One query."""
    counts = dict(
        RunFrame.objects.filter(run=run).order_by().values_list("state").annotate(n=Count("pk"))
    )
    counts[State.DONE] = sum(counts.pop(state, 0) for state in EXAMINED)
    result = {state.value: counts.get(state, 0) for state in State if state != State.ASIDE}
    return result | {"total": sum(result.values())}


def take(run: Run, limit: int) -> tuple[uuid.UUID, list[RunFrame]]:
    return claims.claim(owed(run), limit)
