"""Fit a picture into a network's canvas and bring boxes back; no colour order, no normalising."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes

FILL = 114  # grey of the margin YOLOX was trained with


@dataclass(frozen=True)
class Mapping:
    """Canvas px per picture px on each axis.

    Two figures, since rounding the resized picture to whole px stretches the axes differently.
    """

    scale_x: float
    scale_y: float

    def to_picture(self, boxes: Boxes) -> Boxes:
        """Boxes in canvas px as boxes in picture px."""
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        return Boxes(boxes.xyxy / scale, boxes.scores, boxes.classes)


def letterbox(
    picture: NDArray[np.uint8], width: int, height: int
) -> tuple[NDArray[np.uint8], Mapping]:
    """`picture` [H,W,3] scaled with its proportions into the top left of a `width` × `height` px
    canvas, the rest filled with 114.
    """
    high, wide = picture.shape[:2]
    ratio = min(width / wide, height / high)
    new_w = min(width, max(1, round(wide * ratio)))
    new_h = min(height, max(1, round(high * ratio)))
    canvas = np.full((height, width, 3), FILL, np.uint8)
    canvas[:new_h, :new_w] = cv2.resize(picture, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
    return canvas, Mapping(new_w / wide, new_h / high)
