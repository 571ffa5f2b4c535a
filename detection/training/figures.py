"""What a detector of lake visitors must know, and what it must leave alone, built of solids.

Every figure is drawn from a random generator: equal generators draw equal figures.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from detection.training.shapes import PX_PER_METRE, Camera, Colour, Point, Sprite, to_bytes
from detection.training.views import noise


def _camera(rng: Generator, yaw: float | None = None) -> Camera:
    light = np.array([rng.uniform(-1, 1), rng.uniform(0.1, 1.0), rng.uniform(0.1, 1.0)])
    light /= np.linalg.norm(light)
    turn = rng.uniform(0, 2 * np.pi) if yaw is None else yaw
    # Most that a camera at a lake sees is far away, and so seen from little above.
    return Camera(turn, float(0.45 * rng.uniform(0, 1) ** 2), _point(light))


def _point(values: NDArray[np.float64]) -> Point:
    x, y, z = map(float, values)
    return x, y, z


def _hue(h: float, s: float, v: float) -> Colour:
    pixel = np.array([[[h % 1 * 360, s, v]]], np.float32)
    r, g, b = cv2.cvtColor(pixel, cv2.COLOR_HSV2RGB)[0, 0]
    return float(r), float(g), float(b)


def cloth(rng: Generator) -> Colour:
    """A garment's colour: dark, pale or strong."""
    kind = rng.random()
    if kind < 0.35:
        return _hue(rng.random(), rng.uniform(0, 0.5), rng.uniform(0.04, 0.3))
    if kind < 0.6:
        return _hue(rng.random(), rng.uniform(0, 0.2), rng.uniform(0.6, 0.98))
    return _hue(rng.random(), rng.uniform(0.4, 1.0), rng.uniform(0.35, 0.95))


def _skin(rng: Generator) -> Colour:
    depth = rng.uniform(0, 1)
    pale, deep = np.array([0.93, 0.74, 0.62]), np.array([0.32, 0.2, 0.14])
    r, g, b = pale + (deep - pale) * depth**1.6
    return float(r), float(g), float(b)


def _dim(colour: Colour, share: float) -> Colour:
    return colour[0] * share, colour[1] * share, colour[2] * share


def _toward(angle: float, out: float = 0.0) -> NDArray[np.float64]:
    """Direction in a body's plane: 0 hangs down, π/2 points ahead, π up; `out` sideways."""
    way = np.array([out, np.sin(angle), -np.cos(angle)])
    return np.asarray(way / np.linalg.norm(way))


POSES = ("stand", "walk", "sit", "sit_high", "bend", "crouch", "lie", "swim", "wade", "paddle")
_ASHORE = {"stand": 0.23, "walk": 0.23, "sit": 0.2, "sit_high": 0.04, "bend": 0.05, "crouch": 0.05,
           "lie": 0.2}  # fmt: skip


def bather(rng: Generator) -> Sprite | None:
    """A person in the water."""
    return person(rng, "swim" if rng.random() < 0.66 else "wade")


def rider(rng: Generator) -> Sprite | None:
    """A person in a boat."""
    return person(rng, str(rng.choice(["paddle", "sit", "sit_high"], p=(0.6, 0.3, 0.1))))


