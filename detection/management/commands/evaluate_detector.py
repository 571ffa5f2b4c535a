"""`manage.py evaluate_detector FILE --data FOLDER`: how good an ONNX file is; needs no database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from detection import choosing
from detection.datasets import NotADataset
from detection.evaluating import evaluate
from detection.measuring import HEIGHTS
from detection.onnx.engine import DetectorSettings, load_engine
from detection.onnx.runtime import ModelRefused


class Command(BaseCommand):
    help = (
        "Measure detectors on labelled folders (COCO, YOLO, or cards of render_demo): AP50, "
        "precision and recall by class and height, error of counts, frames per second."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, nargs="+", help="ONNX files, under the same settings"
        )
        parser.add_argument("--data", type=Path, nargs="+", required=True)
        parser.add_argument("--score", type=float, default=0.3, help="from which a box counts")
        parser.add_argument("--long-side", type=int, default=DetectorSettings.long_side)
        parser.add_argument("--tile", type=int, default=None)
        parser.add_argument("--overlap", type=float, default=DetectorSettings.overlap)
        parser.add_argument(
            "--as-run",
            action="store_true",
            help="with a run's default settings (gated, weighed) instead of the three above",
        )
        parser.add_argument("--threads", type=int, default=1)
        parser.add_argument("--alone", action="store_true", help="give no background to anybody")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, file: list[Path], data: list[Path], **options: Any) -> None:
        try:
            chosen = {name: options[name] for name in ("long_side", "tile", "overlap")}
            if options["as_run"]:
                chosen = choosing.options()
            settings = DetectorSettings.from_dict(
                chosen | {"min_score": min(0.05, options["score"])}
            )
            results = []
            for path in file:
                engine = load_engine(path, settings, options["threads"])
                measured = [
                    evaluate(engine, folder, options["score"], still=not options["alone"])
                    for folder in data
                ]
                results.append({"detector": path.name, "settings": settings.to_dict(),
                                "score": options["score"], "data": measured})  # fmt: skip
        except (ModelRefused, NotADataset, ValueError) as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(json.dumps(results, indent=1) if options["json"] else _table(results))


def _table(results: list[dict[str, Any]]) -> str:
    """A Markdown table, a row for each detector, folder and class."""
    heights = list(HEIGHTS)
    head = ["detector", "data", "class", "true boxes", "AP50", "precision", "recall",
            *(f"recall {name} px" for name in heights), "count error", "count correlation",
            "frames/s"]  # fmt: skip
    rows = [head, ["---"] * len(head)]
    for result in results:
        for part in result["data"]:
            for label, found in part["classes"].items():
                tall = [found["by_height"][name]["recall"] for name in heights]
                rows.append([
                    result["detector"], part["folder"], label, str(found["truth"]),
                    *(_shown(found[name]) for name in ("ap50", "precision", "recall")),
                    *map(_shown, tall),
                    _shown(found["count_error"]), _shown(found["count_correlation"]),
                    _shown(part["frames_per_second"]),
                ])  # fmt: skip
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
