"""Centres: a heatmap network at a fixed stride, the form that background-aware networks take.

`heat` [1,C,h,w], already sigmoid; `offset` [1,2,h,w], x and y of the centre within its cell;
`size` [1,2,h,w], natural logarithm of width and height in canvas px. A cell speaks if it is the
best of its neighbours, so no NMS is needed but across tiles; classes have their peaks apart, so of
two about one thing the likelier is kept.
Source: Zhou et al. 2019, arXiv:1904.07850, with the size as a logarithm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes, named_once
from detection.onnx.layouts.input import Input
from detection.onnx.layouts.signature import canvas, class_names, places
from detection.onnx.runtime import ModelDescription

SIGNATURE = "centres: outputs heat [1, classes, h, w], offset [1, 2, h, w], size [1, 2, h, w]"
STRIDE = 4
_COARSEST = 32  # of the layers inside: the canvas is a multiple of it
_LARGEST_LOG = 10.0  # exp() of more would only overflow


@dataclass(frozen=True)
class Centres:
    """Takes RGB 0–1, letterboxed at the top left with 114. `at`: positions of the outputs."""

    names: tuple[str, ...]
    input: Input
    at: tuple[int, ...] = (0, 1, 2)
    family: str = "centres"

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score = heat at a peak; see `Layout.decode`."""
        heat, offset, size = (outputs[position] for position in self.at)
        high, wide = tensor_shape[2] // STRIDE, tensor_shape[3] // STRIDE
        expected = (1, len(self.names), high, wide)
        if heat.shape != expected or not offset.shape == size.shape == (1, 2, high, wide):
            raise ValueError(
                f"centres outputs are {heat.shape}, {offset.shape} and {size.shape}, "
                f"expected {expected} and twice (1, 2, {high}, {wide})"
            )
        planes = np.ascontiguousarray(heat[0], np.float32)
        peaks = [plane >= cv2.dilate(plane, np.ones((3, 3), np.uint8)) for plane in planes]
        classes, y, x = np.nonzero(np.stack(peaks) & (planes >= min_score))
        centre = (np.stack([x, y], 1) + offset[0][:, y, x].T) * STRIDE
        half = np.exp(np.minimum(size[0][:, y, x].T, _LARGEST_LOG)) / 2
        xyxy = np.concatenate([centre - half, centre + half], axis=1).astype(np.float32)
        kept = np.isfinite(xyxy).all(axis=1)
        scores = np.minimum(planes[classes, y, x], 1)
        return named_once(Boxes(xyxy[kept], scores[kept], classes[kept].astype(np.int64)))


def recognise(description: ModelDescription) -> Centres | None:
    """The layout when the three outputs bear these names."""
    canvas_size = canvas(description)
    at = places(description, {"heat": 4, "offset": 4, "size": 4})
    if canvas_size is None or not at:
        return None
    count = description.outputs[at[0]].shape[1]
    names = class_names(description.metadata, count) if isinstance(count, int) else None
    if names is None:
        return None
    wanted = Input(
        *canvas_size, stride=_COARSEST, colour="RGB", deviation=(255.0, 255.0, 255.0), enlarged=1.0
    )
    return Centres(names, wanted, at)
