"""Celery's doorbell for figures and turns: what is owed lies in rows."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task

from dashboards import planning, rollups
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
