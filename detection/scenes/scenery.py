"""Trees, bushes and rocks, set once into the still layers of a view; one of the rocks looks like a person."""

from __future__ import annotations

import dataclasses
import math
from functools import lru_cache

import numpy as np

from detection.scenes.land import Land, Upright
from detection.scenes.solids import Canvas, Colour, Sprite

SHADOW_PIXELS = 24  # an upright lower than this casts no shadow of its own


@lru_cache(maxsize=64)
def spruce(variant: int, pixels: int) -> Sprite:
    """A spruce (odd variants: a larch) one metre high, to be scaled."""
    rng = np.random.default_rng([variant, 21])
    larch = variant % 3 == 2
    green: Colour = (0.060, 0.085, 0.024) if larch else (0.026, 0.046, 0.020)
    half = rng.uniform(0.15, 0.21) * (1.15 if larch else 1.0)
    canvas = Canvas(metres=(0.34, 0.34, 0.03, 1.03), pixels_per_metre=pixels, depression_deg=6)
    canvas.hull([((0, 0, 0), 0.016), ((0, 0, 0.9), 0.004)], (0.07, 0.05, 0.035), mottle=0.3)
    tiers = 20
    bare_to = rng.uniform(0.05, 0.14)
    for tier in range(tiers):
        share = tier / (tiers - 1)
        level = bare_to + (0.97 - bare_to) * share
        reach = half * (1 - share) ** (0.8 if larch else 0.92) + 0.012
        for spray in range(6):
            turn = rng.uniform(-1, 1) if spray else 0.0
            length = reach * rng.uniform(0.62, 1.12)
            x = length * turn
            droop = -0.045 * (1 - share) - 0.02
            near = math.sqrt(max(0.0, 1 - turn * turn)) * (1 if spray % 2 else -1) * length
            tone = rng.uniform(0.6, 1.35) * (0.75 + 0.3 * share)
            canvas.hull(
                [((x * 0.25, near * 0.25, level + 0.025), 0.010),
                 ((x * 0.7, near * 0.7, level + droop * 0.3), 0.020 * (1 - 0.5 * share)),
                 ((x, near, level + droop + rng.uniform(-0.015, 0.015)), 0.006)],
                (green[0] * tone, green[1] * tone, green[2] * tone),
                rough=0.9, mottle=0.35, grain=0.02, seed=variant * 1000 + tier * 10 + spray,
            )  # fmt: skip
    return canvas.sprite()


@lru_cache(maxsize=64)
def bush(variant: int, pixels: int) -> Sprite:
    """A low juniper or alpine rose, one metre wide, to be scaled."""
    rng = np.random.default_rng([variant, 22])
    tone = rng.uniform(0.8, 1.4)
    canvas = Canvas(metres=(0.62, 0.62, 0.1, 0.6), pixels_per_metre=pixels, depression_deg=14)
    for clump in range(26):
        x, near = rng.normal(0, 0.21), rng.normal(0, 0.12)
        up = max(0.04, 0.30 - abs(x) * 0.5 + rng.normal(0, 0.05))
        shade = tone * rng.uniform(0.6, 1.3)
        canvas.hull(
            [((x, near, up), rng.uniform(0.05, 0.12)), ((x, near, 0.02), 0.06)],
            (0.034 * shade, 0.055 * shade, 0.022 * shade),
            rough=0.8, mottle=0.4, grain=0.025, seed=variant * 100 + clump,
        )  # fmt: skip
    return canvas.sprite()


@lru_cache(maxsize=64)
def boulder(variant: int, pixels: int) -> Sprite:
    """A block of limestone one metre wide, to be scaled."""
    rng = np.random.default_rng([variant, 23])
    canvas = Canvas(metres=(0.65, 0.65, 0.14, 0.8), pixels_per_metre=pixels, depression_deg=14)
    tone = rng.uniform(0.75, 1.1)
    tall = rng.uniform(0.30, 0.55)
    for chunk in range(3):
        shade = tone * rng.uniform(0.85, 1.1)
        balls = []
        for _ in range(7):
            angle = rng.uniform(0, 2 * math.pi)
            out = rng.uniform(0.25, 0.42) * (1 - 0.18 * chunk)
            up = rng.uniform(0.02, tall) * (1 - 0.2 * chunk)
            balls.append(((math.cos(angle) * out, math.sin(angle) * 0.2 + 0.08 * chunk, up), 0.03))
        canvas.hull(
            balls, (0.27 * shade, 0.25 * shade, 0.225 * shade),
            rough=0.5, mottle=0.16, grain=0.07, seed=variant * 10 + chunk, flat=1.4,
        )  # fmt: skip
    return canvas.sprite()


