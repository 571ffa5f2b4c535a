"""When a camera was knocked: the view before differs from the view after, and stays so. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

WIDTH = 320  # pixels, at which views are compared
SAMPLES = 24  # views that are looked at first
SIDE = 5  # of them on each side that say what the view was
FEWEST = 3
LEAST_SHIFT = 0.01  # of the width; wind shakes a post by less
ALIKE = 0.3  # correlation of edges below which two views are not of the same place

View = NDArray[np.float32]


def edges(grey: NDArray[np.uint8]) -> View:
    """Where a picture, uint8 [H, W], has edges, whatever its light: float32 [h, WIDTH]."""
    height = max(8, round(WIDTH * grey.shape[0] / grey.shape[1]))
    resized = cv2.resize(grey, (WIDTH, height), interpolation=cv2.INTER_AREA)
    small: NDArray[Any] = resized.astype(np.float32)
    # The burned-in stamp never moves with the view.
    small = small[height // 12 : height - height // 12]
    small = cv2.GaussianBlur(small, (0, 0), 1.2)
    strength = np.hypot(cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1))
    strength = np.log1p(strength)
    strength -= cv2.blur(strength, (31, 31))
    return np.asarray(strength / (strength.std() + 1e-6), np.float32)


def knocked_at(usable: Sequence[int], view: Callable[[int], View]) -> int | None:
    """Of frames in their order, the first of the new view, or None where the camera stood still.

    `usable`: indices of frames with light and sight, ascending; `view` gives the edges of one. Of
    thousands, about SAMPLES + 10 are looked at.
    """
    if len(usable) < 2 * FEWEST:
        return None
    places = np.unique(np.linspace(0, len(usable) - 1, SAMPLES).astype(int))
    seen = [view(usable[place]) for place in places]
    best, at, before, after = 0.0, None, seen[0], seen[0]
    for split in range(FEWEST, len(seen) - FEWEST + 1):
        left = np.mean(seen[max(0, split - SIDE) : split], axis=0)
        right = np.mean(seen[split : split + SIDE], axis=0)
        change = _change(left, right)
        if change > best:
            best, at, before, after = change, split, left, right
    if at is None or not _stays(seen, at):
        return None
    low, high = int(places[at - 1]), int(places[at])
    while high - low > 1:
        middle = (low + high) // 2
        now = view(usable[middle])
        if _alike(now, after) > _alike(now, before):
            high = middle
        else:
            low = middle
    return usable[high]


def _change(left: View, right: View) -> float:
    """How far the view moved, as a share of the width; 0 for wind and light."""
    window = cv2.createHanningWindow((left.shape[1], left.shape[0]), cv2.CV_32F)
    (dx, dy), response = cv2.phaseCorrelate(left, right, window)
    shift = float(np.hypot(dx, dy)) / WIDTH
    alike = _alike(left, right)
    if alike < ALIKE:
        return max(shift, 1 - alike)
    back = np.array([[1, 0, -dx], [0, 1, -dy]], np.float32)
    size = (left.shape[1], left.shape[0])
    moved_back = _alike(left, np.asarray(cv2.warpAffine(right, back, size), np.float32))
    return shift if shift >= LEAST_SHIFT and moved_back > alike and response > 0.02 else 0.0


def _stays(seen: list[View], at: int) -> bool:
    """Whether all that follows is like what follows at once: a boat before the lens moves on."""
    before, after = np.mean(seen[:at], axis=0), np.mean(seen[at : at + SIDE], axis=0)
    tail = seen[at:]
    return sum(_alike(one, after) > _alike(one, before) for one in tail) >= 0.8 * len(tail)


def _alike(a: View, b: View) -> float:
    return float((a * b).mean() / (a.std() * b.std() + 1e-6))
