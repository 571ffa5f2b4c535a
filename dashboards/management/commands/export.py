"""Files for other programs, from the command line: the same that the page of exports gives."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.translation import override

from dashboards import kept
from dashboards.exporting import FORMATS, SIGNS, export, frames_of, whole
from dashboards.formats import half
from dashboards.periods import Period, WrongPeriod, asked
from dashboards.sentences import wrong_period
from lacs_web.models import Lake

_SAID_EVERY = 16 * 1024 * 1024  # bytes
_SAID_SECONDS = 2.0  # likewise, where frames are counted


class Command(BaseCommand):
    help = "Write FORMAT of each LAKE into a folder; a file is there whole or not at all. "
    "One of frames that was cut off is gone on with by the same command."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("format", metavar="FORMAT", choices=FORMATS, help=", ".join(FORMATS))
        parser.add_argument("lakes", metavar="LAKE", nargs="+", help="short name of a lake")
        parser.add_argument("--from", dest="first", metavar="DAY", help="default: first picture")
        parser.add_argument("--to", dest="last", metavar="DAY", help="default: last picture")
        parser.add_argument("--decimal", choices=SIGNS, help="of csv and counters: comma")
        parser.add_argument("--output", type=Path, metavar="FILE", help="of one lake, instead")
        parser.add_argument("--into", type=Path, default=Path(), metavar="FOLDER")

    def handle(self, *, lakes: list[str], into: Path, **options: Any) -> None:
        known = {lake.slug: lake for lake in Lake.objects.select_related("park")}
        if wrong := [slug for slug in lakes if slug not in known]:
            there = ", ".join(sorted(known)[:20]) or "none yet"
            raise CommandError(f"No lake “{wrong[0]}”. Known: {there}.")
        if options["output"] and len(lakes) > 1:
            raise CommandError("--output names one file: name one lake, or a folder by --into.")
        into = options["output"].absolute().parent if options["output"] else into
        if not into.is_dir():
            raise CommandError(f"There is no folder “{into}”: make it, or name another by --into.")
        with override("en"):  # as all that this command prints
            for slug in lakes:
                self._write(known[slug], into, **options)

    def _write(
        self, lake: Lake, into: Path, *, format: str, first: str | None, last: str | None,
        decimal: str | None, output: Path | None = None, **_: Any,
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
        target = (output or into / made.name).absolute()
        if FORMATS[format].pieces:
            size = self._half(lake, format, period, target)
            self.stdout.write(f"{target} ({size} bytes)")
            return
        part, size, said = target.with_name(f".{target.name}.part"), 0, _SAID_EVERY
        try:
            with part.open("wb") as file:
                for piece in made.parts:
                    size += file.write(piece)
                    if size > said:
                        self.stderr.write(f"{made.name}: {size // 1024**2} MiB")
                        said += _SAID_EVERY
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        self.stdout.write(f"{target} ({size} bytes)")

    def _half(self, lake: Lake, kind: str, period: Period, target: Path) -> int:
        """A file of frames; one that was cut off is gone on with. Its bytes."""
        wanted = FORMATS[kind].pieces
        assert wanted is not None  # noqa: S101 - so the caller asked
        total, said = frames_of(kind, lake, period), 0.0
        written = half.write(
            target,
            lambda made, before: wanted(lake, period, made, before),
            what=[kind, lake.slug, str(period.first), str(period.last)],
            now=timezone.now(),
            still=lambda masks: all(
                kept.masks_now(some, lake) == {pk: masks[pk] for pk in some}
                for some in chunks(sorted(masks))
            ),
        )
        try:
            for frames, _size in written:
                if time.monotonic() - said > _SAID_SECONDS:
                    said = time.monotonic()
                    self.stderr.write(f"{target.name}: {frames} of {total} frames")
        except half.Busy:
            raise CommandError(f"{target}: another export is writing this file.") from None
        except half.Changed:
            raise CommandError(
                f"{target}: what people may see of its pictures changed meanwhile: run it again."
            ) from None
        return target.stat().st_size


def chunks(numbers: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(numbers), kept.CHECKED):
        yield numbers[first : first + kept.CHECKED]
