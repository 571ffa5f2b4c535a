"""Which persons people have drawn, for the door that lets pictures out: they are masked as well."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Value

from annotation.models import Draft, Review, ReviewBox, ReviewCount, SettledFrame
from detection.labels import Label
from detection.models import Frame
from detection.mosaic import Rect


def people(frame: Frame) -> Iterator[Rect]:
    """Person boxes of each reviewer's last word, and of what reviewers have drawn besides: who
    flags or skips a frame states no box, but has seen somebody there.

    Once somebody who may settle alone has spoken, only such words count: a box that was wrong
    must not hide the frame for good. Where persons were counted without boxes nobody knows where
    they are: the whole frame is one box.
    """
    settled = SettledFrame.objects.filter(frame=frame, rule__clause="alone").exists()
    last = Review.objects.latest_words().filter(frame=frame)
    heard = last.filter(alone=True) if settled else last
    stated = ReviewBox.objects.filter(review__in=heard, label=Label.PERSON)
    counted = ReviewCount.objects.filter(review__in=heard, label=Label.PERSON)
    nowhere = counted.values_list(*map(Value, (0.0, 0.0, 1.0, 1.0)))
    rows = stated.values_list("x", "y", "w", "h").union(nowhere)
    found = [Rect(*sides) for sides in rows.order_by("x", "y", "w", "h")]
    if not settled:
        drawn = Draft.objects.filter(frame=frame, boxes__isnull=False)
        for boxes in drawn.order_by("pk").values_list("boxes", flat=True):
            found += [
                Rect(each["x"], each["y"], each["w"], each["h"])
                for each in boxes or []
                if each["label"] == Label.PERSON
            ]
    yield from dict.fromkeys(found)  # a draft that was stated holds the boxes of the statement
