"""What a person probably does, by where they are."""

from __future__ import annotations

import pytest

from annotation.proposing import activity
from annotation.reviewing import StatedBox
from detection.zoning import inside

POND = [[0.2, 0.5], [0.8, 0.5], [0.8, 0.9], [0.2, 0.9]]
BAY = [
    [0.0, 0.0],
    [1.0, 0.0],
    [1.0, 1.0],
    [0.5, 0.2],
    [0.0, 1.0],
]  # a headland reaches in from below


def box(x: float, y: float, w: float = 0.02, h: float = 0.1, label: str = "person") -> StatedBox:
    return StatedBox(label, "", x, y, w, h)


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (box(0.5, 0.6), "bathing"),
        (box(0.5, 0.45), "bathing"),  # the head above the shore behind, the feet in the water
        (box(0.5, 0.85), ""),  # the head before the water, the feet on this shore
        (box(0.1, 0.6), ""),
        (box(0.35, 0.62), "on_water"),
    ],
)
def test_feet_in_the_water_bathe_and_feet_in_a_boat_do_not(
    person: StatedBox, expected: str
) -> None:
    boats = [box(0.3, 0.7, 0.1, 0.04, "boat")]
    assert activity(person, boats=boats, water=[POND]) == expected


def test_without_zones_nothing_is_proposed() -> None:
    assert activity(box(0.5, 0.6), boats=[], water=[]) == ""
    assert activity(box(0.5, 0.6), boats=[], water=[[]]) == ""


def test_a_headland_is_not_in_the_bay() -> None:
    assert inside(0.1, 0.5, BAY)
    assert inside(0.9, 0.5, BAY)
    assert not inside(0.5, 0.5, BAY)
