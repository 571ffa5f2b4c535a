"""Each layout with a real file against a plain second writing of the published procedure.

The second writing goes one number at a time and shares nothing with the product but the session.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detection.onnx.engine import DetectorSettings, load_engine
from detection.onnx.runtime import Session
from tests.detection.onnx.lent import COCO, MODELS, coco, lent

Row = tuple[float, float, float, float, float, int]
LEAST = 0.25  # score


def yolox(session: Session, rgb: NDArray[np.uint8], side: int) -> list[Row]:
    ratio = min(side / rgb.shape[0], side / rgb.shape[1])
    high, wide = round(rgb.shape[0] * ratio), round(rgb.shape[1] * ratio)
    # A free canvas is as large as the picture needs in whole strides; a fixed one is square.
    tall, broad = (side, side) if side == 416 else (-(-high // 32) * 32, -(-wide // 32) * 32)
    canvas = np.full((tall, broad, 3), 114, np.uint8)
    canvas[:high, :wide] = cv2.resize(rgb[:, :, ::-1].copy(), (wide, high))
    blob = np.ascontiguousarray(canvas.transpose(2, 0, 1), np.float32)[None]
    rows = iter(session.run(blob)[0][0].tolist())
    found = []
    for stride in (8, 16, 32):
        for y in range(tall // stride):
            for x in range(broad // stride):
                row = next(rows)
                best = row.index(max(row[5:]), 5) - 5
                cx, cy = (row[0] + x) * stride, (row[1] + y) * stride
                w, h = math.exp(row[2]) * stride, math.exp(row[3]) * stride
                sides = [v / ratio for v in (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)]
                found.append((*sides, row[4] * row[5 + best], best))
    return found


def nanodet(session: Session, rgb: NDArray[np.uint8], side: int) -> list[Row]:
    pixels = cv2.resize(rgb[:, :, ::-1].copy(), (side, side)).astype(np.float32)
    bgr = (pixels - [103.53, 116.28, 123.675]) / [57.375, 57.12, 58.395]
    blob = np.ascontiguousarray(bgr.transpose(2, 0, 1), np.float32)[None]
    # In the file's order: classes at 8, 16, 32 px, then distances.
    outputs = [output[0].tolist() for output in session.run(blob)]
    outputs.sort(key=lambda rows: (len(rows[0]) != 80, -len(rows)))
    kx, ky = rgb.shape[1] / side, rgb.shape[0] / side
    found = []
    for number, stride in enumerate((8, 16, 32)):
        for cell, likely in enumerate(outputs[number]):
            score = max(likely)
            if score < LEAST:
                continue
            x, y = cell % (side // stride) + 0.5, cell // (side // stride) + 0.5
            sides = []
            for edge in range(4):
                powers = [math.exp(v) for v in outputs[3 + number][cell][edge * 8 : edge * 8 + 8]]
                sides.append(sum(k * v for k, v in enumerate(powers)) / sum(powers))
            left, top, right, low = (
                (x - sides[0]) * stride * kx, (y - sides[1]) * stride * ky,
                (x + sides[2]) * stride * kx, (y + sides[3]) * stride * ky,
            )  # fmt: skip
            found.append((left, top, right, low, score, likely.index(score)))
    return found


def fastestdet(session: Session, rgb: NDArray[np.uint8], side: int) -> list[Row]:
    bgr = cv2.resize(rgb[:, :, ::-1].copy(), (side, side)).astype(np.float32) / 255
    blob = np.ascontiguousarray(bgr.transpose(2, 0, 1))[None]
    planes = session.run(blob)[0][0].tolist()
    cells = len(planes[0])
    high, wide = rgb.shape[:2]
    found = []
    for y in range(cells):
        for x in range(cells):
            likely = [planes[5 + index][y][x] for index in range(80)]
            best = max(likely)
            score = max(planes[0][y][x], 0) ** 0.6 * best**0.4
            cx = (x + math.tanh(planes[1][y][x])) / cells * wide
            cy = (y + math.tanh(planes[2][y][x])) / cells * high
            w = wide / (1 + math.exp(-planes[3][y][x]))
            h = high / (1 + math.exp(-planes[4][y][x]))
            sides = (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2)
            found.append((*sides, score, likely.index(best)))
    return found


def overlap(a: Row, b: Row) -> float:
    wide = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    common = wide * max(0, min(a[3], b[3]) - max(a[1], b[1]))
    return common / (sum((r[2] - r[0]) * (r[3] - r[1]) for r in (a, b)) - common)


def settled(rows: list[Row], width: int, height: int) -> list[Row]:
    """Cut to the picture, best first, the weaker of two alike dropped."""
    kept: list[Row] = []
    for left, top, right, low, score, index in sorted(rows, key=lambda row: -row[4]):
        cut = (max(left, 0), max(top, 0), min(right, width), min(low, height), score, index)
        if score < LEAST or cut[2] <= cut[0] or cut[3] <= cut[1]:
            continue
        if all(other[5] != index or overlap(cut, other) <= 0.6 for other in kept):
            kept.append(cut)
    return kept


Plain = Callable[[Session, NDArray[np.uint8], int], list[Row]]
FILES: list[tuple[Plain, str, int]] = [
    (yolox, "yolox_nano_416.onnx", 416),
    (yolox, "yolox_nano_dynamic_hw.onnx", 640),
    (nanodet, "nanodet_m_320.onnx", 320),
    (fastestdet, "FastestDet.onnx", 352),
]


@pytest.mark.parametrize(("plain", "file", "side"), FILES)
@lent(MODELS, COCO)
def test_same_boxes_within_a_pixel_and_a_hundredth(plain: Plain, file: str, side: int) -> None:
    path: Path = MODELS / file
    engine = load_engine(path, DetectorSettings(long_side=side, min_score=LEAST))
    seen = 0
    for rgb, _ in itertools.islice(coco(), 12):
        height, width = rgb.shape[:2]
        expected = settled(plain(Session(path), rgb, side), width, height)
        found = engine.detect(rgb)
        assert len(found) == len(expected)
        for box, score, index in zip(found.xyxy, found.scores, found.classes, strict=True):
            # By nearest box, since equal scores may come in either order.
            nearest = min(expected, key=lambda row: float(np.abs(box - row[:4]).max()))
            assert box == pytest.approx(np.array(nearest[:4]), abs=1)
            assert score == pytest.approx(nearest[4], abs=0.01)
            assert index == nearest[5]
        seen += len(found)
    assert seen > 5
