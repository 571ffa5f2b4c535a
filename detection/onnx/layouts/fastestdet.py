"""FastestDet: one map [1,5+C,h,w] at a stride of 16.

Channels: objectness (already sigmoid), x and y (tanh gives cells from the cell's corner), width
and height (sigmoid gives fractions of the canvas), C classes (already softmax).
Source: dog-qiuqiu/FastestDet 2022.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.layouts.cells import best_class, cells
from detection.onnx.layouts.input import Input
from detection.onnx.layouts.signature import canvas, class_names
from detection.onnx.letterbox import Letterbox
from detection.onnx.runtime import ModelDescription

SIGNATURE = "FastestDet: one output [1, 5 + classes, h, w]"
STRIDE = 16
_OBJECTNESS, _CLASS = 0.6, 0.4  # exponents of the score, by the authors


@dataclass(frozen=True)
class FastestDet:
    """Takes BGR 0–1, stretched to the canvas."""

    names: tuple[str, ...]
    input: Input
    family: str = "fastestdet"

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score = objectness^0.6 × best class^0.4; see `Layout.decode`."""
        height, width = tensor_shape[2:]
        high, wide = height // STRIDE, width // STRIDE
        expected = (1, 5 + len(self.names), high, wide)
        if outputs[0].shape != expected:
            raise ValueError(f"FastestDet output is {outputs[0].shape}, expected {expected}")
        rows = outputs[0][0].reshape(expected[1], -1).T
        likely, classes = best_class(rows[:, 5:])
        # Clipped, since a root of a figure just below 0 is not a number.
        objectness = np.clip(rows[:, 0], 0, 1)
        scores = objectness**_OBJECTNESS * np.clip(likely, 0, 1) ** _CLASS
        kept = (scores >= min_score) & np.isfinite(rows[:, 1:5]).all(axis=1)
        rows = rows[kept]
        centre = (np.tanh(rows[:, 1:3]) + cells(high, wide)[kept]) * STRIDE
        half = np.array([width, height], np.float32) / (1 + np.exp(-rows[:, 3:5])) / 2
        return Boxes(
            np.concatenate([centre - half, centre + half], axis=1).astype(np.float32),
            scores[kept].astype(np.float32),
            classes[kept],
        )


def recognise(description: ModelDescription) -> FastestDet | None:
    """The layout when the one output is a map of the canvas at a stride of 16."""
    size = canvas(description)
    if size is None or len(description.outputs) != 1:
        return None
    output = description.outputs[0].shape
    height, width = size
    # Both must be fixed: nothing else tells this map from another network's.
    if height is None or width is None or len(output) != 4:
        return None
    channels = output[1]
    if output[2:] != (height // STRIDE, width // STRIDE) or not isinstance(channels, int):
        return None
    names = class_names(description.metadata, channels - 5)
    if names is None or height % STRIDE or width % STRIDE:
        return None
    wanted = Input(
        height,
        width,
        stride=STRIDE,
        deviation=(255.0, 255.0, 255.0),
        letterbox=Letterbox(keep_ratio=False),
    )
    return FastestDet(names, wanted)
