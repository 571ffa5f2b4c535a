"""YOLOX as its authors export it: one undecoded output [1,N,5+C] for strides 8, 16 and 32.

Source: Ge et al. 2021, arXiv:2107.08430. Does no NMS; does not read decoded YOLO exports.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.layouts.cells import best_class, cell_count, cells
from detection.onnx.layouts.input import Input
from detection.onnx.layouts.signature import canvas, class_names
from detection.onnx.runtime import ModelDescription

SIGNATURE = "YOLOX: one output [1, N, 5 + classes], not decoded"
STRIDES = (8, 16, 32)
_COARSEST = STRIDES[-1]
_LARGEST_LOG = 10.0  # exp() of more strides than any canvas holds would only overflow


@dataclass(frozen=True)
class Yolox:
    """Takes BGR 0–255 unnormalised, letterboxed at the top left with 114."""

    names: tuple[str, ...]
    input: Input = field(default_factory=lambda: Input(stride=_COARSEST))
    family: str = "yolox"

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score = objectness × best class; see `Layout.decode`."""
        output = outputs[0]
        corners, strides = _anchors(tensor_shape[2], tensor_shape[3])
        expected = (1, len(strides), 5 + len(self.names))
        if output.shape != expected:
            raise ValueError(f"YOLOX output is {output.shape}, expected {expected}")
        # No score exceeds its objectness, and most anchors see background. NaN compares false.
        hopeful = output[0, :, 4] >= min_score
        rows, corners, strides = output[0][hopeful], corners[hopeful], strides[hopeful]
        scores, classes = best_class(rows[:, 5:])
        scores = rows[:, 4] * scores
        kept = (scores >= min_score) & np.isfinite(rows[:, :4]).all(axis=1)
        rows, stride = rows[kept], strides[kept, None]
        centre = (rows[:, :2] + corners[kept]) * stride
        half = np.exp(np.minimum(rows[:, 2:4], _LARGEST_LOG)) * stride / 2
        return Boxes(
            np.concatenate([centre - half, centre + half], axis=1).astype(np.float32),
            np.minimum(scores[kept], 1).astype(np.float32),
            classes[kept],
        )


def recognise(description: ModelDescription) -> Yolox | None:
    """The layout when input, output and number of classes are those of a YOLOX export."""
    size = canvas(description)
    if size is None or any(side is not None and side % _COARSEST for side in size):
        return None
    # Other YOLO exports share the shape: some say their stride, all hold three anchors a cell.
    if len(description.outputs) != 1 or "stride" in description.metadata:
        return None
    output = description.outputs[0].shape
    if len(output) != 3 or (isinstance(output[0], int) and output[0] != 1):
        return None
    height, width = size
    rows, columns = output[1:]
    if height and width and isinstance(rows, int) and rows != cell_count(height, width, STRIDES):
        return None
    names = class_names(description.metadata, columns - 5) if isinstance(columns, int) else None
    return None if names is None else Yolox(names, Input(height, width, _COARSEST))


def _anchors(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cells [N,2] (x, y in cells) and strides [N] in px, in the order of the output's rows."""
    grids = [cells(height // stride, width // stride) for stride in STRIDES]
    strides = [
        np.full(len(grid), stride, np.float32) for grid, stride in zip(grids, STRIDES, strict=True)
    ]
    return np.concatenate(grids), np.concatenate(strides)