def person(rng: Generator, pose: str | None = None, camera: Camera | None = None) -> Sprite | None:
    """A person of 1.05 to 1.95 m in one of POSES (else one that is met ashore), dressed or for
    bathing, perhaps with a pack, a hat, a towel, a fishing rod or a paddle.
    """
    pose = pose or str(rng.choice(list(_ASHORE), p=list(_ASHORE.values())))
    across = float(rng.choice([-1, 1]) * np.pi / 2 + rng.normal(0, 0.35))
    # Who lies shows their whole length, as flat as a boat, oftener than their soles.
    flat_on = camera is None and pose == "lie" and rng.random() < 0.65
    eye = camera or _camera(rng, across if flat_on else None)
    if flat_on:
        eye.pitch *= float(rng.choice([0.3, 1.0]))
    tall = (rng.uniform(0.6, 0.85) if rng.random() < 0.18 else rng.uniform(0.88, 1.1)) * 1.75
    bulk = rng.uniform(0.85, 1.3)
    skin = _skin(rng)
    hair = [(0.06, 0.05, 0.04), (0.25, 0.15, 0.08), (0.55, 0.4, 0.2), (0.6, 0.6, 0.6)][
        rng.integers(4)
    ]
    bare = rng.random() < {"swim": 0.9, "wade": 0.85, "lie": 0.6}.get(pose, 0.2)
    shirt, legs = cloth(rng), cloth(rng)
    shorts = legs
    arms = shirt if rng.random() < 0.5 else skin
    shins = legs if rng.random() < 0.6 else skin
    if bare:
        shirt, arms, legs, shins = (shirt if rng.random() < 0.35 else skin), skin, skin, skin
    if rng.random() < 0.12:
        hair = cloth(rng)  # a hat or a cap
    thigh, shin, torso = 0.245 * tall, 0.245 * tall, 0.29 * tall
    wide, hip = 0.105 * tall * bulk**0.5, 0.055 * tall
    sunk = pose in ("swim", "wade")

    lean, high = rng.uniform(-0.05, 0.12), thigh + shin
    step = rng.uniform(0.0, 0.1)
    hips, knees = (step, -step), (rng.uniform(0, 0.1), rng.uniform(0, 0.1))
    spread = rng.uniform(0.0, 0.12)
    if pose == "walk":
        step = rng.uniform(0.2, 0.55)
        hips, knees, lean = (
            (step, -step),
            (rng.uniform(0, 0.3), rng.uniform(0.1, 0.6)),
            rng.uniform(0, 0.25),
        )
    elif pose in ("sit", "paddle"):
        high = 0.1 * tall if pose == "sit" else 0.2 * tall
        up = rng.uniform(1.5, 2.45)
        hips, knees = (
            (up, up + rng.uniform(-0.2, 0.2)),
            (up - rng.uniform(0, 0.35) if up > 1.9 else rng.uniform(0, 0.2),) * 2,
        )
        lean = rng.uniform(-0.45, 0.45)
    elif pose == "sit_high":
        high, hips, knees = rng.uniform(0.22, 0.3) * tall, (1.45, 1.5), (rng.uniform(1.2, 1.6),) * 2
        lean = rng.uniform(-0.1, 0.35)
    elif pose == "bend":
        lean = rng.uniform(0.7, 1.7)
    elif pose == "crouch":
        high, hips, knees, lean = 0.2 * tall, (2.0, 1.9), (2.3, 2.2), rng.uniform(0.1, 0.7)
    elif pose == "lie":
        high, lean = 0.07 * tall, float(rng.choice([-1.5, 1.5])) + rng.uniform(-0.1, 0.1)
        if rng.random() < 0.3:
            lean = -rng.uniform(0.9, 1.3)  # on the elbows
        flat = 1.55 if lean < 0 else -1.55
        bent = rng.uniform(0, 0.8) if rng.random() < 0.3 else 0.0
        # On the back a knee is drawn up, on the belly a shin is raised.
        hips, knees = (flat + (bent if lean < 0 else 0), flat), (2 * bent, 0.0)
    elif pose == "swim":
        lean, high = rng.uniform(0, 1.35), 0.0
    elif pose == "wade":
        high -= rng.uniform(0.1, 0.62) * tall
    trunk = np.array([0, np.sin(lean), np.cos(lean)])
    base = np.array([0.0, 0.0, high])
    if pose == "swim":  # shoulders about the surface
        base = -trunk * torso + np.array([0, 0, rng.uniform(-0.06, 0.1) * tall])
    neck = base + trunk * torso

    def part(a: NDArray[np.float64], b: NDArray[np.float64], r0: float, r1: float, c: Colour,
             counts: bool = True) -> None:  # fmt: skip
        eye.limb(_point(a), _point(b), (r0, r1), c, counts=counts, sunk=sunk)

    for side, swing, bend in ((-1, hips[0], knees[0]), (1, hips[1], knees[1])):
        socket = base + np.array([side * hip, 0, 0])
        knee = socket + _toward(swing, side * spread) * thigh
        foot = knee + _toward(swing - bend, side * spread * 0.5) * shin
        foot[2] = max(foot[2], 0.03) if not sunk else foot[2]
        part(socket, knee, 0.052 * tall * bulk, 0.036 * tall * bulk, shorts if bare else legs)
        part(knee, foot, 0.034 * tall * bulk, 0.024 * tall, shins)
        shoe = foot + np.array([0, 0.07 * tall, 0])
        part(foot, shoe, 0.024 * tall, 0.02 * tall, skin if bare else cloth(rng))
    side_way = np.array([1.0, 0, 0])
    part(
        base,
        base + trunk * torso * 0.4,
        0.075 * tall * bulk,
        0.072 * tall * bulk,
        shorts if bare and rng.random() < 0.5 else shirt,
    )
    for offset in (-0.45, 0.0, 0.45):
        low = base + side_way * hip * offset + trunk * torso * 0.25
        top = neck + side_way * wide * offset - trunk * 0.05 * tall
        part(low, top, 0.062 * tall * bulk, 0.062 * tall * bulk, shirt)
    reach = rng.random()
    for side in (-1, 1):
        shoulder = neck + side_way * side * wide - trunk * 0.03 * tall
        angle = rng.uniform(-0.4, 0.5) if reach < 0.6 else rng.uniform(0.3, 3.0)
        fold = rng.uniform(0, 1.2)
        if pose == "walk":
            angle = side * step * rng.uniform(0.3, 1.2)
        elif pose == "paddle":
            angle, fold = rng.uniform(0.7, 1.3), 0.4
        elif pose == "swim":
            angle = rng.uniform(0, 3.1) if reach < 0.4 else rng.uniform(-0.5, 1.0)
        elbow = shoulder + _toward(angle, side * rng.uniform(0, 0.5)) * 0.17 * tall
        hand = elbow + _toward(angle + fold, -side * rng.uniform(0, 0.3)) * 0.16 * tall
        if not sunk:  # the ground holds arms up too
            elbow[2], hand[2] = max(elbow[2], 0.04), max(hand[2], 0.03)
        part(shoulder, elbow, 0.03 * tall * bulk, 0.026 * tall, arms)
        part(elbow, hand, 0.025 * tall, 0.02 * tall, skin if rng.random() < 0.6 else arms)
        if side == 1 and pose == "paddle":
            shaft = np.array([0.9, 0.1, rng.uniform(0.1, 0.4)])
            part(hand + shaft, hand - shaft, 0.02, 0.02, (0.1, 0.1, 0.1), False)
            blade = cloth(rng)  # the brightest thing about a boat, and nobody
            for end in (shaft, -shaft):
                part(hand + end, hand + 1.25 * end, 0.08, 0.07, blade, False)
        elif side == 1 and rng.random() < 0.05 and pose in ("stand", "sit", "wade"):
            part(
                hand,
                hand + np.array([0.3, 1.6, rng.uniform(0.4, 1.2)]),
                0.012,
                0.006,
                (0.15, 0.12, 0.1),
                False,
            )
    head = neck + trunk * 0.075 * tall + np.array([0, 0, 0.01])
    part(neck, head, 0.03 * tall, 0.03 * tall, skin)
    part(head, head + trunk * 0.05 * tall, 0.058 * tall, 0.055 * tall, skin)
    part(
        head + trunk * 0.045 * tall - np.array([0, 0.018 * tall, 0]),
        head + trunk * 0.06 * tall,
        0.058 * tall,
        0.05 * tall,
        hair,
    )
    packed = {"walk": 0.4, "stand": 0.4, "lie": 0.0}.get(pose, 0.08)
    if rng.random() < packed and not bare:
        back = base + trunk * torso * 0.3 - np.cross(side_way, trunk) * -0.13 * tall
        pack = cloth(rng)
        part(back, back + trunk * torso * rng.uniform(0.5, 1.0), 0.09 * tall, 0.085 * tall, pack)
    if rng.random() < {"lie": 0.7, "sit": 0.35}.get(pose, 0.0):
        _towel(rng, eye)
    return eye.picture()


