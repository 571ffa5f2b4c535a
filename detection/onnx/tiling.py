"""Cut a frame into overlapping square tiles, so that distant people keep their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Tile:
    """A window of a frame, in px."""

    x: int
    y: int
    width: int
    height: int


def grid(width: int, height: int, tile: int, overlap: float) -> list[Tile]:
    """Tiles of `tile` px a side, evenly spread over the frame, row by row.

    Neighbours share at least `overlap` (fraction of a tile, 0 ≤ overlap < 1). Every pixel is
    covered; no tile leaves the frame, so one is smaller only where the frame itself is.
    """
    if tile < 1 or not 0 <= overlap < 1:
        raise ValueError(f"tile of {tile} px with overlap {overlap} cannot cover a frame")
    return [
        Tile(x, y, min(tile, width), min(tile, height))
        for y in _starts(height, tile, overlap)
        for x in _starts(width, tile, overlap)
    ]


def _starts(length: int, tile: int, overlap: float) -> list[int]:
    spare = length - tile
    if spare <= 0:
        return [0]
    steps = math.ceil(spare / max(1, math.floor(tile * (1 - overlap))))
    return [spare * step // steps for step in range(steps + 1)]
