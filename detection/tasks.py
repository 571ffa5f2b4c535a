"""Celery's doorbell: each task takes ids, fetches, makes one call. What is owed lies in rows."""

from __future__ import annotations

import logging
import math

from celery import shared_task
from django.conf import settings
from kombu.exceptions import OperationalError

from detection import claims, inference, runs
from detection.cards.ingest import ingest_some
from detection.models import Batch, CardFile, Detector, Run
from detection.onnx.engine import DetectorSettings

log = logging.getLogger(__name__)
CHUNK = 50  # frames per message: one message per frame costs as much as the work
MOST_RINGS = 16  # messages of one run at once: each that found work rings for the next chunk


@shared_task(name="detection.tasks.ingest")
def ingest(batch_id: int) -> None:
    """Read what is stored of one batch until nothing is free."""
    batch = Batch.objects.get(pk=batch_id)
    while ingest_some(batch):
        pass
    start_owed_runs()


@shared_task(name="detection.tasks.detect")
def detect(run_id: int) -> None:
    """Examine one chunk of a run; leaves quietly when others hold all that is left."""
    run = Run.objects.select_related("detector", "batch__deployment").get(pk=run_id)
    if run.finished_at is None and not run.paused:
        examined = inference.examine(run, limit=CHUNK)
        if not runs.finish_if_done(run) and examined:
            ring(detect, run_id)


@shared_task(name="detection.tasks.sweep")
def sweep() -> None:
    """Ring again for every row that is owed work: lost messages and dead workers end here."""
    stored = claims.free(CardFile.objects.filter(state=CardFile.State.STORED))
    for batch_id in stored.order_by().values_list("batch", flat=True).distinct():
        ring(ingest, batch_id)
    start_owed_runs()
    for run in runs.open_runs():
        runs.give_up_on_poison(run)
        if not runs.finish_if_done(run):
            ring_for(run)


def start_owed_runs() -> None:
    """Start the default detector on what it was never shown; without one, detection waits."""
    detector = Detector.objects.filter(is_default=True).first()
    if detector is None:
        return
    for batch in runs.batches_owed_a_run().select_related("deployment__lake"):
        options = DetectorSettings().to_dict()
        ring_for(runs.start_run(batch=batch, detector=detector, options=options, user=None))


def ring_for(run: Run) -> None:
    """A message for each chunk that nobody holds, up to MOST_RINGS."""
    chunks = math.ceil(claims.free(runs.owed(run)).count() / CHUNK)
    for _ in range(min(chunks, MOST_RINGS)):
        ring(detect, run.pk)


def ring(task: object, row_id: int) -> None:
    """Send one message; if Redis is away, the next sweep rings again.

    Messages that sweeps have since repeated are thrown away unread: Redis must not fill.
    """
    try:
        task.apply_async(  # type: ignore[attr-defined]
            (row_id,), retry=False, expires=2 * settings.SWEEP_SECONDS
        )
    except OperationalError as problem:
        log.warning("the message broker is away, the sweep will ring again: %s", problem)