def _towel(rng: Generator, eye: Camera) -> None:
    long, wide = rng.uniform(1.4, 2.1), rng.uniform(0.6, 1.0)
    y, x = np.meshgrid(
        np.linspace(-long / 2, long / 2, 5), np.linspace(-wide / 2, wide / 2, 4), indexing="ij"
    )
    z = np.full_like(x, -0.02)
    colour = np.tile(np.array(cloth(rng)), (4, 3, 1))
    if rng.random() < 0.5:
        colour[::2] = cloth(rng)
    eye.sheet(np.stack([x, y, z], axis=-1), colour, counts=False)


def _beast(
    rng: Generator, length: float, leg: float, deep: float, coat: Colour, face: Colour, *,
    wool: float = 0.0, tail: float = 0.3, patches: Colour | None = None, horns: bool = False,
    neck: float = 0.3,
) -> Sprite | None:  # fmt: skip
    """A four-legged animal: `length` of the trunk, `leg` and `deep` (half the trunk's depth), m."""
    eye = _camera(rng)
    lies = rng.random() < 0.15
    stand = 0.02 if lies else leg
    middle = stand + deep
    half = length / 2
    if not lies:
        for y in (-half * 0.8, half * 0.8):
            for x in (-deep * 0.5, deep * 0.5):
                swing = rng.uniform(-0.25, 0.25) * leg
                eye.limb(
                    (x, y, stand + deep * 0.4),
                    (x, y + swing, 0.02),
                    (deep * 0.28, deep * 0.13),
                    _dim(face, 0.9),
                )
    for end in (-0.62, -0.2, 0.2, 0.62):
        tint = patches if patches and rng.random() < 0.4 else coat
        y = end * half
        high = middle + rng.uniform(-0.03, 0.05)
        eye.limb((0, y - 0.18 * length, middle), (0, y + 0.18 * length, high),
                 (deep * rng.uniform(0.9, 1.1),) * 2, tint)  # fmt: skip
    for _ in range(int(wool * 14)):
        at = np.array(
            [
                rng.normal(0, deep * 0.6),
                rng.uniform(-half, half),
                middle + rng.uniform(0, deep * 0.8),
            ]
        )
        eye.limb(
            _point(at),
            _point(at + 0.02),
            (deep * rng.uniform(0.3, 0.5),) * 2,
            _dim(coat, rng.uniform(0.85, 1.1)),
        )
    grazes = rng.random() < 0.5 and not lies
    nape = (0.0, half * 0.95, middle + deep * 0.4)
    skull = (
        0.0,
        half + neck * 0.9,
        0.12 if grazes else middle + deep * 0.4 + neck * rng.uniform(0.4, 1.1),
    )
    eye.limb(nape, skull, (deep * 0.6, deep * 0.35), coat)
    muzzle = (0.0, skull[1] + 0.22 * length, skull[2] - 0.1 * length)
    eye.limb(skull, muzzle, (deep * 0.4, deep * 0.22), face)
    for side in (-1, 1):
        tip = (side * deep * 0.7, skull[1] - 0.02, skull[2] + deep * (0.7 if horns else 0.35))
        eye.limb(
            (side * deep * 0.25, skull[1], skull[2] + deep * 0.2),
            tip,
            (deep * 0.12, deep * 0.08),
            face,
        )
    rump = (0.0, -half * 1.05, middle + deep * 0.6)
    tip_of_tail = (0.0, -half * 1.05 - tail * 0.5, middle + tail * rng.uniform(-1.0, 0.9))
    eye.limb(rump, tip_of_tail, (deep * 0.15, deep * 0.08), coat)
    return eye.picture()