@lru_cache(maxsize=4)
def stone_person(pixels: int) -> Sprite:
    """A standing stone with a paler block on top: what a tired reader takes for a hiker."""
    canvas = Canvas(metres=(0.5, 0.5, 0.1, 1.9), pixels_per_metre=pixels, depression_deg=10)
    grey: Colour = (0.17, 0.155, 0.14)
    canvas.hull(
        [((-0.17, 0, 0.0), 0.07), ((0.20, 0, 0.02), 0.08), ((0.22, 0, 0.7), 0.06), ((-0.14, 0, 0.8), 0.07)],
        grey, rough=0.5, mottle=0.22, grain=0.09, seed=3, flat=1.3,
    )  # fmt: skip
    canvas.hull(
        [((-0.19, 0, 0.75), 0.07), ((0.22, 0, 0.8), 0.06), ((0.17, 0, 1.38), 0.06), ((-0.12, 0, 1.40), 0.08)],
        (0.21, 0.17, 0.14), rough=0.5, mottle=0.22, grain=0.09, seed=4, flat=1.3,
    )  # fmt: skip
    canvas.hull(
        [((-0.03, 0, 1.50), 0.10), ((0.05, 0, 1.58), 0.10), ((0.0, 0, 1.66), 0.07)],
        (0.33, 0.29, 0.24), rough=0.4, mottle=0.15, grain=0.05, seed=5, flat=1.2,
    )  # fmt: skip
    return canvas.sprite()


def _stamp(layers: Land, sprite: Sprite, x: float, y: float, metres: float) -> Upright | None:
    """Sets a one-metre sprite, `metres` large, into the layers at a place of the plane."""
    camera = layers.camera
    here = np.array([[x]], np.float32), np.array([[y]], np.float32)
    z = max(
        float(layers.ground.height(*here, np.array([[y / camera.focal]], np.float32))[0, 0]), 0.0
    )
    column, row = camera.project(x, y, z)
    scale = camera.focal / y * metres
    fraction = (column - math.floor(column), row - math.floor(row))
    small = sprite.scaled(scale, fraction)
    left, top = (
        round(math.floor(column) - small.foot[0] + fraction[0]),
        round(math.floor(row) - small.foot[1] + fraction[1]),
    )
    h, w = small.alpha.shape
    x0, y0, x1, y1 = (
        max(left, 0),
        max(top, 0),
        min(left + w, camera.width),
        min(top + h, camera.height),
    )
    if x0 >= x1 or y0 >= y1 or not 0 <= row < camera.height + h:
        return None
    cut = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    window = (slice(y0, y1), slice(x0, x1))
    # What stands in front (a ridge, a nearer tree) hides it.
    alpha = small.alpha[cut] * (layers.y[window] > y - 0.6)
    for c in range(3):
        plane = layers.albedo[c][window]
        plane += small.albedo[c][cut] * (alpha > 0) - plane * alpha
    turned = np.stack([small.normal[0][cut], -small.normal[2][cut], small.normal[1][cut]])
    for c in range(3):
        plane = layers.normal[c][window]
        plane += turned[c] * (alpha > 0) - plane * alpha
    solid = alpha > 0.5
    layers.x[window][solid] = x
    layers.y[window][solid] = y
    layers.water[window][solid] = False
    layers.shore[window][solid] = np.maximum(layers.shore[window][solid], 2.0)
    layers.sky[window] *= 1 - alpha
    layers.open[window][solid] = 0.85
    if scale < SHADOW_PIXELS or alpha.max() < 0.5:
        return None
    return Upright(alpha=small.alpha, left=left, bottom=round(row), foot=(x, y), metres=metres)


