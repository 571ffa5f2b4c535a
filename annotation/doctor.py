"""What does not fit together in reviews: settled frames out of step with what people said."""

from __future__ import annotations

from django.db import transaction

from annotation import resettling
from annotation.models import Review, SettledFrame
from annotation.opinions import opinions, rule_of
from detection.doctor import Finding
from detection.labels import Verdict
from detection.models import Frame


def settled_out_of_step() -> Finding | None:
    """Frames whose settled truth is not what their reviews amount to."""
    spoken = Frame.objects.filter(
        pk__in=Review.objects.values("frame").union(SettledFrame.objects.values("frame"))
    )
    wrong = [
        frame
        for frame in spoken.select_related("deployment__lake").order_by("pk").iterator()
        if _is_wrong(frame)
    ]
    if not wrong:
        return None

    def mend() -> int:
        for frame in wrong:
            with transaction.atomic():
                resettling.resettle(resettling.locked(frame.pk))
        return len(wrong)

    return Finding(
        "settled frames out of step with their reviews",
        [f"frame {frame.pk}" for frame in wrong],
        "Figures count them wrongly. --mend settles them anew from the reviews.",
        mend,
    )


def _is_wrong(frame: Frame) -> bool:
    stands = SettledFrame.objects.filter(frame=frame).values_list("review", "readable").first()
    found = resettling.outcome(opinions([frame])[frame.pk], rule_of(frame.deployment.lake))
    reached = found.settlement and (
        found.settlement.statement.id,
        found.settlement.statement.verdict != Verdict.UNREADABLE,
    )
    return stands != reached


CHECKS = [settled_out_of_step]
