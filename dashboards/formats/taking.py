"""Frames with what people and machines said of them, in chunks: what box formats are made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet

from annotation.models import ReviewBox, ReviewCount, SettledFrame, VerdictChoice
from dashboards.periods import Period
from detection.models import Detection, Frame, RunFrame
from lacs_web.models import Lake

CHUNK = 500  # frames


@dataclass(frozen=True)
class Taken:
    """`settled`: None where people have not agreed. `machine`: what counts of the latest run, None
    where no detector has looked. Boxes' x, y, w, h are fractions of the frame.
    """

    frame: Frame
    settled: SettledFrame | None
    boxes: Sequence[ReviewBox]  # of the settled review
    machine: Sequence[Detection] | None
    detector: str = ""
    counts: Sequence[ReviewCount] = ()  # of the settled review, of what has no box


def of(lake: Lake, period: Period, *, settled: bool = False) -> QuerySet[Frame]:
    """The frames of `period`; `settled`: readable ones that people agreed on, of which each thing
    has its box.
    """
    zone = lake.zone
    found = Frame.objects.filter(
        deployment__lake=lake,
        captured_at__gte=datetime.combine(period.first, time(), zone),
        captured_at__lt=datetime.combine(period.last + timedelta(days=1), time(), zone),
    )
    if settled:
        found = found.filter(settled__readable=True)
        found = found.exclude(settled__review__verdict=VerdictChoice.COUNTED)
    return found


def frames(
    lake: Lake, period: Period, *, settled: bool = False, after: Sequence[Any] | None = None
) -> Iterator[Taken]:
    """Those of `of`, in the order of time; `after` the frame whose `place` that is.

    Five queries a chunk; nothing of the whole is held.
    """
    found = of(lake, period, settled=settled)
    if after:
        instant, pk = datetime.fromisoformat(after[0]), after[1]
        found = found.filter(Q(captured_at__gt=instant) | Q(captured_at=instant, pk__gt=pk))
    rows = found.select_related("deployment__lake").order_by("captured_at", "pk")
    walk = rows.iterator(chunk_size=CHUNK)
    while chunk := list(islice(walk, CHUNK)):
        yield from _chunk(chunk)


def place(frame: Frame) -> list[Any]:
    """Where `frame` stands in the order of time, as JSON holds it."""
    assert frame.captured_at is not None  # noqa: S101 - those of a period are dated
    return [frame.captured_at.isoformat(), frame.pk]


def _chunk(chunk: Sequence[Frame]) -> Iterator[Taken]:
    agreed = {each.frame_id: each for each in SettledFrame.objects.filter(frame__in=chunk)}
    boxes: dict[int, list[ReviewBox]] = {}
    for box in ReviewBox.objects.filter(
        review__in=[each.review_id for each in agreed.values()]
    ).order_by("pk"):
        boxes.setdefault(box.review_id, []).append(box)
    counts: dict[int, list[ReviewCount]] = {}
    for count in ReviewCount.objects.filter(
        review__in=[each.review_id for each in agreed.values()]
    ).order_by("pk"):
        counts.setdefault(count.review_id, []).append(count)
    looked = {
        each.frame_id: each
        for each in RunFrame.objects.filter(frame__in=chunk, state=RunFrame.State.DONE)
        .select_related("run__detector")
        .order_by("frame_id", "-run_id")
        .distinct("frame_id")
    }
    seen: dict[tuple[int, int], list[Detection]] = {}
    for one in (
        Detection.objects.counted()
        .filter(frame__in=chunk, run__in={each.run_id for each in looked.values()})
        .order_by("pk")
    ):
        seen.setdefault((one.frame_id, one.run_id), []).append(one)
    for frame in chunk:
        mine, run = agreed.get(frame.pk), looked.get(frame.pk)
        yield Taken(
            frame,
            mine,
            boxes.get(mine.review_id, []) if mine else [],
            seen.get((frame.pk, run.run_id), []) if run else None,
            str(run.run.detector) if run else "",
            counts.get(mine.review_id, []) if mine else [],
        )
