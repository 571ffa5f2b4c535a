"""Tiles from a park's own frames: each with its background, as a run gives them to the network.

The pictures lie in one file without a name, which ends with the process that opened it; here are
only its descriptor and what is where.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from detection.training.material import CLASSES
from detection.training.tiles import SIDE, Tile, changed, countable

_WHOLE, _DETAIL = 640, 1920  # px of a frame's long side in a run: looked at as a whole, in tiles
_NEAR_WHOLE = 0.4  # share of tiles at the scale of the whole frame
_LARGE = 0.6  # of a tile: a thing that is higher is shown at the scale of the whole frame
_ALONE = 0.1  # share without a background
_PEOPLED = 0.75  # share of frames with something on them
_KEPT = 0.35  # share of a box that is seen, for it to be asked for


@dataclass(frozen=True, eq=False)
class Pictured:
    """One frame: where its JPEG lies and how long it is, and its background's (0: none); boxes as
    fractions x, y, w, h. `ignored`: nothing is asked there. `lures`: what was taken for something.
    """

    at: int
    frame_bytes: int
    background_bytes: int
    labels: tuple[str, ...]
    boxes: NDArray[np.float64]
    ignored: NDArray[np.float64]
    lures: NDArray[np.float64]

    @classmethod
    def of(cls, row: dict[str, Any]) -> Pictured:
        boxes, ignored, lures = (
            np.array(row[name], np.float64).reshape(-1, 4) for name in ("boxes", "ignored", "lures")
        )
        at, frame_bytes, background_bytes = row["at"]
        labels = tuple(row["labels"])
        return cls(at, frame_bytes, background_bytes, labels, boxes, ignored, lures)


class Own:
    """Tiles by number: the same seed and number, the same tile. Four in a row are of one frame,
    for decoding it costs more than cutting it.
    """

    def __init__(self, file: int, rows: Sequence[Pictured], seed: int) -> None:
        self.file, self.seed = file, seed
        self.peopled = [row for row in rows if len(row.labels)]
        self.bare = [row for row in rows if not len(row.labels)]
        self._last: tuple[int, NDArray[np.uint8], NDArray[np.uint8] | None] | None = None

    def tile(self, number: int) -> Tile:
        choice = np.random.default_rng([self.seed, 11, number // 4])
        rows = self.peopled if choice.random() < _PEOPLED or not self.bare else self.bare
        row = rows[int(choice.integers(len(rows)))]
        if self._last is None or self._last[0] != row.at:
            self._last = (row.at, *self._pictures(row))
        rng = np.random.default_rng([self.seed, 13, number])
        return changed(rng, cut(rng, self._last[1], self._last[2], row))

    def _pictures(self, row: Pictured) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
        frame = _decoded(os.pread(self.file, row.frame_bytes, row.at))
        if not row.background_bytes:
            return frame, None
        return frame, _decoded(os.pread(self.file, row.background_bytes, row.at + row.frame_bytes))


def _decoded(jpeg: bytes) -> NDArray[np.uint8]:
    bgr = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None  # noqa: S101 - written by us
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def cut(
    rng: Generator, frame: NDArray[np.uint8], behind: NDArray[np.uint8] | None, row: Pictured
) -> Tile:
    """A square of `frame` and of what is `behind` it, at a scale at which a run looks."""
    high, wide = frame.shape[:2]
    size = np.array([wide, high] * 2, np.float64)
    boxes, ignored, lures = (
        np.concatenate([each[:, :2], each[:, :2] + each[:, 2:]], axis=1) * size
        for each in (row.boxes, row.ignored, row.lures)
    )
    zoom = max(1.0, _DETAIL / max(high, wide))
    middle = rng.uniform(0, [wide, high])
    about, fate = np.zeros((0, 4)), rng.random()
    if fate < 0.5:
        about = boxes
    elif fate < 0.75:
        about = lures
    if len(about):
        x0, y0, x1, y1 = about[int(rng.integers(len(about)))]
        middle = np.array([rng.uniform(x0, x1), rng.uniform(y0, y1)])
    tallest = float((about[:, 3] - about[:, 1]).max()) if len(about) else 0.0
    if rng.random() < _NEAR_WHOLE or tallest * zoom > _LARGE * SIDE:
        zoom = min(1.0, _WHOLE / max(high, wide))
    zoom *= float(np.exp(rng.uniform(-0.25, 0.25)))
    side = int(min(round(SIDE / zoom), high, wide))
    low = middle + rng.uniform(-0.4, 0.4, 2) * side - side / 2
    x, y = np.clip(np.round(low), 0, [wide - side, high - side]).astype(int)
    scale = SIDE / side
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    a = np.asarray(cv2.resize(frame[y : y + side, x : x + side], (SIDE, SIDE), interpolation=how))
    b = a
    if behind is not None and rng.random() >= _ALONE:
        across, down = scale * wide / behind.shape[1], scale * high / behind.shape[0]
        matrix = np.array(
            [[across, 0, across / 2 - 0.5 - x * scale], [0, down, down / 2 - 0.5 - y * scale]]
        )
        b = np.asarray(
            cv2.warpAffine(behind, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        )
    shift = np.array([x, y, x, y])
    moved = (boxes - shift) * scale
    seen = np.clip(moved, 0, SIDE)
    area = np.prod(np.maximum(seen[:, 2:] - seen[:, :2], 0), axis=1)
    whole = np.maximum(np.prod(moved[:, 2:] - moved[:, :2], axis=1), 1e-6)
    known = np.array([label in CLASSES for label in row.labels], bool)
    sure = known & (area > _KEPT * whole) & countable(seen)
    doubt = np.concatenate([seen[~sure & (area > 0)], np.clip((ignored - shift) * scale, 0, SIDE)])
    doubt = doubt[np.prod(doubt[:, 2:] - doubt[:, :2], axis=1) > 0]
    classes = [CLASSES.index(row.labels[place]) for place in np.flatnonzero(sure)]
    return Tile(
        np.dstack([a, b]).astype(np.uint8),
        seen[sure].astype(np.float32).reshape(-1, 4),
        np.array(classes, np.int64),
        doubt.astype(np.float32).reshape(-1, 4),
    )
