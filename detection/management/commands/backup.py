"""Save the database and the pictures to a folder; every later backup there adds what is new."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from detection.backups.saving import save


class Command(BaseCommand):
    help = "Save database and pictures to TARGET, a folder. Everything may go on meanwhile."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("target", metavar="TARGET", type=Path)

    def handle(self, *, target: Path, **options: Any) -> None:
        try:
            saved = save(target)
        except OSError as problem:
            raise CommandError(
                f"{target} cannot be written to ({problem.strerror or problem}). What was copied "
                "is kept: make room and start the same command again."
            ) from None
        self.stdout.write(
            f"Saved {saved.rows} rows and {saved.files} files ({saved.copied} of them new) "
            f"in {saved.folder}."
        )
        if saved.lost:
            raise CommandError(
                f"{len(saved.lost)} files that rows speak of are not here, or damaged, among them "
                f"{', '.join(saved.lost[:3])}. All else is saved; manage.py doctor says more."
            )
