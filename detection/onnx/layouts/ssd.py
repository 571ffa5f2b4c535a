"""SSD, in its two usual exports.

- TensorFlow's: bytes [1,h,w,3] RGB in; `detection_boxes` [1,K,4] (top, left, bottom, right as
  fractions), `detection_scores` and `detection_classes` [1,K], classes counted from 1 (COCO's 90
  where nothing else is said), `num_detections` [1].
- PyTorch's, dense: `scores` [1,N,1+C], softmax with the background first, and `boxes` [1,N,4]
  (left, top, right, bottom as fractions); RGB, (x − 127) / 128.
Sources: Liu et al. 2016, arXiv:1512.02325; tensorflow/models object_detection;
qfgaohao/pytorch-ssd.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.classmap import COCO_90
from detection.onnx.layouts.cells import best_class
from detection.onnx.layouts.input import Input
from detection.onnx.layouts.signature import (
    canvas,
    class_names,
    given_names,
    known_class,
    places,
)
from detection.onnx.letterbox import Letterbox
from detection.onnx.runtime import ModelDescription

SIGNATURE = "SSD: outputs detection_boxes, detection_scores, detection_classes; or scores, boxes"


@dataclass(frozen=True)
class Ssd:
    """Stretched to the canvas. `at`: positions of boxes, scores and classes; where `dense`, of
    boxes and scores.
    """

    names: tuple[str, ...]
    input: Input
    at: tuple[int, ...]
    dense: bool = False
    family: str = "ssd"

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score as given, of the best class but the background; see `Layout.decode`."""
        found = [outputs[position] for position in self.at]
        rows = found[0].shape[:2]
        expected = (*rows, 1 + len(self.names)) if self.dense else rows
        if found[0].shape != (1, *rows[1:], 4) or any(e.shape != expected for e in found[1:]):
            raise ValueError(
                f"SSD outputs are {[each.shape for each in found]}, "
                f"expected (1, N, 4) and {expected}"
            )
        boxes = found[0][0].astype(np.float32)
        if self.dense:
            height, width = tensor_shape[2:]
            scores, classes = best_class(found[1][0][:, 1:])
        else:
            height, width = tensor_shape[1:3]
            boxes = boxes[:, [1, 0, 3, 2]]
            scores, classes = found[1][0].astype(np.float32), found[2][0] - 1
        kept = (scores >= min_score) & np.isfinite(boxes).all(axis=1)
        kept &= (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        return Boxes(
            boxes[kept] * np.array([width, height] * 2, np.float32),
            np.minimum(scores[kept], 1).astype(np.float32),
            known_class(classes[kept], len(self.names)),
        )


def recognise(description: ModelDescription) -> Ssd | None:
    """The layout in one of its two exports, told by the outputs' names and ranks."""
    stretched = Letterbox(keep_ratio=False)
    names = {f"detection_{name}": rank for name, rank in
             (("boxes", 3), ("scores", 2), ("classes", 2))}  # fmt: skip
    if at := places(description, names, "num_detections"):
        size = canvas(description, packed=True)
        called = given_names(description.metadata) or COCO_90
        if size is None:
            return None
        return Ssd(
            called,
            Input(*size, stride=1, colour="RGB", packed=True, letterbox=stretched),
            at,
        )
    at, size = places(description, {"boxes": 3, "scores": 3}), canvas(description)
    if not at or size is None or None in size:
        return None
    columns = description.outputs[at[1]].shape[2]
    if not isinstance(columns, int) or description.outputs[at[0]].shape[2] != 4:
        return None
    if (called := class_names(description.metadata, columns - 1) or ()) == ():
        return None
    wanted = Input(
        *size, colour="RGB", mean=(127.0,) * 3, deviation=(128.0,) * 3, letterbox=stretched
    )
    return Ssd(called, wanted, at, dense=True)
