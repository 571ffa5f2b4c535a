"""Make an ONNX file a detector that runs may use."""

from __future__ import annotations

import json as jsonlib
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from detection.onnx.runtime import ModelRefused
from detection.registering import register


class Command(BaseCommand):
    help = "Register the ONNX file FILE as a detector; its layout is recognised and shown."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--name", default="")
        parser.add_argument("--licence", default="")
        parser.add_argument("--default", action="store_true", help="use it for new batches")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, file: Path, json: bool, **options: Any) -> None:
        chosen = {key: options[key] for key in ("name", "licence", "default")}
        try:
            detector = register(path=file, **chosen)
        except ModelRefused as refusal:
            raise CommandError(str(refusal)) from None
        known = sorted({label for label in detector.class_map.values() if label})
        result = {
            "id": detector.pk,
            "name": detector.name,
            "sha256": detector.sha256,
            "layout": detector.layout,
            "labels": known,
            "default": detector.is_default,
        }
        self.stdout.write(
            jsonlib.dumps(result, indent=2)
            if json
            else f"{detector.name}: layout {detector.layout}, finds {', '.join(known)}."
        )
