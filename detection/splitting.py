"""Which settled frames a detector learns from, and which are kept to judge it by. Pure.

Frames of one camera share its view and its visitors, so whole cameras are kept back; where that
leaves too little, whole days. What the detector learnt from before never judges it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

LEAST_FRAMES = 100  # settled, to learn from and to judge by
LEAST_BOXES = 150
LEAST_HELD = 30  # boxes, of those to judge by
_SHARE, _MOST = 0.2, 0.5  # of all boxes, that are kept back


@dataclass(frozen=True)
class Picture:
    """`boxes`: of classes that the detector knows. `taught`: the detector learnt from it before."""

    frame: int
    camera: int
    day: date
    boxes: int
    taught: bool = False


@dataclass(frozen=True)
class Split:
    """Ids of frames, in the order that they came in; `held` is whole cameras or whole days."""

    by: Literal["camera", "day"]
    learn: list[int]
    held: list[int]


class TooFew(Exception):
    """There is not enough: `frames` and `boxes` are missing, or, where both are 0, boxes on
    cameras and days that the detector has not learnt from.
    """

    def __init__(self, frames: int, boxes: int) -> None:
        super().__init__(f"{frames} frames and {boxes} boxes are missing")
        self.frames, self.boxes = frames, boxes


def split(pictures: Sequence[Picture], seed: int) -> Split:
    """Raises TooFew. The same pictures and seed, the same split."""
    boxes = sum(each.boxes for each in pictures)
    if len(pictures) < LEAST_FRAMES or boxes < LEAST_BOXES:
        raise TooFew(max(0, LEAST_FRAMES - len(pictures)), max(0, LEAST_BOXES - boxes))
    cameras = sorted({each.camera for each in pictures}, key=lambda one: _drawn(seed, one))
    days = sorted({each.day for each in pictures}, reverse=True)  # the last first
    if len(cameras) > 1:
        held = _held([(each.camera, each) for each in pictures], cameras, boxes)
        if held:
            return _cut("camera", pictures, {each.frame for each in held})
    held = _held([(each.day, each) for each in pictures], days, boxes)
    if held:
        return _cut("day", pictures, {each.frame for each in held})
    raise TooFew(0, 0)


def _held(
    units: Sequence[tuple[Hashable, Picture]], order: Iterable[Hashable], boxes: int
) -> list[Picture]:
    """Whole units in this order until they have their share; none without enough of it."""
    kept: list[Picture] = []
    has = 0
    for unit in order:
        own = [each for key, each in units if key == unit]
        more = sum(each.boxes for each in own)
        if has + more <= _MOST * boxes and not any(each.taught for each in own):
            kept, has = kept + own, has + more
        if has >= _SHARE * boxes:
            break
    return kept if has >= LEAST_HELD else []


def _cut(by: Literal["camera", "day"], pictures: Sequence[Picture], held: set[int]) -> Split:
    ids = [each.frame for each in pictures]
    return Split(by, [pk for pk in ids if pk not in held], [pk for pk in ids if pk in held])


def _drawn(seed: int, camera: int) -> bytes:
    return hashlib.sha256(f"{seed}:{camera}".encode()).digest()
