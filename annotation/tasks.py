"""Celery's doorbell for retention: what is due lies in rows (annotation/retention.py)."""

from __future__ import annotations

import contextlib

from celery import shared_task
from kombu.exceptions import OperationalError

from annotation import retention
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
