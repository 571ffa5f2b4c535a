"""Celery's doorbell: what is due lies in rows (annotation/retention.py, calibrations.py)."""

from __future__ import annotations

import contextlib

from celery import shared_task
from kombu.exceptions import OperationalError

from annotation import calibrations, retention
from detection.models import Retention


@shared_task(name="annotation.tasks.purge")
def purge() -> None:
    """Purge what is due at every lake; cut off, the next hour goes on."""
    for rule in Retention.objects.select_related("lake"):
        while retention.purge(lake=rule.lake):
            pass


def purge_rest() -> None:
    """Have a worker go on at once; if Redis is away, the next hour does."""
    with contextlib.suppress(OperationalError):
        purge.apply_async(retry=False, expires=3600)


@shared_task(name="annotation.tasks.calibrate")
def calibrate() -> None:
    """Learn anew what scores are worth, wherever enough was settled since."""
    for deployment in calibrations.owed():
        calibrations.learn(deployment)
