"""What a network wants its picture to be: size, place, colour order, normalisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

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
    packed: bool = False  # takes bytes [1,h,w,3], not normalised
    enlarged: float = MOST_ENLARGED  # times at most; 1 for networks that see small things as is
    background: bool = False  # takes [1,6,h,w]: the picture's channels, then the background's
    size_port: str = ""  # name of an input [1,2] for the canvas' width and height, if there is one
    size_type: str = "tensor(int64)"

    def prepare(
        self,
        rgb: NDArray[np.uint8],
        long_side: int,
        background: NDArray[np.uint8] | None = None,
    ) -> tuple[NDArray[Any], Mapping]:
        """Tensor [1,3,h,w] of `rgb` [H,W,3], its long side at `long_side` px if the file lets it
        vary, and the way back from canvas px to picture px.

        Where it varies, the canvas takes the picture's proportions: a square would be mostly
        margin. A picture is enlarged `enlarged` times at most. A network that takes a `background`
        ([H,W,3]) and is given none gets the picture itself: it then sees that nothing changed.
        """
        tensor, mapping = self._canvas(rgb, long_side)
        if self.background:
            still = tensor if background is None else self._canvas(background, long_side)[0]
            tensor = np.concatenate([tensor, still], axis=1)
        return tensor, mapping

    def sizes(self, tensor: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """What the network takes beside the picture `tensor`, by name of the input."""
        if not self.size_port:
            return {}
        kind = np.int64 if self.size_type == "tensor(int64)" else np.float32
        return {self.size_port: np.array([tensor.shape[:1:-1]], kind)}

    def _canvas(self, rgb: NDArray[np.uint8], long_side: int) -> tuple[NDArray[Any], Mapping]:
        high, wide = rgb.shape[:2]
        ratio = min(self._up(long_side) / max(high, wide), self.enlarged)
        canvas, mapping = self.letterbox.place(
            rgb, self.width or self._up(wide * ratio), self.height or self._up(high * ratio)
        )
        if self.colour == "BGR":
            canvas = np.asarray(cv2.cvtColor(canvas, cv2.COLOR_RGB2BGR), np.uint8)
        if self.packed:
            return canvas[None], mapping
        tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], dtype=np.float32)
        if any(self.mean) or set(self.deviation) != {1.0}:
            tensor -= np.array(self.mean, np.float32)[:, None, None]
            tensor /= np.array(self.deviation, np.float32)[:, None, None]
        return tensor, mapping

    def _up(self, length: float) -> int:
        """`length` raised to a multiple of the stride, as the network needs."""
        return max(1, -int(-round(length) // self.stride)) * self.stride


# What two families share, as keyword arguments.
ULTRALYTICS: dict[str, Any] = {
    "colour": "RGB",
    "deviation": (255.0, 255.0, 255.0),
    "letterbox": Letterbox(centred=True),
}
IMAGENET: dict[str, Any] = {
    "colour": "RGB",
    "mean": (123.675, 116.28, 103.53),
    "deviation": (58.395, 57.12, 57.375),
}
