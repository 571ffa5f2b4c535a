"""Cut a frame into overlapping square tiles, so that distant people keep their pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NEAR = 2.0  # px from an edge within which a box counts as cut by it
_ROOM = 8.0  # px from an edge beyond which a tile shows a thing whole, give or take its box
_PART = 0.5  # of a tile's side: what is larger is seen better from afar


@dataclass(frozen=True)
class Tile:
    """A window of a frame, in px."""

    x: int
    y: int
    width: int
    height: int

    def cuts(self, xyxy: NDArray[np.float32], width: int, height: int) -> NDArray[np.bool_]:
        """[N] whether each box [N,4], in px of the `width` × `height` px frame, touches an edge
        of this window that lies inside the frame: what it holds may go on beyond.
        """
        return self._beyond(xyxy, width, height, _NEAR)

    def shows(self, xyxy: NDArray[np.float32], width: int, height: int) -> NDArray[np.bool_]:
        """[N] whether this window shows what each box [N,4] holds whole, and not too close."""
        sides = (xyxy[:, 2:] - xyxy[:, :2]).max(axis=1)
        fits = sides <= _PART * max(self.width, self.height)
        return np.asarray(fits & ~self._beyond(xyxy, width, height, _ROOM), np.bool_)

    def _beyond(
        self, xyxy: NDArray[np.float32], width: int, height: int, near: float
    ) -> NDArray[np.bool_]:
        """[N] whether each box comes `near` px to an edge that lies inside the frame, or passes
        it.
        """
        right, bottom = self.x + self.width, self.y + self.height
        edges = np.array(
            [
                self.x + near if self.x > 0 else -np.inf,
                self.y + near if self.y > 0 else -np.inf,
                right - near if right < width else np.inf,
                bottom - near if bottom < height else np.inf,
            ]
        )
        beyond = np.concatenate([xyxy[:, :2] < edges[:2], xyxy[:, 2:] > edges[2:]], axis=1)
        return np.asarray(beyond.any(axis=1), np.bool_)


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
