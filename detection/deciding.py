"""What people said of still things counts at that place for the rest of the season.

Told by whoever settles frames. Only boxes where nothing had changed are decided upon: who comes
and goes says nothing about the place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from detection import runs
from detection.models import Decision, Detection, Frame, Suppression
from detection.onnx.repeats import CAME, OVERLAP, overlap

_BESIDE = 0.1  # overlap with a stated box, below which a machine box was taken away and not moved

Stated = tuple[str, float, float, float, float]  # label, x, y, w, h as fractions


@dataclass(frozen=True)
class Word:
    """What is settled of a frame: the boxes stated, and the id of the run whose boxes were shown;
    None where there were none, or where the frame is settled no more or unreadable: then it says
    nothing.
    """

    frame: Frame
    run: int | None
    stated: Sequence[Stated] = ()


@transaction.atomic(savepoint=False)
def hear(words: Sequence[Word]) -> None:
    """Replace what these frames say of still things. Two queries where that is the same as before,
    however many frames there are.
    """
    frames = [word.frame.pk for word in words]
    before: dict[int, list[Decision]] = defaultdict(list)
    for each in Decision.objects.filter(frame__in=frames):
        before[each.frame_id].append(each)
    still: dict[tuple[int, int | None], list[Detection]] = defaultdict(list)
    shown = [word.run for word in words if word.run is not None]
    for box in (
        Detection.objects.sure()
        .filter(frame__in=frames, run__in=shown or [-1], evidence__lt=CAME)
        .select_related("suppression")
        .order_by("pk")
    ):
        still[box.frame_id, box.run_id].append(box)
    for word in words:
        told = _decisions(word, still[word.frame.pk, word.run])
        stood = before[word.frame.pk]
        if {_key(each) for each in stood} != {_key(each) for each in told}:
            _replace(word.frame, stood, told)


def _replace(frame: Frame, stood: Sequence[Decision], told: Sequence[Decision]) -> None:
    Decision.objects.filter(frame=frame).delete()
    deployment = frame.batch.deployment
    season = list(Decision.objects.filter(frame__batch__deployment=deployment))
    Decision.objects.bulk_create(told)
    # The tenth time that somebody takes away the same rock changes nothing.
    if stood or not all(_known(each, season) for each in told):
        runs.owe_weighing(deployment)


def _decisions(word: Word, still: Sequence[Detection]) -> list[Decision]:
    found = []
    for box in still:
        here = _corners(*_sides(box))
        same = [_corners(*sides) for label, *sides in word.stated if label == box.label]
        common = max((overlap(here, each) for each in same), default=0.0)
        if common >= OVERLAP:
            visitor = True
        elif common < _BESIDE and _was_shown(box):
            visitor = False
        else:
            continue
        x, y, w, h = _sides(box)
        found.append(
            Decision(frame=word.frame, label=box.label, x=x, y=y, w=w, h=h, visitor=visitor)
        )
    return found


def _was_shown(box: Detection) -> bool:
    """Nobody took away what is suppressed, unless it is because they did."""
    suppression = getattr(box, "suppression", None)
    return suppression is None or suppression.reason == Suppression.Reason.DISMISSED


def _known(one: Decision, season: Sequence[Decision]) -> bool:
    """Whether the season's last word on the place is the same already."""
    same = [
        each
        for each in season
        if each.label == one.label
        and overlap(_corners(*_sides(one)), _corners(*_sides(each))) >= OVERLAP
    ]
    return bool(same) and same[-1].visitor == one.visitor


def _key(one: Decision) -> tuple[str, float, float, float, float, bool]:
    return one.label, *_sides(one), one.visitor


def _sides(one: Decision | Detection) -> tuple[float, float, float, float]:
    return one.x, one.y, one.w, one.h


def _corners(x: float, y: float, w: float, h: float) -> tuple[float, float, float, float]:
    return x, y, x + w, y + h
