"""What has been said of frames, by people and by the machine, as the rule takes it. Reads rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import OuterRef, Subquery

from annotation.models import LabelChoice, LakeRule, Review
from annotation.settling import Mark, Rule, Statement
from detection.labels import Verdict
from detection.models import Detection, Frame, RunFrame
from lacs_web.models import Lake

MACHINE = 0  # the id of the machine's statement; reviews count from 1


@dataclass
class Opinions:
    """The last word of each author on one frame, their statements, and the machine's."""

    frame: Frame
    reviews: list[Review] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    machine: Statement | None = None


def rule_of(lake: Lake) -> Rule:
    """The lake's rule. One query."""
    row = LakeRule.objects.filter(lake=lake).first()
    if row is None:
        return Rule()
    return Rule(row.least_iou, row.tiny_px, row.tiny_distance, row.least_trust)


def opinions(frames: Sequence[Frame]) -> dict[int, Opinions]:
    """Frame id → what was said of it. Four queries, however many frames there are.

    Reviews of one author are one voice, the last one, whether or not we still know whose.
    """
    found = {frame.pk: Opinions(frame) for frame in frames}
    latest: dict[tuple[int, object], Review] = {}
    words = Review.objects.standing().filter(frame__in=found).select_related("imported_from")
    for review in words.order_by("pk").prefetch_related("boxes"):
        latest[review.frame_id, review.author] = review
    for review in latest.values():
        one = found[review.frame_id]
        one.reviews.append(review)
        one.statements.append(
            Statement(
                id=review.pk,
                verdict=review.verdict,
                alone=review.alone,
                marks=marks(one.frame, review.boxes.all()),
                trust=review.trust,
                source=str(review.imported_from or ""),
            )
        )
    for pk, seen in _machine(list(found)).items():
        one = found[pk]
        one.machine = Statement(MACHINE, Verdict.BOXES.value, marks=marks(one.frame, seen))
    return found


def marks(frame: Frame, boxes: Iterable[object]) -> tuple[Mark, ...]:
    """Boxes of a review or a run (label, and fractions of the frame) in pixels."""
    return tuple(
        Mark(
            box.label,  # type: ignore[attr-defined]
            box.x * frame.width,  # type: ignore[attr-defined]
            box.y * frame.height,  # type: ignore[attr-defined]
            box.w * frame.width,  # type: ignore[attr-defined]
            box.h * frame.height,  # type: ignore[attr-defined]
        )
        for box in boxes
    )


def _machine(frames: list[int]) -> dict[int, list[Detection]]:
    """Frame id → boxes that count of the last run that read it; absent where none has."""
    done = RunFrame.objects.filter(frame=OuterRef("pk"), state=RunFrame.State.DONE)
    runs = dict(
        Frame.objects.filter(pk__in=frames).values_list(
            "pk", Subquery(done.order_by("-run").values("run")[:1])
        )
    )
    seen: dict[int, list[Detection]] = defaultdict(list)
    boxes = Detection.objects.counted().filter(frame__in=frames, label__in=LabelChoice.values)
    for box in boxes:
        if box.run_id == runs[box.frame_id]:
            seen[box.frame_id].append(box)
    return {pk: seen[pk] for pk, run in runs.items() if run}
