"""Which persons people have drawn, for the door that lets pictures out: they are masked as well."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, Value

from annotation.models import Draft, Review, ReviewBox, ReviewCount, SettledFrame
from detection.labels import Label
from detection.models import Frame
from detection.mosaic import Rect


def people(frames: Sequence[Frame]) -> dict[int, list[Rect]]:
    """Person boxes, by frame, of each reviewer's last word, and of what reviewers have drawn
    besides: who flags or skips a frame states no box, but has seen somebody there.

    Once somebody who may settle alone has spoken, only such words count: a box that was wrong
    must not hide the frame for good. Where persons were counted without boxes nobody knows where
    they are: the whole frame is one box.
    """
    alone = SettledFrame.objects.filter(frame__in=frames, rule__clause="alone")
    settled = set(alone.values_list("frame", flat=True))
    last = Review.objects.latest_words().filter(frame__in=frames)
    heard = last.filter(Q(alone=True) | ~Q(frame__in=settled))
    stated = ReviewBox.objects.filter(review__in=heard, label=Label.PERSON)
    counted = ReviewCount.objects.filter(review__in=heard, label=Label.PERSON)
    nowhere = counted.values_list("review__frame", *map(Value, (0.0, 0.0, 1.0, 1.0)))
    rows = stated.values_list("review__frame", "x", "y", "w", "h").union(nowhere)
    # What is repeated counts once: a draft that was stated holds the boxes of the statement.
    found: dict[int, dict[Rect, None]] = {}
    for pk, *box in rows.order_by("review__frame", "x", "y", "w", "h"):
        found.setdefault(pk, {})[Rect(*box)] = None
    if unsettled := [frame for frame in frames if frame.pk not in settled]:
        drawn = Draft.objects.filter(frame__in=unsettled, boxes__isnull=False)
        for pk, boxes in drawn.order_by("pk").values_list("frame", "boxes"):
            for each in boxes or []:
                if each["label"] == Label.PERSON:
                    rect = Rect(each["x"], each["y"], each["w"], each["h"])
                    found.setdefault(pk, {})[rect] = None
    return {pk: list(rects) for pk, rects in found.items()}
