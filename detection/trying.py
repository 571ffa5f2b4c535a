"""Trying a detector and settings on ten frames, so that somebody sees what they would get.

The frames are spread over the daylight of the busiest day. What is found lies in the trial's row
and counts nowhere. One thread looks, so that its seconds are those of one core.
"""

from __future__ import annotations

import functools
import logging
import time
import uuid
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from detection import claims, inference
from detection.detecting import looking
from detection.labels import COUNTED_SCORE
from detection.models import Deployment, Detector, Frame, Trial
from detection.onnx.runtime import ModelRefused
from lacs_web.models import AuditEvent, User

FRAMES = 10
DAYLIGHT = 50  # mean luma from which a frame is worth trying
log = logging.getLogger(__name__)
State = Trial.State


def ask(
    *,
    deployment: Deployment,
    detector: Detector,
    second: Detector | None,
    options: dict[str, Any],
    user: User,
) -> Trial:
    """Owe a trial; the same as the last one that is still to come is that one."""
    same = Trial.objects.filter(
        deployment=deployment,
        detector=detector,
        second_detector=second,
        settings=options,
        state=State.PENDING,
    ).first()
    if same is not None:
        return same
    AuditEvent.objects.create(
        user=user,
        lake=deployment.lake,
        action="detector tried",
        detail={"deployment": deployment.slug, "detector": detector.sha256},
    )
    return Trial.objects.create(
        deployment=deployment,
        detector=detector,
        second_detector=second,
        settings=options,
        asked_by=user,
    )


def frames(deployment: Deployment) -> list[Frame]:
    """At most FRAMES and one before them, in the order of time; none without daylight frames whose
    originals are kept.
    """
    lit = _lit(deployment).filter(purge=None)
    counted = Q(detections__label="person", detections__score__gte=COUNTED_SCORE)
    busiest = lit.annotate(n=Count("detections", filter=counted)).order_by("-n", "-captured_at")
    one = busiest.first()
    if one is None or one.captured_at is None:
        return []
    zone = deployment.lake.zone
    day = one.captured_at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    end = day.replace(hour=23, minute=59, second=59)
    of_day = list(lit.filter(captured_at__range=(day, end)).order_by("captured_at", "pk"))
    most = min(FRAMES + 1, len(of_day))
    return [of_day[round(n * (len(of_day) - 1) / max(1, most - 1))] for n in range(most)]


def all_purged(deployment: Deployment) -> bool:
    """Whether there are daylight frames, but no original of any."""
    lit = _lit(deployment)
    return lit.exists() and not lit.filter(purge=None).exists()


def _lit(deployment: Deployment) -> QuerySet[Frame]:
    return Frame.objects.filter(
        deployment=deployment, captured_at__isnull=False, brightness__gte=DAYLIGHT
    )


def carry_out(trial_id: int) -> None:
    """Do what a trial asks, unless another worker is at it."""
    token, rows = claims.claim(Trial.objects.filter(pk=trial_id, state=State.PENDING), 1)
    if not rows:
        return
    trial = rows[0]
    try:
        results, reason = _results(trial, token), ""
    except ModelRefused as refusal:
        results, reason = [], str(refusal)
    _finish(trial, token, results, reason)


def _results(trial: Trial, token: uuid.UUID) -> list[dict[str, Any]]:
    eye = looking(trial.detector, trial.second_detector, trial.settings)
    chosen = frames(trial.deployment)
    if not chosen:
        return []
    hold = functools.partial(claims.renew, Trial, token)
    found, at = {}, time.monotonic()
    seen = inference.look(eye.network, chosen, threads=1)
    for index, one in inference.meanwhile(seen, hold, every=settings.LEASE_SECONDS / 3):
        now = time.monotonic()
        if isinstance(one, Exception):
            result: dict[str, Any] = {"reason": str(one)[:300] or type(one).__name__}
        else:
            boxes = [box for box in eye.boxes(one) if box.score >= settings.MASK_SCORE]
            result = {"seconds": round(now - at, 6), "boxes": [vars(box) for box in boxes]}
        found[index] = {"frame": chosen[index].pk, **result}
        at = now
    # The first opened the network and gathered the neighbours: its seconds are not the frame's.
    shown = sorted(found)[1:] if len(found) > 1 else sorted(found)
    return [found[index] for index in shown]


def _finish(trial: Trial, token: uuid.UUID, results: list[dict[str, Any]], reason: str) -> None:
    Trial.objects.filter(pk=trial.pk, claim=token, state=State.PENDING).update(
        state=State.FAILED if reason or not results else State.DONE,
        results=results,
        reason=reason[:300],
        claim=None,
        lease_until=None,
    )


def give_up_on_poison() -> None:
    """Trials that stopped a worker MAX_ATTEMPTS times are no longer tried."""
    claims.poisoned(Trial.objects.filter(state=State.PENDING)).update(
        state=State.FAILED, reason="trying it stopped the worker repeatedly", claim=None
    )
