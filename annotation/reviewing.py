"""Stating a review, and re-settling its frame. Does not decide who is served which frame."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

from django.db import IntegrityError, connection, transaction

from annotation import drafts, queue
from annotation.models import Draft, Review, ReviewBox
from annotation.opinions import opinions, rule_of
from annotation.resettling import locked, outcome, write
from annotation.trust import Answers, bounds
from detection.labels import Verdict
from detection.models import Frame, Run
from lacs_web.access import Action, allows
from lacs_web.models import Lake, User


@dataclass(frozen=True)
class StatedBox:
    """x, y, w, h are fractions of the frame, from the top left."""

    label: str
    activity: str
    x: float
    y: float
    w: float
    h: float


_ANSWERS = """
SELECT a.key, a.value, count(*)
FROM annotation_judgement j
JOIN annotation_review r ON r.id = j.review_id
JOIN detection_frame f ON f.id = r.frame_id
CROSS JOIN jsonb_each_text(j.answers) a
WHERE j.reviewer_id = %(reviewer)s AND f.park_id = %(park)s
GROUP BY 1, 2
"""
STATED = [field.name for field in fields(StatedBox)]


class ContradictoryReview(ValueError):
    """A verdict that its boxes deny."""


class ReusedRequest(ValueError):
    """The request id belongs to another statement: somebody else's, or on another frame."""


def earlier(*, frame: Frame, reviewer: User, request_id: uuid.UUID) -> Review | None:
    """The review that this very request made before. Raises ReusedRequest."""
    found = Review.objects.filter(request_id=request_id).first()
    if found and (found.frame_id != frame.pk or found.reviewer_id != reviewer.pk):
        raise ReusedRequest
    return found


@transaction.atomic
def submit(
    *,
    frame: Frame,
    reviewer: User,
    request_id: uuid.UUID,
    verdict: str,
    boxes: Sequence[StatedBox] = (),
    seconds: float = 0.0,
    comment: str = "",
    run: Run | None = None,
    picked: bool = False,
    bare: bool = False,
) -> Review:
    """Append one review and settle the frame if the rule says so; harmless when repeated.

    A later review of the same reviewer replaces the earlier one, until another's vote has
    settled the frame: SettledByOthers, unless the reviewer may settle alone. Raises
    ContradictoryReview when boxes come with any verdict but "boxes", and ReusedRequest.
    """
    frame = locked(frame.pk)
    if repeated := earlier(frame=frame, reviewer=reviewer, request_id=request_id):
        return repeated
    alone = allows(reviewer, Action.SETTLE, frame.deployment.lake)
    before = frame.reviews.filter(reviewer=reviewer).order_by("-pk").first()
    if before and not alone and queue.settled_by_others(frame, reviewer):
        raise queue.SettledByOthers
    review = Review(
        frame=frame, reviewer=reviewer, request_id=request_id, verdict=verdict, alone=alone,
        run=run, seconds=seconds, comment=comment, picked=picked, bare=bare,
    )  # fmt: skip
    _append(review, boxes, before)
    return review


def _append(review: Review, boxes: Sequence[StatedBox], before: Review | None) -> None:
    """Write a review of a locked frame, after `before` of the same person, and what follows of it.

    Raises ContradictoryReview and ReusedRequest.
    """
    if boxes and review.verdict != Verdict.BOXES:
        raise ContradictoryReview("Boxes can only be stated with the verdict “boxes”.")
    frame, reviewer = review.frame, review.reviewer
    assert reviewer is not None  # noqa: S101
    lake = frame.deployment.lake
    review.author = before.author if before else uuid.uuid4()
    review.trust = {} if review.alone else bounds(trust_in(reviewer, lake))
    try:
        review.save(force_insert=True)
    except IntegrityError as error:  # on another frame, at this very moment
        if "request_id" in str(error):
            raise ReusedRequest from None
        raise
    ReviewBox.objects.bulk_create(ReviewBox(review=review, **vars(box)) for box in boxes)
    rule = rule_of(lake)
    write([outcome(opinions([frame])[frame.pk], rule)], rule)
    queue.let_go(frame=frame, reviewer=reviewer)


@transaction.atomic
def decide(
    *,
    desk: queue.Desk,
    frame: Frame,
    version: int,
    request_id: uuid.UUID,
    verdict: str,
    boxes: Sequence[dict[str, Any]],
    seconds: float,
    comment: str,
) -> tuple[Review, int]:
    """Submit what the reviewer has on their desk; returns the review and the draft's version.

    `boxes` as the editor holds them. Raises what `submit`, `queue.keep` and `drafts.save` raise.
    """
    frame = locked(frame.pk)
    if repeated := earlier(frame=frame, reviewer=desk.reviewer, request_id=request_id):
        draft = Draft.objects.filter(frame=frame, reviewer=desk.reviewer).first()
        return repeated, draft.version if draft else version
    draft, before = queue.keep(desk, frame)
    if draft is None:
        draft = drafts.serve(frames=[frame], reviewer=desk.reviewer)[frame.pk]
    # Who skips or flags keeps what they had drawn; who says "nobody" has said that it was wrong.
    kept = None if verdict not in (Verdict.BOXES, Verdict.NOBODY) else list(boxes)
    version = drafts.save(draft=draft, version=version, boxes=kept, open=False)
    review = Review(
        frame=frame, reviewer=desk.reviewer, request_id=request_id, verdict=verdict,
        alone=desk.settles, run_id=draft.run_id, seconds=seconds, comment=comment,
        picked=draft.picked, bare=draft.bare,
    )  # fmt: skip
    stated = [StatedBox(**{name: box[name] for name in STATED}) for box in boxes]
    _append(review, stated, before)
    return review, version


def trust_in(reviewer: User, lake: Lake) -> dict[str, Answers]:
    """Kind → how the reviewer's words compare with what others settled, at all lakes of the park.

    One query.
    """
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, {"reviewer": reviewer.pk, "park": lake.park_id})
        for kind, answer, number in cursor.fetchall():
            counts[kind][answer] = number
    return {kind: Answers(**each) for kind, each in counts.items()}
