"""Bring back what `backup` saved."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from detection.backups.restoring import Occupied, newest, restore
from detection.backups.tables import NotThis


class Command(BaseCommand):
    help = (
        "Bring back the last backup in SOURCE, or the one whose folder SOURCE is. Stop the web "
        "server and the workers first. May be repeated after it was cut off."
    )
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", metavar="SOURCE", type=Path)
        parser.add_argument(
            "--replace",
            action="store_true",
            help="lose the rows that stand here",
        )

    def handle(self, *, source: Path, replace: bool, **options: Any) -> None:
        try:
            snapshot = newest(source)
            restored = restore(snapshot, replace=replace)
        except NotThis as problem:
            raise CommandError(f"{source} cannot be restored: {problem}.") from None
        except Occupied as problem:
            raise CommandError(
                f"This installation is not empty ({problem.what}), and a restore would lose what "
                "stands here. Name an empty database and data folder, or add --replace."
            ) from None
        except OperationalError as problem:
            raise CommandError(
                f"The database does not let go ({str(problem).strip()}). Stop the web server and "
                "the workers, then start the same command again: nothing is half loaded."
            ) from None
        except OSError as problem:
            raise CommandError(
                f"Not all of {source} could be brought here ({problem.strerror or problem}). What "
                "came is kept: mend that and start the same command again."
            ) from None
        self.stdout.write(
            f"Restored {restored.rows} rows and {restored.files} files of {snapshot.name}."
        )
        if restored.missing:
            raise CommandError(
                f"{len(restored.missing)} files are not in the backup, or damaged there, among "
                f"them {', '.join(restored.missing[:3])}. All else is restored; manage.py doctor "
                "says more."
            )
