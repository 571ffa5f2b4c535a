"""Masking people in pixels: whole persons, as coarse cells. Pure; knows nobody's rights.

A silhouette stays (standing, swimming, sitting), no face and no clothing: blurring faces alone has
been shown not to be enough, since clothes and shoes identify people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

MARGIN = 0.15  # of a box's sides, on each side: boxes are rarely drawn wide enough
LEAST_MARGIN = 3.0  # pixels
LEAST_CELL = 3.0  # pixels
WHOLE_CELLS = 32  # cells along the longer side of a picture masked as a whole


@dataclass(frozen=True)
class Rect:
    """Fractions of the frame, from its top left."""

    x: float
    y: float
    w: float
    h: float


def mask_people(
    rgb: NDArray[np.uint8], people: Iterable[Rect], *, cells: int, unit: float = 1.0
) -> NDArray[np.uint8]:
    """A copy of `rgb` [H, W, 3] in which each person is a mosaic `cells` cells long.

    Where boxes overlap, the coarser cells win: a small box, of a face say, must not show more
    of the person whom a larger one hides. `unit` is how many pixels of `rgb` one of the shown
    picture takes: the least cell and margin grow with it, so that a sharper picture tells no
    more of a person.
    """
    out = rgb.copy()
    height, width = rgb.shape[:2]

    def length(rect: Rect) -> float:
        return float(max(rect.w * width, rect.h * height))

    for rect in sorted(people, key=length):
        w, h = rect.w * width, rect.h * height
        across, down = (max(LEAST_MARGIN * unit, MARGIN * side) for side in (w, h))
        left, top = max(0, int(rect.x * width - across)), max(0, int(rect.y * height - down))
        right = min(width, int(np.ceil(rect.x * width + w + across)))
        bottom = min(height, int(np.ceil(rect.y * height + h + down)))
        if right > left and bottom > top:
            cell = max(LEAST_CELL * unit, length(rect) / cells)
            out[top:bottom, left:right] = _coarse(rgb[top:bottom, left:right], cell)
    return out


def mask_all(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The whole picture as a mosaic: what is shown while nobody knows where people are."""
    return _coarse(rgb, max(rgb.shape[:2]) / WHOLE_CELLS)


def _coarse(rgb: NDArray[np.uint8], cell: float) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    few = (max(1, round(width / cell)), max(1, round(height / cell)))
    small = cv2.resize(rgb, few, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
