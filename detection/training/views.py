"""Still views without anybody: photographs, and lakes, slopes and shores made of noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from detection.training.shapes import Array


@dataclass(frozen=True, eq=False)
class View:
    """`picture` [H,W,3] 0..1; `water` and `leaves` [H,W] 0..1: where it ripples, where it sways."""

    picture: Array
    water: Array
    leaves: Array


def noise(rng: Generator, height: int, width: int, cell: float, squash: float = 1.0,
          octaves: int = 4, fall: float = 0.55) -> Array:  # fmt: skip
    """Cloudy noise of about unit deviation; features of `cell` px, `squash` times flatter."""
    total = np.zeros((height, width), np.float32)
    weight, power = 1.0, 0.0
    for octave in range(octaves):
        size = max(cell / 2**octave, 1.0)
        rows, cols = max(2, round(height * squash / size) + 1), max(2, round(width / size) + 1)
        grain = rng.standard_normal((min(rows, height), min(cols, width)), np.float32)
        total += weight * cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)
        power += weight**2
        weight *= fall
    return np.asarray(total / np.sqrt(power), np.float32)


_GROUNDS = {  # colour, its spread, deviation of the texture
    "grass": ((0.33, 0.42, 0.18), 0.09, 0.10), "dry": ((0.55, 0.5, 0.3), 0.09, 0.09),
    "gravel": ((0.52, 0.5, 0.46), 0.1, 0.13), "sand": ((0.76, 0.68, 0.52), 0.08, 0.04),
    "rock": ((0.45, 0.43, 0.41), 0.12, 0.15), "forest": ((0.13, 0.2, 0.12), 0.05, 0.09),
    "snow": ((0.88, 0.9, 0.93), 0.04, 0.03), "earth": ((0.42, 0.33, 0.24), 0.08, 0.08),
}  # fmt: skip
_WATERS = ((0.2, 0.35, 0.42), (0.15, 0.25, 0.3), (0.35, 0.5, 0.55), (0.1, 0.3, 0.33),
           (0.45, 0.52, 0.58), (0.12, 0.14, 0.15))  # fmt: skip


def drawn(rng: Generator, size: int = 400) -> View:
    """A view of `size` × `size` px: sky, crests, and bands of water and ground."""
    picture = np.zeros((size, size, 3), np.float32)
    water, leaves = np.zeros((size, size), np.float32), np.zeros((size, size), np.float32)
    rows = np.arange(size, dtype=np.float32)[:, None]
    top = rng.uniform(-0.5, 0.55) * size  # of the ground
    if top > 0:
        high = np.array([0.35, 0.5, 0.75]) * rng.uniform(0.6, 1.25)
        low = np.array([0.8, 0.83, 0.86]) * rng.uniform(0.7, 1.15)
        picture[:] = high + (low - high) * np.clip(rows / top, 0, 1)[..., None]
        clouds = np.clip(noise(rng, size, size, size * 0.4, 2.5) - rng.uniform(-0.5, 1.5), 0, 1)
        picture += clouds[..., None] * (np.float32(rng.uniform(0.7, 0.98)) - picture) * 0.8
    for layer in range(int(rng.integers(0, 4)) if top > 0 else 0):
        crest = top - (3 - layer) * rng.uniform(0.02, 0.12) * size
        edge = crest + noise(rng, 2, size, size * rng.uniform(0.1, 0.5), octaves=6)[0] * size * 0.05
        kind = str(rng.choice(["rock", "forest", "grass", "snow", "dry"]))
        haze = rng.uniform(0.05, 0.6) * (3 - layer) / 3
        _band(rng, picture, leaves, rows > edge[None], kind, cell=rng.uniform(6, 40), squash=1.0,
              haze=haze)  # fmt: skip
    edge_y = top
    while edge_y < size:
        slope = rng.normal(0, 0.15) * np.linspace(-1, 1, size, dtype=np.float32) * size * 0.5
        edge = (
            edge_y
            + slope
            + noise(rng, 2, size, size * 0.3, octaves=6)[0] * size * rng.uniform(0.002, 0.04)
        )
        edge -= size if edge_y == top and top < 0 else 0
        inside = rows > edge[None]
        near = np.clip((rows - top) / (size - top), 0.05, 1).mean()
        if rng.random() < 0.42:
            base = np.array(_WATERS[rng.integers(len(_WATERS))]) * rng.uniform(0.6, 1.5)
            shine = np.linspace(rng.uniform(0, 0.35), 0, size, dtype=np.float32)[:, None, None]
            waves = noise(rng, size, size, rng.uniform(6, 40), rng.uniform(3, 10)) * rng.uniform(
                0, 0.05
            )
            mirror = noise(rng, size, size, size * 0.3, 0.5, 2) * rng.uniform(0, 0.06)
            tint = base + shine + (waves + mirror)[..., None]
            picture[inside] = tint.astype(np.float32)[inside]
            water[inside], leaves[inside] = 1, 0
        else:
            kind = str(
                rng.choice(list(_GROUNDS), p=(0.27, 0.13, 0.22, 0.08, 0.14, 0.06, 0.03, 0.07))
            )
            water[inside] = 0
            _band(rng, picture, leaves, inside, kind, cell=rng.uniform(3, 20) * (0.5 + near),
                  squash=rng.uniform(1, 3.5))  # fmt: skip
            if rng.random() < 0.6:
                _stones(rng, picture, inside)
        edge_y += rng.uniform(0.08, 0.6) * size
    if rng.random() < 0.3:
        _path(rng, picture, size, top)
    picture *= 1 + noise(rng, size, size, size * 0.5, 1, 2)[..., None] * 0.05
    return View(np.clip(picture, 0, 1), water, leaves)


def _band(rng: Generator, picture: Array, leaves: Array, inside: NDArray[np.bool_], kind: str, *,
          cell: float, squash: float, haze: float = 0.0) -> None:  # fmt: skip
    colour, spread, rough = _GROUNDS[kind]
    size = picture.shape[0]
    base = np.array(colour) + rng.normal(0, spread, 3) * 0.5 + rng.normal(0, spread)
    coarse = noise(rng, size, size, cell * 4, squash) * rough * rng.uniform(0.2, 1.2)
    fine = noise(rng, size, size, cell, squash, 3, 0.9) * rough * rng.uniform(0.3, 1.3)
    tint = base + (coarse + fine)[..., None] * np.array([1, 1, 0.8])
    tint += np.clip(noise(rng, size, size, cell * 6, squash) - 0.5, 0, 1)[..., None] * rng.normal(
        0, 0.06, 3
    )
    tint += haze * (np.array([0.7, 0.76, 0.83]) - tint)
    picture[inside] = tint.astype(np.float32)[inside]
    leaves[inside] = 1.0 if kind in ("grass", "forest", "dry") else 0.0


def _stones(rng: Generator, picture: Array, inside: NDArray[np.bool_]) -> None:
    at = np.argwhere(inside)
    if not len(at):
        return
    for y, x in at[rng.integers(0, len(at), int(rng.integers(5, 90)))]:
        grey = np.clip(rng.uniform(0.2, 0.85) + rng.normal(0, 0.03, 3), 0, 1)
        size = rng.uniform(1, 4) * (0.6 + 2.2 * y / len(picture)) * rng.choice([0.6, 1, 1, 2])
        axes = (max(1, int(size)), max(1, int(size * rng.uniform(0.4, 1.3))))
        turn = float(rng.uniform(-30, 30))
        cv2.ellipse(
            picture, (int(x), int(y)), axes, turn, 0, 360, tuple(map(float, grey)), -1, cv2.LINE_AA
        )
        lit = (int(x - axes[0] * 0.3), int(y - axes[1] * 0.35))
        cv2.ellipse(picture, lit, (max(1, axes[0] // 2), max(1, axes[1] // 2)), turn, 0, 360,
                    tuple(map(float, np.clip(grey * 1.3, 0, 1))), -1, cv2.LINE_AA)  # fmt: skip


def _path(rng: Generator, picture: Array, size: int, top: float) -> None:
    ys = np.linspace(max(top, 0), size, 12)
    xs = rng.uniform(0, size) + np.cumsum(rng.normal(0, size * 0.05, 12))
    tint = tuple(map(float, np.array([0.6, 0.54, 0.43]) * rng.uniform(0.7, 1.3)))
    for k in range(11):
        start, end = (int(xs[k]), int(ys[k])), (int(xs[k + 1]), int(ys[k + 1]))
        cv2.line(picture, start, end, tint, 1 + int(k * rng.uniform(0.3, 1)), cv2.LINE_AA)
