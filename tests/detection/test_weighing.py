"""Boxes that do not count: in zones to ignore at once, repeats once a run is finished."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.utils import timezone

from annotation import drafts
from annotation.presenting import boxes_of
from dashboards.attendance import attendance
from detection import placing, runs, tasks, weighing
from detection.models import Deployment, Detection, Run, RunFrame, Suppression
from detection.zoning import Drawn
from lacs_web.models import Role
from tests.cast import person
from tests.factories import make_deployment, make_detector, make_frame

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 7, 26, 10, tzinfo=UTC)
LEFT = Drawn("ignore", ((0.0, 0.0), (0.4, 0.0), (0.4, 1.0), (0.0, 1.0)))
RIGHT = Drawn("ignore", ((0.6, 0.0), (1.0, 0.0), (1.0, 1.0), (0.6, 1.0)))


def box(x: float, evidence: float | None = None) -> runs.Box:
    return runs.Box("person", "person", 0.9, x, 0.5, 0.05, 0.1, evidence)


def run_over(deployment: Deployment, found: list[list[runs.Box]], hours: float = 0.25) -> Run:
    """A run as a worker does it, over frames `hours` apart, with these boxes."""
    for number in range(len(found)):
        make_frame(deployment, NOON + timedelta(hours=hours * number))
    batch = deployment.batches.get()
    run = runs.start_run(batch=batch, detector=make_detector(), options={}, user=None)
    token, rows = runs.take(run, len(found))
    light = np.zeros(192, np.int8).tobytes()
    for row, boxes in zip(rows, found, strict=True):
        outcome = runs.Outcome(boxes, light=light)
        zones = runs.ignored(deployment)
        assert runs.store(token=token, outcomes=[(row, outcome)], ignored=zones)
    return run


def suppressed(run: Run) -> list[tuple[float, str]]:
    rows = Suppression.objects.filter(detection__run=run).order_by("detection__x", "detection")
    return list(rows.values_list("detection__x", "reason"))


def draw(deployment: Deployment, *zones: Drawn) -> None:
    placing.draw(
        deployment=deployment,
        zones=zones,
        seen=placing.fingerprint(deployment),
        user=person(Role.OFFICER, deployment.lake),
    )


def test_a_zone_to_ignore_holds_from_the_first_frame_and_follows_what_is_drawn() -> None:
    deployment = make_deployment()
    draw(deployment, LEFT)
    run = run_over(deployment, [[box(0.1), box(0.7)]])
    assert suppressed(run) == [(0.1, "ignored")]  # before anything was weighed
    draw(deployment, RIGHT)
    tasks.weigh(run.pk)
    assert suppressed(run) == [(0.7, "ignored")]
    tasks.weigh(run.pk)  # nothing is owed any more
    draw(deployment)
    tasks.weigh(run.pk)
    assert suppressed(run) == []
    assert Detection.objects.count() == 2  # none is lost


def test_what_was_asked_for_meanwhile_is_still_owed() -> None:
    deployment = make_deployment()
    run = run_over(deployment, [[box(0.1)]])
    runs.owe_weighing(deployment)
    stale = weighing.owed().get()
    draw(deployment, LEFT)
    Suppression.objects.all().delete()
    Run.objects.filter(pk=run.pk).update(weigh_owed_at=timezone.now())
    weighing.weigh(stale)
    assert weighing.owed().filter(pk=run.pk).exists()
    tasks.weigh(run.pk)
    assert suppressed(run) == [(0.1, "ignored")]
    assert not weighing.owed().exists()


def test_a_rock_is_suppressed_and_who_comes_is_not_in_figures_and_suggestions() -> None:
    """A rock in every frame of ten hours, where nothing differs; a visitor in one of them."""
    deployment = make_deployment(interval_seconds=900)
    found = [[box(0.2, evidence=0.0)] for _ in range(40)]
    found[20].append(box(0.7, evidence=0.6))
    run = run_over(deployment, found)
    day = NOON.date()
    before = attendance(deployment.lake, day, day)["machine_only_person_hours"]
    assert before == pytest.approx(41 / 4)
    assert runs.finish_if_done(run)
    tasks.weigh(run.pk)
    assert suppressed(run) == [(0.2, "recurs")] * 40
    after = attendance(deployment.lake, day, day)["machine_only_person_hours"]
    assert after == pytest.approx(1 / 4)
    reader = person(Role.RANGER, deployment.lake)
    frames = [row.frame for row in RunFrame.objects.select_related("frame").order_by("frame")]
    served = drafts.serve(frames=frames, reviewer=reader)
    suggested = boxes_of(list(served.values()))
    assert [len(suggested[frame.pk]) for frame in frames] == [n == 20 for n in range(40)]
    runs.owe_weighing(deployment)
    tasks.weigh(run.pk)  # anew: the same
    assert suppressed(run) == [(0.2, "recurs")] * 40


def test_repeats_wait_until_the_run_is_finished() -> None:
    deployment = make_deployment()
    run = run_over(deployment, [[box(0.2, evidence=0.0)] for _ in range(40)])
    runs.owe_weighing(deployment)
    tasks.weigh(run.pk)
    assert suppressed(run) == []