def plant(layers: Land) -> Land:
    """Sets all scenery into freshly made layers (they are written to), far things first."""
    rng = np.random.default_rng([layers.ground.seed, 31])
    camera = layers.camera
    wishes: list[tuple[float, float, float, str]] = []
    # Woods: denser low on the far slopes; single trees on the banks; none where people camp.
    n = 5200
    y = 75 * (720 / 75) ** rng.random(n)
    x = (rng.random(n) * 2 - 1) * (0.5 / camera.focal * camera.width + 0.03) * y
    xs, ys = x[None].astype(np.float32), y[None].astype(np.float32)
    shore = layers.ground.shore(xs, ys)[0]
    level = layers.ground.height(xs, ys, ys / camera.focal)[0]
    path = layers.ground.off_path(xs, ys)[0]
    from detection.scenes.noise import bumps

    grove = (
        bumps(layers.ground.seed * 97 + 507, xs, ys, 120)[0] * 0.5
        + bumps(layers.ground.seed * 97 + 508, xs, ys, 26)[0] * 0.35
    )
    chance = (
        np.where(grove > -0.35, 0.75, 0.05)
        * np.clip((shore - 6) / 30, 0, 1)
        * np.clip((190 - level) / 110, 0, 1)
    )
    for i in np.nonzero((rng.random(n) < chance * 0.55) & (path > 3))[0]:
        wishes.append((float(x[i]), float(y[i]), float(rng.uniform(5, 11)), "spruce"))
    # The near ones that frame the picture, and rocks on the beach and in the meadow.
    half = 0.5 / camera.focal * camera.width
    for at, ahead, tall in (
        (-0.93, 61, 9.5),
        (-1.02, 72, 8.0),
        (0.90, 48, 6.5),
        (1.02, 46, 8.5),
        (0.97, 52, 9.0),
    ):
        wishes.append((at * half * ahead, ahead, tall * float(rng.uniform(0.9, 1.1)), "spruce"))
    for _ in range(150):
        ahead = float(rng.uniform(26, 150))
        wishes.append(
            (
                float(rng.uniform(-1.05, 1.05)) * half * ahead,
                ahead,
                float(rng.uniform(0.15, 0.5)),
                "stone",
            )
        )
    for _ in range(26):
        ahead = float(rng.uniform(28, 95))
        wishes.append(
            (
                float(rng.uniform(-1.05, 1.05)) * half * ahead,
                ahead,
                float(rng.uniform(0.7, 2.2)),
                "boulder",
            )
        )
    for _ in range(34):
        ahead = float(rng.uniform(27, 80))
        wishes.append(
            (
                float(rng.uniform(-1.0, 1.0)) * half * ahead,
                ahead,
                float(rng.uniform(0.5, 1.5)),
                "bush",
            )
        )
    wishes.append((0.30 * half * 42, 42.0, 1.0, "person"))

    shadows = []
    for number, (px, py, metres, kind) in enumerate(sorted(wishes, key=lambda wish: -wish[1])):
        here = np.array([[px]], np.float32), np.array([[py]], np.float32)
        away = float(layers.ground.shore(*here)[0, 0])
        if kind in ("stone", "boulder") and not (-1.5 < away < 30):
            continue
        if kind != "stone" and kind != "boulder" and away < 2.0:
            continue
        if kind == "bush" and (away < 12 or float(layers.ground.off_path(*here)[0, 0]) < 2):
            continue
        if kind == "boulder" and float(layers.ground.off_path(*here)[0, 0]) < 1.5:
            continue
        pixels = int(np.clip(2 ** math.ceil(math.log2(camera.focal / py * metres * 3)), 64, 512))
        sprite = (
            spruce(number % 7, pixels)
            if kind == "spruce"
            else bush(number % 5, pixels)
            if kind == "bush"
            else stone_person(pixels)
            if kind == "person"
            else boulder(number % 9, pixels)
        )
        standing = _stamp(layers, sprite, px, py, metres)
        if standing is not None:
            shadows.append(standing)
    return dataclasses.replace(layers, uprights=tuple(shadows))
