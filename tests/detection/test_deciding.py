"""What people said of a still thing counts for the season, on all cards of the deployment."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from annotation import reviewing
from annotation.reviewing import StatedBox
from dashboards.attendance import attendance
from detection import runs, tasks, weighing
from detection.cards import timing
from detection.models import Batch, Decision, Deployment, Detector, Frame, Run, Suppression
from lacs_web.models import Role, User
from tests.cast import person
from tests.factories import make_deployment, make_detector, make_frame

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 7, 26, 10, tzinfo=UTC)


def still(x: float, label: str = "person", evidence: float = 0.0) -> runs.Box:
    return runs.Box(label, label, 0.9, x, 0.5, 0.05, 0.1, evidence)


def card(deployment: Deployment, start: datetime, found: Sequence[Sequence[runs.Box]]) -> Run:
    """A card of its own with frames every quarter of an hour, and a finished run over it."""
    batch = Batch.objects.create(deployment=deployment)
    for number in range(len(found)):
        frame = make_frame(deployment, start + timedelta(minutes=15 * number))
        Frame.objects.filter(pk=frame.pk).update(batch=batch)
    run = runs.start_run(batch=batch, detector=make_detector(), options={}, user=None)
    token, rows = runs.take(run, len(found))
    light = np.zeros(192, np.int8).tobytes()
    for row, boxes in zip(rows, found, strict=True):
        assert runs.store(token=token, outcomes=[(row, runs.Outcome(boxes, light=light))])
    assert runs.finish_if_done(run)
    return run


def weigh_all() -> None:
    for pk in list(weighing.owed().values_list("pk", flat=True)):
        tasks.weigh(pk)


def suppressed(run: Run) -> list[tuple[float, str]]:
    rows = Suppression.objects.filter(detection__run=run).order_by("detection__x", "detection")
    return list(rows.values_list("detection__x", "reason"))


def read(frame: Frame, run: Run, ranger: User, verdict: str, *boxes: runs.Box) -> None:
    """A ranger's review, which settles a frame alone."""
    reviewing.submit(
        frame=frame, reviewer=ranger, request_id=uuid.uuid4(), verdict=verdict, run=run,
        boxes=[StatedBox(b.label, "", b.x, b.y, b.w, b.h) for b in boxes],
    )  # fmt: skip


def frames(run: Run) -> list[Frame]:
    return list(Frame.objects.filter(batch=run.batch).order_by("captured_at"))


def test_what_fires_on_two_cards_repeats_though_on_neither_alone() -> None:
    deployment = make_deployment(interval_seconds=900)
    first = card(deployment, NOON, [[still(0.2)], [still(0.2)]])
    weigh_all()
    assert suppressed(first) == []  # twice within half an hour proves nothing
    second = card(deployment, NOON + timedelta(days=1), [[still(0.2)], [still(0.2)], [still(0.2)]])
    third = card(deployment, NOON + timedelta(days=2), [[still(0.2)], [still(0.2)]])
    weigh_all()
    # Also on the first, which was weighed before the others came.
    assert [len(suppressed(run)) for run in (first, second, third)] == [2, 3, 2]


def test_another_deployments_cards_and_another_detectors_runs_say_nothing() -> None:
    deployment = make_deployment(interval_seconds=900)
    first = card(deployment, NOON, [[still(0.2)], [still(0.2)]])
    other = card(deployment, NOON + timedelta(days=1), [[still(0.2)] for _ in range(6)])
    another = Detector.objects.create(sha256="b" * 64, name="Another", layout="yolox")
    Run.objects.filter(pk=other.pk).update(detector=another)
    weigh_all()
    assert suppressed(first) == []


def test_a_rock_called_one_once_is_gone_for_the_season_and_comes_back_when_that_was_wrong() -> None:
    deployment = make_deployment(interval_seconds=900)
    ranger = person(Role.RANGER, deployment.lake)
    first = card(deployment, NOON, [[still(0.2)], [still(0.2), still(0.7, evidence=0.5)]])
    weigh_all()
    assert suppressed(first) == []
    read(frames(first)[0], first, ranger, "nobody")
    weigh_all()
    assert suppressed(first) == [(0.2, "dismissed")] * 2
    # A card that comes weeks later: the rock is gone at once, who stands before it is not.
    later = NOON + timedelta(days=40)
    second = card(deployment, later, [[still(0.2)], [still(0.2, evidence=0.6)]])
    weigh_all()
    assert suppressed(second) == [(0.2, "dismissed")]
    day = later.date()
    figures = attendance(deployment.lake, day, day)
    assert figures["machine_only_person_hours"] == pytest.approx(1 / 4)
    # Said of the very frame whose box is suppressed by now: it still holds.
    read(frames(first)[0], first, ranger, "nobody")
    assert Decision.objects.get().visitor is False
    # Looking again, they see that it was somebody who sat still.
    read(frames(first)[0], first, ranger, "boxes", still(0.2))
    weigh_all()
    assert suppressed(first) == suppressed(second) == []
    assert Decision.objects.get().visitor is True


