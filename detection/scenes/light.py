"""The hour as light: sun, sky, mountain shadow, reflection on the lake; draws no people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import cv2
import numpy as np

from detection.scenes.model import Moment, View
from detection.scenes.noise import Array, bumps, clouds, sample, smoothstep
from detection.scenes.valley import EYE_LINE, FAR_SHORE, Valley

_LATITUDE, _LONGITUDE = np.radians(45.0), 6.4
_MERIDIAN = 15.0  # degrees east, of the camera clock


@dataclass(frozen=True)
class Sun:
    """`height_deg` over the horizon; `side`: -1 from the left (morning) … 1 from the right."""

    height_deg: float
    side: float


def sun(at: datetime) -> Sun:
    """The sun over a lake of the Alps at a camera-clock time."""
    day = at.timetuple().tm_yday
    tilt = np.radians(23.44) * np.sin(2 * np.pi * (day - 81) / 365.25)
    hour = at.hour + at.minute / 60 + at.second / 3600
    angle = np.radians(15 * (hour - 12) + _LONGITUDE - _MERIDIAN)
    sine = np.sin(_LATITUDE) * np.sin(tilt) + np.cos(_LATITUDE) * np.cos(tilt) * np.cos(angle)
    return Sun(float(np.degrees(np.arcsin(sine))), float(np.sin(angle)))


@dataclass(frozen=True)
class Light:
    """Light of one moment: colours are linear RGB, `gain` the camera's exposure."""

    direct: Array  # [3]
    ambient: Array  # [3]
    zenith: Array  # [3]
    horizon: Array  # [3]
    gain: float
    night: float  # 0 day … 1 night
    side: float


def _mix(a: object, b: object, t: float) -> Array:
    return np.asarray(np.asarray(a) * (1 - t) + np.asarray(b) * t, np.float32)


def light(moment: Moment) -> Light:
    """Colours by the sun's height, dulled by cloud and fog."""
    star = sun(moment.at)
    day = float(np.clip((star.height_deg + 4) / 12, 0, 1))
    night = float(np.clip((-star.height_deg - 3) / 7, 0, 1))
    warm = float(np.exp(-(((star.height_deg - 3) / 9) ** 2)))
    grey = float(np.clip(1.3 * moment.cloud - 0.3, 0, 1) * 0.85 + 0.15 * moment.fog)
    sunny = float(np.clip(star.height_deg / 14, 0, 1)) * (1 - grey)
    direct = _mix((1.0, 0.94, 0.84), (1.0, 0.66, 0.36), warm) * np.float32(0.95 * sunny)
    ambient = _mix((0.33, 0.38, 0.47), (0.52, 0.53, 0.55), grey)
    zenith = _mix((0.17, 0.34, 0.66), (0.55, 0.58, 0.62), grey)
    horizon = _mix(_mix((0.62, 0.74, 0.88), (0.95, 0.70, 0.48), warm * (1 - grey)),
                   (0.72, 0.74, 0.76), grey)  # fmt: skip
    level = np.float32((0.10 + 0.90 * day) * (1 - 0.88 * night))
    dark = np.array((0.55, 0.75, 1.15), np.float32)
    tint = dark * (1 - day) + day  # the blue hour
    return Light(
        direct, ambient * level * tint, zenith * level * tint,
        horizon * level * _mix(1.0, tint, 0.5),
        # A camera opens up as light goes, but not without end.
        gain=float(1.0 + 1.9 * (1 - day) * (1 - night) + 1.1 * night), night=night, side=star.side,
    )  # fmt: skip


