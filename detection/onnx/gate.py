"""Where to look closely: windows round what changed and round what was seen a moment ago.

Cost grows with what happens, not with pixels: a few tiles laid where they hold most, instead of
all of a grid. Pure geometry; knows no pictures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from detection.onnx.tiling import Tile

MARGIN = 24  # px of a frame about a spot: a person is more than the part that differs
_HELD = 0.6  # share of a spot that lies within a box
_STEPS = 6  # places of a tile within its own side: finer finds no fewer tiles


def windows(
    spots: NDArray[np.float32], width: int, height: int, tile: int, most: int
) -> list[Tile] | None:
    """Tiles of `tile` px, in a `width` × `height` px frame, that together hold every spot of
    `spots` [N,4] (px: left, top, right, bottom) with MARGIN about it; the fullest first.

    A spot larger than a tile is left to the look at the whole frame. None when `most` tiles do not
    suffice: a full grid is as cheap then.
    """
    wide, high = min(tile, width), min(tile, height)
    frame = np.array([width, height] * 2, np.float32)
    about = np.array([-MARGIN, -MARGIN, MARGIN, MARGIN], np.float32)
    boxes = np.clip(spots + about, 0, frame)
    sides = boxes[:, 2:] - boxes[:, :2]
    left = boxes[(sides <= (wide, high)).all(axis=1)]
    corners = _corners(width - wide, height - high, tile)
    far = corners + np.array([wide, high])
    found: list[Tile] = []
    while len(left):
        if len(found) == most:
            return None
        holds = (left[None, :, :2] >= corners[:, None]).all(axis=2)
        holds &= (left[None, :, 2:] <= far[:, None]).all(axis=2)
        counts = holds.sum(axis=1)
        best = int(counts.argmax())
        if counts[best]:
            held = holds[best]
            # Its middle on the middle of what it holds: people keep their surroundings.
            middle = (left[held, :2].min(axis=0) + left[held, 2:].max(axis=0)) / 2
        else:  # falls between the places tried
            held = np.arange(len(left)) == 0
            middle = (left[0, :2] + left[0, 2:]) / 2
        x, y = np.clip(middle - (wide / 2, high / 2), 0, (width - wide, height - high)).astype(int)
        found.append(Tile(int(x), int(y), wide, high))
        left = left[~held]
    return found


def unexplained(spots: NDArray[np.float32], sure: NDArray[np.float32]) -> NDArray[np.float32]:
    """The `spots` [N,4] that no box of `sure` [M,4] holds most of: what the look at the whole
    frame is certain of needs no second one.
    """
    low = np.maximum(spots[:, None, :2], sure[None, :, :2])
    high = np.minimum(spots[:, None, 2:], sure[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    area = np.prod(spots[:, 2:] - spots[:, :2], axis=1)
    held: NDArray[np.bool_] = (common >= _HELD * area[:, None]).any(axis=1)
    return spots[~held]


def _corners(spare_x: int, spare_y: int, tile: int) -> NDArray[np.float32]:
    """[K,2] upper left corners to try."""
    step = max(1, tile // _STEPS)
    x, y = (np.unique(np.append(np.arange(0, spare, step), spare)) for spare in (spare_x, spare_y))
    grid = np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 2)
    return grid.astype(np.float32)
