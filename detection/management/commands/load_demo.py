"""The demo lake: a drawn card that goes the way of every ranger's card."""

from __future__ import annotations

import json
import tempfile
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand

from detection import runs
from detection.models import Camera, Deployment, Detector, Run
from lacs_web.models import Lake, Park

SLUG = "demo"


class Command(BaseCommand):
    help = "Load the demo lake, once: draw a card, import it, wait for its detection."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=int, default=300, help="seconds to wait for detection")

    def handle(self, *, wait: int, **options: Any) -> None:
        deployment = self._place()
        if deployment.batches.filter(closed_at__isnull=False).exists():
            self.stdout.write("The demo lake is already there.")
            return
        with tempfile.TemporaryDirectory(prefix="lacs-demo-") as folder:
            card = Path(folder) / "card"
            call_command("render_demo", str(card), stdout=self.stdout)
            truth = json.loads((card / "truth.json").read_text())
            deployment.interval_seconds = truth["interval_seconds"]
            deployment.clock_offset_minutes = truth["clock_offset_minutes"]
            deployment.save()
            # A card holds pictures; what was drawn on them is nothing that a ranger would have.
            call_command("import_batch", str(card / "DCIM"), deployment=SLUG, stdout=self.stdout)
        if Detector.objects.filter(is_default=True).exists():
            self._watch(deployment, wait)
        else:
            self.stdout.write("Detection waits for a model.")

    def _place(self) -> Deployment:
        park, _ = Park.objects.get_or_create(slug=SLUG, defaults={"name": "Demo"})
        lake, _ = Lake.objects.get_or_create(
            slug=SLUG, defaults={"name": "Demo lake", "park": park}
        )
        camera, _ = Camera.objects.get_or_create(
            park=park, serial="LACS-DEMO", defaults={"make": "LACS"}
        )
        deployment, _ = Deployment.objects.get_or_create(
            slug=SLUG,
            defaults={
                "lake": lake,
                "camera": camera,
                "viewpoint": "Drawn shore",
                "starts_at": datetime(2025, 6, 1, tzinfo=UTC),
            },
        )
        return deployment

    def _watch(self, deployment: Deployment, seconds: int) -> None:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            run = Run.objects.filter(batch__deployment=deployment).first()
            if run:
                counts = runs.progress(run)
                examined = counts["total"] - counts["pending"]
                self.stdout.write(f"Detection: {examined} of {counts['total']} frames")
                if run.finished_at:
                    return
            time.sleep(5)
        self.stdout.write("Detection goes on in the background.")
