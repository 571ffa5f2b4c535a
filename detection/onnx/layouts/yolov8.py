"""YOLOv8, v9, 11 and 12 without NMS inside: one output [1,4+C,N], decoded, no objectness.

Columns: centre x, centre y, width, height in canvas px, then C class scores, already sigmoid.
Source: ultralytics/ultralytics, `Detect` head and ONNX export.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.layouts.cells import best_class, cell_count, corners
from detection.onnx.layouts.input import ULTRALYTICS, Input
from detection.onnx.layouts.signature import canvas, class_names, does_detect
from detection.onnx.runtime import ModelDescription

SIGNATURE = "YOLOv8 or YOLO11: one output [1, 4 + classes, N]"
STRIDES = ((8, 16, 32), (8, 16, 32, 64), (4, 8, 16, 32))


@dataclass(frozen=True)
class Yolov8:
    """Takes RGB 0–1, letterboxed in the middle with 114."""

    names: tuple[str, ...]
    input: Input
    family: str = "yolov8"

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score = best class; see `Layout.decode`."""
        output = outputs[0]
        if output.ndim != 3 or output.shape[:2] != (1, 4 + len(self.names)):
            raise ValueError(
                f"YOLOv8 output is {output.shape}, expected (1, {4 + len(self.names)}, N)"
            )
        # The best of each column before anything is turned: most see background. NaN is false.
        rows = output[0][:, output[0, 4:].max(axis=0) >= min_score].T
        scores, classes = best_class(rows[:, 4:])
        kept = np.isfinite(rows).all(axis=1)
        return Boxes(
            corners(rows[kept, :4]),
            np.minimum(scores[kept], 1).astype(np.float32),
            classes[kept],
        )


def recognise(description: ModelDescription) -> Yolov8 | None:
    """The layout when the one output has a column for each cell, or a free number of columns."""
    size = canvas(description)
    if size is None or len(description.outputs) != 1 or not does_detect(description.metadata):
        return None
    output = description.outputs[0].shape
    height, width = size
    if len(output) != 3 or not isinstance(channels := output[1], int):
        return None
    columns = output[2]
    coarsest = STRIDES[0][-1]
    if isinstance(columns, int):
        if not height or not width:
            return None
        fitting = [s for s in STRIDES if cell_count(height, width, s) == columns]
        if not fitting or height % fitting[0][-1] or width % fitting[0][-1]:
            return None
        coarsest = fitting[0][-1]
    elif description.metadata.get("stride") == "64":
        coarsest = 64
    names = class_names(description.metadata, channels - 4)
    return None if names is None else Yolov8(names, Input(height, width, coarsest, **ULTRALYTICS))