def sheep(rng: Generator) -> Sprite | None:
    """A sheep: woolly, pale in four of five."""
    pale = rng.random() < 0.8
    coat = _hue(
        0.11, rng.uniform(0.05, 0.25), rng.uniform(0.62, 0.97) if pale else rng.uniform(0.1, 0.35)
    )
    face = coat if rng.random() < 0.5 else _hue(0.08, 0.3, rng.uniform(0.06, 0.2))
    return _beast(rng, rng.uniform(0.8, 1.1), rng.uniform(0.25, 0.35), rng.uniform(0.22, 0.3),
                  coat, face, wool=1.0, tail=0.1, neck=0.25, horns=rng.random() < 0.2)  # fmt: skip


def dog(rng: Generator) -> Sprite | None:
    """A dog: slim, of any coat."""
    coat = [_hue(0.08, rng.uniform(0.2, 0.7), rng.uniform(0.15, 0.7)),
            _hue(0.1, 0.1, rng.uniform(0.03, 0.15)),
            _hue(0.1, 0.1, rng.uniform(0.7, 0.95))][rng.integers(3)]  # fmt: skip
    size = rng.uniform(0.65, 1.2)
    return _beast(rng, 0.62 * size, 0.33 * size, 0.12 * size, coat, coat,
                  tail=0.4 * size, neck=0.22 * size,
                  patches=(0.9, 0.88, 0.85) if rng.random() < 0.3 else None)  # fmt: skip


