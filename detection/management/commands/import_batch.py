"""The office route: a folder on this machine becomes a batch, with its receipt."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

from detection.cards import judging, words
from detection.cards.ingest import ingest_all
from detection.cards.receipt import receipt
from detection.cards.receive import (
    NotTaken,
    announce,
    announced,
    batch_of_folder,
    close_batch,
    listing,
    spelt,
    store_from_disk,
)
from detection.management.printing import print_any_name
from detection.models import Batch, Deployment

SHOWN = 100  # lines of a list; the JSON has them all


class Command(BaseCommand):
    help = "Import every file below FOLDER as one batch of a deployment, and print its receipt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--deployment", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="print the receipt as JSON")
        parser.add_argument(
            "--finish",
            action="store_true",
            help="close the card also without files that could not be stored; the receipt names "
            "them and does not say that the card may be erased",
        )

    def handle(
        self, *, folder: Path, deployment: str, json: bool, finish: bool, **options: Any
    ) -> None:
        print_any_name(self.stdout)
        if not folder.is_dir():
            raise CommandError(f"{spelt(str(folder))} is not a folder that can be read.")
        place = Deployment.objects.select_related("lake__park").filter(slug=deployment).first()
        if place is None:
            known = ", ".join(Deployment.objects.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"No deployment “{deployment}”. Known: {known}.")
        source = spelt(folder.resolve().name)
        try:
            files, left_out = listing(folder)
            lines = announced(files)
            with transaction.atomic():  # a card that is not taken leaves nothing behind
                batch = batch_of_folder(
                    deployment=place, source=source, files=files, left_out=left_out
                )
                announce(batch=batch, files=lines)
        except OSError as error:
            raise CommandError(
                f"{spelt(str(error.filename))} cannot be read: {error.strerror}. Nothing was "
                "imported; mend the cause and import the folder again."
            ) from error
        except NotTaken as refusal:
            raise CommandError(f"{spelt(str(folder))}: {refusal}. Nothing was imported.") from None
        failed = store_from_disk(batch=batch, files=files)
        # What is too large will be so the next time too.
        mending = [] if finish else [path for path, why in failed if why != words.TOO_LARGE]
        if not mending:
            _close(batch, failed)
        for _ in ingest_all(batch):
            if not json:
                self.stderr.write(".", ending="")
        if batch.pk in judging.owed():
            judging.judge(batch)
        result = receipt(batch) | {"failed": [{"path": p, "problem": why} for p, why in failed]}
        self.stdout.write(_as_json(result) if json else _as_text(result))
        if mending:
            raise CommandError(
                f"{len(failed)} files could not be stored. What came is safe; mend the cause and "
                "import the folder again: only what is missing will be stored. Where it cannot be "
                "mended, --finish closes the card without them."
            )
        if failed:
            raise CommandError(
                f"The card is closed without {len(failed)} files, which the receipt names: copy "
                "them elsewhere before it is erased."
            )


def _close(batch: Batch, failed: list[tuple[str, str]]) -> None:
    ids = dict(batch.files.filter(path__in=[path for path, _ in failed]).values_list("path", "pk"))
    known = {words.TOO_LARGE, words.RESIZED, words.CHANGED}  # what pages can say in every language
    problems = {
        ids[path]: why if why in known else words.NOT_READ_FROM_CARD for path, why in failed
    }
    close_batch(batch=batch, user=None, problems=problems)


def _as_json(result: dict[str, Any]) -> str:
    return json.dumps(result, cls=DjangoJSONEncoder, indent=2)


def _as_text(result: dict[str, Any]) -> str:
    left_out = result["left_out"]
    lines = [
        f"{result['received']} of {result['announced']} files are safe: {result['new']} new, "
        f"{result['duplicate']} duplicates, {result['unreadable']} unreadable, "
        f"{result['quarantined']} quarantined, {result['set_aside']} set aside.",
        f"From {result['first_captured_at']} to {result['last_captured_at']}.",
        *_some(f"{file['path']}: {file['state']}: {file['reason']}" for file in result["files"]),
        *_some(f"{path}: damaged, read as far as it goes" for path in result["damaged"]),
        *_some(f"{file['path']}: {file['reason']}" for file in result["waiting"]),
    ]
    why = {file["path"]: file["reason"] for file in result["missing"]}
    why |= {one["path"]: one["problem"] for one in result["failed"]}
    if why:
        lines.append(f"{len(why)} files are not here:")
        lines += _some(f"{path}: {reason or 'not stored'}" for path, reason in why.items())
    if left_out["count"]:
        lines.append(
            f"{left_out['count']} things were not taken: a computer left them, or they are no "
            "files:"
        )
        lines += _some(left_out["names"], left_out["count"])
    if result["complete"]:
        lines.append("The card may be erased.")
    return "\n".join(lines)


def _some(lines: Iterable[str], count: int = 0) -> list[str]:
    """The first of `lines`, indented, and how many of `count` (default: of them) there are more."""
    every = list(lines)
    shown = [f"  {line}" for line in every[:SHOWN]]
    more = max(count, len(every)) - len(shown)
    return [*shown, f"  … and {more} more; --json names them"] if more else shown
