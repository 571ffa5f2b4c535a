"""After a corrected clock every frame is dated as if it had come in with the right one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from detection import runs
from detection.cards import clock
from detection.cards.redate import redate
from detection.models import CardFile, Frame, RunFrame
from tests.factories import examine, make_deployment, make_detector, make_frame

pytestmark = pytest.mark.django_db
NOON = datetime(2025, 7, 1, 12, tzinfo=UTC)


def test_every_frame_is_dated_by_the_rule_of_new_ones() -> None:
    deployment = make_deployment(
        starts_at=datetime(2004, 1, 1, tzinfo=UTC), ends_at=timezone.now() + timedelta(days=30)
    )
    said = [
        NOON,
        NOON + timedelta(seconds=0.25),
        datetime(2000, 1, 1, tzinfo=UTC),
        datetime(2003, 12, 31, 23, tzinfo=UTC),
        timezone.now() + timedelta(days=3),
        timezone.now() + timedelta(days=90),
        datetime(2005, 1, 1, 1, 30, tzinfo=UTC),
    ]
    for clock_at in said:
        make_frame(deployment, clock_at=clock_at)
    make_frame(deployment, clock_at=NOON, clock_utc_offset_minutes=330)
    make_frame(deployment, clock_at=None, quarantine="no_date")
    deployment.clock_offset_minutes, deployment.clock_correction_seconds = 120, -75
    assert redate(deployment)["frames"] == 9
    for frame in Frame.objects.all():
        stated = frame.clock_utc_offset_minutes
        instant = frame.clock_at and clock.captured_at(
            frame.clock_at,
            offset_minutes=120 if stated is None else stated,
            correction_seconds=-75,
        )
        doubt = clock.doubt(
            instant,
            starts_at=deployment.starts_at,
            ends_at=deployment.ends_at,
            now=timezone.now(),
        )
        assert (frame.captured_at, frame.quarantine) == (None if doubt else instant, doubt)
    assert set(Frame.objects.values_list("quarantine", flat=True)) == {
        "", "no_date", "absurd", "future",
    }  # fmt: skip


def test_a_correction_is_undone_by_another() -> None:
    deployment = make_deployment()
    frame = make_frame(deployment, clock_at=NOON, captured_at=NOON - timedelta(hours=1))
    deployment.clock_correction_seconds = 86_400
    redate(deployment)
    deployment.clock_correction_seconds = 0
    redate(deployment)
    frame.refresh_from_db()
    assert (frame.clock_at, frame.captured_at) == (NOON, NOON - timedelta(hours=1))


def test_the_receipt_and_the_run_follow() -> None:
    deployment = make_deployment(ends_at=NOON + timedelta(days=1))
    late = make_frame(deployment, clock_at=NOON + timedelta(days=2), quarantine="outside")
    seen = make_frame(deployment, clock_at=NOON)
    file = CardFile.objects.create(
        batch=late.batch, path="late.jpg", size=1, sha256=late.sha256, state="quarantined",
        reason="outside", frame=late,
    )  # fmt: skip
    run = examine(seen)
    deployment.ends_at = None
    assert redate(deployment) == {"frames": 2, "quarantined": 0}
    file.refresh_from_db()
    run.refresh_from_db()
    assert (file.state, file.reason) == ("new", "")
    assert run.finished_at is None
    assert [row.frame_id for row in runs.owed(run)] == [late.pk]
    assert RunFrame.objects.filter(frame=seen).count() == 1
    deployment.ends_at = NOON + timedelta(days=1)
    assert redate(deployment) == {"frames": 2, "quarantined": 1}
    file.refresh_from_db()
    assert file.state == "quarantined"
    assert file.reason


def test_a_batch_that_no_run_was_started_for_is_left_to_the_sweep() -> None:
    deployment = make_deployment()
    make_detector()
    make_frame(deployment, quarantine="outside", clock_at=NOON)
    redate(deployment)
    assert not RunFrame.objects.exists()