def cattle(rng: Generator) -> Sprite | None:
    """A cow: large, brown, black, pale or patched."""
    coat = [_hue(0.06, rng.uniform(0.4, 0.8), rng.uniform(0.2, 0.6)), (0.07, 0.06, 0.06),
            _hue(0.1, 0.15, rng.uniform(0.7, 0.95))][rng.integers(3)]  # fmt: skip
    length, leg, deep = rng.uniform(1.5, 1.9), rng.uniform(0.5, 0.65), rng.uniform(0.36, 0.45)
    return _beast(rng, length, leg, deep, coat, coat,
                  tail=0.7, neck=0.45, horns=rng.random() < 0.6,
                  patches=(0.92, 0.9, 0.86) if rng.random() < 0.4 else None)  # fmt: skip


def tent(rng: Generator) -> Sprite | None:
    """A tent: dome, tunnel, ridge or pyramid, of one or two colours, with a door."""
    eye = _camera(rng)
    kind = rng.choice(["dome", "dome", "tunnel", "ridge", "pyramid"])
    a, b = rng.uniform(0.55, 1.1), rng.uniform(0.9, 1.7)
    high = rng.uniform(0.85, 1.5) if kind != "dome" else rng.uniform(0.9, 1.35)
    n = 13
    u, v = np.meshgrid(np.linspace(-1, 1, n), np.linspace(-1, 1, n), indexing="ij")
    if kind == "dome":  # a square laid over a disc, so that the rim is round
        x, y = u * np.sqrt(1 - v**2 / 2), v * np.sqrt(1 - u**2 / 2)
        z = high * np.clip(1 - x**2 - y**2, 0, 1) ** rng.uniform(0.5, 0.75)
    elif kind == "tunnel":
        x, y = np.sin(u * np.pi / 2), v
        z = (
            high
            * np.cos(u * np.pi / 2)
            * np.clip(1 - np.abs(v) ** rng.uniform(2, 6) * rng.uniform(0.2, 1), 0, 1)
        )
    elif kind == "ridge":
        x, y = u, v
        z = high * (1 - np.abs(u)) * (1 - 0.3 * np.abs(v) * rng.random())
    else:
        x, y = u, v
        z = high * (1 - np.maximum(np.abs(u), np.abs(v))) ** rng.uniform(0.85, 1.1)
    hue = rng.choice([0.02, 0.07, 0.13, 0.25, 0.3, 0.36, 0.55, 0.6, 0.1])
    main = _hue(hue + rng.normal(0, 0.02),
                rng.uniform(0.1, 0.95), rng.uniform(0.3, 0.95))  # fmt: skip
    other = main if rng.random() < 0.5 else cloth(rng)
    colour = np.tile(np.array(main), (n - 1, n - 1, 1))
    colour[:, : int(rng.integers(2, 6))] = other
    if rng.random() < 0.6:  # a door, open and dark or shut and of another colour
        at = int(rng.integers(3, 8))
        colour[at : at + 2, -3:] = _dim(main, 0.25) if rng.random() < 0.6 else cloth(rng)
    colour[n // 2, :] *= rng.uniform(0.7, 1.25)  # a seam
    eye.sheet(np.stack([x * a, y * b, z], axis=-1), colour)
    if rng.random() < 0.3:
        eye.limb(
            (0.0, b + 0.6, 0.05), (a * 0.8, b + 0.5, 0.1), (0.2, 0.2), cloth(rng), counts=False
        )
    return eye.picture()


def boat(rng: Generator, camera: Camera | None = None) -> Sprite | None:
    """A kayak, a packraft, a paddle board, a rowing boat or a dinghy, empty."""
    eye = camera or _camera(rng)
    eye.pitch = max(eye.pitch, 0.02)
    kind = rng.choice(["kayak", "raft", "board", "rowing"])
    long, wide, high = {
        "kayak": (rng.uniform(2.8, 4.8), rng.uniform(0.55, 0.8), rng.uniform(0.25, 0.38)),
        "raft": (rng.uniform(1.9, 3.0), rng.uniform(0.85, 1.4), rng.uniform(0.25, 0.45)),
        "board": (rng.uniform(2.5, 3.6), rng.uniform(0.6, 0.9), rng.uniform(0.08, 0.14)),
        "rowing": (rng.uniform(2.8, 4.5), rng.uniform(1.2, 1.7), rng.uniform(0.4, 0.6)),
    }[str(kind)]
    turn = np.linspace(0, 2 * np.pi, 29)
    round_ = {"kayak": 1.5, "raft": 3.0, "board": 2.2, "rowing": 1.8}[str(kind)]
    cx = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / round_) * wide / 2
    cy = (
        np.sign(np.sin(turn))
        * np.abs(np.sin(turn)) ** (1.0 if kind != "raft" else 2 / round_)
        * long
        / 2
    )
    hollow = kind in ("raft", "rowing")
    rings = [(0.9, 0.0), (1.0, high * 0.55), (0.93, high)]
    rings += [(0.62, high), (0.55, 0.06)] if hollow else [(0.5, high * 1.02)]
    rings += [(0.0, 0.06 if hollow else high)]
    rise = 1 + 0.35 * (np.abs(cy) / (long / 2)) ** 2 * (kind in ("kayak", "rowing"))
    points = np.stack([np.stack([cx * s, cy * s, z * rise], axis=-1) for s, z in rings])
    colour = np.tile(np.array(cloth(rng)), (len(rings) - 1, len(turn) - 1, 1))
    if rng.random() < 0.6:
        colour[2:] = cloth(rng)
    if hollow:
        colour[-2:] *= 0.5
    elif kind == "kayak":
        colour[-1, :] *= 0.6
    eye.sheet(points, colour)
    return eye.picture()


