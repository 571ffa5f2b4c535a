"""Which frames show too little to count on, by cheap statistics. Pure; proposes, decides not."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 16, 12
TILES = COLUMNS * ROWS
WIDTH = 200  # pixels, about, at which edges are looked for
STEPS = 4  # in which the strength of an edge is kept in a byte
# Burned-in stamps are as sharp in fog as in sunshine: the first and last row of tiles are left out.
INNER = np.s_[COLUMNS : TILES - COLUMNS]
DARK_BELOW = 35.0  # mean luma, 0–255
FOGGED_BELOW = 0.35  # share of the sharpness that this camera's frames usually have
WET_BELOW = 0.25  # share of usual sharpness behind a drop
CLEAR = 0.7  # share of it that the rest of a wet picture keeps
SUDDEN = 0.75  # share of the tiles with weak edges that have hardly any
WET_TILES = (0.06, 0.6)  # share of the tiles that a drop covers


@dataclass(frozen=True)
class Look:
    """`brightness`: mean luma, 0–255; `sharpness`: variance of the Laplacian; `tiles`: bytes,
    mean luma of each tile row by row, then the strength of its edges."""

    brightness: float
    sharpness: float
    tiles: bytes


def look(rgb: NDArray[np.uint8]) -> Look:
    """Statistics of a picture, uint8 [H, W, 3]."""
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    # Small, so that what is compared is the view and not the sensor's noise; by a whole number,
    # for which resizing is many times faster.
    factor = max(1, round(grey.shape[1] / WIDTH))
    height, width = max(1, grey.shape[0] // factor), max(1, grey.shape[1] // factor)
    inner = grey[: height * factor, : width * factor]
    small = cv2.resize(inner, (width, height), interpolation=cv2.INTER_AREA)
    edges = cv2.Laplacian(small, cv2.CV_16S)
    luma = cv2.resize(small, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    strength = cv2.resize(np.abs(edges) * STEPS, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    return Look(
        brightness=float(cv2.mean(small)[0]),
        sharpness=float(edges.var()),
        tiles=luma.tobytes() + np.clip(strength, 0, 255).astype(np.uint8).tobytes(),
    )


def sharpness_of(tiles: bytes) -> NDArray[np.float32]:
    """Strength of edges of each tile, float32 [TILES]."""
    return np.frombuffer(tiles, np.uint8, offset=TILES).astype(np.float32)


def flags(brightness: NDArray[np.float32], tiles: NDArray[np.float32]) -> list[str]:
    """Of N frames of one view: brightness [N], sharpness of tiles [N, TILES] → "dark", "fogged",
    "wet" or "" for each, by comparison with what is usual for the view."""
    dark = brightness < DARK_BELOW
    if dark.all():
        return ["dark"] * len(dark)
    inner = tiles[:, INNER]
    usual = np.median(inner[~dark], axis=0)
    textured = usual >= 4  # sky and still water say nothing
    if not textured.any():
        return ["dark" if one else "" for one in dark]
    share = inner[:, textured] / usual[textured]
    whole = np.median(share, axis=1)
    low = (share < WET_BELOW).mean(axis=1)
    # Behind a drop all edges are gone and beside it none; fog takes them by and by.
    sudden = low >= SUDDEN * (share < 2 * WET_BELOW).mean(axis=1)
    wet = (low > WET_TILES[0]) & (low < WET_TILES[1]) & (whole > CLEAR) & sudden
    return [
        "dark" if dark[i] else "fogged" if whole[i] < FOGGED_BELOW else "wet" if wet[i] else ""
        for i in range(len(dark))
    ]
