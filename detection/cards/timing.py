"""Correcting a camera's clock, taking that back, and moving frames that were handed over elsewhere.

EXIF and `clock_at` are never touched: instants, deployments and figures are derived from them
again. Whoever sees a wrong date undoes one row.
"""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import count
from typing import Any

from django.db import transaction
from django.utils import timezone

from detection import runs
from detection.cards.fitting import Anchors, anchors
from detection.cards.redate import redate
from detection.cards.schedule import Schedule
from detection.models import (
    Batch,
    CardFile,
    ClockCorrection,
    Deployment,
    Frame,
    Retention,
)
from lacs_web.models import AuditEvent, User

SCHEDULE = ["interval_seconds", "window_start", "window_end"]


@transaction.atomic
def correct(
    *, deployment: Deployment, batch: Batch | None, anchors: Anchors, user: User
) -> dict[str, int]:
    """Date a card's frames, or a deployment's, by one or two (clock, instant) anchors.

    Returns how many they are, and how many of them have no date: {"frames", "quarantined"}.
    Raises IntegrityError when two anchors are not in order.
    """
    second = anchors[1] if len(anchors) > 1 else (None, None)
    made = ClockCorrection.objects.create(
        deployment=deployment,
        batch=batch,
        clock_1=anchors[0][0],
        true_1=anchors[0][1],
        clock_2=second[0],
        true_2=second[1],
        made_by=user,
    )
    return _derived(made, "clock corrected", user)


@transaction.atomic
def undo(*, correction: ClockCorrection, user: User) -> dict[str, int]:
    """Date the frames as though the correction had never been. Undoing twice is harmless."""
    if not ClockCorrection.objects.filter(pk=correction.pk, undone_at=None).update(
        undone_at=timezone.now()
    ):
        return _redated(correction)
    return _derived(correction, "clock correction undone", user)


def _redated(correction: ClockCorrection) -> dict[str, int]:
    """Date anew what a correction holds for, wherever frames of the card were moved."""
    redate(correction.deployment)
    frames = Frame.objects.filter(deployment=correction.deployment_id)
    if correction.batch_id:
        frames = Frame.objects.filter(batch=correction.batch_id)
        elsewhere = Deployment.objects.filter(frames__batch=correction.batch_id)
        for each in elsewhere.exclude(pk=correction.deployment_id).distinct():
            redate(each)
    return {"frames": frames.count(), "quarantined": frames.exclude(quarantine="").count()}


def _derived(correction: ClockCorrection, action: str, user: User) -> dict[str, int]:
    counted = _redated(correction)
    detail: dict[str, Any] = {
        "correction": correction.pk,
        "deployment": correction.deployment.slug,
        "batch": correction.batch_id,
        "anchors": [[one.isoformat() for one in pair] for pair in anchors(correction)],
        **counted,
    }
    AuditEvent.objects.create(
        user=user, lake=correction.deployment.lake, action=action, detail=detail
    )
    return counted


@transaction.atomic
def answer(*, batch: Batch, right: bool, user: User) -> None:
    """What somebody found who compared the burned-in stamps with the clock."""
    Batch.objects.filter(pk=batch.pk).update(clock_right=right)
    AuditEvent.objects.create(
        user=user,
        lake=batch.deployment.lake,
        action="clock checked",
        detail={"batch": batch.pk, "right": right},
    )


@transaction.atomic
def move(*, batch: Batch, deployment: Deployment, user: User) -> int:
    """Place what a card holds in quarantine in another deployment; returns how many fit there.

    What does not fit stays in quarantine, and stays where it was. Raises Held.
    """
    reasons = [Frame.Quarantine.OUTSIDE, Frame.Quarantine.CAMERA]
    astray = Frame.objects.filter(batch=batch, quarantine__in=reasons)
    lakes = astray.order_by().values_list("deployment__lake", flat=True).distinct()
    _refuse_held({batch.deployment.lake_id, *lakes}, deployment.lake_id)
    taken = list(astray.values_list("pk", "deployment"))
    origin = dict(taken)
    astray.update(deployment=deployment)
    redate(deployment)
    moved = Frame.objects.filter(pk__in=origin)
    back = moved.exclude(quarantine="").values_list("pk", flat=True)
    for home in set(origin.values()):
        Frame.objects.filter(pk__in=[pk for pk in back if origin[pk] == home]).update(
            deployment=home
        )
        redate(Deployment.objects.get(pk=home))
    runs.owe_newly_dated(batch.deployment)
    fitting = Frame.objects.filter(pk__in=origin, quarantine="").count()
    AuditEvent.objects.create(
        user=user,
        lake=deployment.lake,
        action="frames moved",
        detail={"batch": batch.pk, "deployment": deployment.slug, "frames": fitting},
    )
    return fitting