def landscape(view: View, ground: Valley, moment: Moment, glow: Light) -> tuple[Array, Array]:
    """The empty valley: linear RGB [H, W, 3], and direct sunlight [H, W] 0..1 on the ground."""
    h, w = view.height, view.width
    y = ((np.arange(h, dtype=np.float32) + 0.5) / h)[:, None]
    x = ((np.arange(w, dtype=np.float32) + 0.5) / w)[None, :]
    seconds = moment.seconds
    star = sun(moment.at)

    # Sky: planes of cloud drift over the valley and shrink towards the eye line.
    top = int(h * 0.5)
    plane = 0.20 / (np.maximum(EYE_LINE - y[:top], 0) + 0.10)
    u = (x - 0.5) * plane * 330 + np.float32(seconds * 0.02 % 512)
    v = plane * 300 + np.float32(seconds * 0.006 % 512) + 0 * x
    drift = sample(clouds(view.seed * 17 + moment.at.toordinal() % 7), u, v)
    cover = smoothstep(1.9 - 3.4 * moment.cloud, 2.9 - 3.4 * moment.cloud, drift)[..., None] * 0.9
    rise = np.clip(y[:top] / EYE_LINE, 0, 1)[..., None] ** 1.4
    sky = glow.zenith * (1 - rise) + glow.horizon * rise + 0 * x[..., None]
    white = (glow.ambient * 0.9 + glow.direct * 0.62) * (1.12 - 0.22 * np.clip(drift, 0, 2))[
        ..., None
    ]
    sky += cover * (white - sky)

    # Mountain shadow: leaves to the right in the morning, comes from the left in the evening.
    edge = moment.shadow_edge
    if edge is None:
        edge = (
            1.5 - float(np.clip((star.height_deg - 3) / (16 if star.side < 0 else 12), 0, 1)) * 2.3
        )
    slant = x + 0.9 * (y - 0.7)
    lit = smoothstep(-0.025, 0.025, slant - edge)
    patches = bumps(view.seed * 13, x * 9 + np.float32(seconds * 0.004 % 4096), y * 22 + 0 * x, 4.0)
    lit = lit * (1 - 0.6 * moment.cloud * smoothstep(0.2, 1.0, patches))
    # High crests stand in the sun before the lake and after it.
    crest = smoothstep(0.40, 0.22, y) * float(np.clip((star.height_deg + 1) / 4, 0, 1))
    lit = np.maximum(lit, crest)
    slope = 1 - ground.relief_x * np.float32(1.5 * glow.side) - ground.relief_y * 0.9
    shade = np.clip(slope, 0.15, 1.9) * lit
    image = ground.albedo * (shade[..., None] * glow.direct + glow.ambient * (
        0.75 + 0.25 * np.clip(slope, 0.3, 1.7))[..., None])  # fmt: skip
    air = ground.haze[..., None]
    image += air * (glow.horizon * 0.82 - image)
    image[:top] += ground.sky[:top, :, None] * (sky - image[:top])
    _water(image, view, ground, moment, glow, seconds)
    return np.asarray(image, np.float32), np.asarray(lit, np.float32)


def _water(
    image: Array, view: View, ground: Valley, moment: Moment, glow: Light, seconds: int
) -> None:
    """Mirror the far side in the lake, broken by ripples; in place."""
    h, w = view.height, view.width
    first, last = int(h * (FAR_SHORE - 0.01)), int(h * 0.76)
    y = ((np.arange(first, last, dtype=np.float32) + 0.5) / h)[:, None]
    x = ((np.arange(w, dtype=np.float32) + 0.5) / w)[None, :]
    away = 1.0 / np.maximum(y - EYE_LINE, 0.02)
    across, deep = (x - 0.5) * away * 1.3, away * 2.0 + 0 * x
    travel = np.float32(seconds * 0.21 % 4096)
    wave = bumps(view.seed * 31, across + travel, deep * 3, 0.42) * 0.6
    wave = wave + bumps(view.seed * 37, across * 2.7 - travel, deep * 8, 0.5) * 0.5
    gust = 0.45 + 0.55 * smoothstep(-0.6, 1.0, bumps(view.seed * 41, across + travel, deep, 4.0))
    wave = wave * gust * np.float32(moment.ripple)
    below = np.maximum(y - FAR_SHORE, 0)
    map_y = (FAR_SHORE - below * 1.25 + wave * (0.004 + 0.09 * below)) * h - 0.5
    map_x = (x + wave * 0.002) * w - 0.5
    mirror = cv2.remap(image[:first + 1], map_x.astype(np.float32), map_y.astype(np.float32),
                       cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip
    mirror = cv2.blur(mirror, (1, max(int(h * 0.012 * moment.ripple), 1)))
    depth = smoothstep(0.0, 0.07, near_gap(view, ground, first, last))[..., None]
    bed = np.array((0.34, 0.36, 0.27), np.float32) * (1 - depth) + np.array(
        (0.035, 0.13, 0.14), np.float32) * depth  # fmt: skip
    bed = bed * (glow.ambient + glow.direct * 0.55)
    gleam = np.clip(0.80 - 1.5 * below + 0.10 * wave, 0.22, 0.85)[..., None]
    surface = bed * (1 - gleam) + mirror * gleam + (0.035 * wave)[..., None] * glow.horizon
    part = image[first:last]
    part += ground.water[first:last, :, None] * (surface - part)


def near_gap(view: View, ground: Valley, first: int, last: int) -> Array:
    """Rows `first`..`last`: fraction of the height down to the near shore (where it grows deep)."""
    wet = ground.water[first:last] > 0.5
    edge = last - first - np.argmax(wet[::-1], axis=0)
    gap = (edge[None, :] - np.arange(last - first)[:, None]) / view.height
    return np.asarray(np.maximum(gap, 0), np.float32)
