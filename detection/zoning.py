"""Zones as somebody drew them: read from JSON, judged, refused with words; what stands in them.

Pure geometry.

A polygon is a list of corners [x, y], fractions of the frame; its last side closes it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

KINDS = ("water", "shore", "meadow", "path", "ignore")
FEWEST, MOST = 3, 100  # corners
MOST_ZONES = 50
DIGITS = 5  # a hundredth of a pixel in a frame of 1600
Corner = tuple[float, float]
Polygon = Sequence[Sequence[float]]


class Boxed(Protocol):
    """x, y, w, h are fractions of the frame, from the top left."""

    @property
    def x(self) -> float: ...
    @property
    def y(self) -> float: ...
    @property
    def w(self) -> float: ...
    @property
    def h(self) -> float: ...


class Refused(ValueError):
    """`why`: "shape", "kind", "corners", "outside" or "crossed"; `number` of the zone, from 1."""

    def __init__(self, why: str, number: int = 0) -> None:
        super().__init__(f"zone {number}: {why}")
        self.why = why
        self.number = number


@dataclass(frozen=True)
class Drawn:
    kind: str
    polygon: tuple[Corner, ...]


def read(value: object) -> list[Drawn]:
    """Zones from decoded JSON, [{"kind": "water", "polygon": [[x, y], …]}, …]; raises Refused."""
    if not isinstance(value, list) or len(value) > MOST_ZONES:
        raise Refused("shape")
    return [_zone(each, number) for number, each in enumerate(value, start=1)]


def _zone(value: object, number: int) -> Drawn:
    if not isinstance(value, dict) or not isinstance(value.get("polygon"), list):
        raise Refused("shape", number)
    if value.get("kind") not in KINDS:
        raise Refused("kind", number)
    corners = [_corner(each, number) for each in value["polygon"]]
    if not FEWEST <= len(corners) <= MOST:
        raise Refused("corners", number)
    if crosses_itself(corners):
        raise Refused("crossed", number)
    return Drawn(value["kind"], tuple(corners))


def _corner(value: object, number: int) -> Corner:
    if not isinstance(value, list) or len(value) != 2:
        raise Refused("shape", number)
    for each in value:
        if not isinstance(each, int | float) or isinstance(each, bool):
            raise Refused("shape", number)
        if isinstance(each, float) and not math.isfinite(each):
            raise Refused("shape", number)
        if not 0 <= each <= 1:
            raise Refused("outside", number)
    return round(float(value[0]), DIGITS), round(float(value[1]), DIGITS)


def crosses_itself(polygon: Sequence[Corner]) -> bool:
    """Whether two sides meet anywhere but at the corner that neighbours share, or lie flat."""
    n = len(polygon)
    sides = [(polygon[i], polygon[(i + 1) % n]) for i in range(n)]
    if any(a == b for a, b in sides):
        return True
    for i in range(n):
        for j in range(i + 1, n):
            if j == i + 1 or (i == 0 and j == n - 1):
                first, second = (sides[i], sides[j]) if j == i + 1 else (sides[j], sides[i])
                if _folds_back(first[0], first[1], second[1]):
                    return True
            elif _meet(*sides[i], *sides[j]):
                return True
    return False


def _turn(a: Corner, b: Corner, c: Corner) -> float:
    """Twice the signed area of the triangle a, b, c."""
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _folds_back(a: Corner, b: Corner, c: Corner) -> bool:
    """Whether the path a → b → c turns back on itself."""
    along = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])
    return _turn(a, b, c) == 0 and along < 0


def _meet(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    """Whether the segments ab and cd have a point in common."""
    turns = _turn(a, b, c), _turn(a, b, d), _turn(c, d, a), _turn(c, d, b)
    if turns[0] * turns[1] < 0 and turns[2] * turns[3] < 0:
        return True
    ends = ((a, b, c), (a, b, d), (c, d, a), (c, d, b))
    return any(turn == 0 and _within(*each) for turn, each in zip(turns, ends, strict=True))


def _within(a: Corner, b: Corner, p: Corner) -> bool:
    """Whether p, known to lie on the line ab, lies between a and b."""
    return min(a[0], b[0]) <= p[0] <= max(a[0], b[0]) and min(a[1], b[1]) <= p[1] <= max(a[1], b[1])


def stands_in(box: Boxed, polygon: Polygon) -> bool:
    """Whether the foot of `box` (the middle of its lower side) lies in `polygon`."""
    return inside(box.x + box.w / 2, box.y + box.h, polygon)


def inside(x: float, y: float, corners: Polygon) -> bool:
    """Whether a point lies in a polygon, by the even–odd rule."""
    odd = False
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], *corners[:1]], strict=True):
        if (ay > y) != (by > y) and x < ax + (bx - ax) * (y - ay) / (by - ay):
            odd = not odd
    return odd
