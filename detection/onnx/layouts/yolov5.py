"""YOLOv5 and what keeps its output, MegaDetector v5 and YOLOv7 among them: [1,N,5+C], decoded.

Rows: centre x, centre y, width, height in canvas px, objectness, C class scores; all scores
already sigmoid. Three anchors to a cell; strides 8, 16, 32, and 64 in the larger variants.
Source: ultralytics/yolov5 `export.py`; Beery et al. 2019, arXiv:1907.06772 (MegaDetector).
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
from detection.onnx.layouts.signature import canvas, class_names
from detection.onnx.runtime import ModelDescription

SIGNATURE = "YOLOv5 or MegaDetector v5: one output [1, N, 5 + classes]"
ANCHORS = 3  # to a cell
STRIDES = ((8, 16, 32), (8, 16, 32, 64))


@dataclass(frozen=True)
class Yolov5:
    """Takes RGB 0–1, letterboxed in the middle with 114. `output`: position of the one that is
    read; older exports give the undecoded maps beside it.
    """

    names: tuple[str, ...]
    input: Input
    output: int = 0
    family: str = "yolov5"

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score = objectness × best class; see `Layout.decode`."""
        output = outputs[self.output]
        if output.ndim != 3 or output.shape[::2] != (1, 5 + len(self.names)):
            raise ValueError(
                f"YOLOv5 output is {output.shape}, expected (1, N, {5 + len(self.names)})"
            )
        rows = output[0][output[0, :, 4] >= min_score]  # no score exceeds its objectness
        likely, classes = best_class(rows[:, 5:])
        scores = rows[:, 4] * likely
        kept = (scores >= min_score) & np.isfinite(rows[:, :4]).all(axis=1)
        return Boxes(
            corners(rows[kept, :4]),
            np.minimum(scores[kept], 1).astype(np.float32),
            classes[kept],
        )


def recognise(description: ModelDescription) -> Yolov5 | None:
    """The layout when an output's rows are three anchors to a cell, or free in a file that states
    its stride as these exports do; other outputs may only be the undecoded maps [1,3,h,w,5+C].
    """
    size = canvas(description)
    flat = [at for at, port in enumerate(description.outputs) if len(port.shape) == 3]
    maps = [port for port in description.outputs if len(port.shape) == 5]
    if size is None or len(flat) != 1 or len(flat) + len(maps) != len(description.outputs):
        return None
    _, rows, columns = description.outputs[flat[0]].shape
    if not isinstance(columns, int):
        return None
    height, width = size
    coarsest = STRIDES[0][-1]
    if isinstance(rows, int) and height and width:
        fitting = [s for s in STRIDES if ANCHORS * cell_count(height, width, s) == rows]
        if not fitting or height % fitting[0][-1] or width % fitting[0][-1]:
            return None
        coarsest = fitting[0][-1]
    elif isinstance(rows, int) or (stated := description.metadata.get("stride")) is None:
        return None
    elif stated == str(STRIDES[1][-1]):
        coarsest = STRIDES[1][-1]
    names = class_names(description.metadata, columns - 5)
    if names is None:
        return None
    return Yolov5(names, Input(height, width, coarsest, **ULTRALYTICS), flat[0])
