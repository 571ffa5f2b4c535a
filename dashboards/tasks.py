"""Celery's doorbell for figures and turns: what is owed lies in rows."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task

from dashboards import planning, rollups
from lacs_web.models import Lake

QUIET, LATEST = timedelta(seconds=20), timedelta(minutes=10)


@shared_task(name="dashboards.tasks.plan")
def plan() -> None:
    """Give out turns anew at the lakes where something was read, examined or weighed since."""
    owed = planning.owed()
    for lake in Lake.objects.filter(pk__in=owed):
        planning.plan(lake=lake, basis=owed[lake.pk])


@shared_task(name="dashboards.tasks.keep_figures")
def keep_figures() -> None:
    """Make anew the figures of deployments where something changed and no more comes."""
    for deployment in rollups.owed(QUIET, LATEST):
        rollups.refresh(deployment, wait=False)
