"""One detector over labelled folders: found and true compared, the time it took. No database."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from detection.datasets import Example, read
from detection.measuring import Judged, judge, summary
from detection.onnx.background import background, change, neighbours, remember
from detection.onnx.caption import agreed
from detection.onnx.classmap import propose
from detection.onnx.engine import Around, Engine

Rgb = NDArray[np.uint8]


def evaluate(
    engine: Engine, folder: Path, threshold: float, *, still: bool = True
) -> dict[str, Any]:
    """`summary` of each class that the detector knows and the folder's truth holds, the number of
    `frames`, and `frames_per_second` of detection alone (decoding and backgrounds left out).

    `still`: where the folder is one still camera's card, the engine is given what a run gives it:
    the background, what differs from it, and the boxes of the frame before. Raises NotADataset.
    """
    examples = read(folder)
    judged, spent = compare(engine, examples, still=still)
    return {
        "folder": folder.name,
        "frames": len(examples),
        "frames_per_second": round(len(examples) / spent, 2) if spent else None,
        "classes": {label: summary(pictures, threshold) for label, pictures in judged.items()},
    }


def compare(
    engine: Engine, examples: Sequence[Example], *, still: bool = True
) -> tuple[dict[str, list[Judged]], float]:
    """Class → what was found and true on each picture, and the seconds that detection took."""
    words = propose(engine.layout.names)
    labels = [words[name] for name in engine.layout.names]
    asked = sorted(
        {label for each in examples for label in each.labels} & set(filter(None, labels))
    )
    judged: dict[str, list[Judged]] = {label: [] for label in asked}
    spent, before = 0.0, None
    for example, rgb, around in _pictures(examples, engine.still_side if still else None):
        began = time.perf_counter()
        found = engine.detect(rgb, replace(around, before=before))
        spent += time.perf_counter() - began
        before = found
        named = np.array([labels[index] or "" for index in found.classes], object)
        true = np.array(example.labels, object)
        for label in asked:
            own = np.asarray(named == label, bool)
            sure = example.xyxy[np.asarray(true == label, bool)].reshape(-1, 4)
            judged[label].append(judge(found.xyxy[own], found.scores[own], sure, example.ignored))
    return judged, spent


def _pictures(
    examples: Sequence[Example], side: int | None
) -> Iterator[tuple[Example, Rgb, Around]]:
    """Each picture; with a `side`, the background of one still camera's frames too, `side` px, and
    what differs from it.
    """
    clocked = side is not None and all(each.clock for each in examples)
    stills = [
        remember(_rgb(each.path), _seconds(each), side) for each in examples if clocked and side
    ]
    for place, example in enumerate(examples):
        around = Around()
        if stills:
            others = stills[:place] + stills[place + 1 :]
            behind = background(stills[place], neighbours(stills[place], others))
            differs = None if behind is None else change(stills[place], behind)
            around = Around(behind, differs, bars=agreed([each.bars for each in stills]))
        yield example, _rgb(example.path), around


def _seconds(example: Example) -> float:
    return datetime.fromisoformat(example.clock).replace(tzinfo=UTC).timestamp()


def _rgb(path: Path) -> Rgb:
    return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert("RGB"), np.uint8)
