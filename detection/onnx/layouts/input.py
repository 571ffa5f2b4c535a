"""What a network wants its picture to be: size, place, colour order, normalisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.onnx.letterbox import Letterbox, Mapping

MOST_ENLARGED = 2.0  # beyond it costs grow and nothing more is found (measured, YOLOX-nano)


@dataclass(frozen=True)
class Input:
    """`height` and `width` of the canvas in px, None where the file lets them vary; such a side
    is then a multiple of `stride`. `mean` and `deviation` are per channel in the order `colour`,
    on the scale 0–255: a network fed 0–1 has a deviation of 255.
    """

    height: int | None = None
    width: int | None = None
    stride: int = 32
    colour: Literal["BGR", "RGB"] = "BGR"
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    deviation: tuple[float, float, float] = (1.0, 1.0, 1.0)
    letterbox: Letterbox = field(default_factory=Letterbox)

    def prepare(
        self, rgb: NDArray[np.uint8], long_side: int
    ) -> tuple[NDArray[np.float32], Mapping]:
        """Tensor [1,3,h,w] of `rgb` [H,W,3], its long side at `long_side` px if the file lets it
        vary, and the way back from canvas px to picture px.

        Where it varies, the canvas takes the picture's proportions: a square would be mostly
        margin. A picture is enlarged at most twice.
        """
        high, wide = rgb.shape[:2]
        ratio = min(self._up(long_side) / max(high, wide), MOST_ENLARGED)
        canvas, mapping = self.letterbox.place(
            rgb, self.width or self._up(wide * ratio), self.height or self._up(high * ratio)
        )
        if self.colour == "BGR":
            canvas = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR), np.uint8)
        tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], dtype=np.float32)
        if any(self.mean) or set(self.deviation) != {1.0}:
            tensor -= np.array(self.mean, np.float32)[:, None, None]
            tensor /= np.array(self.deviation, np.float32)[:, None, None]
        return tensor, mapping

    def _up(self, length: float) -> int:
        """`length` raised to a multiple of the stride, as the network needs."""
        return max(1, -int(-round(length) // self.stride)) * self.stride
