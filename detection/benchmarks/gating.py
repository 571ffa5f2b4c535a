"""Gated tiles against all tiles, and against one look at the whole frame with scores as they come
(the default before docs/decisions/0006): inference time, recall by height and false boxes on drawn
days at a quiet lake.

All ways get the same frames and weights and take turns on each frame, on one thread. Time is the
processor's, of the whole frame's look and its tiles; `conditions` also give medians, and the mean
with what the gate itself costs (stills, background, difference), which a run pays anyway.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection import choosing
from detection.benchmarks.drawn import around, detector
from detection.labels import COUNTED_SCORE, Label
from detection.onnx.background import remember
from detection.onnx.boxes import Boxes, iou
from detection.onnx.engine import Around, DetectorSettings, Engine, load_engine
from detection.scenes.model import Rendered, View
from detection.scenes.plan import plan
from detection.scenes.render import render

VIEW = View(1920, 1440)
DAY = date(2025, 7, 25)
INTERVAL = 15
TILED = DetectorSettings.from_dict(choosing.options(tiling="full"))
WHOLE = replace(
    DetectorSettings.from_dict(choosing.options(tiling="none", long_side=1920)), weighed=False
)
LEAST = COUNTED_SCORE
FOUND = 0.4  # IoU with a person, of a box that found them
BESIDE = 0.1  # IoU with a person, of a box that is about them, if badly
HEIGHTS = (12, 24, 48)  # px


def measure(
    view: View = VIEW, settings: DetectorSettings = TILED, whole: DetectorSettings = WHOLE
) -> dict[str, Any]:
    """Over the readable frames of one day, a frame every INTERVAL minutes, with LACS_DETECTOR or
    the YOLOX-nano lent for development; CommandError where there is neither.
    """
    model = detector()
    cv2.setNumThreads(1)
    seed, day = os.environ.get("LACS_BENCH_SEED"), os.environ.get("LACS_BENCH_DAY")
    view = replace(view, seed=int(seed)) if seed else view
    frames = plan(date.fromisoformat(day) if day else DAY, 1, INTERVAL, view.seed)
    drawn = [render(view, frame.moment, frame.things) for frame in frames]
    readable = [at for at, each in enumerate(drawn) if each.readable]
    gate_s = time.process_time()
    stills = [
        remember(each.image, frame.moment.seconds)
        for each, frame in zip(drawn, frames, strict=True)
    ]
    arounds = {at: around(stills, at) for at in readable}
    gate_s = time.process_time() - gate_s
    ways = {
        name: Way(load_engine(model, chosen))
        for name, chosen in (
            ("gated", replace(settings, gated=True)),
            ("all_tiles", settings),
            ("whole_frame", whole),
        )
    }
    for way in ways.values():
        way.engine.detect(drawn[readable[0]].image)  # opens the session
    heights: list[float] = []
    for at in readable:
        there = people(drawn[at], view)
        heights += (there[:, 3] - there[:, 1]).tolist()
        for way in ways.values():
            way.look(drawn[at].image, arounds[at], there)
    gated, every = ways["gated"], ways["all_tiles"]
    figure, peer = (sum(way.seconds) / len(readable) for way in (gated, every))
    return {
        "what": "processor time of a frame's inference, tiles only where something changed; peer: "
        "all tiles, with the same weights",
        "figure": round(figure, 6),
        "unit": "s",
        "peer": round(peer, 6),
        "ratio": round(figure / peer, 3),
        "conditions": {
            "ratio_with_gate": round((figure + gate_s / len(frames)) / peer, 3),
            "gate_s": round(gate_s / len(frames), 4),
            **{
                f"{name}_{what}": value
                for name, way in ways.items()
                for what, value in way.told(heights).items()
            },
            "people": len(heights),
            "people_by_height": _by_height(heights),
            "frames": f"{len(readable)} rendered of {view.width}×{view.height} px, seed "
            f"{view.seed}, {frames[0].moment.at:%Y-%m-%d}",
            "detector": model.name,
            "settings": f"whole frame at {settings.long_side} px, tiles of {settings.tile} px for "
            f"a frame of {settings.detail} px, overlap {settings.overlap}; beside it the whole "
            f"frame at {whole.long_side} px; boxes from score {LEAST}",
            "load_average": round(os.getloadavg()[0], 1),
        },
    }


@dataclass
class Way:
    """A way of looking, and what became of it."""

    engine: Engine
    before: Boxes | None = None
    found: list[bool] = field(default_factory=list)
    false: int = 0
    nobody: int = 0
    seconds: list[float] = field(default_factory=list)

    def look(self, rgb: NDArray[np.uint8], around: Around, there: NDArray[np.float32]) -> None:
        started = time.process_time()
        self.before = self.engine.detect(rgb, replace(around, before=self.before))
        self.seconds.append(time.process_time() - started)
        same = _overlaps(self.before, there)
        self.found += np.asarray((same >= FOUND).any(axis=0), np.bool_).tolist()
        self.false += int((~(same >= FOUND).any(axis=1)).sum())
        self.nobody += int((~(same >= BESIDE).any(axis=1)).sum())

    def told(self, heights: list[float]) -> dict[str, Any]:
        hits = _by_height([h for h, hit in zip(heights, self.found, strict=True) if hit])
        return {
            "recall": round(sum(self.found) / len(heights), 3),
            "recall_by_height": {
                name: round(hits[name] / all_, 2) if all_ else None
                for name, all_ in _by_height(heights).items()
            },
            "false_boxes": self.false,
            "false_boxes_on_nobody": self.nobody,
            "mean_s": round(statistics.mean(self.seconds), 4),
            "median_s": round(statistics.median(self.seconds), 4),
        }


def people(drawn: Rendered, view: View) -> NDArray[np.float32]:
    """[N,4] px: left, top, right, bottom of the people in the picture."""
    rows = [(b.x, b.y, b.x + b.w, b.y + b.h) for b in drawn.boxes if b.label is Label.PERSON]
    size = np.array([view.width, view.height] * 2, np.float32)
    return np.array(rows, np.float32).reshape(-1, 4) * size


def score(boxes: Boxes, there: NDArray[np.float32]) -> tuple[int, int]:
    """Of the people `there`, how many were found; of the persons' boxes, how many hold nobody."""
    same = _overlaps(boxes, there) >= FOUND
    return int(same.any(axis=0).sum()), int((~same.any(axis=1)).sum())


def _overlaps(boxes: Boxes, there: NDArray[np.float32]) -> NDArray[np.float32]:
    """[N,M] IoU of the persons' boxes that count with the people."""
    persons = boxes.take((boxes.classes == 0) & (boxes.scores >= LEAST))
    return iou(persons.xyxy, there)


def _by_height(heights: list[float]) -> dict[str, int]:
    """How many lie in each of the classes that HEIGHTS bound."""
    names = [f"under {HEIGHTS[0]} px", *(f"{a}–{b} px" for a, b in pairwise(HEIGHTS))]
    counts = np.bincount(np.searchsorted(HEIGHTS, heights, side="right"), minlength=len(names) + 1)
    return dict(zip([*names, f"from {HEIGHTS[-1]} px"], counts.tolist(), strict=True))
