"""Files for other programs, from the command line: the same that the page of exports gives."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import override

from dashboards.exporting import FORMATS, SIGNS, export, whole
from dashboards.periods import WrongPeriod, asked
from dashboards.sentences import wrong_period
from lacs_web.models import Lake

_SAID_EVERY = 16 * 1024 * 1024  # bytes


class Command(BaseCommand):
    help = "Write FORMAT of each LAKE into a folder; a file is there whole or not at all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", metavar="FORMAT", choices=FORMATS, help=", ".join(FORMATS))
        parser.add_argument("lakes", metavar="LAKE", nargs="+", help="short name of a lake")
        parser.add_argument("--from", dest="first", metavar="DAY", help="default: first picture")
        parser.add_argument("--to", dest="last", metavar="DAY", help="default: last picture")
        parser.add_argument("--decimal", choices=SIGNS, help="of csv and counters: comma")
        parser.add_argument("--into", type=Path, default=Path(), metavar="FOLDER")

    def handle(self, *, lakes: list[str], into: Path, **options: Any) -> None:
        known = {lake.slug: lake for lake in Lake.objects.select_related("park")}
        if wrong := [slug for slug in lakes if slug not in known]:
            there = ", ".join(sorted(known)[:20]) or "none yet"
            raise CommandError(f"No lake “{wrong[0]}”. Known: {there}.")
        if not into.is_dir():
            raise CommandError(f"There is no folder “{into}”: make it, or name another by --into.")
        with override("en"):  # as all that this command prints
            for slug in lakes:
                self._write(known[slug], into, **options)

    def _write(
        self, lake: Lake, into: Path, *, format: str, first: str | None, last: str | None,
        decimal: str | None, **_: Any,
    ) -> None:  # fmt: skip
        observed = whole(lake)
        if observed is None:
            self.stderr.write(f"{lake.slug}: no picture is dated yet, nothing is written.")
            return
        try:
            period = asked(first or str(observed.first), last or str(observed.last))
            made = export(kind=format, lake=lake, period=period, by=None, decimal=decimal or "")
        except WrongPeriod as problem:
            raise CommandError(wrong_period(str(problem))) from None
        except ValidationError as refusal:
            raise CommandError(f"{lake.slug}: {' '.join(refusal.messages)}") from None
        part, size, said = into / f".{made.name}.part", 0, _SAID_EVERY
        try:
            with part.open("wb") as file:
                for piece in made.parts:
                    size += file.write(piece)
                    if size > said:
                        self.stderr.write(f"{made.name}: {size // 1024**2} MiB")
                        said += _SAID_EVERY
            part.replace(into / made.name)
        finally:
            part.unlink(missing_ok=True)
        self.stdout.write(f"{into / made.name} ({size} bytes)")
