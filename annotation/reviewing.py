"""Stating a review, and re-settling its frame. Does not decide who is served which frame."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from annotation.models import Review, ReviewBox, SettledFrame
from annotation.settling import Mark, Rule, Statement, settle
from detection.labels import Verdict
from detection.models import Frame, Run
from lacs_web.access import Action, allows
from lacs_web.models import User


@dataclass(frozen=True)
class StatedBox:
    """x, y, w, h are fractions of the frame, from the top left."""

    label: str
    activity: str
    x: float
    y: float
    w: float
    h: float


class ContradictoryReview(ValueError):
    """A verdict that its boxes deny."""


@transaction.atomic
def submit(
    *,
    frame: Frame,
    reviewer: User,
    request_id: uuid.UUID,
    verdict: str,
    boxes: Sequence[StatedBox] = (),
    seconds: float = 0.0,
    run: Run | None = None,
) -> Review:
    """Append one review and settle the frame if the rule says so; harmless when repeated.

    Raises ContradictoryReview when boxes come with any verdict but "boxes".
    """
    if boxes and verdict != Verdict.BOXES:
        raise ContradictoryReview("Boxes can only be stated with the verdict “boxes”.")
    # Reviews of one frame are settled one after the other, so that none misses another.
    frame = Frame.objects.select_for_update().get(pk=frame.pk)
    review, created = Review.objects.get_or_create(
        request_id=request_id,
        defaults={
            "frame": frame,
            "reviewer": reviewer,
            "verdict": verdict,
            "alone": allows(reviewer, Action.SETTLE, frame.deployment.lake),
            "run": run,
            "seconds": seconds,
        },
    )
    if created:
        ReviewBox.objects.bulk_create(ReviewBox(review=review, **vars(box)) for box in boxes)
        resettle(frame)
    return review


def resettle(frame: Frame, rule: Rule | None = None) -> SettledFrame | None:
    """Write what the frame's reviews now amount to; takes back what no longer holds."""
    rule = rule or Rule()
    latest = {
        review.reviewer_id or -review.pk: review
        for review in frame.reviews.order_by("pk").prefetch_related("boxes")
    }
    reached = settle([_statement(review, frame) for review in latest.values()], rule)
    if reached is None:
        SettledFrame.objects.filter(frame=frame).delete()
        return None
    settled, _ = SettledFrame.objects.update_or_create(
        frame=frame,
        defaults={
            "review_id": reached.statement.id,
            "readable": reached.statement.verdict != Verdict.UNREADABLE,
            "rule": rule.to_dict() | {"clause": reached.clause},
        },
    )
    return settled


def _statement(review: Review, frame: Frame) -> Statement:
    return Statement(
        id=review.pk,
        verdict=review.verdict,
        alone=review.alone,
        marks=tuple(
            Mark(
                box.label,
                box.x * frame.width,
                box.y * frame.height,
                box.w * frame.width,
                box.h * frame.height,
            )
            for box in review.boxes.all()
        ),
    )
