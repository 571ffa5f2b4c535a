"""Celery's doorbell: each task takes ids, fetches, makes one call. What is owed lies in rows."""

from __future__ import annotations

import contextlib
import logging
import math
import time

from celery import shared_task
from kombu.exceptions import OperationalError

from detection import (
    choosing,
    claims,
    health,
    inference,
    registering,
    runs,
    shadowing,
    trying,
    weighing,
)
from detection.cards import judging, vault
from detection.cards.ingest import give_up_on_poison, ingest_some
from detection.models import Batch, CardFile, Detector, Run, Trial
from detection.onnx.runtime import ModelRefused
from lacs_web import stopping

log = logging.getLogger(__name__)
CHUNK = 100  # frames per message: one message per frame costs as much as the work
MOST_WAITING = 1000  # messages, beyond which sweeps ring for no more detection
MOST_RINGS = 16  # messages of one run at once: each that found work rings for the next chunk
SECONDS_BETWEEN_RINGS = 3.0
_rung: dict[int, float] = {}  # batch → when this process last rang for it, a monotonic clock


@shared_task(name="detection.tasks.ingest")
def ingest(batch_id: int) -> None:
    """Read what is stored of one batch until nothing is free."""
    batch = Batch.objects.select_related("deployment__lake", "deployment__camera").get(pk=batch_id)
    while ingest_some(batch) and not stopping.asked():
        pass
    if batch_id in judging.owed():
        judging.judge(batch)
        runs.owe_newly_dated(batch.deployment)  # what came late to a card that was examined
    start_owed_runs()


@shared_task(name="detection.tasks.detect")
def detect(run_id: int) -> None:
    """Examine one chunk of a run; leaves quietly when others hold all that is left.

    Without the very detector that the run was started with it waits, until the sweep rings again.
    """
    run = Run.objects.select_related("detector", "batch__deployment").get(pk=run_id)
    if run.finished_at is None and not run.paused:
        try:
            examined = inference.examine(run, limit=CHUNK)
        except ModelRefused as refusal:
            log.error("run %s waits: %s", run_id, refusal)
            return
        if not runs.finish_if_done(run) and examined:
            ring(detect, run_id)
        ring_to_weigh(run_id)


@shared_task(name="detection.tasks.shadow")
def shadow(candidate_id: int) -> None:
    """Show a candidate one chunk of settled frames; ring for the next, after what else waits."""
    candidate = shadowing.at_work().filter(pk=candidate_id).first()
    if candidate is None:
        return
    try:
        examined = shadowing.examine(candidate, limit=CHUNK)
    except ModelRefused as refusal:
        log.error("candidate %s waits: %s", candidate_id, refusal)
        return
    if not shadowing.finish_if_done(candidate) and examined:
        ring(shadow, candidate_id)


@shared_task(name="detection.tasks.weigh")
def weigh(run_id: int) -> None:
    """Say anew which boxes of a run do not count."""
    run = weighing.owed().filter(pk=run_id).first()
    if run is not None:
        weighing.weigh(run)


@shared_task(name="detection.tasks.try_out")
def try_out(trial_id: int) -> None:
    """Try detector and settings on a few frames, for somebody to look at."""
    trying.carry_out(trial_id)


@shared_task(name="detection.tasks.probe")
def probe(detector_id: int) -> None:
    """See on real pictures whether a detector is fed as it was made to be."""
    registering.probe_with_real_pictures(Detector.objects.get(pk=detector_id))


@shared_task(name="detection.tasks.sweep")
def sweep(by_clock: bool = False) -> None:
    """Ring again for every row that is owed work: lost messages and dead workers end here.

    Beat's messages (`by_clock`) never expire, so that none is lost while workers are busy; of those
    that have piled up, the first does the work of all. While no worker examines, messages for it
    must not fill Redis; those for reading go to the workers that carry out this sweep.
    """
    if by_clock and not health.is_time_to_sweep():
        return
    health.note_sweep()
    room = health.messages("inference") < MOST_WAITING
    give_up_on_poison()
    stored = claims.free(CardFile.objects.filter(state=CardFile.State.STORED))
    for batch_id in stored.order_by().values_list("batch", flat=True).distinct():
        ring(ingest, batch_id)
    for batch_id in judging.owed():
        ring(ingest, batch_id)
    vault.tidy()
    start_owed_runs()
    for run in runs.open_runs():
        runs.give_up_on_poison(run)
        if not runs.finish_if_done(run) and room:
            ring_for(run)
    for pk in weighing.owed().values_list("pk", flat=True):
        ring(weigh, pk)
    trying.give_up_on_poison()
    for candidate in shadowing.at_work():
        shadowing.give_up_on_poison(candidate)
        if not shadowing.finish_if_done(candidate) and room:
            ring(shadow, candidate.pk)
    if not room:
        return
    for pk in registering.owed_a_probe():
        ring(probe, pk)
    trials = claims.free(Trial.objects.filter(state=Trial.State.PENDING))
    for pk in trials.values_list("pk", flat=True):
        ring(try_out, pk)


def ring_to_weigh(*run_ids: int) -> None:
    """A message for each of these runs whose boxes are to be weighed anew."""
    for pk in weighing.owed().filter(pk__in=run_ids).values_list("pk", flat=True):
        ring(weigh, pk)


def start_owed_runs() -> None:
    """Start the deployment's detector, else the default, on what it was never shown; without one,
    detection waits.
    """
    default = Detector.objects.filter(is_default=True).first()
    for batch in runs.batches_owed_a_run().select_related(
        "deployment__lake", "deployment__detector", "deployment__second_detector"
    ):
        chosen = batch.deployment
        detector = chosen.detector or default
        if detector is None:
            continue
        # Another process was as quick, with a run or with a purge.
        with contextlib.suppress(runs.AlreadyRunning, runs.NothingToExamine):
            ring_for(
                runs.start_run(
                    batch=batch,
                    detector=detector,
                    second=chosen.second_detector,
                    options=chosen.detection or choosing.options(),
                    user=None,
                )
            )


def ring_for(run: Run) -> None:
    """A message for each chunk that nobody holds, up to MOST_RINGS."""
    chunks = math.ceil(claims.free(runs.owed(run)).count() / CHUNK)
    for _ in range(min(chunks, MOST_RINGS)):
        ring(detect, run.pk)


def ring_soon(batch_id: int) -> None:
    """Ring for one more file of a batch, but not for each of thousands: Redis must not fill."""
    now = time.monotonic()
    if now - _rung.get(batch_id, -math.inf) < SECONDS_BETWEEN_RINGS:
        return  # the next file rings, or closing does, or the sweep
    if len(_rung) > 1000:
        _rung.clear()
    _rung[batch_id] = now
    ring(ingest, batch_id)


def ring(task: object, row_id: int) -> None:
    """Send one message; if Redis is away, the next sweep rings again.

    They do not expire: a worker whose clock is ahead would throw each of them away unread.
    """
    try:
        task.apply_async((row_id,), retry=False)  # type: ignore[attr-defined]
    except OperationalError as problem:
        log.warning("the message broker is away, the sweep will ring again: %s", problem)
