"""Boxes of one picture and the geometry on them; does not know models, files or labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_HELD = 0.7  # share of a fragment that lies within the whole
_BETWEEN = 0.35  # IoU above which boxes of two looks are one thing: twice the scale, other edges
_ONE_THING = 0.6  # IoU above which boxes of two classes are about one thing
_MOST_NAMED = 1000  # boxes of one look that are compared with one another
_AS_CERTAIN = 0.5  # of the fragment's score: a faint large box takes no sure small one with it


@dataclass(frozen=True, eq=False)
class Boxes:
    """Detections of one picture.

    `xyxy` float32 [N,4]: left, top, right, bottom in px; `scores` float32 [N] in 0..1;
    `classes` int64 [N], indices into the model's names. Raises ValueError when lengths disagree.
    """

    xyxy: NDArray[np.float32]
    scores: NDArray[np.float32]
    classes: NDArray[np.int64]

    def __post_init__(self) -> None:
        count = len(self.scores)
        if self.xyxy.shape != (count, 4) or self.classes.shape != (count,):
            raise ValueError(
                f"boxes {self.xyxy.shape}, scores {self.scores.shape} and classes "
                f"{self.classes.shape} do not describe the same detections"
            )

    def __len__(self) -> int:
        return len(self.scores)

    @classmethod
    def empty(cls) -> Boxes:
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    @classmethod
    def concat(cls, parts: Sequence[Boxes]) -> Boxes:
        if not parts:
            return cls.empty()
        return cls(
            np.concatenate([part.xyxy for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate([part.classes for part in parts]),
        )

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Boxes:
        """The boxes at `index` (positions or a mask), in that order."""
        return Boxes(self.xyxy[index], self.scores[index], self.classes[index])

    def shift(self, x: float, y: float) -> Boxes:
        """The same boxes with the origin moved by (`x`, `y`) px: from a tile to its frame."""
        return Boxes(
            self.xyxy + np.array([x, y, x, y], np.float32),
            self.scores,
            self.classes,
        )

    def to_fractions(self, width: int, height: int) -> NDArray[np.float64]:
        """[N,4] x, y, w, h as fractions of a `width` × `height` px frame, cut to lie within it."""
        frame = np.array([width, height, width, height], np.float64)
        corners = np.clip(self.xyxy.astype(np.float64) / frame, 0.0, 1.0)
        return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union of every box of `a` [N,4] with every box of `b` [M,4]: [N,M]."""
    common = _common(a, b)
    union = _area(a)[:, None] + _area(b)[None, :] - common
    result: NDArray[np.float32] = np.divide(
        common, union, out=np.zeros_like(common), where=union > 0
    )
    return result


def _common(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    result: NDArray[np.float32] = np.prod(np.clip(high - low, 0, None), axis=2)
    return result


def _area(xyxy: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = np.prod(np.clip(xyxy[:, 2:] - xyxy[:, :2], 0, None), axis=1)
    return result


def nms(
    boxes: Boxes, limit: float, most: int | None = None, look: NDArray[np.intp] | None = None
) -> Boxes:
    """Greedy class-wise suppression: a box overlapping a better one of its class by an IoU over
    `limit` goes, over _BETWEEN where another `look` [N] (tile or whole frame) saw the better one.
    Best first, ties in the order given, at most `most`.
    """
    left = np.argsort(-boxes.scores, kind="stable")
    kept: list[int] = []
    while left.size and (most is None or len(kept) < most):
        best, left = left[0], left[1:]
        kept.append(int(best))
        overlap = iou(boxes.xyxy[best : best + 1], boxes.xyxy[left])[0]
        same = overlap > limit
        if look is not None:
            same |= (overlap > _BETWEEN) & (look[left] != look[best])
        left = left[~same | (boxes.classes[left] != boxes.classes[best])]
    return boxes.take(np.array(kept, np.intp))


def named_once(boxes: Boxes) -> Boxes:
    """`boxes`, best first (at most _MOST_NAMED), without those that a better one of another class
    overlaps by an IoU over _ONE_THING: what may be a tent and is more likely a person is one.
    """
    best = boxes.take(np.argsort(-boxes.scores, kind="stable")[:_MOST_NAMED])
    same = iou(best.xyxy, best.xyxy) > _ONE_THING
    same &= best.classes[:, None] != best.classes
    return best.take(np.asarray(~np.tril(same, -1).any(axis=1), np.bool_))


def fragments(boxes: Boxes, cut: NDArray[np.bool_], look: NDArray[np.intp]) -> NDArray[np.bool_]:
    """[N] which are boxes of things that a tile's edge cut and that another look shows more of.

    `cut` [N]: the box touches an edge of its tile that lies inside the frame. `look` [N]: the
    tile (or whole frame) it was seen in. A cut box is one if a box of its class from another look
    holds most of it, is larger, and is not much less certain. Boxes that no edge cut are none: a
    child before an adult lies within the adult's box too.
    """
    area = _area(boxes.xyxy)
    parts = np.flatnonzero(cut)
    held = _common(boxes.xyxy[parts], boxes.xyxy) >= _HELD * area[parts, None]
    held &= area > area[parts, None]
    held &= (look != look[parts, None]) & (boxes.classes == boxes.classes[parts, None])
    held &= boxes.scores >= _AS_CERTAIN * boxes.scores[parts, None]
    result = np.zeros(len(boxes), bool)
    result[parts] = held.any(axis=1)
    return result


def clip(boxes: Boxes, width: int, height: int) -> Boxes:
    """Boxes cut to a `width` × `height` px frame; those with nothing left inside are dropped."""
    edge = np.array([width, height, width, height], np.float32)
    cut = Boxes(np.clip(boxes.xyxy, np.float32(0), edge), boxes.scores, boxes.classes)
    return cut.take(np.all(cut.xyxy[:, 2:] > cut.xyxy[:, :2], axis=1))
