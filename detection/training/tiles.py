"""One training tile: a frame, the still background behind it, and the boxes on the frame.

Everything that makes the two differ without anybody being there is drawn too: light, moving
shadows, ripples, swaying leaves, a camera that shook, clutter that was brought or taken away.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from detection.training.figures import scaled
from detection.training.material import CLASSES, CLUTTER, LABELS, Material, pick
from detection.training.parties import EITHER, GROUND, WATER, party
from detection.training.shapes import Array, Sprite, to_bytes
from detection.training.views import noise

SIDE = 192
_LONGEST, _SHORTEST = 6.0, 2.5  # px, of a box's sides: what is smaller nobody could count
# Share of things that stand so long that the background shows them too. Most that is in both
# pictures is nobody: stones, posts, logs.
_STAYS = {"person": 0.03, "tent": 0.15, "boat": 0.1, CLUTTER: 0.72}
_KEPT = 0.35  # share of a thing that the tile's edge leaves, for it to be asked for
_GRAIN = 0.02  # deviation of a camera's grain of 1, of the picture's range
_UNSEEN = 0.014  # mean difference from what lies behind, of the picture's range


@dataclass(frozen=True, eq=False)
class Tile:
    """`pair` uint8 [SIDE,SIDE,6]: frame and background, RGB each. `xyxy` [N,4] px, `classes` [N]
    indices into CLASSES. `ignored` [M,4]: too small or too faint to be asked for.
    """

    pair: NDArray[np.uint8]
    xyxy: NDArray[np.float32]
    classes: NDArray[np.int64]
    ignored: NDArray[np.float32]


def make(material: Material, seed: int, number: int, real_share: float) -> Tile:
    """Tile `number` of the run `seed`: the same arguments, the same tile."""
    rng = np.random.default_rng([seed, 1_000_003, number])
    if material.real and rng.random() < real_share:
        return _photograph(rng, material)
    return _still_camera(rng, material)


def _still_camera(rng: Generator, material: Material) -> Tile:
    scene, water, leaves = _view(rng, material)
    mode = rng.choice(["live", "absent", "stale"], p=(0.76, 0.14, 0.1))
    shared, frame_only, back_only = _Things(), _Things(), _Things()
    metre = float(np.exp(rng.uniform(np.log(5.0), np.log(46.0))))  # px, where the tile's middle is
    tilt = rng.uniform(0, 1.2)  # how much nearer the bottom of the tile is than its top
    seen_from_above = rng.uniform(0.03, 0.4)  # px up for each px away

    def near(y: float) -> float:
        return float(metre * max(1 + tilt * (y / SIDE - 0.5), 0.3))

    def into(name: str) -> _Things:
        stays, fate = _STAYS.get(name, 0.0), rng.random()
        if fate < stays:
            return shared
        return back_only if fate < stays + (0.12 if name == CLUTTER else 0.09) else frame_only

    for _ in range(int(rng.choice([0, 1, 2, 4, 8], p=(0.17, 0.3, 0.28, 0.19, 0.06)))):
        x, y = rng.uniform(-0.05, 1.05) * SIDE, rng.uniform(0.0, 1.15) * SIDE
        wet = water[min(int(max(y, 0)), SIDE - 1), min(int(max(x, 0)), SIDE - 1)] > 0.5
        place = EITHER if not water.any() or rng.random() < 0.1 else WATER if wet else GROUND
        members = party(rng, place)
        where = into(members[0].kind)
        for member in members:
            px = near(y) * rng.uniform(0.93, 1.07)
            foot = y - member.away * px * seen_from_above
            foot -= rng.uniform(0.0, 0.2) * px if member.kind == "rider" else 0.0
            where.add(member.kind, _sprite(rng, material, member.kind, px), x + member.right * px,
                      foot)  # fmt: skip
    for _ in range(int(rng.poisson(rng.choice([0.5, 3, 8])))):
        x, y = rng.uniform(-0.05, 1.05) * SIDE, rng.uniform(0.0, 1.15) * SIDE
        px = near(y) * rng.uniform(0.85, 1.15)
        into(CLUTTER).add(CLUTTER, _sprite(rng, material, CLUTTER, px), x, y)
    if mode == "absent":
        back_only = _Things()
    dark = rng.random() < 0.14  # night: dim, grey or under infrared light
    frame, seen = _lit(rng, _clouded(rng, scene), [shared, frame_only], dark)
    first = _weather(rng, frame, water, leaves, 1.0)
    like = 0.35 if mode == "live" else 1.0
    if mode == "absent":
        second = first
    else:
        behind = _clouded(rng, scene)
        still, _ = _lit(rng, behind, [shared, back_only], dark, like=frame, near=like)
        second = _weather(rng, still, water, leaves, rng.uniform(0, 0.8))
        first, second = _common(rng, first, second)
    night = float(np.exp(rng.uniform(np.log(0.06), np.log(0.7)))) if dark else 1.0
    grey = dark and rng.random() < 0.6
    if rng.random() < 0.35 or grey:
        for each in {id(first): first, id(second): second}.values():
            if grey:
                each[:] = each.mean(axis=2, keepdims=True)
    _bar(rng, first, second)
    shift = rng.normal(0, 0.6 if mode == "live" else 1.5, 2)
    grain = float(rng.uniform(0.5, 1.5) if dark else rng.gamma(1.2, 0.25))
    a = _exposed(rng, first * night, grain, 1.0)
    if mode != "absent":
        still = _shift(second * night, np.clip(shift, -3, 3))
        b = _coarse(rng, _exposed(rng, still, 0.1, 0.5))
    else:
        b = a
    boxes, classes, ignored = [], [], []
    unseen = max(_UNSEEN, _GRAIN * grain)
    for name, box, contrast in seen:
        if name == CLUTTER:
            continue
        cut = np.clip(box, 0, SIDE)
        left = max(float((cut[2] - cut[0]) * (cut[3] - cut[1])), 0)
        whole = float((box[2] - box[0]) * (box[3] - box[1]))
        if left <= 0:
            continue
        faint = contrast * night < unseen or left < _KEPT * whole
        if faint or not countable(cut[None])[0]:
            ignored.append(cut)
        else:
            boxes.append(cut)
            classes.append(CLASSES.index(LABELS.get(name, name)))
    return _turned(
        rng, Tile(np.dstack([a, b]), _rows(boxes), np.array(classes, np.int64), _rows(ignored))
    )


def _rows(boxes: list[NDArray[np.float64]]) -> NDArray[np.float32]:
    return np.array(boxes, np.float32).reshape(-1, 4)


class _Things:
    """What is to be set into a picture: name, sprite, foot point in px."""

    def __init__(self) -> None:
        self.held: list[tuple[str, Sprite, float, float]] = []

    def add(self, name: str, sprite: Sprite, x: float, y: float) -> None:
        self.held.append((name, sprite, x, y))


def _sprite(rng: Generator, material: Material, name: str, px: float) -> Sprite:
    cut = material.cutouts.get(name, [])
    share = {"person": 0.3, "dog": 0.1, "cattle": 0.1, "boat": 0.05}.get(name, 0.0)
    source = cut if cut and rng.random() < share else material.figures[name]
    chosen = pick(rng, source)
    tallest = 0.95 * SIDE / (max(chosen.rgba.shape[:2]) / chosen.px_per_metre)
    return scaled(chosen, min(px, tallest), bool(rng.integers(2)))


def _view(rng: Generator, material: Material) -> tuple[Array, Array, Array]:
    """A crop of a view, with its water and leaves."""
    zoom = float(np.exp(rng.uniform(np.log(0.45), np.log(1.6))))
    if material.photographs and rng.random() < 0.4:
        picture = pick_photograph(rng, material)
        crop = np.asarray(_crop(rng, picture, SIDE / zoom), np.float32) / np.float32(255)
        leaves = np.full((SIDE, SIDE), 0.5, np.float32)
        return crop, np.zeros((SIDE, SIDE), np.float32), leaves
    view = material.views[int(rng.integers(len(material.views)))]
    stacked = np.dstack([view.picture, view.water - view.leaves])  # OpenCV resizes four at most
    both: Array = _crop(rng, stacked, SIDE / zoom).astype(np.float32)
    kind = both[..., 3]
    return np.ascontiguousarray(both[..., :3]), np.clip(kind, 0, 1), np.clip(-kind, 0, 1)


def pick_photograph(rng: Generator, material: Material) -> NDArray[np.uint8]:
    return material.photographs[int(rng.integers(len(material.photographs)))]


def _crop(rng: Generator, picture: NDArray[np.generic], side: float) -> NDArray[np.generic]:
    """A random square of `side` px at SIDE × SIDE, perhaps mirrored."""
    high, wide = picture.shape[:2]
    take = int(min(side, high, wide))
    y, x = int(rng.integers(0, high - take + 1)), int(rng.integers(0, wide - take + 1))
    piece = np.ascontiguousarray(picture[y : y + take, x : x + take])
    if rng.random() < 0.5:
        piece = np.ascontiguousarray(piece[:, ::-1])
    how = cv2.INTER_AREA if take > SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(piece, (SIDE, SIDE), interpolation=how))


def _clouded(rng: Generator, scene: Array) -> Array:
    """Perhaps with clouds, or their reflections and gusts on water: soft, flat, of no one's shape,
    and elsewhere the next time.
    """
    if rng.random() > 0.4:
        return scene
    cell, squash = rng.uniform(10, 90), rng.uniform(1.5, 7)
    cover = np.clip(noise(rng, SIDE, SIDE, cell, squash) - rng.uniform(0.1, 1.5), 0, 1)
    edge, steep = rng.uniform(0.1, 1.2), rng.choice([4, 15])  # they lie above a line, or below it
    down = np.linspace(0, 1, SIDE, dtype=np.float32)[:, None]
    within = 1 / (1 + np.exp((down - edge) * steep * rng.choice([-1, 1], p=(0.25, 0.75))))
    tone = np.float32(rng.uniform(0.1, 1.0)) + rng.normal(0, 0.03, 3).astype(np.float32)
    share = (cover * within * rng.uniform(0.1, 0.9))[..., None].astype(np.float32)
    return np.asarray(scene + share * (tone - scene), np.float32)


def _lit(
    rng: Generator, scene: Array, groups: list[_Things], dark: bool, like: Array | None = None,
    near: float = 1.0,
) -> tuple[Array, list[tuple[str, NDArray[np.float64], float]]]:  # fmt: skip
    """`scene` under one light with its things; name, box and contrast of each thing."""
    light = np.float32(1.0) + _light(rng) * np.float32(near if like is not None else 1.0)
    light = np.maximum(light, np.float32(0.05))
    picture = scene * light
    if like is not None:  # a background was taken under like light, and matched in gain
        gain = (like.mean() + 0.02) / (picture.mean() + 0.02)
        picture *= np.float32(gain ** rng.uniform(0.5, 1.0))
    sun = rng.uniform(-1.5, 1.5)
    things = sorted((each for group in groups for each in group.held), key=lambda each: each[3])
    seen = []
    for name, sprite, x, y in things:
        seen.append((name, *_set(rng, picture, light, sprite, x, y, sun, dark and name == "tent")))
    return picture, seen


def _light(rng: Generator) -> Array:
    """[SIDE,SIDE,3] change of light: gain, tint, a slope and hard or soft shadows."""
    gain = rng.normal(0, 0.16) + rng.normal(0, 0.04, 3)
    y, x = np.mgrid[-1 : 1 : complex(0, SIDE), -1 : 1 : complex(0, SIDE)].astype(np.float32)
    turn = rng.uniform(0, 2 * np.pi)
    field = (np.cos(turn) * x + np.sin(turn) * y) * rng.normal(0, 0.08)
    if rng.random() < 0.5:
        blobs = noise(rng, SIDE, SIDE, rng.uniform(20, 160), 1.0, 3)
        hard = rng.choice([2, 8, 30])
        shade = 1 / (1 + np.exp(-np.clip((blobs - rng.uniform(-0.5, 1.2)) * hard, -30, 30)))
        field = field - shade * rng.uniform(0.1, 0.6)
    if rng.random() < 0.2:  # the edge of a mountain's shadow
        line = np.cos(turn) * x + np.sin(turn) * y + rng.uniform(-0.7, 0.7)
        field = field - (line + noise(rng, SIDE, SIDE, 40) * 0.04 > 0) * rng.uniform(0.15, 0.6)
    return np.asarray(field[..., None] + gain, np.float32)


def _set(
    rng: Generator, picture: Array, light: Array, sprite: Sprite, x: float, y: float, sun: float,
    glows: bool,
) -> tuple[NDArray[np.float64], float]:  # fmt: skip
    """Set `sprite` with its foot at (x, y); its box in px and its contrast with what is behind."""
    tall, wide = sprite.rgba.shape[:2]
    left, top = round(x - wide / 2), round(y - sprite.foot)
    box = np.array(sprite.box) + np.array([left, top, left, top])
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + wide, SIDE), min(top + tall, SIDE)
    if x1 <= x0 or y1 <= y0:
        return box, 0.0
    part = sprite.rgba[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32) / 255
    here = picture[y0:y1, x0:x1]
    alpha = part[..., 3:] * np.float32(rng.uniform(0.85, 1.0))
    around = light[y0:y1, x0:x1].mean(axis=(0, 1))
    tone = (float(here.mean()) + 0.1) / 0.5
    body = part[..., :3] * around * np.float32(np.clip(tone, 0.2, 1.6) ** rng.uniform(0, 0.7))
    body = body * np.float32(rng.uniform(0.75, 1.25)) + np.float32(rng.normal(0, 0.03))
    if glows and rng.random() < 0.5:
        body = body * 2.5 + np.array([0.5, 0.4, 0.2], np.float32)
    haze = rng.uniform(0, 0.35) ** 2 * 3
    body += np.float32(haze) * (here.mean(axis=(0, 1)) - body)
    _shadow(picture, box, y - 0.5, sun, float(rng.uniform(0, 0.5)))
    behind = picture[y0:y1, x0:x1]
    contrast = float((np.abs(body - behind) * alpha).sum() / max(3 * float(alpha.sum()), 1e-3))
    behind += alpha * (body - behind)
    return box, contrast


def _shadow(
    picture: Array, box: NDArray[np.float64], foot: float, sun: float, depth: float
) -> None:
    """Darken the ground beside a thing, away from the sun."""
    wide, tall = box[2] - box[0], box[3] - box[1]
    middle = (box[0] + box[2]) / 2 + sun * tall * 0.35
    across, deep = 0.5 * wide + abs(sun) * tall * 0.35, max(0.08 * tall, 0.8)
    x0, x1 = int(max(middle - 2 * across, 0)), int(min(middle + 2 * across + 1, SIDE))
    y0, y1 = int(max(foot - 3 * deep, 0)), int(min(foot + 3 * deep + 1, SIDE))
    if x1 <= x0 or y1 <= y0:
        return
    x = (np.arange(x0, x1, dtype=np.float32)[None] - middle) / across
    y = (np.arange(y0, y1, dtype=np.float32)[:, None] - foot) / deep
    picture[y0:y1, x0:x1] *= (1 - depth * np.exp(-(x**2) - y**2))[..., None].astype(np.float32)


def _weather(rng: Generator, picture: Array, water: Array, leaves: Array, strength: float) -> Array:
    """Ripples where there is water and swaying where leaves are, other in each picture."""
    if strength * float(water.mean()) > 0.02:
        wave = noise(rng, SIDE, SIDE, rng.uniform(4, 24), rng.uniform(2, 9), 3)
        tint = rng.uniform(0.0, 0.07) * strength * wave * water
        if rng.random() < 0.15:  # glitter
            tint = tint + np.clip(noise(rng, SIDE, SIDE, 3, 3, 2) - 1.6, 0, 1) * water * 0.6
        picture = picture + tint[..., None].astype(np.float32)
    if float(leaves.mean()) > 0.05 and rng.random() < 0.5:
        sway = rng.uniform(0, 1.3) * strength
        y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
        x += noise(rng, SIDE, SIDE, 24, 1, 2) * leaves * np.float32(sway)
        y += noise(rng, SIDE, SIDE, 24, 1, 2) * leaves * np.float32(sway * 0.6)
        picture = np.asarray(
            cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT), np.float32
        )
    return picture


def _common(rng: Generator, first: Array, second: Array) -> tuple[Array, Array]:
    """What lies over both pictures alike, or nearly: fog, contrast."""
    if rng.random() < 0.1:
        veil, tint = rng.uniform(0.1, 0.75), np.float32(rng.uniform(0.5, 0.9))
        other = np.clip(veil + rng.normal(0, 0.15), 0, 0.9)
        first, second = (
            first + np.float32(veil) * (tint - first),
            second + np.float32(other) * (tint - second),
        )
    power = np.float32(rng.uniform(0.75, 1.35))
    return np.clip(first, 0, 4) ** power, np.clip(second, 0, 4) ** power


def _bar(rng: Generator, first: Array, second: Array) -> None:
    """The bar with date and time that cameras burn in: its digits change, and are nobody."""
    if rng.random() > 0.06:
        return
    tall = int(rng.integers(10, 44))
    ground, ink = (0, 255) if rng.random() < 0.7 else (255, 0)
    size, left = tall / rng.uniform(28, 45), -int(rng.integers(0, 40))
    for each in {id(first): first, id(second): second}.values():
        strip = np.full((tall, SIDE, 3), ground, np.uint8)
        text = "".join(str(rng.choice(list("0123456789:-/ CFM"))) for _ in range(16))
        cv2.putText(strip, text, (left, tall - tall // 4), cv2.FONT_HERSHEY_SIMPLEX, size,
                    (ink,) * 3, 1 + (tall > 24), cv2.LINE_AA)  # fmt: skip
        each[-tall:] = strip.astype(np.float32) / 255


def _shift(picture: Array, by: NDArray[np.float64]) -> Array:
    matrix = np.array([[1, 0, by[0]], [0, 1, by[1]]], np.float32)
    return np.asarray(
        cv2.warpAffine(picture, matrix, (SIDE, SIDE), borderMode=cv2.BORDER_REFLECT), np.float32
    )


def _exposed(rng: Generator, picture: Array, grain: float, harm: float) -> NDArray[np.uint8]:
    """Blur, grain and JPEG, as a camera's; `harm` 0..1 of them."""
    if rng.random() < 0.5 * harm + 0.15:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 1.1)), np.float32)
    elif rng.random() < 0.3:
        soft = cv2.GaussianBlur(picture, (0, 0), 1.0)
        picture = picture + (picture - soft) * np.float32(rng.uniform(0.2, 1.0))
    picture = picture + rng.standard_normal(picture.shape, np.float32) * np.float32(_GRAIN * grain)
    out = to_bytes(picture)
    quality = int(rng.integers(45, 96)) if rng.random() < 0.8 else 97
    _, coded = cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)


