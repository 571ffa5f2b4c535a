"""YOLOX decoding: by hand, and against a plain second writing on real weights."""

from __future__ import annotations

import itertools
import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detection.onnx.classmap import COCO_80
from detection.onnx.engine import DetectorSettings, load_engine
from detection.onnx.layouts.yolox import Yolox, recognise
from detection.onnx.runtime import ModelDescription, Port, Session
from tests.detection.onnx.lent import COCO, MODELS, coco, lent

NANO = MODELS / "yolox_nano_416.onnx"


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


def plain(rgb: NDArray[np.uint8]) -> list[tuple[float, float, float, float, float, int]]:
    """The published procedure, one number at a time, sharing nothing with the product."""
    ratio = min(416 / rgb.shape[0], 416 / rgb.shape[1])
    high, wide = round(rgb.shape[0] * ratio), round(rgb.shape[1] * ratio)
    canvas = np.full((416, 416, 3), 114, np.uint8)
    canvas[:high, :wide] = cv2.resize(rgb[:, :, ::-1].copy(), (wide, high))
    blob = np.ascontiguousarray(canvas.transpose(2, 0, 1), np.float32)[None]
    rows = iter(Session(NANO).run(blob)[0][0].tolist())
    found = []
    for stride in (8, 16, 32):
        for y in range(416 // stride):
            for x in range(416 // stride):
                row = next(rows)
                best = max(range(80), key=lambda index, row=row: row[5 + index])  # type: ignore[misc]
                score = row[4] * row[5 + best]
                cx, cy = (row[0] + x) * stride, (row[1] + y) * stride
                w, h = math.exp(row[2]) * stride, math.exp(row[3]) * stride
                left, right = (
                    min(max(v / ratio, 0), rgb.shape[1]) for v in (cx - w / 2, cx + w / 2)
                )
                top, low = (min(max(v / ratio, 0), rgb.shape[0]) for v in (cy - h / 2, cy + h / 2))
                if score >= 0.25:
                    found.append((left, top, right, low, score, best))
    kept: list[tuple[float, float, float, float, float, int]] = []
    for box in sorted(found, key=lambda each: -each[4]):
        for other in kept:
            wide_c = max(0, min(box[2], other[2]) - max(box[0], other[0]))
            common = wide_c * max(0, min(box[3], other[3]) - max(box[1], other[1]))
            areas = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (box, other))
            if box[5] == other[5] and common / (areas - common) > 0.6:
                break
        else:
            kept.append(box)
    return kept


@lent(NANO, COCO)
def test_agrees_with_a_plain_writing_on_real_pictures() -> None:
    engine = load_engine(NANO, DetectorSettings(long_side=416, min_score=0.25))
    seen = 0
    for rgb, _ in itertools.islice(coco(), 12):
        expected = plain(rgb)
        found = engine.detect(rgb)
        assert len(found) == len(expected)
        for box, score, index in zip(found.xyxy, found.scores, found.classes, strict=True):
            # By nearest box, since equal scores may come in either order.
            nearest = min(expected, key=lambda row: float(np.abs(box - row[:4]).max()))
            assert box == pytest.approx(np.array(nearest[:4]), abs=1)
            assert score == pytest.approx(nearest[4], abs=0.01)
            assert index == nearest[5]
        seen += len(found)
    assert seen
