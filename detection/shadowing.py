"""Candidates: a detector looks at settled frames in the shadow, then is promoted or rejected.

Which frames are settled is annotation's to know (annotation/candidates.py); here they are given.
What is found lies in rows of its own, so that no figure, queue or mask can ever see it. Frames are
claimed as a run's are: a killed worker costs one lease.
"""

from __future__ import annotations

import functools
import logging
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from detection import claims, inference, runs
from detection.detecting import looking
from detection.models import Candidate, CandidateFrame, Deployment, Detector, Frame
from lacs_web import stopping
from lacs_web.models import AuditEvent, User

log = logging.getLogger(__name__)
State = CandidateFrame.State
Decision = Candidate.Decision


class Undecided(Exception):
    """The deployment has a candidate already, on which nobody has decided; `candidate` is it."""

    def __init__(self, candidate: Candidate) -> None:
        super().__init__(f"candidate {candidate.pk}")
        self.candidate = candidate


class TooLate(Exception):
    """What was asked does not suit what the candidate or its deployment has become meanwhile."""


@transaction.atomic
def start(
    *,
    deployment: Deployment,
    detector: Detector,
    options: dict[str, Any],
    frames: QuerySet[Frame],
    user: User | None,
    second: Detector | None = None,
) -> Candidate:
    """Owe the candidate `frames`. Raises Undecided, and runs.NothingToExamine without any."""
    candidate, created = Candidate.objects.get_or_create(
        deployment=deployment,
        decision="",
        defaults={
            "detector": detector,
            "second_detector": second,
            "settings": options,
            "asked_by": user,
        },
    )
    if not created:
        raise Undecided(candidate)
    owed_frames = _owe(candidate, frames)
    if not owed_frames:
        raise runs.NothingToExamine
    _tell(candidate, user, "candidate started", frames=owed_frames)
    return candidate


@transaction.atomic
def go_on(*, candidate: Candidate, frames: QuerySet[Frame], user: User) -> None:
    """Owe an undecided candidate those of `frames` that it was never shown. Raises TooLate once
    it is decided, and runs.NothingToExamine.
    """
    one = _locked(candidate)
    if one.decision:
        raise TooLate
    added = _owe(one, frames.exclude(pk__in=one.frames.values("frame")))
    if not added:
        raise runs.NothingToExamine
    Candidate.objects.filter(pk=one.pk).update(finished_at=None)
    _tell(one, user, "candidate started", frames=added)


def _owe(candidate: Candidate, frames: QuerySet[Frame]) -> int:
    kept = frames.filter(deployment=candidate.deployment_id, quarantine="", purge=None)
    ids = kept.order_by("captured_at", "pk").values_list("pk", flat=True)
    rows = [CandidateFrame(candidate=candidate, frame_id=pk) for pk in ids]
    CandidateFrame.objects.bulk_create(rows, batch_size=5000)
    return len(rows)


def owed(candidate: Candidate) -> QuerySet[CandidateFrame]:
    """What is left of it; frames that were purged, moved or lost their date meanwhile are not."""
    return CandidateFrame.objects.filter(
        candidate=candidate,
        state=State.PENDING,
        frame__deployment=candidate.deployment_id,
        frame__quarantine="",
        frame__purge=None,
    ).select_related("frame")


def at_work() -> QuerySet[Candidate]:
    return Candidate.objects.filter(finished_at=None, decision="").select_related(
        "deployment", "detector", "second_detector"
    )


def examine(candidate: Candidate, *, limit: int) -> int:
    """Claim up to `limit` frames, detect, store; returns how many were claimed. Raises
    ModelRefused with nothing claimed. As settled frames lie apart, a gated detector knows the boxes
    of a settled frame before, if there is one in the week, not of the very frame before.
    """
    eye = looking(candidate.detector, candidate.second_detector, candidate.settings)
    token, rows = claims.claim(owed(candidate), limit)
    if not rows:
        return 0
    hold = functools.partial(claims.renew, CandidateFrame, token)
    left = inference.trail_of("candidate", candidate.pk)
    seen = inference.look(eye.network, [row.frame for row in rows], trail=left)
    for index, one in inference.meanwhile(seen, hold, every=settings.LEASE_SECONDS / 3):
        held = CandidateFrame.objects.filter(pk=rows[index].pk, claim=token, state=State.PENDING)
        told: dict[str, Any]
        if isinstance(one, Exception):
            log.warning("frame %s could not be examined: %s", rows[index].frame_id, one)
            told = {"state": State.FAILED, "reason": (str(one) or type(one).__name__)[:300]}
        else:
            told = {"state": State.DONE, "boxes": [vars(box) for box in eye.boxes(one)]}
        held.update(claim=None, lease_until=None, **told)
        if stopping.asked():
            claims.hand_back(CandidateFrame, token)
            break
    return len(rows)


