"""YOLOX as its authors export it: one undecoded output [1,N,5+C] for strides 8, 16 and 32.

Source: Ge et al. 2021, arXiv:2107.08430. Does no NMS; does not read decoded YOLO exports.
"""

from __future__ import annotations

import json
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.classmap import COCO_80
from detection.onnx.letterbox import Mapping, letterbox
from detection.onnx.runtime import ModelDescription

STRIDES = (8, 16, 32)
_COARSEST = STRIDES[-1]
_LARGEST_LOG = 10.0  # exp() of more strides than any canvas holds would only overflow


@dataclass(frozen=True)
class Yolox:
    """`height` and `width` of the canvas in px, None where the file lets them vary."""

    names: tuple[str, ...]
    height: int | None = None
    width: int | None = None
    family: str = "yolox"

    def prepare(
        self, rgb: NDArray[np.uint8], long_side: int
    ) -> tuple[NDArray[np.float32], Mapping]:
        """BGR 0–255, letterboxed at the top left; see `Layout.prepare`."""
        high, wide = rgb.shape[:2]
        ratio = _up(long_side) / max(high, wide)
        canvas, mapping = letterbox(
            rgb, self.width or _up(wide * ratio), self.height or _up(high * ratio)
        )
        bgr = cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR)
        return np.ascontiguousarray(bgr.transpose(2, 0, 1)[None], dtype=np.float32), mapping

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score = objectness × best class; see `Layout.decode`."""
        output = outputs[0]
        centres, strides = _anchors(tensor_shape[2], tensor_shape[3])
        expected = (1, len(strides), 5 + len(self.names))
        if output.shape != expected:
            raise ValueError(f"YOLOX output is {output.shape}, expected {expected}")
        rows = output[0]
        classes = rows[:, 5:].argmax(axis=1)
        scores = rows[:, 4] * np.take_along_axis(rows[:, 5:], classes[:, None], axis=1)[:, 0]
        # Decode only what can be kept: most anchors see background. NaN compares false.
        kept = (scores >= min_score) & np.isfinite(rows[:, :4]).all(axis=1)
        rows, stride = rows[kept], strides[kept, None]
        centre = (rows[:, :2] + centres[kept]) * stride
        half = np.exp(np.minimum(rows[:, 2:4], _LARGEST_LOG)) * stride / 2
        return Boxes(
            np.concatenate([centre - half, centre + half], axis=1).astype(np.float32),
            np.minimum(scores[kept], 1).astype(np.float32),
            classes[kept].astype(np.int64),
        )


def recognise(description: ModelDescription) -> Yolox | None:
    """The layout when inputs, outputs and number of classes are those of a YOLOX export."""
    if len(description.inputs) != 1 or len(description.outputs) != 1:
        return None
    shape, output = description.inputs[0].shape, description.outputs[0].shape
    if len(shape) != 4 or shape[1] != 3 or len(output) != 3:
        return None
    if description.inputs[0].type != "tensor(float)":
        return None
    if any(isinstance(batch, int) and batch != 1 for batch in (shape[0], output[0])):
        return None
    height, width = (side if isinstance(side, int) else None for side in shape[2:])
    if any(side is not None and (side < 1 or side % _COARSEST) for side in (height, width)):
        return None
    # Other YOLO exports share the shape but hold three anchors a cell.
    if height and width and isinstance(output[1], int):
        cells = sum((height // stride) * (width // stride) for stride in STRIDES)
        if output[1] != cells:
            return None
    columns = output[2]
    names = _names(description.metadata) or COCO_80
    if not isinstance(columns, int) or columns != 5 + len(names):
        return None
    return Yolox(names, height, width)


def _names(metadata: MappingOf[str, str]) -> tuple[str, ...] | None:
    """Class names an exporter left under `names`, a JSON list."""
    try:
        names = json.loads(metadata.get("names", "null"))
    except ValueError:
        return None
    return tuple(map(str, names)) if isinstance(names, list) and names else None


def _anchors(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Cells [N,2] (x, y in cells) and strides [N] in px, in the order of the output's rows."""
    cells, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack([x.ravel(), y.ravel()], axis=1))
        strides.append(np.full(x.size, stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _up(length: float) -> int:
    """`length` raised to a multiple of the coarsest stride, as the network needs."""
    return max(1, -int(-round(length) // _COARSEST)) * _COARSEST