def clutter(rng: Generator) -> Sprite | None:
    """A thing of the shore that is none of the classes: parasol, towel, bag, stone, post, buoy,
    log, bush, chair, bird, cairn.
    """
    eye = _camera(rng)
    kind = rng.choice(["parasol", "towel", "bag", "stone", "stone", "boulder", "boulder",
                       "boulder", "post", "buoy", "log", "bush", "bush", "chair", "bird",
                       "cairn"])  # fmt: skip
    if kind == "boulder":
        return _boulder(rng)
    if kind == "parasol":
        tilt = rng.uniform(-0.3, 0.3)
        eye.limb((0, 0, 0), (tilt, 0, 2.0), (0.025, 0.025), (0.8, 0.8, 0.8))
        turn, r = np.meshgrid(np.linspace(0, 2 * np.pi, 17), np.linspace(0.05, 1, 4), indexing="ij")
        span = rng.uniform(0.7, 1.3)
        points = np.stack(
            [np.cos(turn) * r * span + tilt, np.sin(turn) * r * span, 2.05 - 0.45 * r**2], axis=-1
        )
        colour = np.tile(np.array(cloth(rng)), (16, 3, 1))
        if rng.random() < 0.6:
            colour[::2] = cloth(rng)
        eye.sheet(points, colour)
    elif kind == "towel":
        eye.limb((0, 0, 0), (0.05, 0, 0), (0.03, 0.03), cloth(rng))
        eye.pitch = max(eye.pitch, 0.12)
        _towel(rng, eye)
    elif kind == "bag":
        size = rng.uniform(0.14, 0.28)
        eye.limb(
            (0, 0, size),
            (0, rng.uniform(0, 0.3), size * rng.uniform(1, 2.4)),
            (size, size * 0.9),
            cloth(rng),
        )
        if rng.random() < 0.4:
            eye.limb((0.4, 0, size * 0.7), (0.5, 0.1, size), (size * 0.7,) * 2, cloth(rng))
    elif kind in ("stone", "cairn"):
        grey = _hue(rng.uniform(0.05, 0.15), rng.uniform(0, 0.25), rng.uniform(0.25, 0.8))
        size = rng.uniform(0.15, 0.9)
        for level in range(1 if kind == "stone" else int(rng.integers(3, 7))):
            for _ in range(4 if kind == "stone" else 1):
                at = rng.normal(0, size * 0.35, 2)
                z = abs(rng.normal(0, size * 0.35)) + level * size * 0.55
                across, up = rng.normal(0, size * 0.4), rng.normal(0, size * 0.3)
                radii = (size * rng.uniform(0.3, 0.6), size * rng.uniform(0.2, 0.5))
                eye.limb((at[0], at[1], z), (at[0] + across, at[1], z + up), radii,
                         _dim(grey, rng.uniform(0.75, 1.1)))  # fmt: skip
            if kind == "cairn":
                size *= 0.85
    elif kind == "post":
        tall, grey = rng.uniform(0.7, 2.6), _hue(0.08, rng.uniform(0, 0.5), rng.uniform(0.15, 0.9))
        eye.limb((0, 0, 0), (rng.uniform(-0.1, 0.1), 0, tall), (rng.uniform(0.03, 0.12),) * 2, grey)
        if rng.random() < 0.6:
            plate = rng.uniform(0.1, 0.35)
            eye.limb((-plate, 0, tall), (plate, 0, tall + 0.02), (plate * 0.5,) * 2, cloth(rng))
    elif kind == "buoy":
        size = rng.uniform(0.1, 0.35)
        eye.limb((0, 0, size * 0.6), (0, 0, size), (size, size * 0.8), cloth(rng))
    elif kind == "log":
        long = rng.uniform(0.5, 3)
        eye.limb(
            (0, 0, 0.1),
            (0, long, rng.uniform(0.05, 0.6)),
            (rng.uniform(0.07, 0.2), 0.06),
            _hue(0.08, rng.uniform(0.1, 0.5), rng.uniform(0.15, 0.6)),
        )
    elif kind == "bush":
        green = _hue(rng.uniform(0.12, 0.4), rng.uniform(0.2, 0.7), rng.uniform(0.12, 0.5))
        size = rng.uniform(0.2, 0.8)
        for _ in range(int(rng.integers(8, 24))):
            at = rng.normal(0, size * 0.6, 3)
            at[2] = abs(at[2]) * rng.uniform(0.8, 2.0)
            eye.limb(
                _point(at),
                _point(at + rng.normal(0, 0.05, 3)),
                (size * rng.uniform(0.1, 0.3),) * 2,
                _dim(green, rng.uniform(0.5, 1.4)),
            )
    elif kind == "chair":
        tint = cloth(rng)
        for x in (-0.25, 0.25):
            eye.limb((x, -0.2, 0), (x, 0.25, 0.45), (0.02, 0.02), tint)
            eye.limb((x, 0.25, 0), (x, -0.3, 0.95), (0.02, 0.02), tint)
        eye.limb((-0.22, 0, 0.4), (0.22, 0, 0.4), (0.12, 0.12), tint)
        eye.limb((-0.22, -0.25, 0.75), (0.22, -0.25, 0.75), (0.12, 0.12), tint)
    else:
        dark = _hue(0.1, 0.1, rng.uniform(0.03, 0.95))
        eye.limb((0, -0.12, 0.18), (0, 0.12, 0.22), (0.08, 0.09), dark)
        eye.limb((0, 0.14, 0.24), (0, 0.2, 0.36), (0.05, 0.05), dark)
        eye.limb((0, -0.1, 0.18), (0, -0.32, 0.16), (0.05, 0.02), dark)
    return eye.picture()


