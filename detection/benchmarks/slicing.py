"""The engine's gated tiles against SAHI's sliced prediction, from JPEG bytes to boxes.

Both get the same files, decoder, network, canvas of the whole frame, tiles, overlap and least
score, on one thread, and take turns; ours pays its stills, backgrounds and frame quality too. SAHI
runs as its documentation has it: the slices, one look at the whole frame, greedy merging.

SAHI is no dependency: install it in an environment of its own and put that on PYTHONPATH.
"""

from __future__ import annotations

import functools
import importlib
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import cv2
import numpy as np
import simplejpeg
from django.core.management import CommandError
from numpy.typing import NDArray

from detection import choosing
from detection.benchmarks.drawn import detector, jpeg, load
from detection.benchmarks.gating import DAY, LEAST, VIEW, people, score
from detection.onnx.boxes import Boxes
from detection.onnx.engine import DetectorSettings, Engine, load_engine
from detection.onnx.sequence import detect_in_order
from detection.scenes.model import View
from detection.scenes.plan import plan
from detection.scenes.render import render

TURNS = 2
DAYS, INTERVAL = 2, 30  # frames at dawn have neighbours of their light on another day
VISITORS = 1.0  # times as many parties as the drawn lake usually has
AIM = 3.0  # times SAHI's frames a second


