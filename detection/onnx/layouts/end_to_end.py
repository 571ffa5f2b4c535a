"""End-to-end YOLOs (v10, 26, and others exported with NMS inside): one output [1,K,6].

Rows: left, top, right, bottom in canvas px, score, class; rows beyond what was found are 0.
Source: Wang et al. 2024, arXiv:2405.14458; ultralytics/ultralytics ONNX export with `nms=True`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.layouts.input import ULTRALYTICS, Input
from detection.onnx.layouts.signature import canvas, does_detect, known_class, names_or_numbers
from detection.onnx.runtime import ModelDescription

SIGNATURE = "end-to-end YOLO: one output [1, 300, 6]"
MOST_ROWS = 1000  # a dense output has thousands


@dataclass(frozen=True)
class EndToEnd:
    """Takes RGB 0–1, letterboxed in the middle with 114."""

    names: tuple[str, ...]
    input: Input
    family: str = "end_to_end"

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score as given; see `Layout.decode`."""
        output = outputs[0]
        if output.ndim != 3 or output.shape[::2] != (1, 6):
            raise ValueError(f"end-to-end output is {output.shape}, expected (1, K, 6)")
        rows = output[0].astype(np.float32)
        rows = rows[(rows[:, 4] >= min_score) & np.isfinite(rows).all(axis=1)]
        rows = rows[(rows[:, 2:4] > rows[:, :2]).all(axis=1)]
        return Boxes(
            rows[:, :4], np.minimum(rows[:, 4], 1), known_class(rows[:, 5], len(self.names))
        )


def recognise(description: ModelDescription) -> EndToEnd | None:
    """The layout when the one output has six columns and few rows."""
    size = canvas(description)
    if size is None or len(description.outputs) != 1 or not does_detect(description.metadata):
        return None
    output = description.outputs[0].shape
    if len(output) != 3 or output[2] != 6 or (isinstance(output[0], int) and output[0] != 1):
        return None
    if isinstance(output[1], int) and output[1] > MOST_ROWS:
        return None
    names = names_or_numbers(description.metadata)
    return EndToEnd(names, Input(*size, **ULTRALYTICS))
