"""The valley as flat layers: where the water lies, how tall people look, what the ground is like.

Painted once per view and lit anew for every frame (see `light`). Knows no hour and no people.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from detection.scenes.model import View
from detection.scenes.noise import Array, bumps, clouds, sample, smoothstep

EYE_LINE = 0.42  # fraction of the height at which the ground would vanish
FAR_SHORE = 0.462
PERSON_METRES = 1.75
_BEACH = 0.125  # depth of the shore, as a share of the way from the water to the eye's line
_TALLEST = 80 / 960  # a standing person's height at the bottom of the frame
# Stones that stand on the shore: x, y of the foot, width and height in metres. The third one is
# as tall and as narrow as a person: what a detector must learn to leave alone.
STONES = (
    (0.30, 0.665, 1.6, 0.9), (0.865, 0.80, 2.6, 1.5), (0.715, 0.778, 0.55, 1.7),
    (0.10, 0.83, 2.2, 1.3), (0.40, 0.90, 0.9, 0.5), (0.955, 0.90, 1.5, 0.9),
    (0.18, 0.60, 1.8, 1.1), (0.53, 0.775, 0.7, 0.4), (0.62, 0.715, 1.1, 0.5),
    (0.07, 0.70, 1.2, 0.7), (0.24, 0.95, 0.7, 0.4),
)  # fmt: skip


def person_height(y: float) -> float:
    """Height of a standing adult whose feet are at `y`, as a fraction of the frame's height."""
    return max((y - EYE_LINE) / (0.95 - EYE_LINE), 0.0) * _TALLEST


def near_shore(x: float | Array) -> Array:
    """y of the waterline on the camera's side, smooth (the painted one is rougher by 0.004)."""
    xs = np.atleast_1d(np.asarray(x, np.float32))
    bay = smoothstep(0.08, 0.60, xs) - np.float32(0.16) * smoothstep(0.72, 1.08, xs)
    return np.asarray(np.float32(FAR_SHORE) + np.float32(0.262) * bay, np.float32)


def path_point(t: float) -> tuple[float, float]:
    """Foot point at 0..1 along the path, from the lower left to the far end of the lake."""
    turns = np.array([(0.02, 0.93), (0.22, 0.82), (0.20, 0.70), (0.13, 0.60), (0.10, 0.53),
                      (0.07, 0.488)])  # fmt: skip
    s = min(max(t, 0.0), 1.0) * (len(turns) - 1)
    knots = np.arange(len(turns))
    x, y = (
        float(np.mean([np.interp(np.clip(s + d, 0, knots[-1]), knots, turns[:, axis])
                       for d in (-0.4, -0.2, 0.0, 0.2, 0.4)]))
        for axis in (0, 1)
    )  # fmt: skip
    return x, y


def zones() -> dict[str, list[tuple[float, float]]]:
    """True outlines of the open water and of the stony shore before it, as fractions of the frame.

    The shore ends inland where the meadow begins to win over the stones.
    """
    xs = np.linspace(0.08, 1, 24, dtype=np.float32)
    edge = near_shore(xs)
    inland = (edge - _BEACH * EYE_LINE) / (1 - _BEACH)
    near = [(round(float(x), 4), round(float(y), 4)) for x, y in zip(xs, edge, strict=True)]
    behind = [(round(float(x), 4), round(float(y), 4)) for x, y in zip(xs, inland, strict=True)]
    return {"water": [*near, (1.0, FAR_SHORE)], "shore": [*near, *reversed(behind)]}


@dataclass(frozen=True)
class Valley:
    """Layers of one view, all [H, W] or [H, W, 3] float32."""

    albedo: Array  # share of the light sent back, 0..1, RGB
    relief_x: Array  # slope to the right, metres per metre, for the sun's shading
    relief_y: Array  # slope towards the camera
    haze: Array  # share of the land hidden by clear air, 0..1
    distance: Array  # metres
    sky: Array  # 1 where the sky is
    water: Array  # 1 where the lake is


def _ridge(seed: int, x: Array, base: float, rise: float, rough: float) -> Array:
    """y of a crest over `x` [1, W]."""
    total = np.zeros_like(x)
    for octave in range(7):
        size = 0.62 / 2**octave
        wave = bumps(seed + octave, x, np.full_like(x, 3.7 * octave), size)
        total += (0.7 - np.abs(wave)) * np.float32(rough * 0.52**octave)
    return np.asarray(base - rise * (0.6 + total), np.float32)


