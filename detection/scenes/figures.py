"""Figures of people, animals, boats and tents, drawn in metres at many times their size and
reduced by area, so that a person of eight pixels is still shaped like one. Knows no lake."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.labels import Label
from detection.scenes.model import Pose, Thing
from detection.scenes.noise import Array

Colour = tuple[float, float, float]
_SKIN: tuple[Colour, ...] = (
    (0.62, 0.43, 0.33),
    (0.52, 0.34, 0.25),
    (0.70, 0.52, 0.42),
    (0.33, 0.20, 0.14),
)
_CLOTH: tuple[Colour, ...] = (
    (0.62, 0.10, 0.09), (0.10, 0.22, 0.55), (0.80, 0.78, 0.74), (0.80, 0.48, 0.08),
    (0.09, 0.10, 0.13),
    (0.10, 0.42, 0.40), (0.55, 0.16, 0.38), (0.78, 0.70, 0.20), (0.30, 0.34, 0.22),
    (0.35, 0.55, 0.75),
)  # fmt: skip
_HAIR: tuple[Colour, ...] = (
    (0.06, 0.04, 0.03),
    (0.22, 0.13, 0.07),
    (0.50, 0.38, 0.20),
    (0.45, 0.45, 0.45),
)
_TENT: tuple[Colour, ...] = (
    (0.75, 0.33, 0.06),
    (0.22, 0.36, 0.16),
    (0.12, 0.28, 0.50),
    (0.72, 0.62, 0.22),
)
_REACH = (1.9, 2.2, 0.5)  # metres a figure may extend to each side, up, and down from its foot


@dataclass(frozen=True)
class Sprite:
    """A drawn figure; `left`, `top`: its corner in the frame, whole pixels."""

    colour: Array  # [h, w, 3] albedo, not multiplied by alpha
    alpha: Array  # [h, w] 0..1
    left: int
    top: int
    # Tight, x0, y0, x1, y1 in pixels of the frame: the figure, without what it holds or lies on.
    box: tuple[float, float, float, float]


class _Pen:
    """Draws in metres from the foot point: x to the figure's front, z up. What does not `count`
    (a towel, a rod, a paddle) is drawn, but is no part of the figure: nobody's box holds it.
    """

    def __init__(self, metre: float, mirror: bool, offset: tuple[float, float], over: int) -> None:
        wide, up, down = (math.ceil(r * metre) + 2 for r in _REACH)
        self.origin = (wide + offset[0], up + offset[1])
        self.metre, self.over, self.turn = metre * over, over, -1.0 if mirror else 1.0
        self.pixels = np.zeros(((up + down) * over, 2 * wide * over, 4), np.float32)
        self.counted = np.zeros(self.pixels.shape[:2], np.uint8)

    def _at(self, x: float, z: float) -> tuple[int, int]:
        return (
            round((self.origin[0] * self.over + self.turn * x * self.metre) * 16),
            round((self.origin[1] * self.over - z * self.metre) * 16),
        )

    def _canvases(self, colour: Colour, count: bool) -> list[tuple[NDArray[Any], Sequence[float]]]:
        """What to draw on, and with what."""
        return [(self.pixels, (*colour, 1.0)), *([(self.counted, (1,))] if count else [])]

    def polygon(self, colour: Colour, *points: tuple[float, float], count: bool = True) -> None:
        line = np.array([self._at(*p) for p in points], np.int32)
        for canvas, ink in self._canvases(colour, count):
            cv2.fillPoly(canvas, [line], ink, cv2.LINE_8, 4)

    def ellipse(
        self, colour: Colour, x: float, z: float, a: float, b: float, count: bool = True
    ) -> None:
        size = (max(round(a * self.metre * 16), 1), max(round(b * self.metre * 16), 1))
        for canvas, ink in self._canvases(colour, count):
            cv2.ellipse(canvas, self._at(x, z), size, 0, 0, 360, ink, -1, cv2.LINE_8, 4)

    def limb(
        self, colour: Colour, thick: float, *points: tuple[float, float], count: bool = True
    ) -> None:
        line = np.array([self._at(*p) for p in points], np.int32)
        wide = max(round(thick * self.metre), 1)
        for canvas, ink in self._canvases(colour, count):
            cv2.polylines(canvas, [line], False, ink, wide, cv2.LINE_8, 4)


def draw(thing: Thing, metre: float, x: float, y: float, night: float = 0.0) -> Sprite | None:
    """Draw `thing` with its foot at pixel (x, y), `metre` pixels to the metre; None where nothing
    is left of it. `night` 0..1 lights the lamp in a tent."""
    over = 8 if metre < 12 else 4
    left, top = math.floor(x), math.floor(y)
    pen = _Pen(metre * thing.scale, thing.left, (x - left, y - top), over)
    _DRAWERS.get(thing.label, _person)(pen, thing, night)
    mask = pen.counted
    if thing.hidden:
        tall = np.flatnonzero(mask.any(axis=1))
        lowest = int(tall[-1] + 1 - thing.hidden * len(tall))
        pen.pixels[lowest:] = 0
        mask[lowest:] = 0
    ys, xs = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(ys):
        return None
    h, w = mask.shape[0] // over, mask.shape[1] // over
    small = cv2.resize(pen.pixels, (w, h), interpolation=cv2.INTER_AREA)
    alpha = small[..., 3]
    left -= math.floor(pen.origin[0])
    top -= math.floor(pen.origin[1])
    box = (
        left + xs[0] / over,
        top + ys[0] / over,
        left + (xs[-1] + 1) / over,
        top + (ys[-1] + 1) / over,
    )
    colour = small[..., :3] / np.maximum(alpha, 1e-3)[..., None]
    return Sprite(colour.astype(np.float32), alpha, left, top, box)


def _dim(colour: Colour, share: float) -> Colour:
    return (colour[0] * share, colour[1] * share, colour[2] * share)


def _person(pen: _Pen, thing: Thing, night: float) -> None:
    k = thing.look
    skin, shirt, hair = _SKIN[k % 4], _CLOTH[k * 7 % 10], _HAIR[k * 3 % 4]
    trousers = _CLOTH[(k * 3 + 4) % 10]
    bare = thing.activity == "bathing"
    if bare:
        shirt, legs = (skin, skin) if k % 2 else (shirt, skin)
    else:
        legs = trousers
    if thing.pose is Pose.SWIM:
        pen.ellipse(skin, -0.12, 0.03, 0.24, 0.09)
        pen.ellipse(skin, 0.05, 0.18, 0.11, 0.14)
        pen.ellipse(hair, 0.02, 0.24, 0.11, 0.09)
        return
    if thing.pose is Pose.LIE:
        pen.polygon(_CLOTH[(k + 2) % 10], (-1.0, 0.0), (0.95, 0.0), (0.8, 0.14), (-0.85, 0.14),
                    count=False)  # fmt: skip
        pen.limb(skin, 0.13, (-0.8, 0.15), (-0.3, 0.19))
        pen.limb(legs, 0.18, (-0.42, 0.19), (0.0, 0.2))
        pen.limb(shirt, 0.26, (-0.05, 0.22), (0.42, 0.22))
        pen.limb(skin, 0.1, (0.4, 0.22), (0.66, 0.23))
        pen.ellipse(skin, 0.71, 0.23, 0.13, 0.105)
        pen.ellipse(hair, 0.78, 0.26, 0.09, 0.09)
        pen.limb(_dim(skin, 0.9), 0.09, (0.4, 0.16), (0.2, 0.12), (-0.02, 0.16))
        return
    base = {Pose.SIT: 0.12, Pose.PADDLE: 0.18}.get(thing.pose, 0.86)
    if thing.pose is Pose.SIT:
        pen.limb(legs, 0.16, (-0.05, base), (0.34, 0.42), (0.50, 0.06))
    elif thing.pose is Pose.PADDLE:
        pen.limb((0.1, 0.1, 0.1), 0.05, (-0.75, 0.25), (0.85, 0.72), count=False)
        pen.ellipse((0.8, 0.7, 0.1), 0.85, 0.72, 0.16, 0.07, count=False)
    else:
        gap = 0.26 if thing.pose is Pose.WALK else 0.09
        pen.limb(_dim(legs, 0.8), 0.15, (-0.04, base), (-gap * 0.4, 0.45), (-gap, 0.06))
        pen.limb(legs, 0.16, (0.04, base), (gap * 0.7, 0.46), (gap, 0.06))
        if bare:
            pen.ellipse(trousers, 0.0, base, 0.16, 0.13)
    lean = 0.06 if thing.pose is Pose.WALK else 0.0
    pen.limb(_dim(shirt, 0.8), 0.10, (-0.13, base + 0.5), (-0.24, base + 0.22), (-0.14, base + 0.0))
    pen.polygon(shirt, (-0.16, base - 0.02), (0.16, base - 0.02), (0.20 + lean, base + 0.52),
                (0.10 + lean, base + 0.58), (-0.10 + lean, base + 0.58),
                (-0.20 + lean, base + 0.52))  # fmt: skip
    arm = _dim(skin if bare else shirt, 0.92)
    if thing.activity == "fishing":
        pen.limb(arm, 0.10, (0.14, base + 0.5), (0.45, base + 0.35))
        pen.limb((0.12, 0.10, 0.08), 0.03, (0.35, base + 0.3), (1.5, base + 1.0),
                 count=False)  # fmt: skip
    else:
        pen.limb(arm, 0.10, (0.16, base + 0.5), (0.25, base + 0.22), (0.27 + 2 * lean, base + 0.02))
    if thing.activity in ("walking", "bivouac") and thing.pose is Pose.WALK:
        pen.ellipse(_CLOTH[(k + 5) % 10], -0.24, base + 0.32, 0.15, 0.29)
    pen.ellipse(skin, 0.02 + lean, base + 0.73, 0.105, 0.14)
    pen.ellipse(hair, -0.01 + lean, base + 0.79, 0.11, 0.095)


def _tent(pen: _Pen, thing: Thing, night: float) -> None:
    cloth = _TENT[thing.look % 4]
    if night > 0.1:  # a lamp inside: sends out more than it gets
        cloth = (cloth[0] + 5.5 * night, cloth[1] + 3.4 * night, cloth[2] + 1.2 * night)
    curve = [(1.25 * math.cos(a), 1.15 * math.sin(a) ** 0.8) for a in np.linspace(0, math.pi, 25)]
    pen.polygon(cloth, *curve)
    pen.polygon(_dim(cloth, 0.72), *[(x, z) for x, z in curve if x > 0.25], (0.25, 0.0))
    pen.polygon(_dim(cloth, 0.45), (-0.42, 0.0), (0.22, 0.0), (-0.05, 0.8))
    pen.limb(_dim(cloth, 1.25), 0.03, *curve)


def _boat(pen: _Pen, thing: Thing, night: float) -> None:
    hull = _CLOTH[(0, 3, 1, 7)[thing.look % 4]]
    pen.polygon(
        hull, (-1.55, 0.26), (-1.35, 0.02), (1.35, 0.02), (1.65, 0.30), (1.0, 0.22), (-1.0, 0.22)
    )
    pen.limb(_dim(hull, 0.5), 0.05, (-1.3, 0.03), (1.3, 0.03))


def _beast(
    pen: _Pen, coat: Colour, head: Colour, size: tuple[float, float, float], grazes: bool
) -> None:
    length, leg, deep = size
    for x, share in ((-0.34, 0.7), (-0.24, 0.9), (0.26, 0.7), (0.34, 0.9)):
        pen.limb(_dim(head, share), 0.09 * length, (x * length, leg), (x * length, 0.03))
    pen.ellipse(_dim(coat, 0.78), 0, leg + deep * 0.9, length / 2, deep)
    pen.ellipse(coat, 0, leg + deep * 1.1, length * 0.47, deep * 0.8)
    neck = (0.62 * length, leg * 0.5 if grazes else leg + deep * 1.9)
    pen.limb(head, 0.16 * length, (0.40 * length, leg + deep), neck)
    pen.ellipse(head, neck[0] + 0.04 * length, neck[1], 0.13 * length, 0.09 * length)


def _sheep(pen: _Pen, thing: Thing, night: float) -> None:
    coat = ((0.72, 0.69, 0.60), (0.64, 0.60, 0.50), (0.78, 0.75, 0.68), (0.20, 0.16, 0.13))
    dark = (0.16, 0.13, 0.11) if thing.look % 3 else (0.6, 0.55, 0.47)
    _beast(
        pen,
        coat[3 if thing.look % 11 == 0 else thing.look % 3],
        dark,
        (1.05, 0.32, 0.25),
        thing.look % 4 > 0,
    )


def _dog(pen: _Pen, thing: Thing, night: float) -> None:
    coat: Colour = ((0.10, 0.08, 0.07), (0.60, 0.55, 0.48), (0.38, 0.22, 0.10))[thing.look % 3]
    _beast(pen, coat, coat, (0.75, 0.30, 0.13), False)
    pen.limb(coat, 0.05, (-0.34, 0.48), (-0.52, 0.68))


def _cattle(pen: _Pen, thing: Thing, night: float) -> None:
    coat: Colour = ((0.42, 0.24, 0.10), (0.70, 0.62, 0.50), (0.10, 0.09, 0.09))[thing.look % 3]
    _beast(pen, coat, _dim(coat, 0.8), (2.1, 0.62, 0.38), thing.look % 3 > 0)
    pen.limb(_dim(coat, 0.7), 0.06, (-1.02, 1.25), (-1.12, 0.6))


_DRAWERS = {
    Label.PERSON: _person, Label.TENT: _tent, Label.BOAT: _boat, Label.SHEEP: _sheep,
    Label.DOG: _dog, Label.CATTLE: _cattle,
}  # fmt: skip
