"""Fetch a detector that others published, and register it."""

from __future__ import annotations

import hashlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from detection import fetching
from detection.detecting import is_whole
from detection.models import Detector
from detection.onnx.runtime import ModelRefused
from detection.published import MODELS, Published
from detection.registering import register, set_default


class Command(BaseCommand):
    help = (
        "Fetch the published detector NAME over the network, check it and register it; begun "
        "again, it goes on where it was cut off. Names: " + ", ".join(MODELS) + "."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", choices=MODELS)
        parser.add_argument(
            "--accept-licence", action="store_true", help="you have read the licence and accept it"
        )
        parser.add_argument("--default", action="store_true", help="use it for new batches")

    def handle(self, *, name: str, accept_licence: bool, default: bool, **_options: Any) -> None:
        model = MODELS[name]
        self.stdout.write(
            f"{model.title}: licence {model.licence}, {model.licence_text}\n{model.address}"
        )
        if not accept_licence:
            raise CommandError("read its licence, then say so with --accept-licence")
        known = _known(model)
        if known is not None and is_whole(known):
            if default:
                set_default(known, True)
            self.stdout.write(f"{known.name} is registered already.")
            return
        part = Path(settings.DATA_DIR) / "fetched" / f"{name}.part"
        try:
            fetching.fetch(model.address, part, tell=self._tell)
            _check(part, model, known)
            detector = register(path=part, name=model.title, licence=model.licence, default=default)
        except fetching.NotFetched as problem:
            raise CommandError(str(problem)) from None
        except ModelRefused as refusal:
            fetching.forget(part)
            raise CommandError(str(refusal)) from None
        fetching.forget(part)
        if detector.layout != model.layout:
            self.stderr.write(f"Its layout is {detector.layout}; {model.layout} was expected.")
        self.stdout.write(
            f"{detector.name}: layout {detector.layout}, SHA-256 {detector.sha256}"
            f"{'' if model.sha256 else ', recorded'}."
        )

    def _tell(self, done: int, of: int | None) -> None:
        if self.stdout.isatty():
            share = f"{100 * done // of} %" if of else f"{done >> 20} MB"
            self.stdout.write(f"\r{share}", ending="")
            self.stdout.flush()


def _known(model: Published) -> Detector | None:
    """As it was registered before; where no hash is published, the first one that came."""
    if model.sha256:
        return Detector.objects.filter(sha256=model.sha256).first()
    return Detector.objects.here().filter(name=model.title).order_by("pk").first()


def _check(part: Path, model: Published, known: Detector | None) -> None:
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    wanted = model.sha256 or (known.sha256 if known else found)
    if found != wanted:
        fetching.forget(part)
        raise fetching.NotFetched(
            f"what came is not {model.title}: its SHA-256 is {found}, not {wanted}. "
            "It was thrown away."
        )
