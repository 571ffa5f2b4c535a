"""RT-DETR, D-FINE, DEIM and RF-DETR: a set of boxes, no NMS needed.

Read in two forms:
- decided: `labels` [1,Q], `boxes` [1,Q,4] (left, top, right, bottom), `scores` [1,Q], as their
  authors' exports leave it. With a second input for the picture's size (width, height) boxes come
  in its px, so the canvas' own size is given; without one they are px or fractions of the canvas.
- raw: boxes [1,Q,4] (centre x, y, width, height as fractions of the canvas) and logits [1,Q,C],
  as `pred_boxes` and `logits`, or RF-DETR's `dets` and `labels`.
Sources: Zhao et al. 2023, arXiv:2304.08069; Peng et al. 2024, arXiv:2410.13842; Huang et al.
2024, arXiv:2412.04234; roboflow/rf-detr. Does not read DETR's own softmax with "no object".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.layouts.cells import best_class, corners, sigmoid
from detection.onnx.layouts.input import IMAGENET, Input
from detection.onnx.layouts.signature import (
    canvas,
    class_names,
    known_class,
    names_or_numbers,
    places,
)
from detection.onnx.letterbox import Letterbox
from detection.onnx.runtime import ModelDescription

SIGNATURE = "RT-DETR, D-FINE or DEIM: outputs labels [1, Q], boxes [1, Q, 4], scores [1, Q]"
_FRACTION = 1.5  # boxes reaching no farther are fractions: no px box of a canvas is so small


@dataclass(frozen=True)
class Detr:
    """Takes RGB 0–1 (RF-DETR: ImageNet's normalisation), stretched to the canvas. `at`: positions
    of boxes, scores, labels; or, where `raw`, of boxes and logits.
    """

    names: tuple[str, ...]
    input: Input
    at: tuple[int, ...]
    raw: bool = False
    family: str = "detr"

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score as given, or sigmoid of the best logit; see `Layout.decode`."""
        found = [outputs[position] for position in self.at]
        queries = found[0].shape[:2]
        expected = (*queries, len(self.names)) if self.raw else queries
        if found[0].shape != (1, *queries[1:], 4) or any(e.shape != expected for e in found[1:]):
            raise ValueError(
                f"DETR outputs are {[each.shape for each in found]}, "
                f"expected (1, Q, 4) and {expected}"
            )
        boxes = found[0][0].astype(np.float32)
        size = np.array([tensor_shape[3], tensor_shape[2]] * 2, np.float32)
        if self.raw:
            logits, classes = best_class(found[1][0])
            scores, boxes = sigmoid(logits), corners(boxes) * size
        else:
            scores, classes = found[1][0].astype(np.float32), found[2][0]
            if not self.input.size_port and np.abs(boxes).max(initial=0) <= _FRACTION:
                boxes = boxes * size
        kept = (scores >= min_score) & np.isfinite(boxes).all(axis=1)
        kept &= (boxes[:, 2:] > boxes[:, :2]).all(axis=1)
        return Boxes(
            boxes[kept], np.minimum(scores[kept], 1), known_class(classes[kept], len(self.names))
        )


def recognise(description: ModelDescription) -> Detr | None:
    """The layout in one of its two forms, told by names and ranks of the outputs."""
    stretched = Letterbox(keep_ratio=False)
    rgb: dict[str, Any] = {"colour": "RGB", "deviation": (255.0,) * 3, "letterbox": stretched}
    sizes = [port for port in description.inputs if len(port.shape) == 2]
    if len(sizes) == 1 and sizes[0].type in ("tensor(int64)", "tensor(float)"):
        rgb |= {"size_port": sizes[0].name, "size_type": sizes[0].type}
    size = canvas(description, others=len(sizes))
    if size is None or len(sizes) > 1:
        return None
    if decided := places(description, {"boxes": 3, "scores": 2, "labels": 2}):
        return Detr(names_or_numbers(description.metadata), Input(*size, **rgb), decided)
    for form in ({"pred_boxes": 3, "logits": 3}, {"dets": 3, "labels": 3}):
        if not (raw := places(description, form)):
            continue
        if description.outputs[raw[0]].shape[2] != 4:
            return None
        count = description.outputs[raw[1]].shape[2]
        names = class_names(description.metadata, count) if isinstance(count, int) else None
        if "dets" in form:
            rgb |= IMAGENET
        return None if names is None else Detr(names, Input(*size, **rgb), raw, raw=True)
    return None
