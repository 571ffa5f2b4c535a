"""`manage.py import_reviews KIND FILE LAKE`: what was counted elsewhere becomes reviews."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation import importing
from annotation.importing import Asked, Report
from annotation.models import Import
from detection.cards.receive import spelt
from detection.management.printing import print_any_name
from detection.megadetector import Refused
from detection.models import Deployment
from lacs_web.models import Lake


class Command(BaseCommand):
    help = (
        "Bring in what people counted with another tool, as reviews that settle frames of a lake."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=Import.Kind.values)
        parser.add_argument("file", type=Path)
        parser.add_argument("lake", metavar="LAKE", help="short name")
        parser.add_argument("--deployment", metavar="SLUG", help="only frames of this deployment")
        parser.add_argument("--word", action="append", default=[], metavar="THEIRS=OURS",
                            help="what a word or column means: hiker=person")  # fmt: skip
        parser.add_argument("--empty-is-nobody", action="store_true",
                            help="pictures without boxes were looked at (COCO, YOLO)")  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="say what it would bring in")
        parser.add_argument("--json", action="store_true", help="as JSON")

    def handle(
        self, *, kind: str, file: Path, lake: str, deployment: str | None, **given: Any
    ) -> None:
        print_any_name(self.stdout)
        here = Lake.objects.filter(slug=lake).first()
        if here is None:
            raise CommandError(f"No lake “{lake}”.")
        place = Deployment.objects.filter(lake=here, slug=deployment).first()
        if deployment and place is None:
            raise CommandError(f"No deployment “{deployment}” at “{lake}”.")
        words = "\n".join(given["word"])
        asked = Asked(here, kind, file, spelt(file.name), words, given["empty_is_nobody"], place)
        try:
            report = (
                importing.preview(asked) if given["dry_run"] else importing.bring_in(asked, None)
            )
        except Refused as refused:
            raise CommandError(importing.refusal(refused)) from None
        except OSError as problem:
            raise CommandError(f"{spelt(str(file))}: {problem.strerror}") from None
        told = _told(report)
        self.stdout.write(json.dumps(told, indent=2) if given["json"] else _lines(told))
        if report.refusal and not report.made:
            raise CommandError(importing.refusal(report.refusal))


def _told(report: Report) -> dict[str, Any]:
    return {
        "file": report.file,
        "sha256": report.sha256,
        "kind": report.kind,
        "pictures": report.pictures,
        "frames": len(report.taken),
        "verdicts": dict(report.verdicts),
        "counts": [
            {"label": label, "activity": activity, "n": n} for label, activity, n in report.kinds
        ],
        "not_brought_in": [
            {"why": words, "n": n, "first": names} for words, n, names in report.reasons
        ],
        "import": report.made.pk if report.made else None,
    }


def _lines(told: dict[str, Any]) -> str:
    lines = [
        f"{told['file']} ({told['kind']}), SHA-256 {told['sha256']}",
        f"{told['frames']} frames of {told['pictures']} pictures: "
        + ", ".join(f"{n} {verdict}" for verdict, n in told["verdicts"].items()),
        *(
            f"  {each['n']} × {each['label']} {each['activity']}".rstrip()
            for each in told["counts"]
        ),
        *(
            f"  not brought in, {each['n']} {each['why']}"
            + (f": {', '.join(each['first'])}" if each["first"] else "")
            for each in told["not_brought_in"]
        ),
    ]
    if told["import"]:
        lines.append(f"import {told['import']}; to be taken back on the lake's page “Import”")
    return "\n".join(lines)