def test_a_tent_that_was_confirmed_stays_for_the_season() -> None:
    """It stands for days where nothing changes: only a person can tell it from a rock."""
    deployment = make_deployment(interval_seconds=900)
    ranger = person(Role.RANGER, deployment.lake)
    days = [
        card(deployment, NOON + timedelta(days=n), [[still(0.4, "tent")] for _ in range(12)])
        for n in range(4)
    ]
    weigh_all()
    assert [len(suppressed(run)) for run in days] == [12] * 4
    read(frames(days[0])[3], days[0], ranger, "boxes", still(0.4, "tent"))
    weigh_all()
    assert [suppressed(run) for run in days] == [[]] * 4


def test_nothing_is_decided_on_who_moves_on_unreadable_frames_or_by_one_voice_alone() -> None:
    deployment = make_deployment(interval_seconds=900)
    ranger = person(Role.RANGER, deployment.lake)
    volunteer = person(Role.VOLUNTEER, deployment.lake)
    run = card(deployment, NOON, [[still(0.2, evidence=0.5)], [still(0.2)], [still(0.2)]])
    walked, foggy, unsettled = frames(run)
    read(walked, run, ranger, "nobody")
    read(foggy, run, ranger, "unreadable")
    read(unsettled, run, volunteer, "nobody")
    assert not Decision.objects.exists()


def test_what_was_said_goes_with_the_card_to_another_deployment() -> None:
    deployment = make_deployment(interval_seconds=900)
    right = make_deployment(deployment.lake, "right", interval_seconds=900)
    ranger = person(Role.RANGER, deployment.lake)
    moved = card(deployment, NOON, [[still(0.2)], [still(0.2)]])
    stays = card(deployment, NOON + timedelta(days=1), [[still(0.2)]])
    there = card(right, NOON + timedelta(days=2), [[still(0.2)]])
    read(frames(moved)[0], moved, ranger, "nobody")
    weigh_all()
    assert [len(suppressed(run)) for run in (moved, stays, there)] == [2, 1, 0]
    Batch.objects.update(closed_at=NOON)
    timing.hand_to(batch=moved.batch, deployment=right, user=ranger)
    weigh_all()
    assert [len(suppressed(run)) for run in (moved, stays, there)] == [2, 0, 1]


def test_a_narrow_stone_off_itself_by_a_knock_is_the_same_for_whoever_decides() -> None:
    """As when repeats are looked for: boxes are grown a little before they are compared."""
    deployment = make_deployment(interval_seconds=900)
    ranger = person(Role.RANGER, deployment.lake)

    def narrow(x: float) -> runs.Box:
        return runs.Box("person", "person", 0.9, x, 0.5, 0.004, 0.01, 0.0)

    run = card(deployment, NOON, [[narrow(0.2)], [narrow(0.2022)]])
    first, second = frames(run)
    read(first, run, ranger, "boxes", narrow(0.2022))
    assert Decision.objects.get().visitor is True
    weigh_all()
    read(second, run, ranger, "boxes", narrow(0.2022))
    assert Decision.objects.count() == 2
    assert not weighing.owed().exists()  # it is known already


def test_the_same_word_on_the_same_place_weighs_nothing_anew() -> None:
    deployment = make_deployment(interval_seconds=900)
    ranger = person(Role.RANGER, deployment.lake)
    run = card(deployment, NOON, [[still(0.2)], [still(0.2)]])
    read(frames(run)[0], run, ranger, "nobody")
    weigh_all()
    read(frames(run)[1], run, ranger, "nobody")
    assert Decision.objects.count() == 2
    assert not weighing.owed().exists()


@pytest.mark.django_db(transaction=True)
def test_decisions_and_kept_detectors_outlive_their_migration_and_its_way_back() -> None:
    deployment = make_deployment(interval_seconds=900)
    run = card(deployment, NOON, [[still(0.2)]])
    read(frames(run)[0], run, person(Role.RANGER, deployment.lake), "nobody")
    kept = {"detector": run.detector, "second_detector": run.detector, "detection": {"tile": 480}}
    Deployment.objects.update(**kept)
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        MigrationExecutor(connection).migrate([("detection", "0012_erased_frames")])
        with connection.cursor() as cursor:
            cursor.execute("SELECT deployment_id FROM detection_decision")
            assert cursor.fetchall() == [(deployment.pk,)]
            cursor.execute("SELECT detection->>'second' FROM detection_deployment")
            assert cursor.fetchall() == [(run.detector.sha256,)]
    finally:
        MigrationExecutor(connection).migrate(latest)
    assert Deployment.objects.filter(**kept).exists()
    assert Decision.objects.get().frame == frames(run)[0]
