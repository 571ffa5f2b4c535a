"""NanoDet (the first, without Plus): per stride one output of classes, one of distances.

`cls_pred_stride_S` [1,n,C], already sigmoid; `dis_pred_stride_S` [1,n,4×B]: for left, top, right
and bottom of each cell's centre a distribution over B distances of 0, 1, … B−1 strides.
Source: RangiLyu/nanodet 2020, after Li et al. 2020, arXiv:2006.04388 (generalised focal loss).
"""

from __future__ import annotations

import re
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

SIGNATURE = "NanoDet: outputs cls_pred_stride_S [1, n, classes] and dis_pred_stride_S [1, n, 32]"
_OUTPUT = re.compile(r"(cls|dis)_pred_stride_(\d+)")


@dataclass(frozen=True)
class NanoDet:
    """`heads`: for each stride its px and the positions of its two outputs, classes first."""

    names: tuple[str, ...]
    input: Input
    heads: tuple[tuple[int, int, int], ...]
    family: str = "nanodet"

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score = best class; see `Layout.decode`."""
        parts = []
        for stride, classes_at, distances_at in self.heads:
            grid = cells(-(-tensor_shape[2] // stride), -(-tensor_shape[3] // stride))
            likely, distances = outputs[classes_at], outputs[distances_at]
            expected = (1, len(grid), len(self.names))
            if likely.shape != expected or distances.shape[:2] != expected[:2]:
                raise ValueError(
                    f"NanoDet outputs are {likely.shape} and {distances.shape}, "
                    f"expected {expected} and {expected[:2]}"
                )
            scores, classes = best_class(likely[0])
            kept = (scores >= min_score) & np.isfinite(distances[0]).all(axis=1)
            sides = _expected_distance(distances[0][kept]) * stride
            centre = (grid[kept] + 0.5) * stride
            xyxy = np.concatenate([centre - sides[:, :2], centre + sides[:, 2:]], axis=1)
            parts.append(
                Boxes(
                    xyxy.astype(np.float32),
                    np.minimum(scores[kept], 1).astype(np.float32),
                    classes[kept],
                )
            )
        return Boxes.concat(parts)


def recognise(description: ModelDescription) -> NanoDet | None:
    """The layout when every output is named as NanoDet's export names them, in pairs."""
    size = canvas(description)
    found: dict[tuple[str, int], int] = {}
    for position, port in enumerate(description.outputs):
        if (match := _OUTPUT.fullmatch(port.name)) is None or len(port.shape) != 3:
            return None
        found[match[1], int(match[2])] = position
    strides = sorted({stride for _, stride in found})
    if size is None or not strides or len(found) != 2 * len(strides) or strides[0] < 1:
        return None
    heads = tuple((stride, found["cls", stride], found["dis", stride]) for stride in strides)
    columns = {description.outputs[classes].shape[2] for _, classes, _ in heads}
    bins = {description.outputs[distances].shape[2] for _, _, distances in heads}
    count, bin_count = columns.pop(), bins.pop()
    if columns or bins or not isinstance(count, int) or not isinstance(bin_count, int):
        return None
    if bin_count < 8 or bin_count % 4:  # four plain distances are another export's
        return None
    if (names := class_names(description.metadata, count)) is None:
        return None
    wanted = Input(
        *size,
        stride=strides[-1],
        mean=(103.53, 116.28, 123.675),
        deviation=(57.375, 57.12, 58.395),
        letterbox=Letterbox(keep_ratio=False),
    )
    return NanoDet(names, wanted, heads)


def _expected_distance(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """[N,4] mean in strides of the distributions [N,4×B]."""
    bins = logits.reshape(len(logits), 4, -1 if len(logits) else logits.shape[1] // 4)
    weight = np.exp(bins - bins.max(axis=2, keepdims=True))
    distances = np.arange(bins.shape[2], dtype=np.float32)
    result: NDArray[np.float32] = weight @ distances / weight.sum(axis=2)
    return result
