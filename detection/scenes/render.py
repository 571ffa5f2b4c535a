"""One frame of the lake with the true boxes of all that is on it. Pure: no file, no clock."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from detection.labels import Label
from detection.scenes import figures
from detection.scenes.light import Light, landscape, light
from detection.scenes.model import Moment, Pose, Rendered, Thing, TruthBox, View
from detection.scenes.noise import Array, clouds, sample
from detection.scenes.valley import PERSON_METRES, person_height, valley

DRAWABLE = frozenset({Label.PERSON, Label.TENT, Label.BOAT, Label.SHEEP, Label.DOG})
_FOGGED, _DARK = 0.8, 0.93  # beyond these nobody could count people
_SEEN = 0.022  # least difference from the ground behind, of the picture's range, to be made out


def render(view: View, moment: Moment, things: Sequence[Thing] = ()) -> Rendered:
    """Draw `things`, the farthest first, into the valley as it looks at `moment`.

    Equal arguments give equal pixels. Raises ValueError for a label that has no figure.
    """
    for thing in things:
        if thing.label not in DRAWABLE:
            raise ValueError(f"no figure for {thing.label}")
    ground, glow = valley(view), light(moment)
    image, lit = landscape(view, ground, moment, glow)
    boxes: dict[int, TruthBox] = {}
    for place, thing in sorted(enumerate(things), key=lambda item: (item[1].y, item[0])):
        box = _set(image, lit, view, moment, glow, thing)
        if box is not None:
            boxes[place] = box
    readable = moment.fog < _FOGGED and glow.night < _DARK
    picture = _expose(image, view, moment, glow, ground.distance)
    found = [boxes[place] for place in sorted(boxes)] if readable else []
    return Rendered(picture, found, readable)


def _set(
    image: Array, lit: Array, view: View, moment: Moment, glow: Light, thing: Thing
) -> TruthBox | None:
    """Composite one thing in place; its box, or None where it is off the frame or unseen."""
    h, w = view.height, view.width
    metre = person_height(thing.y) * h / PERSON_METRES
    sprite = figures.draw(thing, metre, thing.x * w, thing.y * h, glow.night) if metre > 0 else None
    if sprite is None:
        return None
    rows, cols = sprite.alpha.shape
    x0, y0 = max(sprite.left, 0), max(sprite.top, 0)
    x1, y1 = min(sprite.left + cols, w), min(sprite.top + rows, h)
    if x1 <= x0 or y1 <= y0:
        return None
    inner = np.s_[y0 - sprite.top : y1 - sprite.top, x0 - sprite.left : x1 - sprite.left]
    alpha, colour = sprite.alpha[inner], sprite.colour[inner]
    fx, fy = min(max(int(thing.x * w), 0), w - 1), min(max(int(thing.y * h), 0), h - 1)
    sunlit = float(lit[fy, fx])
    part = image[y0:y1, x0:x1]
    ys = np.arange(y0, y1, dtype=np.float32)[:, None] + 0.5 - thing.y * h
    xs = np.arange(x0, x1, dtype=np.float32)[None, :] + 0.5 - thing.x * w
    if thing.pose is not Pose.SWIM and thing.pose is not Pose.PADDLE:
        # Contact shadow, drawn out away from the sun.
        reach = (1.5 if thing.label is Label.TENT else 0.42) * metre * thing.scale
        away = -glow.side * reach * sunlit
        spot = np.exp(
            -(((xs - away) / (reach * (1 + abs(glow.side)))) ** 2) - (ys / (0.16 * metre)) ** 2
        )
        part *= (1 - (0.25 + 0.3 * sunlit) * spot * (1 - glow.night))[..., None]
    elif thing.pose is Pose.SWIM:
        ring = np.exp(-((np.hypot(xs / (1.0 * metre), ys / (0.3 * metre)) - 0.8) ** 2) / 0.04)
        part += (0.07 * ring)[..., None] * glow.horizon
    body = colour * (glow.direct * (0.85 * sunlit) + glow.ambient * 0.95)
    veil = _veil(np.float32(metre_distance(metre, h)), moment)
    behind = (part * alpha[..., None]).sum((0, 1)) / max(float(alpha.sum()), 1e-6)
    front = (body * alpha[..., None]).sum((0, 1)) / max(float(alpha.sum()), 1e-6)
    part += alpha[..., None] * (body - part)
    seen = np.abs(_curve(front * glow.gain) - _curve(behind * glow.gain)).max() * (1 - float(veil))
    dx, dy = moment.shift_px
    left, top = max(sprite.box[0] + dx, 0.0), max(sprite.box[1] + dy, 0.0)
    right, bottom = min(sprite.box[2] + dx, float(w)), min(sprite.box[3] + dy, float(h))
    full = (sprite.box[2] - sprite.box[0]) * (sprite.box[3] - sprite.box[1])
    if right <= left or bottom <= top or (right - left) * (bottom - top) < 0.3 * full:
        return None
    if (seen < _SEEN + 0.05 * glow.night and thing.pose is not Pose.SWIM) or veil > 0.9:
        return None
    return TruthBox(
        thing.label, thing.activity, left / w, top / h, (right - left) / w, (bottom - top) / h
    )


def metre_distance(metre: float, height: int) -> float:
    """Metres to the ground where one metre spans `metre` pixels of a frame `height` pixels high."""
    return 1.0 * height / metre


def _veil(distance: Array | np.float32, moment: Moment) -> Array:
    """Share of what lies at `distance` metres that fog hides."""
    if moment.fog <= 0:
        return np.zeros_like(distance)
    thickness = 0.0008 * np.exp(6.2 * moment.fog) - 0.0008
    return np.asarray(np.minimum(1 - np.exp(-thickness * distance), 0.985), np.float32)


def _curve(linear: Array) -> Array:
    """Camera's tone curve: linear light to 0..1 of the picture's range."""
    light = np.clip(linear, 0, None)
    return np.asarray(np.sqrt(light * 1.15 / (1 + light * 0.30 + light**2 * 0.04)), np.float32)


def _expose(image: Array, view: View, moment: Moment, glow: Light, distance: Array) -> np.ndarray:
    if moment.fog > 0:
        seconds = moment.seconds
        y, x = np.mgrid[0 : view.height : 8, 0 : view.width : 8].astype(np.float32) / view.height
        banks = sample(clouds(view.seed + 5), x * 70 + np.float32(seconds * 0.013 % 512), y * 150)
        banks = cv2.resize(banks, (view.width, view.height), interpolation=cv2.INTER_CUBIC)
        veil = _veil(distance * np.exp(0.35 * banks * (1 - moment.fog * 0.7)), moment)[..., None]
        image += veil * (glow.horizon * (0.93 + 0.02 * banks[..., None]) - image)
    picture = _curve(image * np.float32(glow.gain))
    rng = np.random.default_rng([view.seed, moment.seconds])
    grain = rng.standard_normal((view.height, view.width), np.float32)
    picture += (grain * np.float32(0.008 + 0.022 * glow.night))[..., None]
    out = np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8)
    dx, dy = moment.shift_px
    if dx or dy:
        matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float32)
        size = (view.width, view.height)
        out = np.asarray(
            cv2.warpAffine(out, matrix, size, borderMode=cv2.BORDER_REFLECT_101), np.uint8
        )
    return out
