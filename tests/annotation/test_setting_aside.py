"""A run that was a mistake: it counts nowhere, shows nobody, and comes back as it was."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from annotation import doctor as settled
from annotation import drafts, queue
from annotation.models import Review, SettledFrame
from annotation.resettling import resettle
from dashboards import doctor as figures
from dashboards.attendance import attendance
from detection import renditions, runs, weighing
from detection.models import Detection, Frame, Run, RunFrame, Suppression
from lacs_web.models import AuditEvent, Role
from tests.annotation.test_queue import desk
from tests.cast import person
from tests.dashboards.survey import seen
from tests.factories import examine, make_deployment, make_frame

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
DAY = date(2025, 7, 26)


def second_run(frames: list[Frame], persons: int) -> Run:
    earlier = frames[0].batch.runs.get()
    run = Run.objects.create(
        batch=earlier.batch, detector=earlier.detector, finished_at=datetime.now(UTC)
    )
    for frame in frames:
        RunFrame.objects.create(run=run, frame=frame, state="done")
        Detection.objects.bulk_create(
            Detection(run=run, frame=frame, **vars(box)) for box in seen(persons)
        )
    return run


def test_a_run_that_was_a_mistake_counts_nowhere_until_it_counts_again(client: Client) -> None:
    deployment = make_deployment(interval_seconds=3600)
    frames = [make_frame(deployment, datetime(2025, 7, 26, hour, tzinfo=UTC)) for hour in (9, 10)]
    lake, alone = deployment.lake, make_frame(deployment, datetime(2025, 7, 26, 11, tzinfo=UTC))
    examine(*frames, boxes={frame.pk: seen(1) for frame in frames})
    run = second_run([*frames, alone], persons=4)
    late = make_frame(deployment, datetime(2025, 7, 26, 12, tzinfo=UTC))
    RunFrame.objects.create(run=run, frame=late)
    Run.objects.filter(pk=run.pk).update(finished_at=None)
    volunteer = person(Role.VOLUNTEER, lake)
    address = reverse("annotation:run-aside", args=[run.pk])
    client.force_login(person(Role.OFFICER, lake))
    client.cookies["django_language"] = "en"

    def state() -> tuple[object, ...]:
        told = attendance(lake, DAY, DAY)
        served = drafts.serve(frames=[*frames, alone], reviewer=volunteer)
        return (
            told["machine_only_person_hours"],
            told["machine_only_hours"],
            renditions.examined(alone),
            served[alone.pk].run_id,
            {served[frame.pk].run_id for frame in frames},
            queue.waiting(queue.Desk.of(volunteer, lake)).count(),
        )

    before = state()
    assert before == (12, 3, True, run.pk, {run.pk}, 3)
    client.post(address, {"aside": "1"})
    run.refresh_from_db()
    assert None not in (run.set_aside_at, run.finished_at)
    # The run before it counts again; what only the mistake had seen is masked whole.
    assert state() == (2, 2, False, None, {examine_of(frames[0])}, 2)
    assert Detection.objects.filter(run=run).count() == 12  # and mask
    assert runs.progress(run) == {"pending": 0, "done": 3, "failed": 1, "total": 4}
    assert not list(runs.batches_owed_a_run())  # nobody repeats the mistake unasked
    page = client.get(reverse("detection:run", args=[run.pk])).content.decode()
    assert "nothing that it found counts" in page
    assert "set aside" in client.get(reverse("detection:runs", args=["shore"])).content.decode()
    client.post(address, {"aside": "1"})
    client.post(address, {"aside": "0"})
    run.refresh_from_db()
    assert (run.set_aside_at, run.finished_at) == (None, None)
    assert list(runs.owed(run).values_list("frame", flat=True)) == [late.pk]
    assert state() == before
    assert [each.action for each in AuditEvent.objects.filter(lake=lake).order_by("pk")] == [
        "run set aside", "run counted again",
    ]  # fmt: skip
    assert not [found for check in (*figures.CHECKS, *settled.CHECKS) if (found := check())]


def test_what_repeats_stays_so_while_a_run_is_set_aside() -> None:
    frame = make_frame(make_deployment())
    run = examine(frame, boxes={frame.pk: seen(1)})
    box = Detection.objects.filter(run=run).latest("pk")
    Suppression.objects.create(detection=box, reason=Suppression.Reason.RECURS)
    runs.set_aside(run=run, user=person(Role.OFFICER, frame.deployment.lake))
    run.refresh_from_db()
    assert run.weigh_owed_at
    weighing.weigh(run)
    run.refresh_from_db()
    assert run.weigh_owed_at is None
    assert Suppression.objects.filter(detection=box).exists()


def examine_of(frame: Frame) -> int:
    return Run.objects.filter(batch=frame.batch).earliest("pk").pk


def test_a_frame_settled_with_the_word_of_a_mistake_is_open_again(client: Client) -> None:
    frame = make_frame(make_deployment())
    run = examine(frame)
    lake = frame.deployment.lake
    voice = desk(Role.VOLUNTEER, lake)
    review = trusted(frame, voice)
    assert SettledFrame.objects.get().review_id == review
    client.force_login(person(Role.OFFICER, lake))
    address = reverse("annotation:run-aside", args=[run.pk])
    client.post(address, {"aside": "1"})
    assert not SettledFrame.objects.exists()
    client.post(address, {"aside": "0"})
    assert SettledFrame.objects.get().review_id == review


def trusted(frame: Frame, by: queue.Desk) -> int:
    """A review of somebody who is trusted, as the machine says: settled by the two."""
    review = Review.objects.create(
        frame=frame, reviewer=by.reviewer, verdict="nobody", alone=False,
        request_id="0b9c4a52-6d2c-4f8e-9d3d-8d6a4be0a001",
        trust={"nobody": 0.99, "person": 0.99},
    )  # fmt: skip
    resettle(frame)
    return review.pk
