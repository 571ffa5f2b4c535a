"""How frames reach the network: letterbox and its inverse, tiles."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from detection.onnx.boxes import Boxes
from detection.onnx.letterbox import letterbox
from detection.onnx.tiling import Tile, grid


def test_letterbox_lies_at_the_top_left_and_comes_back() -> None:
    picture = np.full((100, 200, 3), 7, np.uint8)
    canvas, mapping = letterbox(picture, 416, 416)
    assert canvas.shape == (416, 416, 3)
    assert (canvas[:208] == 7).all()
    assert (canvas[208:] == 114).all()
    seen = Boxes(
        np.array([[208, 104, 416, 208]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64)
    )
    assert mapping.to_picture(seen).xyxy[0] == pytest.approx([100, 50, 200, 100])


def test_rounding_to_whole_pixels_is_undone_on_each_axis() -> None:
    _, mapping = letterbox(np.zeros((33, 100, 3), np.uint8), 64, 64)
    assert (mapping.scale_x, mapping.scale_y) == pytest.approx((0.64, 21 / 33))
    seen = Boxes(
        np.array([[32, 7, 64, 21]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64)
    )
    assert mapping.to_picture(seen).xyxy[0] == pytest.approx([50, 11, 100, 33])


def test_grid_by_hand() -> None:
    assert grid(100, 50, 60, 0.2) == [Tile(0, 0, 60, 50), Tile(40, 0, 60, 50)]


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (641, 640), (300, 2000)])
def test_grid_covers_all_and_overlaps_enough(width: int, height: int) -> None:
    seen = np.zeros((height, width), bool)
    tiles = grid(width, height, 640, 0.25)
    for tile in tiles:
        assert tile.x + tile.width <= width
        assert tile.y + tile.height <= height
        seen[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width] = True
    assert seen.all()
    starts = sorted({tile.x for tile in tiles})
    assert all(b - a <= 480 for a, b in pairwise(starts))


def test_a_full_overlap_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot cover"):
        grid(10, 10, 5, 1.0)
