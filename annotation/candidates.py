"""A candidate and the detector at work, held against what people settled. Reads rows.

Both are taken before anything that repeats is suppressed: that is done once a detector is at work.
Boxes match as statements do, by the lake's rule. Boxes in zones to ignore count on no side.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from annotation.models import LabelChoice, ReviewBox, SettledFrame, VerdictChoice
from annotation.opinions import marks, rule_of
from annotation.settling import Mark, Rule, match
from detection.contesting import MEASURES, Contest, Settled, contest
from detection.labels import COUNTED_SCORE
from detection.measuring import Judged
from detection.models import (
    Candidate,
    CandidateFrame,
    Deployment,
    Detection,
    Detector,
    Frame,
    RunFrame,
    TaughtFrame,
    Zone,
)
from detection.zoning import Polygon, stands_in


@dataclass
class Held:
    """The comparison for one class, the classes there are, and the detectors at work so far."""

    contest: Contest
    labels: list[str]
    at_work: list[str]
    places: dict[int, Deployment] = field(default_factory=dict)


def settled(deployment: Deployment, *detectors: Detector | None) -> QuerySet[Frame]:
    """What a candidate of these `detectors` may be shown: nothing that they learnt from."""
    taught = TaughtFrame.objects.filter(
        frame=OuterRef("pk"), detector__in=[each.pk for each in detectors if each is not None]
    )
    readable = Frame.objects.filter(~Exists(taught), deployment=deployment, settled__readable=True)
    return readable.exclude(settled__review__verdict=VerdictChoice.COUNTED)  # it has no boxes


def hold(candidate: Candidate, label: str) -> Held:
    """`candidate`, and where the same was finished at other deployments of the lake, these too.
    Eight queries, however many frames there are.
    """
    lake = candidate.deployment.lake
    same = Candidate.objects.filter(
        deployment__lake=lake,
        detector=candidate.detector_id,
        second_detector=candidate.second_detector_id,
        settings=candidate.settings,
        finished_at__isnull=False,
    ).select_related("deployment")
    latest = {each.deployment_id: each for each in same.order_by("pk")}
    latest[candidate.deployment_id] = candidate
    seen = CandidateFrame.objects.filter(
        candidate__in=[each.pk for each in latest.values()],
        state=CandidateFrame.State.DONE,
        frame__settled__readable=True,
        frame__captured_at__isnull=False,
        frame__deployment=F("candidate__deployment"),
    ).select_related("frame")
    seen = seen.exclude(frame__settled__review__verdict=VerdictChoice.COUNTED)
    new = {row.frame_id: row for row in seen}
    frames, names = _old(list(new))
    stated = _stated(frames)
    rule = rule_of(lake)
    zones: dict[int, list[Polygon]] = defaultdict(list)
    for zone in Zone.objects.filter(deployment__in=latest, kind=Zone.Kind.IGNORE):
        zones[zone.deployment_id].append(zone.polygon)
    rows, labels = [], set()
    for pk, old in frames.items():
        frame = new[pk].frame
        assert frame.captured_at is not None  # noqa: S101 - those without are left out above
        ignored = zones[frame.deployment_id]
        found = [SimpleNamespace(**box) for box in new[pk].boxes if box["score"] >= COUNTED_SCORE]
        truth, one, other = (_marks(frame, boxes, ignored) for boxes in (stated[pk], old, found))
        labels |= {mark.label for mark in (*truth, *one, *other)}
        truth, one, other = (
            [mark for mark in each if mark.label == label] for each in (truth, one, other)
        )
        day = frame.captured_at.astimezone(lake.zone).date()
        rows.append(
            Settled(
                frame.deployment_id, day, _judged(one, truth, rule), _judged(other, truth, rule)
            )
        )
    return Held(
        contest(rows, candidate.deployment_id),
        [each for each in LabelChoice.values if each in labels],
        names,
        {pk: each.deployment for pk, each in latest.items()},
    )


def figures(held: Held) -> dict[str, Any]:
    """What a decision rests on, for the audit trail."""
    found: dict[str, Any] = {"frames": held.contest.frames, "camera_days": held.contest.days}
    if held.contest.frames:
        for name in MEASURES:
            measure = getattr(held.contest.rows[0], name)
            apart = measure.difference
            found[name] = [
                None if each is None else round(each, 4)
                for each in (measure.old.at, measure.new.at, apart.low, apart.high)
            ]
    return found


def _old(frames: Sequence[int]) -> tuple[dict[int, list[Detection]], list[str]]:
    """Frame id → sure boxes of the last run that examined it, absent where none has or one of its
    detectors learnt from that frame; and the names of those runs' detectors.
    """

    def last(frame: str, of: str) -> Subquery:
        done = RunFrame.objects.filter(frame=OuterRef(frame), state=RunFrame.State.DONE)
        return Subquery(done.order_by("-run").values(of)[:1])

    runs: dict[int, int] = {}
    names: dict[str, None] = {}
    taught = TaughtFrame.objects.filter(
        Q(detector=last("frame", "run__detector"))
        | Q(detector=last("frame", "run__second_detector")),
        frame=OuterRef("pk"),
    )
    told = Frame.objects.filter(~Exists(taught), pk__in=frames).order_by("captured_at", "pk")
    for pk, run, name in told.values_list(
        "pk",
        last("pk", "run"),
        last("pk", "run__detector__name"),
    ):
        if run is not None:
            runs[pk] = run
            names[name] = None
    found: dict[int, list[Detection]] = {pk: [] for pk in runs}
    for box in Detection.objects.sure().filter(frame__in=found, run__in=set(runs.values())):
        if box.run_id == runs[box.frame_id]:
            found[box.frame_id].append(box)
    return found, list(names)


def _stated(frames: Iterable[int]) -> dict[int, list[ReviewBox]]:
    """Frame id → boxes of the review that settled it."""
    by_review = dict(
        SettledFrame.objects.filter(frame__in=list(frames)).values_list("review", "frame")
    )
    found: dict[int, list[ReviewBox]] = defaultdict(list)
    for box in ReviewBox.objects.filter(review__in=list(by_review)):
        found[by_review[box.review_id]].append(box)
    return found


def _marks(frame: Frame, boxes: Iterable[Any], ignored: Sequence[Polygon]) -> list[Mark]:
    kept = [
        box
        for box in boxes
        if box.label and not any(stands_in(box, polygon) for polygon in ignored)
    ]
    return list(marks(frame, kept))


def _judged(found: Sequence[Mark], truth: Sequence[Mark], rule: Rule) -> Judged:
    of = np.full(len(found), -1, np.int64)
    for mine, theirs in match(found, truth, rule):
        of[mine] = theirs
    heights = np.array([mark.h for mark in found], np.float32)
    tall = np.array([mark.h for mark in truth], np.float32)
    return Judged(np.ones(len(found), np.float32), heights, of >= 0, of, tall)
