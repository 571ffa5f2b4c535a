"""`manage.py import_detections FILE --deployment SLUG`: detections made elsewhere become runs."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from detection import importing, tasks
from detection.cards.receive import spelt
from detection.importing import Report
from detection.management.printing import print_any_name
from detection.megadetector import Refused
from detection.models import Batch, Deployment


class Command(BaseCommand):
    help = "Bring in MegaDetector JSON (1.x) as runs over the cards of a deployment."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--deployment", required=True, metavar="SLUG")
        parser.add_argument("--card", type=int, metavar="ID", help="only frames of this card")
        parser.add_argument("--below", default="", metavar="FOLDER",
                            help="only images below this folder of the file")  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="say what it would bring in")

    def handle(
        self, *, file: Path, deployment: str, card: int | None, below: str, dry_run: bool, **_: Any
    ) -> None:
        print_any_name(self.stdout)
        place = Deployment.objects.select_related("lake").filter(slug=deployment).first()
        if place is None:
            raise CommandError(f"No deployment “{deployment}”.")
        batch = Batch.objects.filter(deployment=place, pk=card).first() if card else None
        if card and batch is None:
            raise CommandError(f"No card {card} of “{deployment}”.")
        asked: dict[str, Any] = {
            "deployment": place,
            "path": file,
            "name": spelt(file.name),
            "card": batch,
            "below": below,
        }
        try:
            if dry_run:
                report = importing.preview(**asked)
            else:
                report = importing.bring_in(user=None, **asked)
        except Refused as refused:
            raise CommandError(importing.refusal(refused)) from None
        except OSError as problem:
            raise CommandError(f"{spelt(str(file))}: {problem.strerror}") from None
        self.stdout.write(_told(report))
        if dry_run and report.refusal:
            raise CommandError(importing.refusal(report.refusal))
        tasks.ring_to_weigh(*(run.pk for run in report.runs))


def _told(report: Report) -> str:
    lines = [
        f"{report.head.detector}, format {report.head.version}, SHA-256 {report.sha256}",
        f"{report.matched} of {report.frames} frames named, {report.failed} of them failed; "
        f"of {report.images} images {len(report.unmatched)} of no frame here, "
        f"{len(report.twice)} of a frame named before, {len(report.ambiguous)} of one of several "
        f"frames, {report.unexamined} not examined",
        *(f"  no frame: {name}" for name in report.some_unmatched),
        *(f"  {name} → {ours or 'no class here'}: {n} boxes" for name, ours, n in report.classes),
    ]
    if report.boxes:
        lines.append(f"  scores {report.lowest:.3f} to {report.highest:.3f}")
    if report.flat:
        lines.append(f"  {report.flat} boxes without an area left out")
    if not report.finds_people:
        lines.append("It does not name everybody who must be masked: pictures stay masked whole.")
    lines += [f"run {run.pk}, card {run.batch_id}" for run in report.runs]
    return "\n".join(lines)
