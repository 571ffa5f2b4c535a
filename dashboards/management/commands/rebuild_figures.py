"""Make the kept figures anew from the frames, or say where they differ."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboards import rollups
from dashboards.models import Change
from detection.models import Deployment


class Command(BaseCommand):
    help = "Rebuild the figures kept for each day of LAKE, or of all lakes; --check only compares."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("lake", metavar="LAKE", nargs="?", help="short name of the lake")
        parser.add_argument(
            "--check", action="store_true", help="only compare; fail where they differ"
        )

    def handle(self, *, lake: str | None, check: bool, **options: Any) -> None:
        places = Deployment.objects.select_related("lake").order_by("pk")
        if lake:
            places = places.filter(lake__slug=lake)
            if not places:
                raise CommandError(f"No lake “{lake}” with a deployment.")
        wrong = 0
        for place in places:
            if not check:
                rollups.rebuild(place.pk)
                self.stdout.write(f"{place.slug}: rebuilt")
                continue
            if Change.objects.filter(deployment=place).exists():
                self.stdout.write(f"{place.slug}: changes are still to be worked off")
                continue
            found = rollups.differences(place)
            wrong += len(found)
            for line in found or [f"{place.slug}: as the frames say"]:
                self.stdout.write(line)
        if wrong:
            raise CommandError("Kept figures differ from the frames: run rebuild_figures.")
