"""What the engine holds in memory over ten thousand frames: flat, or it grows with a season.

One sequence from JPEG bytes to boxes, gated with background and all, on the worker's threads; the
pictures and the tiles are small, so that it ends. A day of drawn frames comes again and again,
dated on, so that time goes by as it does for a camera. Linux alone says what a process holds.
"""

from __future__ import annotations

import functools
import os
import statistics
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError

from detection import choosing
from detection.benchmarks.drawn import detector, jpeg, load
from detection.onnx.engine import DetectorSettings, load_engine
from detection.onnx.sequence import Loader, detect_in_order
from detection.scenes.model import View
from detection.scenes.plan import plan
from detection.scenes.render import render

FRAMES = 10_000
VIEW = View(320, 240, seed=1)
INTERVAL = 5  # minutes between frames
SMALL = replace(
    DetectorSettings.from_dict(choosing.options(long_side=640)), long_side=320, tile=160, detail=320
)
AIM = 1.05  # times what was held then
_DAY = 86_400.0


def measure(view: View = VIEW) -> dict[str, Any]:
    """With LACS_DETECTOR or the YOLOX-nano lent for development; CommandError without."""
    model = detector()
    if not Path("/proc/self/statm").exists():
        raise CommandError("This system does not tell what a process holds in memory.")
    engine = load_engine(model, SMALL)
    day = plan(date(2025, 7, 26), 1, INTERVAL, view.seed)
    files = [jpeg(render(view, frame.moment, frame.things)) for frame in day]
    loaders: list[Loader] = [
        functools.partial(load, files[number % len(files)]) for number in range(FRAMES)
    ]
    instants = [
        day[number % len(day)].moment.seconds + _DAY * (number // len(day))
        for number in range(FRAMES)
    ]
    threads = settings.INFERENCE_THREADS or os.cpu_count() or 1
    held: list[float] = []
    for number, (_position, seen) in enumerate(
        detect_in_order(engine, loaders, instants, threads), start=1
    ):
        if isinstance(seen, Exception):
            raise seen
        if number % max(1, FRAMES // 100) == 0:
            held.append(_resident())
    settled = len(held) // 10
    early, late = (
        statistics.median(part) for part in (held[settled : 2 * settled], held[-settled:])
    )
    return {
        "what": "memory that the engine holds at the end of a long sequence; limit: what it held "
        "after a tenth of it, and a twentieth more",
        "figure": round(late, 1),
        "unit": "MB",
        "limit": round(early * AIM, 1),
        "ratio": round(late / (early * AIM), 3),
        "conditions": {
            "mb_after_a_tenth": round(early, 1),
            "mb_at_most": round(max(held), 1),
            "mb_by_tenths": [round(each) for each in held[settled - 1 :: settled]],
            "frames": f"{FRAMES} of {view.width}×{view.height} px: {len(files)} drawn ones, again "
            "and again",
            "threads": threads,
            "detector": model.name,
        },
    }


def _resident() -> float:
    """MB of this process in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2
