"""The office route: a folder on this machine becomes a batch, with its receipt."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from detection.cards.ingest import ingest_some
from detection.cards.receipt import receipt
from detection.cards.receive import (
    announce,
    batch_of_folder,
    close_batch,
    listing,
    store_from_disk,
)
from detection.models import Deployment


class Command(BaseCommand):
    help = "Import every file below FOLDER as one batch of a deployment, and print its receipt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument("--deployment", required=True, metavar="SLUG")
        parser.add_argument("--json", action="store_true", help="print the receipt as JSON")

    def handle(self, *, folder: Path, deployment: str, json: bool, **options: Any) -> None:
        if not folder.is_dir():
            raise CommandError(f"{folder} is not a folder that can be read.")
        place = Deployment.objects.select_related("lake__park").filter(slug=deployment).first()
        if place is None:
            known = ", ".join(Deployment.objects.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"No deployment “{deployment}”. Known: {known}.")
        files = listing(folder)
        batch = batch_of_folder(deployment=place, source=folder.resolve().name, files=files)
        announce(batch=batch, files=((name, path.stat().st_size) for name, path in files.items()))
        failed = store_from_disk(batch=batch, files=files)
        if not failed:
            close_batch(batch=batch, user=None)
        while ingest_some(batch):
            if not json:
                self.stderr.write(".", ending="")
        result = receipt(batch) | {"failed": [{"path": p, "problem": why} for p, why in failed]}
        self.stdout.write(_as_json(result) if json else _as_text(result))
        if failed:
            raise CommandError(
                f"{len(failed)} files could not be read from {folder}. What came is safe; mend the "
                "cause and import the folder again: only what is missing will be stored."
            )


def _as_json(result: dict[str, Any]) -> str:
    return json.dumps(result, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2)


def _as_text(result: dict[str, Any]) -> str:
    lines = [
        f"{result['received']} of {result['announced']} files are safe: {result['new']} new, "
        f"{result['duplicate']} duplicates, {result['unreadable']} unreadable, "
        f"{result['quarantined']} quarantined, {result['set_aside']} set aside.",
        f"From {result['first_captured_at']} to {result['last_captured_at']}.",
        *(f"  {file['path']}: {file['state']}: {file['reason']}" for file in result["files"]),
    ]
    lines += [f"  {path}: damaged, read as far as it goes" for path in result["damaged"]]
    if result["complete"]:
        lines.append("The card may be erased.")
    return "\n".join(lines)
