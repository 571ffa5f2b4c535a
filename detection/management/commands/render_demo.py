"""`manage.py render_demo FOLDER`: a drawn SD card with the truth beside it; needs no database."""

from __future__ import annotations

import json
import re
from argparse import ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from detection.scenes.card import FolderNotEmptyError, write_card
from detection.scenes.model import View


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{3,4})x(\d{3,4})", text)
    if not found:
        raise ArgumentTypeError(_("write the size as WIDTHxHEIGHT, for example 1280x960"))
    return int(found[1]), int(found[2])


class Command(BaseCommand):
    help = "Draw some days at a mountain lake as a camera's SD card, with truth.json beside it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--days", type=int, default=4)
        parser.add_argument("--interval", type=int, default=15, help="minutes between pictures")
        parser.add_argument("--size", type=_size, default=(1280, 960))
        parser.add_argument("--start", type=date.fromisoformat, default=date(2025, 7, 25))
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--json", action="store_true", help="state the outcome as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        width, height = options["size"]
        try:
            truth = write_card(
                folder,
                days=options["days"],
                interval_minutes=options["interval"],
                view=View(width, height, options["seed"]),
                start=options["start"],
            )
        except FolderNotEmptyError as error:
            raise CommandError(
                _("%(folder)s is not empty: name a new or an empty folder.") % {"folder": folder}
            ) from error
        except ValueError as error:
            raise CommandError(str(error)) from error
        frames = truth["frames"]
        counts = {
            "folder": str(folder),
            "frames": len(frames),
            "readable": sum(frame["readable"] for frame in frames),
            "boxes": sum(len(frame["boxes"]) for frame in frames),
        }
        self.stdout.write(
            json.dumps(counts)
            if options["json"]
            else _("%(frames)d pictures in %(folder)s, %(readable)d readable, %(boxes)d boxes.")
            % counts
        )
