"""The grid of cells that a dense detector speaks from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def cells(height: int, width: int) -> NDArray[np.float32]:
    """[height × width, 2] column and row of each cell, row by row: the order of outputs."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def best_class(
    scores: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Score [N] and index [N] of the best class in each row of `scores` [N,C]."""
    best = scores.argmax(axis=1)
    return np.take_along_axis(scores, best[:, None], axis=1)[:, 0], best.astype(np.int64)
