"""Rounded solids drawn flat: outline, reflectance and surface direction per pixel, ready to be lit.

Everything that stands in the scene (people, animals, tents, boats, trees, rocks) is drawn on a `Canvas`
several times larger than needed, and reduced by area. Knows nothing of light or of the valley.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.scenes.noise import Array, tile

Colour = tuple[float, float, float]  # linear reflectance
Point = tuple[float, float, float]  # metres: right, towards the camera, up

_SPREAD = np.linspace(0, 2 * np.pi, 20, endpoint=False)
_CIRCLE = np.stack([np.cos(_SPREAD), np.sin(_SPREAD)], axis=1)


@dataclass(frozen=True)
class Sprite:
    """A drawn solid: premultiplied layers [h, w] and [3, h, w], and where its foot point is.

    Normals: right, up, towards the camera. `glow` is light of its own.
    """

    alpha: Array
    albedo: Array
    normal: Array
    glow: Array
    foot: tuple[float, float]  # pixels from the top left
    pixels_per_metre: float

    def scaled(self, pixels_per_metre: float, foot_offset: tuple[float, float]) -> Sprite:
        """Reduced by area; `foot_offset` (0..1) is the part of a pixel by which the foot lies off the grid."""
        factor = pixels_per_metre / self.pixels_per_metre
        height, width = self.alpha.shape
        out_w = max(1, math.ceil(width * factor)) + 2
        out_h = max(1, math.ceil(height * factor)) + 2
        left = math.floor(self.foot[0] * factor) + 1
        top = math.floor(self.foot[1] * factor) + 1
        # Pad the source so that one output pixel covers a whole number of cells and the foot keeps its place.
        pad_x = (left + foot_offset[0]) / factor - self.foot[0]
        pad_y = (top + foot_offset[1]) / factor - self.foot[1]
        shift = np.array([[1, 0, pad_x], [0, 1, pad_y]], np.float32)
        source = (round(out_w / factor), round(out_h / factor))
        layers = np.concatenate([self.alpha[None], self.albedo, self.normal, self.glow], axis=0)
        small = [
            cv2.resize(
                cv2.warpAffine(layer, shift, source, flags=cv2.INTER_LINEAR),
                (out_w, out_h),
                interpolation=cv2.INTER_AREA,
            )
            for layer in layers
        ]
        stack = np.stack(small)
        return Sprite(
            alpha=stack[0], albedo=stack[1:4], normal=stack[4:7], glow=stack[7:10],
            foot=(left + foot_offset[0], top + foot_offset[1]), pixels_per_metre=pixels_per_metre,
        )  # fmt: skip


class Canvas:
    """Draws solids given in metres about a foot point, seen from `depression_deg` above the level.

    Far parts must be drawn first (`Scene order` is the caller's).
    """

    def __init__(
        self,
        *,
        metres: tuple[float, float, float, float],
        pixels_per_metre: float,
        depression_deg: float = 8.0,
    ) -> None:
        """`metres`: left, right, below, above of the foot point that must fit."""
        left, right, below, above = metres
        self.scale = pixels_per_metre
        self.width = math.ceil((left + right) * self.scale)
        self.height = math.ceil((below + above) * self.scale)
        self.origin = (left * self.scale, above * self.scale)
        self._sin = math.sin(math.radians(depression_deg))
        self._cos = math.cos(math.radians(depression_deg))
        shape = (self.height, self.width)
        self.alpha = np.zeros(shape, np.float32)
        self.albedo = np.zeros((3, *shape), np.float32)
        self.normal = np.zeros((3, *shape), np.float32)
        self.glow = np.zeros((3, *shape), np.float32)

    def place(self, point: Point) -> tuple[float, float]:
        """Metres to canvas pixels."""
        right, near, up = point
        return (
            self.origin[0] + right * self.scale,
            self.origin[1] - (up * self._cos - near * self._sin) * self.scale,
        )

    def depth(self, point: Point) -> float:
        """Grows towards the camera: what is nearer is drawn later."""
        return point[1] * self._cos + point[2] * self._sin

    def hull(
        self,
        balls: Sequence[tuple[Point, float]],
        colour: Colour,
        *,
        rough: float = 0.0,
        mottle: float = 0.0,
        grain: float = 0.05,
        seed: int = 0,
        flat: float = 1.0,
    ) -> None:
        """The skin stretched over balls (centre, radius in metres): limbs, trunks, sacks, boulders.

        `rough`: unevenness of the surface; `mottle`: of its colour; `grain`: metres of one bump;
        `flat` over 1 makes it bulge less towards the camera.
        """
        ring = np.concatenate(
            [
                np.array(self.place(centre)) + _CIRCLE * radius * self.scale
                for centre, radius in balls
            ]
        )
        outline = cv2.convexHull(ring.astype(np.float32))[:, 0]
        self._fill(outline, colour, None, rough, mottle, grain, seed, flat)

    def face(
        self,
        corners: Sequence[Point],
        colour: Colour,
        *,
        mottle: float = 0.0,
        grain: float = 0.1,
        seed: int = 0,
        glow: Colour | None = None,
        rough: float = 0.0,
    ) -> None:
        """A flat polygon; lit by its true direction, whichever side is seen."""
        flat = np.array([self.place(corner) for corner in corners], np.float32)
        a, b, c = (np.array(corners[i], float) for i in (0, 1, 2))
        right, near, up = np.cross(b - a, c - a)
        normal = np.array([right, up, near])
        normal /= max(float(np.linalg.norm(normal)), 1e-9)
        if normal[2] * self._cos + normal[1] * self._sin < 0:
            normal = -normal
        self._fill(flat, colour, normal, rough, mottle, grain, seed, 1.0, glow)

    def line(self, start: Point, end: Point, metres: float, colour: Colour) -> None:
        """A thin straight thing (pole, paddle, rod) of the given thickness."""
        self.hull([(start, metres / 2), (end, metres / 2)], colour)

    def tint(self, centre: Point, radius: float, colour: Colour) -> None:
        """Recolours what is already drawn inside a ball's outline: a face, a patch of a coat."""
        u, v = self.place(centre)
        r = radius * self.scale
        x0, x1 = max(0, int(u - r)), min(self.width, int(u + r) + 2)
        y0, y1 = max(0, int(v - r)), min(self.height, int(v + r) + 2)
        if x0 >= x1 or y0 >= y1:
            return
        rows, cols = np.mgrid[y0:y1, x0:x1]
        inside = (np.hypot(cols - u, rows - v) <= r) & (self.alpha[y0:y1, x0:x1] > 0)
        for c in range(3):
            self.albedo[c, y0:y1, x0:x1][inside] = colour[c]

    def cut_below(self, up: float, *, wave: float = 0.0, seed: int = 0) -> None:
        """Removes what lies lower than `up` metres over the foot point: the part under water."""
        row = self.origin[1] - up * self.scale
        ripple = (
            tile(seed % 50)[0, : self.width]
            if self.width <= 512
            else np.zeros(self.width, np.float32)
        )
        limit = row + wave * self.scale * np.resize(ripple, self.width)
        gone = np.arange(self.height)[:, None] > limit[None, :]
        for layer in (self.alpha, *self.albedo, *self.normal, *self.glow):
            layer[gone] = 0

    def sprite(self) -> Sprite:
        return Sprite(self.alpha, self.albedo, self.normal, self.glow, self.origin, self.scale)

    def _fill(
        self,
        outline: NDArray[np.float32],
        colour: Colour,
        normal: NDArray[np.float64] | None,
        rough: float,
        mottle: float,
        grain: float,
        seed: int,
        flat: float,
        glow: Colour | None = None,
    ) -> None:
        x0, y0 = np.floor(outline.min(axis=0)).astype(int) - 2
        x1, y1 = np.ceil(outline.max(axis=0)).astype(int) + 3
        mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
        cv2.fillPoly(mask, [np.round((outline - (x0, y0)) * 16).astype(np.int32)], 1, shift=4)
        cx0, cy0, cx1, cy1 = max(x0, 0), max(y0, 0), min(x1, self.width), min(y1, self.height)
        if cx0 >= cx1 or cy0 >= cy1:
            return
        window = (slice(cy0, cy1), slice(cx0, cx1))
        part = (slice(cy0 - y0, cy1 - y0), slice(cx0 - x0, cx1 - x0))
        if normal is None:
            away = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
            thick = max(float(away.max()), 1.0)
            bulge = np.sqrt(np.clip(1 - (1 - away / thick) ** 2, 0, 1)) * (thick / flat)
            gx = cv2.Sobel(bulge, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
            gy = cv2.Sobel(bulge, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
        else:
            gx = np.full(mask.shape, -normal[0] / max(normal[2], 0.05), np.float32)
            gy = np.full(mask.shape, normal[1] / max(normal[2], 0.05), np.float32)
        gx, gy, inside = gx[part], gy[part], mask[part] > 0
        tone = None
        if rough or mottle:
            field = _noise(inside.shape, grain * self.scale, seed)
            if rough:
                gx = gx + rough * field
                gy = gy + rough * _noise(inside.shape, grain * self.scale, seed + 1)
            if mottle:
                tone = np.clip(1 + mottle * field, 0.3, 1.9)
        length = 1 / np.sqrt(gx * gx + gy * gy + 1)
        self.alpha[window][inside] = 1
        for c, layer in enumerate((-gx * length, gy * length, length)):
            self.normal[c][window][inside] = layer[inside]
        for c in range(3):
            self.albedo[c][window][inside] = colour[c] if tone is None else colour[c] * tone[inside]
            self.glow[c][window][inside] = 0.0 if glow is None else glow[c]


def _noise(shape: tuple[int, ...], pixels: float, seed: int) -> Array:
    """Smooth noise of bumps `pixels` wide, deviation 1."""
    small = (max(2, int(shape[1] / max(pixels, 1)) + 2), max(2, int(shape[0] / max(pixels, 1)) + 2))
    field = np.random.default_rng([seed & 0xFFFF, 5]).standard_normal((small[1], small[0]))
    return np.asarray(
        cv2.resize(field.astype(np.float32), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    )
