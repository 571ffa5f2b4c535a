"""One frame of the lake with the true boxes of all that is on it. Pure: no file, no clock."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from detection.labels import Label
from detection.scenes import figures, weather
from detection.scenes.light import Light, landscape, light
from detection.scenes.model import Moment, Pose, Rendered, Thing, TruthBox, View
from detection.scenes.noise import Array, bumps, clouds, sample
from detection.scenes.valley import PERSON_METRES, person_height, valley

DRAWABLE = frozenset({Label.PERSON, Label.TENT, Label.BOAT, Label.SHEEP, Label.DOG, Label.CATTLE})
_FOGGED, _DARK = 0.8, 0.93  # beyond these nobody could count people
_VEILED = 0.6  # share of a thing hidden by drops, snow or a bank of fog, for it to be lost
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
    picture, veil = _expose(image, view, moment, glow, ground.distance)
    hidden = float((veil > _VEILED).mean())
    readable = moment.fog < _FOGGED and glow.night < _DARK and hidden < _FOGGED
    found = [boxes[place] for place in sorted(boxes) if _shows(boxes[place], veil)]
    return Rendered(picture, found if readable else [], readable)


def _shows(box: TruthBox, veil: Array) -> bool:
    """Whether less than _VEILED of what the box holds is hidden."""
    h, w = veil.shape
    left, top = int(box.x * w), int(box.y * h)
    right, low = max(int((box.x + box.w) * w), left + 1), max(int((box.y + box.h) * h), top + 1)
    return bool(veil[top:low, left:right].mean() < _VEILED)


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
    moved = _moved(sprite.box, view, moment)
    left, top = max(moved[0], 0.0), max(moved[1], 0.0)
    right, bottom = min(moved[2], float(w)), min(moved[3], float(h))
    full = (moved[2] - moved[0]) * (moved[3] - moved[1])
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


def _expose(
    image: Array, view: View, moment: Moment, glow: Light, distance: Array
) -> tuple[np.ndarray, Array]:
    """The picture, and [H, W] the share of each pixel that weather near the camera hides."""
    if moment.fog > 0:
        seconds = moment.seconds
        y, x = np.mgrid[0 : view.height : 8, 0 : view.width : 8].astype(np.float32) / view.height
        banks = sample(clouds(view.seed + 5), x * 70 + np.float32(seconds * 0.013 % 512), y * 150)
        banks = cv2.resize(banks, (view.width, view.height), interpolation=cv2.INTER_CUBIC)
        veil = _veil(distance * np.exp(0.35 * banks * (1 - moment.fog * 0.7)), moment)[..., None]
        image += veil * (glow.horizon * (0.93 + 0.02 * banks[..., None]) - image)
    hidden: Array = np.zeros((view.height, view.width), np.float32)
    if moment.bank > 0:
        hidden = weather.bank(view, moment)
        image += hidden[..., None] * (glow.horizon * np.float32(0.93) - image)
    picture = _curve(image * np.float32(glow.gain))
    if moment.rain > 0:
        picture += weather.rain(view, moment)[..., None]
    size = (view.width, view.height)
    if moment.shift_px != (0.0, 0.0) or moment.turn_deg:
        matrix = _matrix(view, moment)
        picture, hidden = (
            cv2.warpAffine(each, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
            for each in (picture, hidden)
        )
    if moment.drops or moment.snow > 0:
        wet, snow = weather.lens(view, moment)
        blurred = cv2.GaussianBlur(picture, (0, 0), view.height * 0.02)
        picture += wet[..., None] * (blurred * 1.08 + 0.02 - picture)
        lumps = bumps(view.seed * 53, *np.meshgrid(np.arange(view.width, dtype=np.float32),
                                                   np.arange(view.height, dtype=np.float32)),
                      view.height * 0.03)  # fmt: skip
        white = (0.80 + 0.03 * lumps[..., None]) * (1 - 0.85 * glow.night)
        picture += snow[..., None] * (white - picture)
        hidden = np.maximum(hidden, np.maximum(wet, snow))
    rng = np.random.default_rng([view.seed, moment.seconds])
    grain = rng.standard_normal((view.height, view.width), np.float32)
    picture += (grain * np.float32(0.008 + 0.022 * glow.night))[..., None]
    return np.asarray(np.clip(picture * 255 + 0.5, 0, 255), np.uint8), np.asarray(hidden)


def _matrix(view: View, moment: Moment) -> Array:
    """[2, 3] of the knock: turned about the middle, then moved."""
    matrix = cv2.getRotationMatrix2D((view.width / 2, view.height / 2), moment.turn_deg, 1.0)
    return np.asarray(matrix + np.array([[0, 0, d] for d in moment.shift_px]), np.float32)


def _moved(
    box: tuple[float, float, float, float], view: View, moment: Moment
) -> tuple[float, float, float, float]:
    """Where a knock puts what `box` holds, in pixels."""
    x0, y0, x1, y1 = box
    corners = np.array([(x0, y0, 1), (x1, y0, 1), (x0, y1, 1), (x1, y1, 1)], np.float32)
    turned = corners @ _matrix(view, moment).T
    low, high = turned.min(axis=0), turned.max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