def _boulder(rng: Generator) -> Sprite:
    """A rock with edges: an outline through random points, lit from one side, grained."""
    tall, wide = rng.uniform(0.3, 1.8), rng.uniform(0.4, 2.6)
    rows, cols = int(tall * PX_PER_METRE) + 4, int(wide * PX_PER_METRE) + 4
    turn = np.sort(rng.uniform(0, np.pi, int(rng.integers(5, 14))))
    reach = rng.uniform(0.75, 1.0, len(turn))
    x = cols / 2 + np.cos(turn) * reach * (cols / 2 - 2)
    y = rows - 2 - np.sin(turn) ** rng.uniform(0.4, 1.0) * reach * (rows - 4)
    outline = np.array([(2, rows - 2), (cols - 2, rows - 2), *zip(x, y, strict=True)])
    hull = cv2.convexHull(np.round(outline).astype(np.int32))
    inside = np.zeros((rows, cols), np.uint8)
    cv2.fillPoly(inside, [hull], 255)
    grey = np.array(_hue(rng.uniform(0.05, 0.65), rng.uniform(0, 0.2), rng.uniform(0.25, 0.9)))
    grain = noise(rng, rows, cols, rng.uniform(4, 30), rng.uniform(0.6, 2)) * rng.uniform(
        0.02, 0.12
    )
    down, right = np.mgrid[-1 : 1 : complex(0, rows), -1 : 1 : complex(0, cols)]
    shade = 1 - down * rng.uniform(0, 0.35) + right * rng.normal(0, 0.2)
    colour = grey * (shade + grain)[..., None]
    rgba = to_bytes(np.dstack([colour, inside / 255]).astype(np.float32))
    shown_rows, shown_cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    box = (float(shown_cols[0]), float(shown_rows[0]), float(shown_cols[-1] + 1), rows - 2.0)
    return Sprite(rgba, box, rows - 2.0)


