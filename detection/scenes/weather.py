"""What comes between the lake and the picture: banks of fog, rain, drops and snow on the lens.

Each gives a veil, the share of every pixel that it hides; `render` lays it over the picture and
leaves out of the truth what it hides.
"""

from __future__ import annotations

import cv2
import numpy as np

from detection.scenes.model import Moment, View
from detection.scenes.noise import Array, bumps, smoothstep
from detection.scenes.valley import EYE_LINE

_BANK_WIDE = 0.22  # of the frame's width, one deviation


def bank(view: View, moment: Moment) -> Array:
    """[H, W] share hidden by a bank of fog that lies low over the valley about `moment.bank_x`."""
    y, x = _grid(view)
    drift = np.float32(moment.seconds * 0.004 % 4096)
    ragged = bumps(view.seed * 43, x * 4 + drift, y * 9, 1.0) * np.float32(0.05)
    across = np.exp(-(((x - moment.bank_x + ragged) / _BANK_WIDE) ** 2))
    low = smoothstep(EYE_LINE - 0.20, EYE_LINE - 0.02, y + ragged) * smoothstep(0.95, 0.62, y)
    return np.asarray(moment.bank * across * low, np.float32)


def lens(view: View, moment: Moment) -> tuple[Array, Array]:
    """[H, W] shares of every pixel that water and that snow on the lens hide. Drops stay where
    they are for the hour; another hour has others.
    """
    wet = np.zeros((view.height, view.width), np.float32)
    rng = np.random.default_rng([view.seed, moment.seconds // 3600, 11])
    for _ in range(moment.drops):
        centre = (int(rng.uniform(0, view.width)), int(rng.uniform(0, view.height)))
        radius = rng.uniform(0.04, 0.10) * view.height
        tall = rng.uniform(1.0, 1.3)
        cv2.ellipse(
            wet, centre, (max(int(radius), 2), max(int(radius * tall), 2)), 0, 0, 360, 1.0, -1
        )
    if moment.drops:
        wet = np.asarray(cv2.GaussianBlur(wet, (0, 0), view.height * 0.006), np.float32)
    snow = np.zeros_like(wet)
    if moment.snow > 0:
        y, x = _grid(view)
        lumps = bumps(view.seed * 47, x * 6, y * 6, 1.0) * np.float32(0.16)
        line = 1.15 - 1.25 * moment.snow  # it sticks from below upwards
        snow = smoothstep(line - 0.03, line + 0.03, y + lumps)
    return wet, snow


def rain(view: View, moment: Moment) -> Array:
    """[H, W] brightness that falling rain adds, in shares of the picture's range."""
    rng = np.random.default_rng([view.seed, moment.seconds, 13])
    streaks = np.zeros((view.height, view.width), np.float32)
    for _ in range(int(500 * moment.rain)):
        x, y = rng.uniform(0, view.width), rng.uniform(0, view.height)
        length = rng.uniform(0.01, 0.05) * view.height
        ends = (int(x), int(y)), (int(x + 0.15 * length), int(y + length))
        cv2.line(streaks, *ends, float(rng.uniform(0.02, 0.10)), 1, cv2.LINE_AA)
    return streaks


def _grid(view: View) -> tuple[Array, Array]:
    y, x = np.mgrid[: view.height, : view.width].astype(np.float32)
    return (y + 0.5) / view.height, (x + 0.5) / view.width
