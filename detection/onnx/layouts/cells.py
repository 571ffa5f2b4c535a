"""The grid of cells that a dense detector speaks from, and what its rows are made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def cells(height: int, width: int) -> NDArray[np.float32]:
    """[height × width, 2] column and row of each cell, row by row: the order of outputs."""
    y, x = np.mgrid[:height, :width]
    return np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)


def cell_count(height: int, width: int, strides: Sequence[int]) -> int:
    """Cells of a canvas of `height` × `width` px at all `strides` together."""
    return sum((height // stride) * (width // stride) for stride in strides)


def corners(centred: NDArray[np.float32]) -> NDArray[np.float32]:
    """[N,4] left, top, right, bottom of [N,4] centre x, centre y, width, height."""
    half = centred[:, 2:] / 2
    both = [centred[:, :2] - half, centred[:, :2] + half]
    return np.concatenate(both, axis=1).astype(np.float32)


def sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 / (1 + exp(−x)), without overflow; a NaN stays one."""
    result: NDArray[np.float32] = (0.5 * (1 + np.tanh(0.5 * logits))).astype(np.float32)
    return result


def best_class(
    scores: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Score [N] and index [N] of the best class in each row of `scores` [N,C]."""
    best = scores.argmax(axis=1)
    return np.take_along_axis(scores, best[:, None], axis=1)[:, 0], best.astype(np.int64)
