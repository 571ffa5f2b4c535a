"""What the pages of deployments show, each list in a fixed number of queries."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    Model,
    OuterRef,
    Prefetch,
    Q,
    QuerySet,
    Subquery,
)
from django.db.models.functions import Coalesce
from django.utils import timezone

from detection import calibrating, choosing, wording
from detection.models import Batch, CardFile, Deployment, Frame, Run, RunFrame, Zone
from lacs_web.models import Lake

DAYLIGHT = 120  # mean luma of a well exposed picture
PACE_OVER = timedelta(minutes=5)
FAILURES = 5  # named with a run; its own page names more
LATEST = 200  # frames among which the picture to draw on is chosen: a day and a night of them


def deployments(lake: Lake) -> QuerySet[Deployment]:
    """Those of `lake`, newest first, each with its n_frames, n_batches, n_zones, last_frame_at."""
    dated = Frame.objects.filter(deployment=OuterRef("pk"), captured_at__isnull=False)
    return (
        Deployment.objects.filter(lake=lake)
        .select_related("lake", "camera")
        .annotate(
            n_frames=_count(Frame, "deployment"),
            n_batches=_count(Batch, "deployment"),
            n_zones=_count(Zone, "deployment"),
            last_frame_at=Subquery(dated.order_by("-captured_at").values("captured_at")[:1]),
        )
    )


def batches(deployment: Deployment) -> QuerySet[Batch]:
    """Those of `deployment`, newest first, with n_files, n_frames. One query."""
    return (
        Batch.objects.filter(deployment=deployment)
        .select_related("uploaded_by")
        .annotate(n_files=_count(CardFile, "batch"), n_frames=_count(Frame, "batch"))
    )


@dataclass(frozen=True)
class Work:
    """A run and how far it has come. `pace`: frames a second over the last PACE_OVER, None where
    nothing was examined; `minutes` left at that pace, None likewise or when it is not at work.
    """

    run: Run
    total: int
    done: int
    failed: int
    doubtful: int  # of which a problem is proposed
    pace: float | None
    minutes: int | None

    @property
    def examined(self) -> int:
        return self.done + self.failed

    @property
    def tiling(self) -> str:
        return tiling(self.run)

    @property
    def failures(self) -> list[RunFrame]:
        """The first of the frames that could not be examined."""
        return getattr(self.run, "some_failures", [])


def tiling(run: Run) -> str:
    """How the frames were looked at, as far as that is known here."""
    return "" if run.imported_from else str(choosing.tiling(run.settings).label)


def work(runs: QuerySet[Run]) -> list[Work]:
    """What each of `runs` has done, the latest first. Two queries."""
    state, now = RunFrame.State, timezone.now()
    lately = Q(run_frames__examined_at__gte=now - PACE_OVER)
    failed = RunFrame.objects.filter(state=state.FAILED).select_related("frame").order_by("pk")
    found = (
        runs.select_related("detector", "second_detector", "batch__deployment__lake", "started_by")
        .annotate(
            total=Count("run_frames"),
            done=Count("run_frames", filter=Q(run_frames__state__in=[state.DONE, state.ASIDE])),
            failed=Count("run_frames", filter=Q(run_frames__state=state.FAILED)),
            doubtful=Count("run_frames", filter=~Q(run_frames__problem="")),
            lately=Count("run_frames", filter=lately),
            since=Min("run_frames__examined_at", filter=lately),
            until=Max("run_frames__examined_at", filter=lately),
        )
        .prefetch_related(Prefetch("run_frames", failed[:FAILURES], to_attr="some_failures"))
        .order_by("-started_at", "-pk")
    )
    return [_work(run) for run in found]


def _work(run: Any) -> Work:
    pace = None
    if run.finished_at is None and run.lately > 1 and run.until > run.since:
        pace = (run.lately - 1) / (run.until - run.since).total_seconds()
    left = run.total - run.done - run.failed
    minutes = None if pace is None or run.paused else math.ceil(left / pace / 60)
    return Work(run, run.total, run.done, run.failed, run.doubtful, pace, minutes)


def picture_to_draw_on(deployment: Deployment) -> Frame | None:
    """The best lit of the latest frames that a detector has seen; else the latest of all.

    Not the sharpest: the noise of a dark frame counts as sharp.

    What no detector has seen is masked whole, and nothing could be drawn on it.
    """
    frames = Frame.objects.filter(deployment=deployment, captured_at__isnull=False)
    seen = RunFrame.objects.showing().filter(frame=OuterRef("pk"))
    latest = frames.filter(Exists(seen)).order_by("-captured_at")[:LATEST]
    best = min(latest.only("pk", "brightness", "width", "height"), key=_dullness, default=None)
    return best or frames.order_by("-captured_at").first()


def _dullness(frame: Frame) -> float:
    return abs(frame.brightness - DAYLIGHT)


def _count(model: type[Model], key: str) -> Coalesce:
    rows = model._default_manager.filter(**{key: OuterRef("pk")}).order_by()
    counted = rows.annotate(owner=F(key)).values("owner").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


SCORES = (0.1, 0.3, 0.5, 0.7, 0.9)  # of which a page says what they are worth


def worth(deployment: Deployment) -> dict[str, Any] | None:
    """What scores are worth there, in percent, as it is in force; None where nobody has looked
    yet. One query.
    """
    told = deployment.calibrations.select_related("detector").first()
    if told is None:
        return None
    rows = [
        {
            "name": wording.label(label),
            "right": curve["right"],
            "wrong": curve["wrong"],
            "shares": (100 * calibrating.share(curve, np.array(SCORES))).tolist(),
            "half": calibrating.score_for(curve, 0.5),
        }
        for label, curve in told.curves.items()
    ]
    return {"calibration": told, "rows": rows, "scores": SCORES}