class StillRead(Exception):
    """Files of the card are still to come or to be read."""


class Held(Exception):
    """A hold stands at the lake: what lies there must not come under another lake's rule."""


def _refuse_held(old: set[int], new: int) -> None:
    """Raise Held if a hold stands at one of the lakes `old` that is not `new`."""
    if Retention.objects.filter(lake__in=old - {new}).exclude(hold="").exists():
        raise Held


@transaction.atomic
def hand_to(*, batch: Batch, deployment: Deployment, user: User) -> int:
    """Have a card belong to another deployment of its park, as though handed over for that one.

    Its frames go along, but for those that lie with another camera; handing it back undoes it.
    Returns how many of its frames have a date there. Raises StillRead and Held.
    """
    card = Batch.objects.select_for_update(of=("self",)).select_related("deployment__lake")
    old = card.get(pk=batch.pk).deployment
    unread = batch.files.filter(state=CardFile.State.STORED).exists()
    if unread or Batch.objects.filter(pk=batch.pk, closed_at=None).exists():
        raise StillRead
    _refuse_held({old.lake_id}, deployment.lake_id)
    near = Deployment.objects.filter(lake=old.lake_id, camera=old.camera_id)
    Frame.objects.filter(batch=batch, deployment__in=near).update(deployment=deployment)
    ClockCorrection.objects.filter(batch=batch).update(deployment=deployment)
    Batch.objects.filter(pk=batch.pk).update(deployment=deployment)
    redate(deployment)
    # Other zones count for the card, and other cards' boxes and people's words beside it; those
    # that it left behind lose its own.
    runs.owe_weighing(old, deployment)
    dated = Frame.objects.filter(batch=batch, quarantine="").count()
    for lake in {old.lake, deployment.lake}:
        AuditEvent.objects.create(
            user=user,
            lake=lake,
            action="card moved",
            detail={
                "batch": batch.pk, "from": old.slug, "to": deployment.slug, "frames": dated,
            },
        )  # fmt: skip
    return dated


def proposals(batch: Batch) -> list[Deployment]:
    """Deployments of the park that frames in quarantine may belong to, by serial and camera."""
    park = batch.deployment.lake.park_id
    astray = Frame.objects.filter(
        batch=batch, quarantine__in=[Frame.Quarantine.OUTSIDE, Frame.Quarantine.CAMERA]
    )
    serials = set(astray.values_list("exif__BodySerialNumber", flat=True).distinct()) - {None}
    if not astray.exists():
        return []
    cameras = serials or {batch.deployment.camera.serial}
    return list(
        Deployment.objects.filter(lake__park=park, camera__serial__in=cameras)
        .exclude(pk=batch.deployment_id)
        .select_related("lake", "camera")
        .order_by("-starts_at")
    )


@transaction.atomic
def adopt_schedule(*, deployment: Deployment, found: Schedule, user: User) -> None:
    """Have the deployment state the schedule that its frames show."""
    before = {name: str(getattr(deployment, name)) for name in SCHEDULE}
    deployment.interval_seconds = found.interval_seconds
    deployment.window_start, deployment.window_end = found.start, found.end
    deployment.full_clean()
    deployment.save(update_fields=SCHEDULE)
    AuditEvent.objects.create(
        user=user,
        lake=deployment.lake,
        action="schedule adopted",
        detail={"deployment": deployment.slug, "before": before},
    )


@transaction.atomic
def split(*, frame: Frame, user: User) -> Deployment:
    """End the deployment of `frame` just before it and begin another with it: the view changed.

    The new one takes over camera, schedule and clock; zones must be drawn again.
    """
    old = Deployment.objects.select_for_update().get(pk=frame.deployment_id)
    assert frame.captured_at is not None  # noqa: S101
    new = Deployment.objects.get(pk=old.pk)
    new.pk, new.slug = None, free_slug(old.slug)
    new.starts_at = frame.captured_at
    old.ends_at = frame.captured_at - timedelta(seconds=1)
    old.full_clean()
    old.save(update_fields=["ends_at"])
    new.full_clean()
    new.save()
    for one in old.corrections.filter(batch=None, undone_at=None).order_by("made_at"):
        one.pk, one.deployment = None, new
        one.save()
    redate(old)
    AuditEvent.objects.create(
        user=user,
        lake=old.lake,
        action="deployment split",
        detail={"deployment": old.slug, "new": new.slug, "frame": frame.pk},
    )
    return new


def free_slug(slug: str) -> str:
    """`slug` with the first number behind it that no deployment has."""
    stem = re.sub(r"-\d+$", "", slug)[:44]
    taken = set(Deployment.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(name for n in count(2) if (name := f"{stem}-{n}") not in taken)
