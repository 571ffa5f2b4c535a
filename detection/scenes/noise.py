"""Smooth random fields that repeat without a seam, and how to sample them; knows no landscape."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]  # float32 throughout; numpy's stubs widen every mixed expression
SIDE = 512  # texels of a tile
FEATURE = 8.0  # texels of one bump: sampling is linear, so a bump must span several


@lru_cache(maxsize=64)
def tile(seed: int) -> Array:
    """[SIDE, SIDE] smooth random field, mean 0, deviation 1, wrapping at its edges."""
    white = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    frequency = np.fft.fftfreq(SIDE)
    radius2 = frequency[:, None] ** 2 + frequency[None, :] ** 2
    sigma = FEATURE / 3
    smooth = np.fft.ifft2(np.fft.fft2(white) * np.exp(-2 * (np.pi * sigma) ** 2 * radius2)).real
    field = np.asarray((smooth - smooth.mean()) / smooth.std(), np.float32)
    field.flags.writeable = False
    return field


@lru_cache(maxsize=64)
def clouds(seed: int) -> Array:
    """[SIDE, SIDE] fractal field (1/f), mean 0, deviation 1, wrapping at its edges."""
    white = np.random.default_rng(seed).standard_normal((SIDE, SIDE))
    frequency = np.fft.fftfreq(SIDE)
    radius = np.hypot(frequency[:, None], frequency[None, :])
    radius[0, 0] = 1.0
    gain = radius**-1.55
    gain[radius < 2.5 / SIDE] = 0.0  # no bump as large as the tile: its repeats would show
    field = np.fft.ifft2(np.fft.fft2(white) * gain).real
    result = np.asarray((field - field.mean()) / field.std(), np.float32)
    result.flags.writeable = False
    return result


def sample(field: Array, u: Array, v: Array) -> Array:
    """Values of a tile at texel coordinates `u`, `v` (two-dimensional), wrapped, linear."""
    u, v = np.broadcast_arrays(u, v)
    side = field.shape[0]
    # cv2.remap works in fixed point: bring the coordinates near zero first, or they lose precision.
    u = (u - np.floor(u / side) * side).astype(np.float32)
    v = (v - np.floor(v / side) * side).astype(np.float32)
    return np.asarray(cv2.remap(field, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def bumps(seed: int, x: Array, y: Array, size: float) -> Array:
    """Smooth noise (deviation 1) over plane coordinates; `size`: from bump to bump, same unit."""
    scale = np.float32(FEATURE / size)
    return sample(tile(seed), x * scale, y * scale)


def smoothstep(low: float, high: float, value: Array) -> Array:
    """0 below `low`, 1 above `high`, without a kink between; `low` may exceed `high`."""
    t = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
