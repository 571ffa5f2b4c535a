"""Whole detection with a real model: places, tiles, many pictures, settings, class names."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from detection.labels import Label
from detection.onnx.boxes import Boxes
from detection.onnx.classmap import COCO_80, propose
from detection.onnx.engine import DetectorSettings, Engine, detect_many, load_engine
from tests.onnx_models import RED, tiny_yolox


def scene(width: int, height: int, *blobs: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A green-grey slope with red squares at (left, top, side) px."""
    rgb = np.full((height, width, 3), (110, 130, 100), np.uint8)
    for left, top, side in blobs:
        rgb[top : top + side, left : left + side] = (255, 0, 0)
    return rgb


def engine(folder: Path, **settings: int | float | None) -> Engine:
    return load_engine(
        tiny_yolox(folder / "tiny.onnx"), DetectorSettings.from_dict({"long_side": 640} | settings)
    )


def test_finds_red_blobs_where_they_are(tmp_path: Path) -> None:
    found = engine(tmp_path).detect(scene(640, 360, (101, 53, 32), (500, 300, 20)))
    order = np.argsort(found.xyxy[:, 0])
    assert found.xyxy[order].tolist() == [
        pytest.approx([101, 53, 133, 85], abs=1),
        pytest.approx([500, 300, 520, 320], abs=1),
    ]
    assert found.scores == pytest.approx([0.9, 0.9], abs=0.01)
    assert [COCO_80[index] for index in found.classes] == ["person", "person"]


def test_finds_nothing_on_an_empty_slope(tmp_path: Path) -> None:
    assert len(engine(tmp_path).detect(scene(300, 500))) == 0


def test_the_frame_is_scaled_and_boxes_come_back_in_its_pixels(tmp_path: Path) -> None:
    found = engine(tmp_path).detect(scene(1280, 720, (801, 402, 60)))
    assert found.xyxy.tolist() == [pytest.approx([801, 402, 861, 462], abs=2)]


def test_tiles_find_what_the_whole_frame_is_too_coarse_for(tmp_path: Path) -> None:
    rgb = scene(1920, 1080, (1500, 200, 10), (50, 700, 90))
    whole = engine(tmp_path, long_side=320, min_score=0.3).detect(rgb)
    tiled = engine(tmp_path, long_side=320, min_score=0.3, tile=640).detect(rgb)

    def near(found: Boxes, x: int, y: int) -> bool:
        return bool((np.abs(found.xyxy[:, :2] - (x, y)).max(axis=1, initial=0) <= 5).any())

    assert near(whole, 50, 700)
    assert not near(whole, 1500, 200)
    assert near(tiled, 50, 700)
    assert near(tiled, 1500, 200)


def test_a_blob_in_two_tiles_is_one_box(tmp_path: Path) -> None:
    # Tiles of 320 px start at 0, 160 and 320: the blob lies whole in the first two.
    found = engine(tmp_path, tile=320, overlap=0.5).detect(scene(640, 320, (220, 100, 24)))
    assert found.xyxy.tolist() == [pytest.approx([220, 100, 244, 124], abs=1)]


def test_what_an_edge_cuts_is_not_counted_again(tmp_path: Path) -> None:
    # Tiles of 320 px start at 0 and 256: the first sees only the left half of the blob.
    settings = {"tile": 320, "overlap": 0.2, "nms_iou": 0.6}
    found = engine(tmp_path, **settings).detect(scene(576, 320, (280, 100, 80)))
    assert found.xyxy.tolist() == [pytest.approx([280, 100, 360, 180], abs=1)]


def test_the_test_detector_keeps_its_promise(tmp_path: Path) -> None:
    """Others' tests rest on it: one box in its place, through JPEG, at default settings."""
    model = load_engine(tiny_yolox(tmp_path / "tiny.onnx"), DetectorSettings())
    random = np.random.default_rng(7)
    for width, height in [(160, 160), (320, 240), (400, 800), (1280, 960), (1920, 1080)] * 3:
        sides = random.integers(6, 49, 2)
        wide, high = (int(side) for side in np.maximum(sides, -(-sides.max() // 3)))
        left, top = int(random.integers(0, width - wide)), int(random.integers(0, height - high))
        rgb = np.full((height, width, 3), random.integers(90, 170, 3), np.uint8)
        rgb[top : top + high, left : left + wide] = RED
        _, jpeg = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
        found = model.detect(np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR)[:, :, ::-1]))  # type: ignore[index]
        expected = [left, top, left + wide, top + high]
        assert found.xyxy.tolist() == [pytest.approx(expected, abs=2)]
        assert found.scores == pytest.approx([0.9])


def test_a_detector_of_a_fixed_size_with_classes_of_its_own(tmp_path: Path) -> None:
    path = tiny_yolox(tmp_path / "t.onnx", 0.5, 1, size=(320, 416), names=["person", "tent"])
    model = load_engine(path, DetectorSettings())
    assert model.layout.names == ("person", "tent")
    found = model.detect(scene(832, 640, (400, 200, 40)))
    assert found.xyxy.tolist() == [pytest.approx([400, 200, 440, 240], abs=2)]
    assert found.scores == pytest.approx([0.5])
    assert found.classes.tolist() == [1]


def test_one_bad_picture_stops_no_other(tmp_path: Path) -> None:
    def unreadable() -> NDArray[np.uint8]:
        raise OSError("drop on the lens")

    loaders = [
        lambda: scene(320, 320, (100, 100, 24)),
        unreadable,
        lambda: scene(320, 320),
        lambda: np.zeros((5, 5), np.uint8),
    ]
    results = dict(detect_many(engine(tmp_path), loaders, threads=2))
    first, bad, empty, grey = (results[position] for position in range(4))
    assert isinstance(first, Boxes)
    assert len(first) == 1
    assert isinstance(bad, OSError)
    assert isinstance(empty, Boxes)
    assert len(empty) == 0
    assert isinstance(grey, ValueError)


def test_threads_agree_with_one_after_the_other(tmp_path: Path) -> None:
    scenes = [scene(320, 320, (40 + 20 * step, 100, 24)) for step in range(6)]
    shared = engine(tmp_path)
    for position, found in detect_many(shared, [lambda s=s: s for s in scenes], threads=3):  # type: ignore[misc]
        assert isinstance(found, Boxes)
        assert found.xyxy == pytest.approx(shared.detect(scenes[position]).xyxy)


def test_settings_survive_storage() -> None:
    settings = DetectorSettings(tile=640, min_score=0.1)
    assert DetectorSettings.from_dict(settings.to_dict()) == settings


@pytest.mark.parametrize(
    "values",
    [{"tile": 0}, {"min_score": 1.5}, {"long_side": "960"}, {"overlap": 0.95}, {"colour": 1}],
)
def test_settings_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=next(iter(values))):
        DetectorSettings.from_dict(values)


def test_proposed_labels() -> None:
    assert len(set(COCO_80)) == 80
    assert [COCO_80[index] for index in (0, 8, 16, 19, 37)] == [
        *("person", "boat", "dog", "cow", "surfboard")
    ]
    assert propose(["person", "surfboard", "cow", "truck", "tent", "kite"]) == {
        "person": Label.PERSON,
        "surfboard": Label.BOAT,
        "cow": Label.CATTLE,
        "truck": Label.VEHICLE,
        "tent": Label.TENT,
        "kite": None,
    }
