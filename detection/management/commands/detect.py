"""`manage.py detect FOLDER --detector FILE --json`: a folder in, MegaDetector's JSON out; needs no
database, so that the engine can be tried and compared alone."""

from __future__ import annotations

import json as jsonlib
import os
import time
from argparse import ArgumentParser
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from detection import choosing
from detection.cards import exif
from detection.cards.manifest import is_picture
from detection.onnx.engine import DetectorSettings, load_engine
from detection.onnx.folder import Picture, document, examine
from detection.onnx.layouts import FAMILIES
from detection.onnx.runtime import ModelRefused

_HEAD = 256 * 1024  # bytes of a file that hold its EXIF
_REPORT_SECONDS = 10.0


class Command(BaseCommand):
    help = (
        "Detect on every JPEG below FOLDER, which holds the pictures of one camera, in the order "
        "of time, and write MegaDetector-format JSON. Needs no database."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        usual = DetectorSettings()
        parser.add_argument("folder", type=Path)
        parser.add_argument("--detector", type=Path, required=True, metavar="FILE", help="ONNX")
        parser.add_argument("--json", action="store_true", help="print the JSON")
        parser.add_argument("--output", type=Path, metavar="FILE", help="write the JSON there")
        parser.add_argument(
            "--long-side",
            type=int,
            default=choosing.DEFAULT_LONG_SIDE,
            help="px, of the whole frame",
        )
        parser.add_argument("--tile", type=int, default=choosing.TILE, help="px a side; 0 for none")
        parser.add_argument("--overlap", type=float, default=choosing.OVERLAP)
        parser.add_argument("--all-tiles", action="store_true", help="not only where it changed")
        parser.add_argument(
            "--plain-scores", action="store_true", help="as the network gives them, not weighed"
        )
        parser.add_argument("--second-look", action="store_true")
        parser.add_argument("--min-score", type=float, default=usual.min_score)
        parser.add_argument("--layout", choices=sorted(FAMILIES), help="where recognition errs")
        parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)

    def handle(self, *, folder: Path, detector: Path, **options: Any) -> None:
        if not folder.is_dir():
            raise CommandError(_("%(folder)s is not a folder that can be read.")
                               % {"folder": folder})  # fmt: skip
        pictures = [_picture(folder, path) for path in sorted(folder.rglob("*")) if _is_jpeg(path)]
        if not pictures:
            raise CommandError(_("There is no JPEG picture below %(folder)s.") % {"folder": folder})
        try:
            chosen = DetectorSettings(
                long_side=options["long_side"],
                tile=options["tile"] or None,
                detail=choosing.DETAIL if options["tile"] else None,
                overlap=options["overlap"],
                gated=not options["all_tiles"],
                second_look=options["second_look"],
                weighed=not options["plain_scores"],
                min_score=options["min_score"],
                layout=options["layout"],
            )
            engine = load_engine(
                detector,
                chosen,
                providers=settings.INFERENCE_PROVIDERS,
            )
        except (ModelRefused, ValueError) as problem:
            raise CommandError(str(problem)) from None
        started = time.monotonic()
        told = started

        def progress(done: int) -> None:
            nonlocal told
            now = time.monotonic()
            if now - told >= _REPORT_SECONDS:
                told = now
                left = (now - started) / done * (len(pictures) - done) / 60
                self.stderr.write(
                    _("%(done)d of %(all)d pictures, %(left).0f minutes left")
                    % {"done": done, "all": len(pictures), "left": left}
                )

        outcomes = examine(
            engine,
            pictures,
            threads=max(1, options["threads"]),
            max_pixels=settings.PICTURE_MAX_PIXELS,
            progress=progress,
        )
        result = document(
            engine,
            pictures,
            outcomes,
            detector=detector.name,
            software=settings.VERSION,
            finished=datetime.now(UTC),
        )
        text = jsonlib.dumps(result, indent=1, ensure_ascii=False)
        if options["output"]:
            options["output"].write_text(text + "\n", encoding="utf-8")
        if options["json"]:
            self.stdout.write(text)
        else:
            self.stdout.write(_summary(result, time.monotonic() - started))


def _is_jpeg(path: Path) -> bool:
    return is_picture(path.name) and path.is_file()


def _picture(folder: Path, path: Path) -> Picture:
    """Dated by its EXIF, else by the file's own time."""
    clock = None
    try:
        with path.open("rb") as file:
            clock = exif.read(file.read(_HEAD)).clock_at
        at = clock.timestamp() if clock else path.stat().st_mtime
    except OSError:  # told when its turn comes
        at = 0.0
    return Picture(path, path.relative_to(folder).as_posix(), at, clock)


def _summary(result: dict[str, Any], seconds: float) -> str:
    images = result["images"]
    read = [image for image in images if image.get("detections") is not None]
    boxes = [box for image in read for box in image["detections"]]
    return _(
        "%(read)d of %(all)d pictures examined in %(seconds).0f seconds: %(boxes)d boxes, "
        "%(suppressed)d of them on things that repeat; %(failed)d pictures could not be read."
    ) % {
        "read": len(read),
        "all": len(images),
        "seconds": seconds,
        "boxes": len(boxes),
        "suppressed": sum("suppressed" in box for box in boxes),
        "failed": len(images) - len(read),
    }
