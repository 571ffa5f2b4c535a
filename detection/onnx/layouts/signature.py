"""What layouts ask of a model's signature: the one picture it takes, the classes it names."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping

from detection.onnx.classmap import COCO_80
from detection.onnx.runtime import ModelDescription

_LONGEST = 100_000  # characters of metadata worth reading


def canvas(description: ModelDescription) -> tuple[int | None, int | None] | None:
    """(height, width) in px of the one three-channel float picture the model takes, None for a
    side that may vary; None altogether if that is not what it takes.
    """
    if len(description.inputs) != 1:
        return None
    port = description.inputs[0]
    if port.type != "tensor(float)" or len(port.shape) != 4 or port.shape[1] != 3:
        return None
    batch, _, height, width = (side if isinstance(side, int) else None for side in port.shape)
    if batch not in (1, None) or any(side is not None and side < 1 for side in (height, width)):
        return None
    return height, width


def class_names(metadata: Mapping[str, str], count: int) -> tuple[str, ...] | None:
    """Names of the model's `count` classes: those the exporter left in the file under `names`
    (a list, or a dictionary by index), else COCO's if there are 80, else None: never guessed.
    """
    left = _read(metadata.get("names", "")[:_LONGEST])
    if isinstance(left, dict):
        left = [left.get(index, left.get(str(index))) for index in range(len(left))]
    if isinstance(left, list) and len(left) == count and None not in left:
        return tuple(map(str, left))
    return COCO_80 if count == len(COCO_80) else None


def _read(text: str) -> object:
    """`text` as JSON or, as some exporters leave it, as a Python literal; None if neither."""
    for reader in (json.loads, ast.literal_eval):
        try:
            return reader(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None
