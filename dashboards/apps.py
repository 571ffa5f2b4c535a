"""The app; on its start it tells what else must go when pictures or rows go."""

from __future__ import annotations

from django.apps import AppConfig
from django.db.models.signals import post_delete


class DashboardsConfig(AppConfig):
    name = "dashboards"

    def ready(self) -> None:
        from dashboards import kept
        from dashboards.models import KeptExport
        from detection.cards.purging import also_forget

        also_forget(kept.forget)
        # Also when its lake or its person is deleted.
        post_delete.connect(kept.discard, sender=KeptExport)
