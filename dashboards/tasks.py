"""Celery's doorbell for figures, turns and kept exports: what is owed lies in rows."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task

from dashboards import kept, planning, rollups
from detection import claims, health
from detection.tasks import MOST_WAITING, ring
from lacs_web.models import Lake

log = logging.getLogger(__name__)
QUIET, LATEST = timedelta(seconds=20), timedelta(minutes=10)


@shared_task(name="dashboards.tasks.plan")
def plan() -> None:
    """Give out turns anew at the lakes where something was read, examined or weighed since."""
    for lake in Lake.objects.filter(pk__in=planning.owed()):
        try:
            planning.plan(lake=lake)
        except Exception:  # the other lakes are not to wait for this one
            log.exception("no turns for lake %s: what is owed stays so", lake.slug)


@shared_task(name="dashboards.tasks.keep_figures")
def keep_figures() -> None:
    """Make anew the figures of deployments where something changed and no more comes."""
    for deployment in rollups.owed(QUIET, LATEST):
        try:
            rollups.refresh(deployment, wait=False)
        except Exception:  # nor the other deployments for this one
            log.exception("no figures for deployment %s: what is owed stays so", deployment)


@shared_task(name="dashboards.tasks.make_export")
def make_export(export_id: int) -> None:
    """Go on with one kept export for a while; ring for the rest, after what else waits."""
    if kept.go_on(export_id):
        ring(make_export, export_id)


@shared_task(name="dashboards.tasks.sweep_exports")
def sweep_exports() -> None:
    """Ring again for exports that nobody is at: lost messages and killed workers end here."""
    kept.give_up_on_poison()
    if health.messages("ingest") < MOST_WAITING:
        for pk in claims.free(kept.owed()).values_list("pk", flat=True):
            ring(make_export, pk)


@shared_task(name="dashboards.tasks.tidy_exports")
def tidy_exports() -> None:
    """Let go what was kept for long enough."""
    kept.tidy()
