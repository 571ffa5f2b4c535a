"""The still part of a view, computed once: for each pixel what lies there, how far, facing where, in what colour.

Heights are scanned column by column, as a camera with upright film sees them: each column of the picture is
one line over the plane. Light and weather are laid over these layers frame by frame, elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.scenes.model import View
from detection.scenes.noise import Array, bumps, smoothstep
from detection.scenes.terrain import CAMERA_HEIGHT, Terrain, terrain

NEAREST, FARTHEST = 17.0, 5200.0
HORIZON = 0.36  # of the picture's height
FOCAL = 1.07  # of the picture's width: 50 degrees across

# Reflectances, linear light.
GRASS = (0.085, 0.120, 0.030)
DRY_GRASS = (0.200, 0.180, 0.075)
ROCK = (0.270, 0.250, 0.225)
SCREE = (0.330, 0.310, 0.275)
FOREST = (0.022, 0.038, 0.016)
SNOW = (0.800, 0.820, 0.850)
PEBBLE = (0.300, 0.280, 0.240)
DIRT = (0.290, 0.235, 0.165)


@dataclass(frozen=True)
class Camera:
    """Where a point of the valley falls in the picture; pixels, rows downwards."""

    width: int
    height: int

    @property
    def focal(self) -> float:
        return FOCAL * self.width

    @property
    def horizon(self) -> float:
        return HORIZON * self.height

    def project(self, x: float, y: float, z: float) -> tuple[float, float]:
        """World metres to pixels (column, row)."""
        return (
            self.width / 2 + self.focal * x / y,
            self.horizon + self.focal * (CAMERA_HEIGHT - z) / y,
        )


@dataclass(frozen=True)
class Land:
    """Layers over the picture [H, W]; three-channel ones are [3, H, W]. Read-only, shared by all frames."""

    camera: Camera
    ground: Terrain
    albedo: Array
    normal: Array  # world axes: right, ahead, up
    x: Array  # metres
    y: Array  # metres ahead: the depth
    sky: Array  # 0..1, how much of the pixel is sky
    water: NDArray[np.bool_]
    shore: Array  # metres from the waterline, negative over water
    open: Array  # 0..1, how much of the sky a place sees
    mirror: Array  # [2, H, W]: pixel whose picture the still water shows
    first_water_row: int
    uprights: tuple[Upright, ...]  # trees and rocks near enough to cast a shadow worth drawing


@dataclass(frozen=True)
class Upright:
    """A tree or a rock that stands on the ground: its outline, and where its foot is."""

    alpha: Array  # [h, w] 0..1, at picture scale
    left: int
    bottom: int
    foot: tuple[float, float]  # world x, y
    metres: float  # height


def _scan(camera: Camera, ground: Terrain) -> tuple[Array, Array, Array, Array]:
    """x, y [H, W] of what each pixel sees, its share of sky, and the sampled distances used."""
    width, height = camera.width, camera.height
    steps = 1000
    away = np.geomspace(NEAREST, FARTHEST, steps).astype(np.float32)[:, None]
    columns = (np.arange(width, dtype=np.float32) + 0.5 - width / 2) / camera.focal
    y = np.repeat(away, width, axis=1)
    x = y * columns[None, :]
    level = np.maximum(ground.height(x, y, y / camera.focal), 0)
    rows = camera.horizon + camera.focal * (CAMERA_HEIGHT - level) / y
    skyline = np.minimum.accumulate(rows, axis=0)

    seen = np.empty((height, width), np.float32)
    wanted = np.arange(height, dtype=np.float32) + 0.5
    for c in range(width):
        # -skyline climbs: the first sample at or above the wanted row is what the pixel sees.
        hit = np.searchsorted(-skyline[:, c], -wanted)
        after = np.clip(hit, 1, steps - 1)
        low, high = rows[after - 1, c], rows[after, c]
        t = np.clip((low - wanted) / np.maximum(low - high, 1e-6), 0, 1)
        seen[:, c] = away[after - 1, 0] + t * (away[after, 0] - away[after - 1, 0])
        seen[hit == steps, c] = FARTHEST
    sky = np.clip(skyline[-1][None, :] - np.arange(height, dtype=np.float32)[:, None], 0, 1)
    return (seen * columns[None, :]).astype(np.float32), seen, sky.astype(np.float32), away


def _mix(base: Array, colour: tuple[float, float, float], share: Array) -> Array:
    tone = np.asarray(colour, np.float32)[:, None, None]
    return np.asarray(base + (tone - base) * share[None], np.float32)


def _colours(
    ground: Terrain, x: Array, y: Array, z: Array, up: Array, shore: Array, foot: Array
) -> Array:
    """Reflectance [3, H, W] of ground, by slope, height, distance from shore and path."""
    n = ground.seed * 97 + 500
    patch = bumps(n, x, y, 46) * 0.6 + bumps(n + 1, x, y, 13) * 0.5 + bumps(n + 2, x, y, 3.7) * 0.35
    grain = bumps(n + 3, x, y, 1.1) * smoothstep(1.5, 3.5, 1.1 / foot)
    fine = bumps(n + 4, x, y, 0.33) * smoothstep(1.5, 3.5, 0.33 / foot)
    streak = bumps(n + 5, x * 1.0 + z * 0.5, y * 0.35, 22) * 0.5 + bumps(n + 6, x, z * 3, 60) * 0.5

    colour = np.broadcast_to(np.asarray(GRASS, np.float32)[:, None, None], (3, *x.shape))
    colour = _mix(colour, DRY_GRASS, smoothstep(-0.6, 1.4, patch + z / 90) * 0.75)
    high = smoothstep(190, 420, z + patch * 60)
    steep = smoothstep(0.86, 0.66, up + patch * 0.05)
    colour = _mix(
        colour, SCREE, smoothstep(-0.3, 0.9, patch + high * 2.6 - 1.3) * smoothstep(70, 200, z)
    )
    colour = _mix(colour, ROCK, np.maximum(steep, high * 0.7))
    colour = colour * (1 + (0.16 * streak + 0.07 * grain) * np.maximum(steep, high))[None]
    # Woods on the lower flanks, thinning upwards; single trees are set elsewhere.
    woods = smoothstep(
        0.05, 0.5, bumps(n + 7, x, y, 120) * 0.5 + bumps(n + 8, x, y, 26) * 0.35 + 0.45
    )
    woods *= smoothstep(26, 42, shore + patch * 8) * smoothstep(210, 120, z + patch * 30)
    woods *= smoothstep(0.45, 0.62, up) * smoothstep(75, 120, y)
    colour = _mix(colour, FOREST, woods * 0.93)
    crowns = bumps(n + 9, x, y + z * 0.8, 8) * woods * smoothstep(1.0, 2.5, 8 / foot)
    colour = colour * np.clip(1 + 0.5 * crowns, 0.35, 2.2)[None]
    # Snow stays in the gullies of the far massif.
    hollow = bumps(n + 10, x, y, 150) + bumps(n + 11, x, y, 55) * 0.6
    snow = smoothstep(0.75, 1.2, hollow + (z - 520) / 230) * smoothstep(0.5, 0.66, up)
    colour = _mix(colour, SNOW, snow * smoothstep(330, 430, z))

    pebbles = smoothstep(8.5, 3.0, shore + patch * 2.2) * smoothstep(110, 60, z)
    stones = np.clip(1 + 0.20 * grain + 0.28 * fine, 0.4, 1.7)
    colour = _mix(colour, PEBBLE, pebbles) * (1 + (stones - 1) * pebbles)[None]
    wet = smoothstep(1.2, 0.0, shore)
    colour = colour * (1 - 0.55 * wet)[None]
    meadow = (1 - pebbles) * smoothstep(200, 60, y)
    tufts = np.clip(1 + 0.20 * grain + 0.30 * fine + 0.1 * patch, 0.35, 2.0)
    colour = colour * (1 + (tufts - 1) * meadow)[None]
    path = smoothstep(1.15, 0.45, ground.off_path(x, y) + grain * 0.12) * smoothstep(420, 180, y)
    colour = _mix(colour, DIRT, path * 0.85) * (1 + 0.1 * fine * path)[None]
    return np.asarray(np.clip(colour, 0.004, 0.9), np.float32)


def _mirror(camera: Camera, ground: Terrain, x: Array, y: Array, water: NDArray[np.bool_]) -> Array:
    """Where the ray that still water sends on meets the valley, as pixels of the picture."""
    rows, cols = np.nonzero(water)
    result = np.zeros((2, *water.shape), np.float32)
    if not rows.size:
        return result
    top, step = rows.min(), 4  # smooth enough to be worked out on a coarse grid
    wx, wy = x[top::step, ::step], y[top::step, ::step]
    # The reflected ray runs on in the same direction, climbing as steeply as the sight line falls.
    climb = CAMERA_HEIGHT / np.maximum(wy, 1)
    met = np.full_like(wy, FARTHEST)
    free = np.ones(wy.shape, bool)
    for factor in np.geomspace(1.012, 60, 90):
        ahead = np.minimum(wy * np.float32(factor), FARTHEST).astype(np.float32)
        sideways = (wx / wy * ahead).astype(np.float32)
        ray = climb * (ahead - wy)
        hit = free & (ground.height(sideways, ahead, ahead / 300) > ray)
        met[hit] = ahead[hit]
        free &= ~hit
    ray = climb * (met - wy)
    row = camera.horizon + camera.focal * (CAMERA_HEIGHT - ray) / met
    full = (water.shape[1], water.shape[0] - top)
    result[1, top:] = cv2.resize(row.astype(np.float32), full, interpolation=cv2.INTER_LINEAR)
    result[0] = np.arange(water.shape[1], dtype=np.float32)[None, :]
    return result


@lru_cache(maxsize=4)
def land(view: View) -> Land:
    """The still layers of a view (about a second at 1280 by 960, then kept)."""
    from detection.scenes.scenery import plant  # it draws with this module's types

    camera, ground = Camera(view.width, view.height), terrain(view.seed)
    x, y, sky, _ = _scan(camera, ground)
    foot = (y / camera.focal).astype(np.float32)
    step = np.maximum(foot * 1.2, 0.12)
    z = ground.height(x, y, foot)
    east = (ground.height(x + step, y, foot) - z) / step
    north = (ground.height(x, y + step, foot) - z) / step
    up = 1 / np.sqrt(1 + east * east + north * north)
    normal = np.stack([-east * up, -north * up, up]).astype(np.float32)
    shore = ground.shore(x, y)
    water = (shore < 0) & (z < 0) & (sky < 0.5)
    normal[:, water] = np.array([[0], [0], [1]], np.float32)
    albedo = _colours(ground, x, y, np.maximum(z, 0), up, shore, foot)
    hollow = z - cv2.GaussianBlur(z, (0, 0), 6) if view.width < 4000 else np.zeros_like(z)
    open_ = np.clip(0.80 + 0.2 * normal[2] + 0.05 * hollow / np.maximum(foot * 40, 0.5), 0.45, 1.05)
    layers = Land(
        camera=camera, ground=ground, albedo=albedo, normal=normal, x=x, y=y, sky=sky, water=water,
        shore=shore, open=open_.astype(np.float32), mirror=_mirror(camera, ground, x, y, water),
        first_water_row=int(np.nonzero(water.any(axis=1))[0].min(initial=view.height - 1)),
        uprights=(),
    )  # fmt: skip
    return plant(layers)