def finish_if_done(candidate: Candidate) -> bool:
    if owed(candidate).exists():
        return False
    Candidate.objects.filter(pk=candidate.pk, finished_at=None).update(finished_at=timezone.now())
    return True


def give_up_on_poison(candidate: Candidate) -> None:
    """Frames that stopped a worker MAX_ATTEMPTS times are no longer tried."""
    claims.poisoned(owed(candidate).select_related(None)).update(
        state=State.FAILED, reason="examining it stopped the worker repeatedly", claim=None
    )


def progress(candidate: Candidate) -> dict[str, int]:
    """{"total", "done", "failed"}. One query."""
    return CandidateFrame.objects.filter(candidate=candidate).aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(state=State.DONE)),
        failed=Count("pk", filter=Q(state=State.FAILED)),
    )


@transaction.atomic
def promote(*, candidate: Candidate, figures: dict[str, Any], user: User) -> None:
    """Have it examine what comes in from now on. `figures`: what the decision rests on, for the
    audit trail. Raises TooLate unless it is finished and undecided.
    """
    one = _locked(candidate)
    if one.decision or one.finished_at is None:
        raise TooLate
    place = Deployment.objects.select_for_update().get(pk=one.deployment_id)
    one.before = {
        "detector": place.detector_id,
        "second_detector": place.second_detector_id,
        "detection": place.detection,
    }
    runs.keep_for_new_cards(
        deployment=place,
        detector=one.detector,
        second=one.second_detector,
        options=one.settings,
        user=user,
    )
    _decide(one, Decision.PROMOTED)
    _tell(one, user, "candidate promoted", figures=figures)


@transaction.atomic
def reject(*, candidate: Candidate, figures: dict[str, Any], user: User) -> None:
    """Leave everything as it is; a candidate at work stops. Raises TooLate once it is decided."""
    one = _locked(candidate)
    if one.decision:
        raise TooLate
    _decide(one, Decision.REJECTED)
    _tell(one, user, "candidate rejected", figures=figures)


@transaction.atomic
def take_back(*, candidate: Candidate, user: User) -> None:
    """Undo the decision; after a promotion the deployment's detection is what it was before.

    Raises TooLate where something else was chosen since, or another candidate is undecided.
    """
    one = _locked(candidate)
    place = Deployment.objects.select_for_update().get(pk=one.deployment_id)
    another = Candidate.objects.filter(deployment=place, decision="").exists()
    if not one.decision or another:
        raise TooLate
    if one.decision == Decision.PROMOTED:
        chosen = place.detector_id, place.second_detector_id, place.detection
        if one.before is None or chosen != (
            one.detector_id, one.second_detector_id, one.settings,
        ):  # fmt: skip
            raise TooLate
        known = set(Detector.objects.values_list("pk", flat=True))
        Deployment.objects.filter(pk=place.pk).update(
            detection=one.before["detection"],
            **{
                f"{name}_id": one.before[name] if one.before[name] in known else None
                for name in ("detector", "second_detector")
            },
        )
    was, one.before = one.decision, None
    _decide(one, "")
    _tell(one, user, "candidate decision taken back", was=was)


def _locked(candidate: Candidate) -> Candidate:
    whole = Candidate.objects.select_related("detector", "second_detector", "deployment__lake")
    return whole.select_for_update(of=("self",)).get(pk=candidate.pk)


def _decide(candidate: Candidate, decision: str) -> None:
    candidate.decision = decision
    candidate.decided_at = timezone.now() if decision else None
    candidate.save(update_fields=["decision", "decided_at", "before"])


def _tell(candidate: Candidate, user: User | None, action: str, **detail: Any) -> None:
    AuditEvent.objects.create(
        user=user,
        lake=candidate.deployment.lake,
        action=action,
        detail={
            "candidate": candidate.pk,
            "deployment": candidate.deployment.slug,
            "detector": candidate.detector.sha256,
            **detail,
        },
    )
