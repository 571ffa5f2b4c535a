"""How frames reach the network: letterbox and its inverse, normalisation, tiles."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from detection.onnx.boxes import Boxes
from detection.onnx.layouts.input import Input
from detection.onnx.letterbox import Letterbox
from detection.onnx.tiling import Tile, grid


def test_letterbox_lies_at_the_top_left_and_comes_back() -> None:
    picture = np.full((100, 200, 3), 7, np.uint8)
    canvas, mapping = Letterbox().place(picture, 416, 416)
    assert canvas.shape == (416, 416, 3)
    assert (canvas[:208] == 7).all()
    assert (canvas[208:] == 114).all()
    seen = Boxes(
        np.array([[208, 104, 416, 208]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64)
    )
    assert mapping.to_picture(seen).xyxy[0] == pytest.approx([100, 50, 200, 100])


def test_rounding_to_whole_pixels_is_undone_on_each_axis() -> None:
    _, mapping = Letterbox().place(np.zeros((33, 100, 3), np.uint8), 64, 64)
    assert (mapping.scale_x, mapping.scale_y) == pytest.approx((0.64, 21 / 33))
    seen = Boxes(
        np.array([[32, 7, 64, 21]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64)
    )
    assert mapping.to_picture(seen).xyxy[0] == pytest.approx([50, 11, 100, 33])


def test_a_centred_letterbox_has_margins_on_both_sides() -> None:
    picture = np.full((100, 200, 3), 7, np.uint8)
    canvas, mapping = Letterbox(centred=True, fill=0).place(picture, 400, 400)
    assert (canvas[100:300] == 7).all()
    assert not canvas[:100].any()
    assert not canvas[300:].any()
    seen = Boxes(
        np.array([[200, 100, 400, 300]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64)
    )
    assert mapping.to_picture(seen).xyxy[0] == pytest.approx([100, 0, 200, 100])


def test_a_stretched_picture_fills_its_canvas_and_comes_back() -> None:
    canvas, mapping = Letterbox(keep_ratio=False).place(
        np.full((100, 200, 3), 7, np.uint8), 320, 320
    )
    assert (canvas == 7).all()
    seen = Boxes(
        np.array([[160, 160, 320, 320]], np.float32), np.ones(1, np.float32), np.zeros(1, np.int64)
    )
    assert mapping.to_picture(seen).xyxy[0] == pytest.approx([100, 50, 200, 100])


def test_a_network_gets_its_colours_normalised_in_its_own_order() -> None:
    rgb = np.full((32, 64, 3), (10, 20, 30), np.uint8)
    wants = Input(32, 64, colour="RGB", mean=(10, 10, 10), deviation=(1, 2, 4))
    tensor, _ = wants.prepare(rgb, 999)
    assert tensor.shape == (1, 3, 32, 64)
    assert tensor[0, :, 5, 5].tolist() == [0, 5, 5]
    backwards, _ = Input(32, 64, mean=(10, 10, 10), deviation=(1, 2, 4)).prepare(rgb, 999)
    assert backwards[0, :, 5, 5].tolist() == [20, 5, 0]


@pytest.mark.parametrize(
    ("height", "width", "long_side", "canvas"),
    [
        (960, 1280, 1920, (1440, 1920)),
        (1080, 1920, 1920, (1088, 1920)),  # raised to whole strides
        (1920, 1080, 1920, (1920, 1088)),
        (240, 320, 1920, (480, 640)),  # enlarged twice, no more
        (3, 4000, 640, (32, 640)),
    ],
)
def test_a_free_canvas_takes_the_proportions_of_the_picture(
    height: int, width: int, long_side: int, canvas: tuple[int, int]
) -> None:
    tensor, _ = Input().prepare(np.zeros((height, width, 3), np.uint8), long_side)
    assert tensor.shape[2:] == canvas


def test_boxes_cut_by_inner_edges() -> None:
    boxes = np.array(
        [
            [40, 10, 60, 40],  # at the inner left edge
            [60, 0, 90, 40],  # at the frame's own upper edge
            [70, 10, 100, 40],  # at the frame's own right edge
            [60, 20, 70, 49.5],  # at the inner lower edge
            [60, 20, 70, 40],
        ],
        np.float32,
    )
    assert Tile(40, 0, 60, 50).cuts(boxes, 100, 80).tolist() == [True, False, False, True, False]
    assert not Tile(0, 0, 100, 80).cuts(boxes, 100, 80).any()


def test_what_a_window_shows_whole_and_not_too_close() -> None:
    boxes = np.array(
        [
            [60, 20, 70, 40],
            [46, 20, 70, 40],  # too near to the inner left edge
            [60, 0, 80, 20],  # at the frame's own upper edge
            [55, 5, 90, 40],  # larger than half of the window
            [10, 20, 30, 40],  # elsewhere
        ],
        np.float32,
    )
    assert Tile(40, 0, 60, 50).shows(boxes, 100, 80).tolist() == [True, False, True, False, False]


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
