"""What scores are worth at each deployment, learnt from what people settled there.

Reviewers are shown the share beside a suggestion; no score, no count and no rule changes by it.
Frames that the detector learnt from tell nothing, as in annotation/candidates.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from django.conf import settings
from django.db.models import Count, Exists, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from annotation.models import LabelChoice, ReviewBox, SettledFrame, VerdictChoice
from annotation.opinions import marks, rule_of
from annotation.settling import match
from detection import calibrating
from detection.calibrating import Curve
from detection.models import (
    Calibration,
    Deployment,
    Detection,
    Frame,
    Run,
    RunFrame,
    TaughtFrame,
)

LEAST_FRAMES = 30  # settled, for a first curve
MORE = 1.2  # times as many settled frames, for another


def owed() -> list[Deployment]:
    """Deployments where enough was settled since scores were last looked at, or the last run has
    another detector or other settings. Four queries, however many deployments there are.
    """
    rows = SettledFrame.objects.filter(readable=True, frame__deployment__isnull=False)
    rows = rows.exclude(review__verdict=VerdictChoice.COUNTED)
    counted = rows.order_by().values_list("frame__deployment").annotate(n=Count("pk"))
    settled = {pk: n for pk, n in counted if n >= LEAST_FRAMES}
    runs = {run.batch.deployment_id: run for run in _last_runs(settled)}
    latest = Calibration.objects.filter(deployment__in=settled).order_by("deployment_id", "-pk")
    last = {each.deployment_id: each for each in latest.distinct("deployment_id")}
    due = [
        pk
        for pk, run in runs.items()
        if pk not in last or settled[pk] >= MORE * last[pk].settled or _how(last[pk]) != _how(run)
    ]
    return list(Deployment.objects.filter(pk__in=due).select_related("lake").order_by("pk"))


def _last_runs(deployments: Iterable[int]) -> list[Run]:
    done = Run.objects.filter(
        batch__deployment__in=deployments, finished_at__isnull=False, set_aside_at__isnull=True
    )
    ordered = done.order_by("batch__deployment_id", "-pk").distinct("batch__deployment_id")
    return list(ordered.select_related("batch"))


def _how(one: Run | Calibration) -> tuple[Any, ...]:
    return one.detector_id, one.second_detector_id, one.settings


def learn(deployment: Deployment) -> Calibration | None:
    """What the scores of the deployment's last run are worth; None without such a run."""
    found = _last_runs([deployment.pk])
    if not found:
        return None
    last = found[0]
    done = RunFrame.objects.filter(frame=OuterRef("pk"), state=RunFrame.State.DONE)
    taught = TaughtFrame.objects.filter(
        frame=OuterRef("pk"), detector__in=[last.detector_id, last.second_detector_id]
    )
    settled = Frame.objects.filter(deployment=deployment, settled__readable=True)
    settled = settled.exclude(settled__review__verdict=VerdictChoice.COUNTED)  # it has no boxes
    alike = Run.objects.filter(
        batch__deployment=deployment,
        detector=last.detector_id,
        second_detector=last.second_detector_id,
        settings=last.settings,
    )
    seen = settled.annotate(by=Subquery(done.order_by("-run").values("run")[:1]))
    frames = {
        frame.pk: frame
        for frame in seen.filter(~Exists(taught), by__in=alike).only("width", "height")
    }
    curves = _curves(deployment, frames)
    return Calibration.objects.create(
        deployment=deployment,
        detector_id=last.detector_id,
        second_detector_id=last.second_detector_id,
        settings=last.settings,
        frames=len(frames),
        settled=settled.count(),
        curves=curves,
        software=settings.VERSION,
    )


def _curves(deployment: Deployment, frames: dict[int, Any]) -> dict[str, Curve]:
    """Label → curve: each of the machine's boxes is right where it is one of those settled, by the
    rule that settled them. Suppressed boxes count nowhere, so they are left out.
    """
    rule = rule_of(deployment.lake)
    stated: dict[int, list[ReviewBox]] = defaultdict(list)
    reviews = SettledFrame.objects.filter(frame__in=frames).values("review")
    truth = ReviewBox.objects.filter(review__in=reviews)
    for box in truth.annotate(of=F("review__frame")):
        stated[box.of].append(box)
    found: dict[int, list[Detection]] = defaultdict(list)
    boxes = Detection.objects.filter(
        frame__in=frames, label__in=LabelChoice.values, suppression__isnull=True
    )
    for each in boxes:
        if each.run_id == frames[each.frame_id].by:
            found[each.frame_id].append(each)
    scores: dict[str, list[float]] = defaultdict(list)
    right: dict[str, list[bool]] = defaultdict(list)
    for pk, seen in found.items():
        for label in {each.label for each in seen}:
            mine = [each for each in seen if each.label == label]
            theirs = [each for each in stated[pk] if each.label == label]
            # The surest first, so that of two boxes on one person the surer is right.
            mine.sort(key=lambda each: -each.score)
            pairs = match(marks(frames[pk], mine), marks(frames[pk], theirs), rule)
            hit = {one for one, _ in pairs}
            scores[label] += [each.score for each in mine]
            right[label] += [place in hit for place in range(len(mine))]
    fitted = {
        label: calibrating.fit(np.array(scores[label]), np.array(right[label], bool))
        for label in sorted(scores)
    }
    return {label: curve for label, curve in fitted.items() if curve is not None}


def of_runs(runs: Iterable[int]) -> dict[int, dict[str, Curve]]:
    """Run → label → curve in force for its boxes; {} where there is none. One query."""
    beside = Coalesce("second_detector", 0)
    last = Calibration.objects.annotate(beside=beside).filter(
        deployment=OuterRef("batch__deployment"),
        detector=OuterRef("detector"),
        settings=OuterRef("settings"),
        beside=OuterRef("beside"),
    )
    in_force = Subquery(last.order_by("-pk").values("curves")[:1])
    told = Run.objects.filter(pk__in=runs).annotate(beside=beside, curves=in_force)
    return {pk: curves or {} for pk, curves in told.order_by().values_list("pk", "curves")}


def worth(curves: dict[str, Curve], box: Detection) -> float:
    """What reviewers are told of a suggestion: how many like it are right here, else its score."""
    curve = curves.get(box.label)
    return box.score if curve is None else float(calibrating.share(curve, box.score))
