"""What tiles are made of, gathered once: drawn figures, people cut out of photographs, views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from detection.datasets import Example, read
from detection.training.figures import FIGURES
from detection.training.shapes import Sprite
from detection.training.views import View, drawn

CLASSES = ("person", "tent", "boat", "dog", "sheep", "cattle")
CLUTTER = "clutter"
LABELS = {"bather": "person", "rider": "person"}  # kinds of figures that are not classes
_METRES = {"person": 1.7, "dog": 0.6, "boat": 1.0, "cattle": 1.4}  # heights of what is cut out
_LEAST_PX = 50  # a cut-out lower than this is too coarse to paste
_VIEW_PX = 400


@dataclass(frozen=True, eq=False)
class Material:
    """`figures`: by class (and clutter), drawn and cut out. `views`: drawn ones. `photographs`:
    uint8 [H,W,3] without anybody. `real`: labelled photographs with their boxes.
    """

    figures: dict[str, list[Sprite]]
    cutouts: dict[str, list[Sprite]]
    views: list[View]
    photographs: list[NDArray[np.uint8]]
    real: list[tuple[NDArray[np.uint8], Example]]


def gather(seed: int, figures: int, views: int, folders: Sequence[Path]) -> Material:
    """Draw `figures` persons (other classes a third of that) and `views` views from `seed`, and
    cut out what the data sets in `folders` outline. Raises NotADataset.
    """
    kinds: dict[str, list[Sprite]] = {}
    for place, (name, draw) in enumerate(FIGURES.items()):
        count = figures if name == "person" else max(8, figures // 3)
        found = (draw(np.random.default_rng([seed, place, number])) for number in range(count))
        kinds[name] = [sprite for sprite in found if sprite is not None]
    cut: dict[str, list[Sprite]] = {name: [] for name in CLASSES}
    photographs, real = [], []
    for folder in folders:
        for example in read(folder):
            picture = np.asarray(Image.open(example.path).convert("RGB"))
            if len(example.labels) or len(example.ignored):
                real.append((picture, example))
                for label, sprite in _cut_out(picture, example):
                    cut[label].append(sprite)
            else:
                photographs.append(picture)
    return Material(
        kinds, cut, [drawn(np.random.default_rng([seed, 99, n]), _VIEW_PX) for n in range(views)],
        photographs, real,
    )  # fmt: skip


def _cut_out(picture: NDArray[np.uint8], example: Example) -> list[tuple[str, Sprite]]:
    """Things with an outline, whole (not cut by the picture's edge) and large enough."""
    high, wide = picture.shape[:2]
    found = []
    for box, label, rings in zip(example.xyxy, example.labels, example.outlines, strict=True):
        x0, y0, x1, y1 = box
        whole = x0 > 2 and y0 > 2 and x1 < wide - 2 and y1 < high - 2
        upright = label != "person" or (y1 - y0) > 1.2 * (x1 - x0)
        if not rings or label not in _METRES or y1 - y0 < _LEAST_PX or not whole or not upright:
            continue
        inside = np.zeros((high, wide), np.uint8)
        cv2.fillPoly(inside, [np.round(ring).astype(np.int32) for ring in rings], 255)
        mask = cv2.GaussianBlur(cv2.erode(inside, np.ones((3, 3), np.uint8)), (3, 3), 0)
        left, top, right, bottom = int(x0) - 1, int(y0) - 1, int(x1) + 2, int(y1) + 2
        rgba = np.dstack([picture, mask])[top:bottom, left:right]
        inner = (float(x0 - left), float(y0 - top), float(x1 - left), float(y1 - top))
        px_per_metre = float(y1 - y0) / _METRES[label]
        sprite = Sprite(np.ascontiguousarray(rgba), inner, float(y1 - top), px_per_metre)
        found.append((label, sprite))
    return found


def pick(rng: Generator, things: Sequence[Sprite]) -> Sprite:
    return things[int(rng.integers(len(things)))]