@lru_cache(maxsize=4)
def valley(view: View) -> Valley:
    """Paint the layers; about a second at 1280x960."""
    h, w, seed = view.height, view.width, view.seed * 1009
    y, x = np.meshgrid(
        (np.arange(h, dtype=np.float32) + 0.5) / h,
        (np.arange(w, dtype=np.float32) + 0.5) / w,
        indexing="ij",
    )
    row = x[:1]
    albedo = np.zeros((h, w, 3), np.float32)
    height = np.zeros((h, w), np.float32)
    haze = np.zeros((h, w), np.float32)
    distance = np.full((h, w), 4000, np.float32)
    sky = np.ones((h, w), np.float32)
    soft = 0.9 / h

    # Crests from the farthest to the nearest: base, rise, roughness, colour, haze, metres.
    flanks = smoothstep(0.42, 0.0, row) * 0.8 + smoothstep(0.60, 1.0, row) * 0.9
    layers = (
        (_ridge(seed + 1, row, 0.40, 0.26, 0.55), (0.47, 0.45, 0.44), 0.50, 3500.0),
        (
            _ridge(seed + 21, row, 0.435, 0.13, 0.6) - 0.10 * flanks,
            (0.36, 0.36, 0.28),
            0.28,
            1500.0,
        ),
        (
            _ridge(seed + 41, row, 0.475, 0.03, 0.5) - 0.19 * flanks**1.5,
            (0.22, 0.27, 0.12),
            0.12,
            500.0,
        ),
    )
    for number, (crest, colour, veil, metres) in enumerate(layers):
        inside = smoothstep(-soft, soft, y - crest)
        below = np.maximum(y - crest, 0)
        u = x * 240 + below * 130 * np.tanh((x - 0.5) * 7)
        rock = sample(clouds(seed + 60 + number), u, below * 300 + 40 * number)
        fine = sample(clouds(seed + 70 + number), u * 3.1, below * 760)
        gully = np.abs(bumps(seed + 80 + number, u / 240, below * 0.25, 0.05 / (number + 1)))
        level = -np.abs(rock) * 0.5 + gully * 0.35 - 0.16 * np.abs(fine)
        tint = np.array(colour, np.float32) * (1 + 0.13 * fine + 0.16 * rock)[..., None]
        grass = smoothstep(0.03, 0.11, below + 0.03 * rock)[..., None] * (0.35 + 0.3 * number)
        tint = tint * (1 - grass) + np.array((0.25, 0.29, 0.12), np.float32) * grass
        if number == 0:  # old snow in the gullies
            snow = smoothstep(0.9, 1.5, rock - 5 * below + 0.4 * gully)[..., None]
            tint = tint * (1 - snow) + 0.92 * snow
        if number == 2:  # conifers and boulders
            trees = smoothstep(0.35, 0.75, fine + 0.7 * rock)[..., None] * 0.75
            tint = tint * (1 - trees) + np.array((0.07, 0.11, 0.06), np.float32) * trees
        albedo += inside[..., None] * (tint - albedo)
        height += inside * (level * (0.022, 0.016, 0.010)[number] - height)
        haze += inside * (veil - haze)
        distance += inside * (metres - distance)
        sky *= 1 - inside

    # The ground: coordinates in metres, so that its texture shrinks with the distance.
    away = np.float32(PERSON_METRES / _TALLEST * (0.95 - EYE_LINE)) / np.maximum(y - EYE_LINE, 0.02)
    deep = away * 1.3
    across = (x - 0.5) * away * (w / h)
    rough = (
        bumps(seed + 90, row, row * 0, 0.03) * 0.0030
        + bumps(seed + 91, row, row * 0, 0.009) * 0.0010
    )
    edge = near_shore(row) + rough * smoothstep(0.10, 0.3, row)
    far = FAR_SHORE + bumps(seed + 92, row, row * 0, 0.05) * 0.0012
    ground = smoothstep(-soft, soft, y - far)
    pixel = away / h
    coarse = bumps(seed + 93, across, deep, 5.0)
    tufts = bumps(seed + 94, across, deep, 0.9) * smoothstep(0.45, 0.1, pixel)
    blades = bumps(seed + 95, across, deep, 0.22) * smoothstep(0.11, 0.03, pixel)
    green = np.array((0.27, 0.33, 0.11), np.float32)
    dry = np.array((0.44, 0.39, 0.20), np.float32)
    share = smoothstep(-0.6, 2.2, coarse + 0.5 * tufts)[..., None]
    meadow = (green * (1 - share) + dry * share) * (1 + 0.16 * tufts + 0.17 * blades)[..., None]
    inland = (y - edge) / np.maximum(y - EYE_LINE, 0.02)
    pebbles = 1 + 0.20 * bumps(seed + 96, across, deep, 0.35) * smoothstep(0.17, 0.04, pixel)
    shingle = np.array((0.50, 0.47, 0.42), np.float32) * (pebbles + 0.08 * tufts)[..., None]
    beach = smoothstep(0.16, 0.09, inland + 0.025 * coarse + 0.02 * tufts)[..., None]
    meadow = meadow * (1 - beach) + shingle * beach
    wet = smoothstep(0.012, 0.0, inland)[..., None]
    meadow *= 1 - 0.45 * wet
    trail = np.full((h, w), 255, np.uint8)
    for t in np.linspace(0, 1, 240):
        px, py = path_point(float(t))
        size = max(round(person_height(py) * h * 0.22), 1)
        cv2.ellipse(
            trail, (round(px * w), round(py * h)), (size, max(size // 3, 1)), 0, 0, 360, 0, -1
        )
    worn = cv2.GaussianBlur(1 - trail.astype(np.float32) / 255, (0, 0), max(w / 900, 0.5))
    worn = np.clip(worn * (0.75 + 0.2 * tufts), 0, 0.9)[..., None]
    meadow = meadow * (1 - worn) + np.array((0.50, 0.44, 0.34), np.float32) * worn
    albedo += ground[..., None] * (np.clip(meadow, 0.02, 1) - albedo)
    height += ground * ((tufts * 0.03 + coarse * 0.1 + blades * 0.01) * 0.01 - height)
    haze += ground * (np.clip(away / 900, 0, 0.3) - haze)
    distance += ground * (away * 1.0 - distance)
    sky *= 1 - ground
    water = ground * smoothstep(soft, -soft, y - edge)
    for number, stone in enumerate(STONES):
        _stone(albedo, height, water, view, stone, seed + 200 + number)

    # Pseudo-heights into slopes: enough to tell a sunny flank from a shaded one.
    scale = 640.0
    relief_x = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=3) / 8 * scale * (w / 1280)
    relief_y = cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=3) / 8 * scale * (w / 1280)
    return Valley(np.clip(albedo, 0.01, 1), relief_x, relief_y, haze, distance, sky, water)