FIGURES: dict[str, Callable[[Generator], Sprite | None]] = {
    "person": person, "bather": bather, "rider": rider, "tent": tent, "boat": boat, "dog": dog,
    "sheep": sheep, "cattle": cattle, "clutter": clutter,
}  # fmt: skip


def scaled(sprite: Sprite, px_per_metre: float, mirrored: bool = False) -> Sprite:
    """`sprite` reduced (by area) or enlarged to `px_per_metre`."""
    ratio = px_per_metre / sprite.px_per_metre
    tall, wide = sprite.rgba.shape[:2]
    new = (max(1, round(wide * ratio)), max(1, round(tall * ratio)))
    full = np.asarray(sprite.rgba / np.float32(255), np.float32)
    full[..., :3] *= full[..., 3:]
    how = cv2.INTER_AREA if ratio < 1 else cv2.INTER_LINEAR
    full = np.asarray(cv2.resize(full, new, interpolation=how), np.float32)
    full[..., :3] /= np.maximum(full[..., 3:], 1e-3)
    fx, fy = new[0] / wide, new[1] / tall
    x0, y0, x1, y1 = sprite.box
    box = (x0 * fx, y0 * fy, x1 * fx, y1 * fy)
    if mirrored:
        full = full[:, ::-1]
        box = (new[0] - box[2], box[1], new[0] - box[0], box[3])
    return Sprite(to_bytes(full), box, sprite.foot * fy, px_per_metre)
