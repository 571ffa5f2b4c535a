"""Zones as sent by a browser: what is kept, and each thing that is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from detection.models import Zone
from detection.zoning import KINDS, MOST, Refused, crosses_itself, read

SQUARE = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]


def zone(polygon: Any = SQUARE, kind: Any = "water") -> dict[str, Any]:
    return {"kind": kind, "polygon": polygon}


def test_zones_are_read_in_their_order_and_rounded() -> None:
    first, second = read([zone([[0.123456789, 0], [1, 0], [1, 1]]), zone(kind="path")])
    assert first.polygon == ((0.12346, 0.0), (1.0, 0.0), (1.0, 1.0))
    assert second.kind == "path"
    assert read([]) == []


def test_the_kinds_are_the_model_s() -> None:
    assert list(KINDS) == Zone.Kind.values


@pytest.mark.parametrize(
    ("why", "wrong"),
    [
        ("shape", None),
        ("shape", {}),
        ("shape", [3]),
        ("shape", [zone("corners")]),
        ("shape", [zone([[0, 0, 0], [1, 0], [1, 1]])]),
        ("shape", [zone([["0", 0], [1, 0], [1, 1]])]),
        ("shape", [zone([[True, 0], [1, 0], [1, 1]])]),
        ("shape", [zone([[float("nan"), 0], [1, 0], [1, 1]])]),
        ("shape", [zone()] * 51),
        ("kind", [zone(kind="sky")]),
        ("kind", [zone(kind=["water"])]),
        ("corners", [zone(SQUARE[:2])]),
        ("corners", [zone([[n / 200, (n / 200) ** 2] for n in range(MOST + 1)])]),
        ("outside", [zone([[0, 0], [1.01, 0], [1, 1]])]),
        ("outside", [zone([[10**400, 0], [1, 0], [1, 1]])]),
        ("outside", [zone([[0, -0.01], [1, 0], [1, 1]])]),
        ("crossed", [zone([[0, 0], [1, 1], [1, 0], [0, 1]])]),
        ("crossed", [zone([[0, 0], [0, 0], [1, 1]])]),
    ],
)
def test_what_is_no_polygon_is_refused(why: str, wrong: Any) -> None:
    with pytest.raises(Refused) as refused:
        read(json.loads(json.dumps(wrong)))
    assert refused.value.why == why


def test_the_number_of_the_wrong_zone_is_told() -> None:
    with pytest.raises(Refused) as refused:
        read([zone(), zone(kind="sky")])
    assert refused.value.number == 2


@pytest.mark.parametrize(
    ("crossed", "polygon"),
    [
        (False, [(0, 0), (1, 0), (1, 1)]),
        (False, [(0, 0), (1, 0), (1, 1), (0.5, 0.2), (0, 1)]),  # hollow, but whole
        (False, [(0, 0), (0.5, 0), (1, 0), (1, 1)]),  # a corner along a side
        (True, [(0, 0), (1, 0), (0.5, 0), (1, 1)]),  # turns back on itself
        (True, [(0, 0), (1, 0), (0.5, 1), (0.5, 0)]),  # a corner touches another side
        (True, [(0, 0), (1, 0), (1, 1), (0.5, -0.5), (0, 1)]),
    ],
)
def test_an_outline_that_crosses_itself(crossed: bool, polygon: list[tuple[float, float]]) -> None:
    assert crosses_itself(polygon) is crossed
    assert crosses_itself(polygon[::-1]) is crossed
    assert crosses_itself(polygon[1:] + polygon[:1]) is crossed