def measure(view: View = VIEW, chosen: DetectorSettings | None = None) -> dict[str, Any]:
    """Over drawn days, a frame every LACS_BENCH_INTERVAL minutes (INTERVAL) of a lake with
    LACS_BENCH_VISITORS (VISITORS), with LACS_DETECTOR or the YOLOX-nano lent for development;
    CommandError without a detector or without SAHI.
    """
    interval = int(os.environ.get("LACS_BENCH_INTERVAL", INTERVAL))
    visitors = float(os.environ.get("LACS_BENCH_VISITORS", VISITORS))
    try:
        predict, base = (importlib.import_module(f"sahi.{n}") for n in ("predict", "models.base"))
    except ImportError as missing:
        raise CommandError(
            f"SAHI cannot be imported here ({missing}): install it in an environment of its own "
            "and name its site-packages in PYTHONPATH."
        ) from None
    model = detector()
    cv2.setNumThreads(1)
    chosen = chosen or DetectorSettings.from_dict(choosing.options(tiling="gated"))
    engine = load_engine(model, chosen)
    frames = plan(DAY, DAYS, interval, view.seed, visitors)
    drawn = [render(view, frame.moment, frame.things) for frame in frames]
    files = [jpeg(each) for each in drawn]
    instants = [float(frame.moment.seconds) for frame in frames]
    truth = [people(each, view) if each.readable else None for each in drawn]
    peer = _sliced(predict, base, engine)
    ways: dict[str, Callable[[], list[Boxes]]] = {
        "ours": lambda: _ours(engine, files, instants),
        "sahi": lambda: [peer(_decoded(data)) for data in files],
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    seen: dict[str, list[Boxes]] = {}
    for _turn in range(TURNS):
        for name, way in ways.items():
            clock, processor = time.perf_counter(), time.process_time()
            seen[name] = way()
            taken[name].append((time.perf_counter() - clock, time.process_time() - processor))
    wall, cpu = (
        {name: statistics.median(turn[kind] for turn in all_) for name, all_ in taken.items()}
        for kind in (0, 1)
    )
    told = {name: _recall(boxes, truth) for name, boxes in seen.items()}
    return {
        "what": "frames a second of one core, JPEG to boxes, gated; peer: SAHI's sliced "
        "prediction with the same network and tiles",
        "figure": round(len(files) / cpu["ours"], 3),
        "unit": "frames/s",
        "peer": round(len(files) / cpu["sahi"], 3),
        "ratio": round(cpu["sahi"] / cpu["ours"], 3),
        "conditions": {
            "aim": AIM,
            "ratio_by_the_clock": round(wall["sahi"] / wall["ours"], 3),
            "recall": told["ours"][0],
            "recall_of_sahi": told["sahi"][0],
            "false_boxes": told["ours"][1],
            "false_boxes_of_sahi": told["sahi"][1],
            "people": sum(len(each) for each in truth if each is not None),
            "frames": f"{len(files)} rendered of {view.width}×{view.height} px, seed {view.seed}, "
            f"one every {interval} minutes",
            "turns": f"{TURNS} of each, alternating; medians",
            "detector": model.name,
            "settings": f"whole frame at {chosen.long_side} px, tiles of {chosen.tile} px, "
            f"overlap {chosen.overlap}; boxes from score {LEAST}",
            "load_average": round(os.getloadavg()[0], 1),
        },
    }


def _decoded(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(simplejpeg.decode_jpeg(data, "RGB"), np.uint8)


def _ours(engine: Engine, files: list[bytes], instants: list[float]) -> list[Boxes]:
    found = [Boxes.empty()] * len(files)
    loaders = [functools.partial(load, data) for data in files]
    for position, outcome in detect_in_order(engine, loaders, instants, threads=1):
        if isinstance(outcome, Exception):
            raise outcome
        found[position] = outcome.boxes
    return found


def _sliced(
    predict: ModuleType, base: ModuleType, engine: Engine
) -> Callable[[NDArray[np.uint8]], Boxes]:
    """SAHI's sliced prediction with `engine`'s network, as a function of a picture."""
    tile, names = engine.settings.tile, engine.names
    if tile is None:
        raise ValueError("settings without tiles compare nothing")
    plain = replace(engine.settings, tile=None, gated=False, min_score=LEAST)
    looks = {
        side: replace(engine, settings=replace(plain, long_side=side))
        for side in (tile, engine.settings.long_side)
    }

    def perform_inference(self: Any, image: NDArray[np.uint8]) -> None:
        side = tile if max(image.shape[:2]) <= tile else engine.settings.long_side
        self._original_predictions = looks[side].detect(image)

    def one(values: Any) -> Any:  # SAHI hands over a list of pairs, or a pair
        return values[0] if values and isinstance(values[0], list | tuple) else values

    def convert(self: Any, shift_amount_list: Any = None, full_shape_list: Any = None) -> None:
        boxes: Boxes = self._original_predictions
        rows = zip(boxes.xyxy.tolist(), boxes.scores.tolist(), boxes.classes.tolist(), strict=True)
        self._object_prediction_list_per_image = [
            [
                base.ObjectPrediction(
                    bbox=xyxy,
                    score=certain,
                    category_id=number,
                    category_name=names[number],
                    shift_amount=one(shift_amount_list),
                    full_shape=one(full_shape_list),
                )
                for xyxy, certain, number in rows
            ]
        ]

    model = type(
        "Sliced",
        (base.DetectionModel,),
        {
            "load_model": lambda self: None,
            "perform_inference": perform_inference,
            "_create_object_prediction_list_from_original_predictions": convert,
        },
    )(device="cpu", confidence_threshold=LEAST)

    def look(rgb: NDArray[np.uint8]) -> Boxes:
        result = predict.get_sliced_prediction(
            rgb,
            model,
            slice_height=tile,
            slice_width=tile,
            overlap_height_ratio=engine.settings.overlap,
            overlap_width_ratio=engine.settings.overlap,
            verbose=0,
        )
        found = result.object_prediction_list
        return Boxes(
            np.array([each.bbox.to_xyxy() for each in found], np.float32).reshape(-1, 4),
            np.array([each.score.value for each in found], np.float32),
            np.array([each.category.id for each in found], np.int64),
        )

    return look


def _recall(seen: list[Boxes], truth: list[NDArray[np.float32] | None]) -> tuple[float, int]:
    """Share of the people found in the readable frames, and boxes that hold nobody."""
    found = false = present = 0
    for boxes, there in zip(seen, truth, strict=True):
        if there is not None:
            one = score(boxes, there)
            found, false, present = found + one[0], false + one[1], present + len(there)
    return round(found / max(1, present), 3), false
