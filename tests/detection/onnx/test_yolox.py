"""YOLOX decoding by hand; its signature."""

from __future__ import annotations

import math

import numpy as np
import pytest

from detection.onnx.classmap import COCO_80
from detection.onnx.layouts.yolox import Yolox, recognise
from detection.onnx.runtime import ModelDescription, Port


def described(shape: tuple[int | str, ...], output: tuple[int | str, ...]) -> ModelDescription:
    return ModelDescription(
        "", (Port("images", shape, "tensor(float)"),), (Port("output", output, "tensor(float)"),)
    )


def test_decode_by_hand() -> None:
    output = np.zeros((1, 64 + 16 + 4, 85), np.float32)
    # Row 64 + 6 is stride 16, cell x 2, y 1: centre (2.5, 1.25) × 16, size 32 × 16.
    output[0, 70, :5] = [0.5, 0.25, math.log(2), 0, 0.8]
    output[0, 70, 5 + 16] = 0.5
    output[0, 3, 4], output[0, 3, 5] = 0.2, 0.2  # 0.04: too weak
    output[0, 4, :6] = [np.nan, 0, 0, 0, 1, 1]
    found = Yolox(COCO_80).decode([output], (1, 3, 64, 64), 0.05)
    assert found.xyxy.tolist() == [pytest.approx([24, 12, 56, 28])]
    assert found.scores == pytest.approx([0.4])
    assert [COCO_80[index] for index in found.classes] == ["dog"]


def test_prepare_gives_bgr_on_a_canvas_of_whole_strides() -> None:
    red = np.zeros((108, 192, 3), np.uint8)
    red[..., 0] = 255
    tensor, _ = Yolox(COCO_80).input.prepare(red, 320)
    assert tensor.shape == (1, 3, 192, 320)
    assert tensor.dtype == np.dtype(np.float32)
    assert tensor[0, :, 0, 0].tolist() == [0, 0, 255]
    assert tensor[0, :, -1, 0].tolist() == [114, 114, 114]


def test_recognises_its_own() -> None:
    fixed = recognise(described((1, 3, 416, 416), (1, 3549, 85)))
    assert fixed is not None
    assert (fixed.input.height, fixed.input.width) == (416, 416)
    assert recognise(described((1, 3, "h", "w"), (1, "n", 85))) is not None


@pytest.mark.parametrize(
    ("shape", "output"),
    [
        ((1, 3, 640, 640), (1, 25200, 85)),  # three anchors a cell
        ((1, 3, 416, 416), (1, 3549, 84)),
        ((1, 1, 416, 416), (1, 3549, 85)),
        ((1, 3, 352, 352), (1, 85, 22, 22)),
        ((1, 3, 400, 400), (1, 3281, 85)),  # no whole strides
        ((1, 3, 416, 416), (1, 3549, 85, 1)),
        ((1, 3, 416, 416), (4, 3549, 85)),
    ],
)
def test_leaves_the_others(shape: tuple[int, ...], output: tuple[int, ...]) -> None:
    assert recognise(described(shape, output)) is None


def test_an_output_of_another_size_is_told() -> None:
    with pytest.raises(ValueError, match="expected"):
        Yolox(COCO_80).decode([np.zeros((1, 7, 85), np.float32)], (1, 3, 64, 64), 0.05)