def _coarse(rng: Generator, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Perhaps at fewer pixels and enlarged again: backgrounds are kept small."""
    if rng.random() < 0.4:
        return picture
    side = round(SIDE / rng.uniform(1.2, 3.2))
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR), np.uint8)


def _photograph(rng: Generator, material: Material) -> Tile:
    """A crop of a labelled photograph, as a single picture: the background is the frame."""
    picture, example = material.real[int(rng.integers(len(material.real)))]
    high, wide = picture.shape[:2]
    people = np.flatnonzero(np.array([label in CLASSES for label in example.labels], bool))
    zoom = rng.uniform(0.25, 1.0)
    at = np.array([rng.uniform(0, wide), rng.uniform(0, high)])
    if len(people):
        box = example.xyxy[rng.choice(people)]
        target = np.exp(rng.uniform(np.log(14), np.log(170)))
        zoom = float(np.clip(target / max(box[3] - box[1], 1), 0.12, 1.5))
        at = np.array([rng.uniform(box[0], box[2]), rng.uniform(box[1], box[3])])
    at = at + rng.uniform(-0.4, 0.4, 2) * SIDE / zoom
    matrix = np.array(
        [[zoom, 0, SIDE / 2 - at[0] * zoom], [0, zoom, SIDE / 2 - at[1] * zoom]], np.float32
    )
    soft = picture
    if zoom < 0.7:  # by area first, so that nothing aliases
        soft = np.asarray(
            cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA), np.uint8
        )
        matrix[:, :2] = np.eye(2)
    cut = cv2.warpAffine(soft, matrix, (SIDE, SIDE), borderValue=(114, 114, 114))
    light = 1 + _light(rng) * np.float32(0.5)
    out = _exposed(rng, np.asarray(cut / np.float32(255) * light, np.float32),
                   rng.gamma(1.0, 0.2), 0.6)  # fmt: skip
    moved = example.xyxy * zoom + np.tile(matrix[:, 2], 2)
    cut = np.clip(moved, 0, SIDE)
    area, whole = _area(cut), np.maximum(_area(moved), 1e-6)
    known = np.array([label in CLASSES for label in example.labels], bool)
    sure = known & (area > _KEPT * whole) & countable(cut)
    doubt = ~sure & (area > 0)
    rest = np.clip(example.ignored * zoom + np.tile(matrix[:, 2], 2), 0, SIDE)
    classes = np.array([CLASSES.index(example.labels[i]) for i in np.flatnonzero(sure)], np.int64)
    tile = Tile(np.dstack([out, out]), cut[sure].astype(np.float32), classes,
                np.concatenate([cut[doubt], rest[_area(rest) > 0]]).astype(np.float32))  # fmt: skip
    return _turned(rng, tile)


def countable(boxes: NDArray[np.floating]) -> NDArray[np.bool_]:
    """[N] whether each box [N,4] is large enough on the picture for anybody to count it: a boat
    or a swimmer is seen though it is flat.
    """
    sides = boxes[:, 2:] - boxes[:, :2]
    large = (sides.max(axis=1) >= _LONGEST) & (sides.min(axis=1) >= _SHORTEST)
    return np.asarray(large, np.bool_)


def _area(boxes: NDArray[np.floating]) -> NDArray[np.floating]:
    return np.asarray(np.prod(np.maximum(boxes[:, 2:] - boxes[:, :2], 0), axis=1))


def changed(rng: Generator, tile: Tile) -> Tile:
    """The same tile in other light and perhaps mirrored, cheaply."""
    light = rng.normal(1, 0.12) * rng.normal(1, 0.04, 3)
    table = np.arange(256)[:, None] * light[None] + rng.normal(0, 6)
    table = np.clip(table, 0, 255).astype(np.uint8)
    both = np.dstack([table[tile.pair[..., channel], channel % 3] for channel in range(6)])
    return _turned(rng, Tile(both, tile.xyxy, tile.classes, tile.ignored))


def _turned(rng: Generator, tile: Tile) -> Tile:
    """Perhaps mirrored."""
    if rng.random() < 0.5:
        return tile

    def flip(boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.stack([SIDE - boxes[:, 2], boxes[:, 1], SIDE - boxes[:, 0], boxes[:, 3]], axis=1)

    mirrored = np.ascontiguousarray(tile.pair[:, ::-1])
    return Tile(mirrored, flip(tile.xyxy), tile.classes, flip(tile.ignored))
