"""`manage.py import_counters FILE LAKE`: the hours of pedestrian counters, from their CSV."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboards import counting
from dashboards.counting import Asked
from detection.cards.receive import spelt
from detection.management.printing import print_any_name
from detection.megadetector import Refused
from lacs_web.models import Lake


class Command(BaseCommand):
    help = "Read in the hours of pedestrian counters (Eco-Visio's CSV, or compteur;date;donnees)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("lake", metavar="LAKE", help="short name")
        parser.add_argument("--name", action="append", default=[], metavar="COLUMN=NAME",
                            help="its name here; COLUMN=- leaves it out")  # fmt: skip
        parser.add_argument("--winter", action="store_true", help="its clock stays on winter time")
        parser.add_argument("--replace", action="store_true",
                            help="hours that are known with another count")  # fmt: skip
        parser.add_argument("--dry-run", action="store_true", help="say what it holds")

    def handle(self, *, file: Path, lake: str, dry_run: bool, **given: Any) -> None:
        print_any_name(self.stdout)
        here = Lake.objects.filter(slug=lake).first()
        if here is None:
            raise CommandError(f"No lake “{lake}”.")
        asked = Asked(
            here, file, spelt(file.name), given["winter"], given["replace"],
            "\n".join(given["name"]),
        )  # fmt: skip
        try:
            report = counting.preview(asked) if dry_run else counting.bring_in(asked, None)
        except Refused as refused:
            raise CommandError(counting.refusal(refused)) from None
        except OSError as problem:
            raise CommandError(f"{spelt(str(file))}: {problem.strerror}") from None
        for one in report.counters:
            self.stdout.write(
                f"{one['counter']}: {one['hours']} hours, {one['passages']:g} passages"
            )
        other = "replaced" if given["replace"] else "left as they are"
        self.stdout.write(
            f"{len(report.new)} new hours, {report.same} known, {len(report.other)} known with "
            f"another count ({other})"
        )
        for words, n in report.reasons:
            self.stdout.write(f"  left out, {n} {words}")
