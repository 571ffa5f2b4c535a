"""Runs of one deployment that several hands change at the same moment."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from threading import Event

import pytest
from django.db import transaction

from detection import runs
from detection.models import Batch, Run, RunFrame
from lacs_web.models import Role
from tests.cast import person
from tests.factories import examine, make_deployment, make_detector, make_frame
from tests.lacs_web.test_at_once import at_once

pytestmark = pytest.mark.django_db(transaction=True)
HANDS, TURNS = 3, 8


def test_runs_that_are_set_aside_while_others_end_do_not_wait_for_each_other() -> None:
    deployment = make_deployment()
    officer = person(Role.OFFICER, deployment.lake)

    def open_run() -> Run:
        batch = Batch.objects.create(deployment=deployment)
        return Run.objects.create(batch=batch, detector=make_detector())

    for _ in range(TURNS):
        works: list[Callable[[], bool]] = []
        for _ in range(HANDS):
            works.append(partial(runs.set_aside, run=open_run(), user=officer))
            works.append(partial(runs.finish_if_done, open_run()))
        assert [said for said in at_once(*works) if isinstance(said, Exception)] == []
    assert not runs.open_runs().exists()
    assert Run.objects.exclude(set_aside_at=None).count() == HANDS * TURNS


def test_a_run_counts_again_beside_one_that_is_just_being_started() -> None:
    frame = make_frame(make_deployment())
    late = make_frame(frame.deployment)
    run = examine(frame)
    RunFrame.objects.create(run=run, frame=late)
    Run.objects.filter(pk=run.pk).update(finished_at=None)
    officer = person(Role.OFFICER, frame.deployment.lake)
    runs.set_aside(run=run, user=officer)
    started = Event()

    def start() -> bool:
        with transaction.atomic():
            runs.start_run(batch=run.batch, detector=run.detector, options={}, user=officer)
            started.set()
            time.sleep(0.3)  # the other has looked, and waits to write
        return True

    def again() -> bool:
        assert started.wait(10)
        return runs.count_again(run=run, user=officer)

    said = at_once(start, again)
    assert said[0] is True
    assert isinstance(said[1], runs.AlreadyRunning)
    run.refresh_from_db()
    assert run.set_aside_at  # as it was
