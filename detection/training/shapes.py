"""Solids in metres, seen by a camera and shaded by a light: rounded limbs and curved sheets.

Knows no people and no tents (see `figures`), and shares nothing with `detection.scenes`, whose
pictures are kept for evaluation.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Colour = tuple[float, float, float]
Point = tuple[float, float, float]  # metres: right, away from the camera, up

PX_PER_METRE = 64.0
_AMBIENT = 0.45


def to_bytes(picture: Array) -> NDArray[np.uint8]:
    """0..1 as 0..255, cut."""
    return np.asarray(np.clip(picture, 0, 1) * np.float32(255) + np.float32(0.5), np.uint8)


@dataclass(frozen=True, eq=False)
class Sprite:
    """A thing cut out. `rgba` uint8 [h,w,4], colour not multiplied; `px_per_metre` of them.

    `box`: left, top, right, bottom in px of what counts as the thing (a paddle or a towel does
    not). `foot`: row in px where it meets the ground or the water.
    """

    rgba: NDArray[np.uint8]
    box: tuple[float, float, float, float]
    foot: float
    px_per_metre: float = PX_PER_METRE

    @property
    def height(self) -> float:
        """Of the box, in px."""
        return self.box[3] - self.box[1]


@dataclass(frozen=True, eq=False)
class _Part:
    depth: float
    points: NDArray[np.float64]  # [2,2] of a limb, [4,2] of a quad: right and up, metres
    radii: tuple[float, float]
    colour: Colour
    counts: bool


@dataclass
class Camera:
    """Turns by `yaw` about the upright axis, then looks down by `pitch` (radians)."""

    yaw: float
    pitch: float
    light: Point
    # How far away, and the corners of a quad, or the ends and radii of a limb; colour; counts.
    parts: list[_Part] = field(default_factory=list)

    def turned(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """[...,3] right, away and up as [...,3] right, up (both in the picture) and depth, m."""
        x, y, z = np.moveaxis(np.asarray(points, np.float64), -1, 0)
        right = x * np.cos(self.yaw) - y * np.sin(self.yaw)
        away = x * np.sin(self.yaw) + y * np.cos(self.yaw)
        up = z * np.cos(self.pitch) + away * np.sin(self.pitch)
        depth = away * np.cos(self.pitch) - z * np.sin(self.pitch)
        return np.stack([right, up, depth], axis=-1)

    def limb(
        self, start: Point, end: Point, radii: tuple[float, float], colour: Colour,
        *, counts: bool = True, sunk: bool = False,
    ) -> None:  # fmt: skip
        """A limb with round ends. `sunk`: what lies below the ground (the water) is not seen."""
        a, b = np.array(start), np.array(end)
        if sunk:
            if a[2] <= 0 and b[2] <= 0:
                return
            if (a[2] < 0) != (b[2] < 0):
                cut = a + (b - a) * (a[2] / (a[2] - b[2]))
                a, b = (cut, b) if a[2] < 0 else (a, cut)
        p, q = self.turned(a), self.turned(b)
        ends = np.stack([p, q])
        self.parts.append(_Part(ends[:, 2].mean(), ends[:, :2], radii, colour, counts))

    def sheet(
        self, points: NDArray[np.floating], colour: NDArray[np.floating], *, counts: bool = True
    ) -> None:
        """A curved sheet through `points` [U,V,3] of `colour` [U-1,V-1,3]."""
        seen = self.turned(points)
        corner = np.stack([seen[:-1, :-1], seen[1:, :-1], seen[1:, 1:], seen[:-1, 1:]], axis=2)
        normal = np.cross(corner[:, :, 2] - corner[:, :, 0], corner[:, :, 3] - corner[:, :, 1])
        normal /= np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-9
        normal *= np.where(normal[..., 2:] > 0, -1, 1)  # towards the camera
        light = np.array([self.light[0], self.light[1], -abs(self.light[2])])
        shade = _AMBIENT + (1 - _AMBIENT) * 1.25 * np.clip(normal @ light, 0, None)
        lit = colour * shade[..., None]
        for u, v in np.ndindex(*shade.shape):
            quad = corner[u, v]
            red, green, blue = map(float, lit[u, v])
            tint = (red, green, blue)
            self.parts.append(_Part(quad[:, 2].mean(), quad[:, :2], (0.0, 0.0), tint, counts))

    def picture(self) -> Sprite | None:
        """All parts, the farthest first; None where nothing is left to see."""
        if not self.parts:
            return None
        low, high = self._extent()
        margin = 3 / PX_PER_METRE
        wide, tall = np.ceil((high - low + 2 * margin) * PX_PER_METRE * 2).astype(int)
        colour = np.zeros((tall, wide, 3), np.float32)
        alpha = np.zeros((tall, wide), np.float32)
        body = np.zeros((tall, wide), np.uint8)
        scale = PX_PER_METRE * 2  # drawn at twice the size, for smooth edges
        left, top = low[0] - margin, high[1] + margin

        def place(at: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.stack([(at[..., 0] - left), (top - at[..., 1])], axis=-1) * scale

        for part in sorted(self.parts, key=lambda each: -each.depth):
            at = place(part.points)
            if len(at) == 2:
                radii = (part.radii[0] * scale, part.radii[1] * scale)
                _limb(colour, alpha, body, at, radii, part, self.light)
                continue
            corners = np.round(at * 16).astype(np.int32)
            cv2.fillConvexPoly(colour, corners, part.colour, cv2.LINE_8, 4)
            cv2.fillConvexPoly(alpha, corners, 1.0, cv2.LINE_8, 4)
            if part.counts:
                cv2.fillConvexPoly(body, corners, 1, cv2.LINE_8, 4)
        rows, cols = np.flatnonzero(body.any(axis=1)), np.flatnonzero(body.any(axis=0))
        if not len(rows):
            return None
        size = (wide // 2, tall // 2)
        small = cv2.resize(np.dstack([colour * alpha[..., None], alpha]), size,
                           interpolation=cv2.INTER_AREA)  # fmt: skip
        shown = small[..., 3]
        flat = small[..., :3] / np.maximum(shown, 1e-3)[..., None]
        box = (cols[0] / 2, rows[0] / 2, (cols[-1] + 1) / 2, (rows[-1] + 1) / 2)
        rgba = np.dstack([flat, shown])
        return Sprite(to_bytes(rgba), box, float(top * PX_PER_METRE))

    def _extent(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        points = [np.zeros((1, 2))]
        for part in self.parts:
            points += [part.points - max(part.radii), part.points + max(part.radii)]
        every = np.concatenate(points)
        return every.min(axis=0), every.max(axis=0)


def _limb(
    colour: Array, alpha: Array, body: NDArray[np.uint8], ends: NDArray[np.float64],
    radii: tuple[float, float], part: _Part, light: Point,
) -> None:  # fmt: skip
    """Draw a limb between `ends`, its `radii` in px."""
    p, q = ends
    far = max(radii) + 1
    x0, y0 = np.maximum(np.floor(np.minimum(p, q) - far).astype(int), 0)
    x1, y1 = np.ceil(np.maximum(p, q) + far).astype(int)
    x1, y1 = min(x1, alpha.shape[1]), min(y1, alpha.shape[0])
    if x1 <= x0 or y1 <= y0:
        return
    x = np.arange(x0, x1, dtype=np.float32)[None, :] + 0.5 - p[0]
    y = np.arange(y0, y1, dtype=np.float32)[:, None] + 0.5 - p[1]
    along = q - p
    t = np.clip((x * along[0] + y * along[1]) / max(float(along @ along), 1e-6), 0, 1)
    dx, dy = x - t * along[0], y - t * along[1]
    radius = np.maximum(radii[0] + t * (radii[1] - radii[0]), 0.7)
    far_off = np.hypot(dx, dy)
    cover = np.clip(radius - far_off + 0.5, 0, 1).astype(np.float32)
    nx, ny = dx / radius, dy / radius
    nz = np.sqrt(np.clip(1 - nx**2 - ny**2, 0, 1))
    shade = nx * light[0] - ny * light[1] + nz * abs(light[2])
    shade = _AMBIENT + (1 - _AMBIENT) * 1.25 * np.clip(shade, 0, None)
    lit = np.array(part.colour, np.float32) * shade[..., None].astype(np.float32)
    here = np.s_[y0:y1, x0:x1]
    colour[here] += cover[..., None] * (lit - colour[here])
    alpha[here] += cover * (1 - alpha[here])
    if part.counts:
        body[here] |= (cover > 0.5).astype(np.uint8)