def _stone(
    albedo: Array, height: Array, water: Array, view: View,
    stone: tuple[float, float, float, float], seed: int,
) -> None:  # fmt: skip
    """Set one boulder onto the ground: lighter above, dark at its foot, rough outline."""
    x, y, wide, tall = stone
    metre = person_height(y) * view.height / PERSON_METRES
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, np.pi, 13)
    radius = 1 + rng.uniform(-0.13, 0.10, 13)
    px = x * view.width + np.cos(angle) * radius * wide / 2 * metre
    py = y * view.height - np.sin(angle) ** 0.6 * radius * tall * metre
    mask = np.zeros(height.shape, np.float32)
    points = np.round(np.stack([px, py], 1) * 16).astype(np.int32)
    cv2.fillPoly(mask, [points], 1.0, cv2.LINE_AA, 4)
    mask = np.clip(mask, 0, 1)
    rows = np.arange(view.height, dtype=np.float32)[:, None]
    cols = np.arange(view.width, dtype=np.float32)[None, :]
    up = np.clip((y * view.height - rows) / (tall * metre), 0, 1.1)
    grain = bumps(seed, cols / metre + rows * 0, rows / metre + cols * 0, 0.3)
    body = (0.23 + 0.26 * up) * (1 + 0.10 * grain * min(metre / 12, 1))
    foot = np.exp(-(((cols - (x + 0.0) * view.width) / (0.62 * wide * metre)) ** 2)
                  - ((rows - y * view.height) / (0.13 * metre)) ** 2)  # fmt: skip
    albedo *= (1 - 0.5 * foot * (1 - mask))[..., None]
    tint = body[..., None] * np.array((1.0, 0.98, 0.94), np.float32)
    albedo += mask[..., None] * (tint.astype(np.float32) - albedo)
    height += mask * (grain * 0.0006 - height)
    water *= 1 - mask
