"""Fit a picture into a network's canvas and bring boxes back; no colour order, no normalising."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes


@dataclass(frozen=True)
class Mapping:
    """From picture px to canvas px: × scale + offset, on each axis.

    Two scales, since rounding the resized picture to whole px stretches the axes differently.
    """

    scale_x: float
    scale_y: float
    offset_x: int = 0
    offset_y: int = 0

    def to_picture(self, boxes: Boxes) -> Boxes:
        """Boxes in canvas px as boxes in picture px."""
        scale = np.array([self.scale_x, self.scale_y] * 2, np.float32)
        offset = np.array([self.offset_x, self.offset_y] * 2, np.float32)
        return Boxes((boxes.xyxy - offset) / scale, boxes.scores, boxes.classes)


@dataclass(frozen=True)
class Letterbox:
    """How a picture lies on a canvas of other proportions.

    `keep_ratio`: scaled as a whole, the rest filled with `fill` (0–255); else stretched to fit.
    `centred`: margins on both sides; else the picture lies at the top left.
    """

    keep_ratio: bool = True
    centred: bool = False
    fill: int = 114

    def place(
        self, picture: NDArray[np.uint8], width: int, height: int
    ) -> tuple[NDArray[np.uint8], Mapping]:
        """`picture` [H,W,3] on a canvas of `width` × `height` px, and the way back."""
        high, wide = picture.shape[:2]
        new_w, new_h = width, height
        if self.keep_ratio:
            ratio = min(width / wide, height / high)
            new_w = min(width, max(1, round(wide * ratio)))
            new_h = min(height, max(1, round(high * ratio)))
        resized = cv2.resize(picture, (new_w, new_h), interpolation=cv2.INTER_LINEAR)
        x, y = ((width - new_w) // 2, (height - new_h) // 2) if self.centred else (0, 0)
        canvas = np.full((height, width, 3), self.fill, np.uint8)
        canvas[y : y + new_h, x : x + new_w] = resized
        return canvas, Mapping(new_w / wide, new_h / high, x, y)
