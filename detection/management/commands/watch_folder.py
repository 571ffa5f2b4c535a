"""The office route without hands: cards copied into a folder are imported by themselves."""

from __future__ import annotations

import contextlib
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from detection import tasks
from detection.cards import receive, words
from detection.cards.manifest import is_left_by_a_computer
from detection.management.printing import print_any_name
from detection.models import Batch, CardFile, Deployment

PAUSE_SECONDS = 60.0  # before a card is tried again that could not be taken whole


class Command(BaseCommand):
    help = "Import each folder that appears in FOLDER as a card of a deployment, once it is still."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--deployment", required=True, metavar="SLUG")
        parser.add_argument(
            "--still", type=float, default=60, help="seconds without a change that end a copying"
        )
        parser.add_argument("--once", action="store_true", help="look once, for a timer to start")

    def handle(
        self, *, folder: Path, deployment: str, still: float, once: bool, **options: Any
    ) -> None:
        print_any_name(self.stdout)
        if not folder.is_dir():
            raise CommandError(f"{receive.spelt(str(folder))} is not a folder that can be read.")
        place = Deployment.objects.select_related("lake__park").filter(slug=deployment).first()
        if place is None:
            raise CommandError(f"No deployment “{deployment}”.")
        self._said: set[str] = set()
        self._again: dict[Path, float] = {}  # card → when to try it again, a monotonic clock
        while True:
            self._look(folder, place, still)
            if once:
                return
            time.sleep(min(5.0, max(0.1, still / 4)))

    def _look(self, folder: Path, place: Deployment, still: float) -> None:
        try:
            cards = sorted(path for path in folder.iterdir() if path.is_dir())
        except OSError as error:  # looked at again
            self._say(f"{receive.spelt(str(folder))} cannot be read: {error.strerror}")
            return
        for card in cards:
            if is_left_by_a_computer(card.name) or self._again.get(card, 0) > time.monotonic():
                continue
            name = receive.spelt(card.name)
            try:
                if _still(card) >= still and not self._take(card, name, place):
                    self._again[card] = time.monotonic() + PAUSE_SECONDS
            except OSError as error:
                where = receive.spelt(str(error.filename or card))
                self._say(f"{where} cannot be read: {error.strerror}")
                self._again[card] = time.monotonic() + min(still, PAUSE_SECONDS)
            except receive.NotTaken as refusal:
                self._say(f"{name}: {refusal}.")
                self._again[card] = time.monotonic() + PAUSE_SECONDS

    def _take(self, card: Path, name: str, place: Deployment) -> bool:
        """Store and close one card, unless that was done; the worker reads it.

        False where it must be tried again: what came is safe.
        """
        files, left_out = receive.listing(card)
        if not files:
            return True
        lines = receive.announced(files)
        mark = receive.fingerprint_of(files)
        if _is_done(place, mark):
            return True
        with transaction.atomic():  # a card that is not taken leaves nothing behind
            batch = receive.open_batch(
                deployment=place,
                source=name,
                user=None,
                fingerprint=mark,
                expected_files=len(files),
                left_out=left_out,
            )
            receive.announce(batch=batch, files=lines)
        failed = receive.store_from_disk(batch=batch, files=files)
        for path, why in failed:
            self._say(f"{name}/{path}: {why}")
        if any(why != words.TOO_LARGE for _, why in failed):
            return False
        receive.close_batch(batch=batch, user=None)
        tasks.ring(tasks.ingest, batch.pk)
        self.stdout.write(f"{name}: {len(files) - len(failed)} files are here.")
        if failed:
            self.stdout.write(f"{name}: {len(failed)} are not; do not erase the card.")
        if left_out.count:
            names = ", ".join(left_out.names[:10])
            more = ", …" if left_out.count > 10 else ""
            self.stdout.write(
                f"{name}: {left_out.count} things were not taken, for a computer left them or "
                f"they are no files: {names}{more}"
            )
        return True

    def _say(self, line: str) -> None:
        """Once: it is looked at again and again."""
        if line not in self._said:
            self._said.add(line)
            self.stderr.write(line)


def _is_done(place: Deployment, mark: str) -> bool:
    """Whether this card came, but for what is too large to come."""
    awaited = CardFile.objects.filter(
        batch=OuterRef("pk"), state=CardFile.State.AWAITED, size__lte=settings.FILE_MAX_BYTES
    )
    same = Batch.objects.filter(deployment=place, fingerprint=mark)
    going_on = same.filter(Q(closed_at__isnull=True) | Exists(awaited))
    return same.exists() and not going_on.exists()


def _still(card: Path) -> float:
    """Seconds since anything below `card` changed; copying keeps times of change, but not this."""
    newest = card.stat().st_ctime
    for path in card.rglob("*"):
        with contextlib.suppress(OSError):  # listing the card says what cannot be read
            newest = max(newest, path.lstat().st_ctime)
    return time.time() - newest
