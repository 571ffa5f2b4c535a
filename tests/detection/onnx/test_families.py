"""Each family of detectors: by hand, by a real file in its form, and apart from the others."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from detection.onnx.classmap import COCO_80, COCO_90
from detection.onnx.engine import DetectorSettings, load_engine
from detection.onnx.layouts import FAMILIES, recognise
from detection.onnx.layouts.centres import Centres
from detection.onnx.layouts.detr import Detr
from detection.onnx.layouts.end_to_end import EndToEnd
from detection.onnx.layouts.input import Input
from detection.onnx.layouts.rtmdet import Rtmdet
from detection.onnx.layouts.signature import known_class
from detection.onnx.layouts.ssd import Ssd
from detection.onnx.layouts.yolov5 import Yolov5
from detection.onnx.layouts.yolov8 import Yolov8
from detection.onnx.runtime import ModelDescription, ModelRefused, Port, Refusal, describe
from tests.detection.onnx.families import FORMS, export
from tests.detection.onnx.test_layouts import Shape, described

NAMES = ("person", "tent", "dog")
INPUT = Input()
CANVAS = (1, 3, 64, 96)


def test_yolov5_by_hand() -> None:
    output = np.zeros((1, 10, 8), np.float32)
    output[0, 4] = [30, 20, 10, 8, 0.8, 0.1, 0.5, 0.2]
    output[0, 5] = [30, 20, 10, 8, 0.9, 0.04, 0, 0]  # 0.036: too weak
    output[0, 6] = [np.nan, 20, 10, 8, 0.9, 1, 0, 0]
    found = Yolov5(NAMES, INPUT).decode([output], CANVAS, 0.05)
    assert found.xyxy.tolist() == [[25, 16, 35, 24]]
    assert found.scores == pytest.approx([0.4])
    assert found.classes.tolist() == [1]


def test_yolov8_by_hand() -> None:
    output = np.zeros((1, 7, 12), np.float32)
    output[0, :, 3] = [30, 20, 10, 8, 0.1, 0.2, 0.7]
    output[0, :, 4] = [30, 20, 10, np.inf, 0.9, 0, 0]
    output[0, :, 5] = [30, 20, 10, 8, 0.04, 0.04, 0]
    found = Yolov8(NAMES, INPUT).decode([output], CANVAS, 0.05)
    assert found.xyxy.tolist() == [[25, 16, 35, 24]]
    assert found.scores == pytest.approx([0.7])
    assert found.classes.tolist() == [2]


def test_end_to_end_by_hand() -> None:
    rows = [[1, 2, 30, 40, 0.6, 1], [0, 0, 0, 0, 0, 0], [5, 5, 5, 9, 0.9, 0]]
    found = EndToEnd(NAMES, INPUT).decode([np.array([rows], np.float32)], CANVAS, 0.0)
    assert found.xyxy.tolist() == [[1, 2, 30, 40]]
    assert found.classes.tolist() == [1]


@pytest.mark.parametrize(
    ("size_port", "box", "expected"),
    [
        ("orig_target_sizes", [48, 16, 72, 32], [48, 16, 72, 32]),
        ("", [48, 16, 72, 32], [48, 16, 72, 32]),
        ("", [0.5, 0.25, 0.75, 0.5], [48, 16, 72, 32]),  # fractions of the canvas
    ],
)
def test_detr_by_hand(size_port: str, box: list[float], expected: list[float]) -> None:
    boxes = np.array([[box, [0, 0, 1, 1]]], np.float32)
    scores, labels = np.array([[0.8, 0.01]], np.float32), np.array([[2, 0]])
    layout = Detr(NAMES, Input(size_port=size_port), (1, 2, 0))
    found = layout.decode([labels, boxes, scores], CANVAS, 0.05)
    assert found.xyxy.tolist() == [pytest.approx(expected)]
    assert found.classes.tolist() == [2]


def test_detr_raw_by_hand() -> None:
    boxes = np.array([[[0.5, 0.5, 0.25, 0.5], [0.5, 0.5, 0.1, 0.1]]], np.float32)
    logits = np.full((1, 2, 3), -9.0, np.float32)
    logits[0, 0, 1] = math.log(3)  # sigmoid: 3/4
    found = Detr(NAMES, INPUT, (0, 1), raw=True).decode([boxes, logits], CANVAS, 0.05)
    assert found.xyxy.tolist() == [pytest.approx([36, 16, 60, 48])]
    assert found.scores == pytest.approx([0.75])
    assert found.classes.tolist() == [1]


def test_the_canvas_is_told_to_a_network_that_asks_width_first() -> None:
    sizes = Input(size_port="orig_target_sizes").sizes(np.zeros(CANVAS, np.float32))
    assert sizes["orig_target_sizes"].tolist() == [[96, 64]]
    assert sizes["orig_target_sizes"].dtype == np.int64


def test_rtmdet_by_hand() -> None:
    dets = np.array([[[1, 2, 30, 40, 0.6], [1, 2, 30, 40, 0.01]]], np.float32)
    found = Rtmdet(NAMES, INPUT).decode([dets, np.array([[2, 0]])], CANVAS, 0.05)
    assert found.xyxy.tolist() == [[1, 2, 30, 40]]
    assert found.classes.tolist() == [2]


def test_ssd_by_hand() -> None:
    boxes = np.array([[[0.25, 0.5, 0.5, 0.75], [0, 0, 1, 1]]], np.float32)  # top, left, …
    scores = np.array([[0.8, 0.02]], np.float32)
    found = Ssd(NAMES, INPUT, (0, 1, 2)).decode(
        [boxes, scores, np.array([[3.0, 1.0]], np.float32)], (1, 64, 96, 3), 0.05
    )
    assert found.xyxy.tolist() == [[48, 16, 72, 32]]
    assert found.classes.tolist() == [2]


def test_ssd_dense_by_hand() -> None:
    boxes = np.array([[[0.5, 0.25, 0.75, 0.5], [0, 0, 1, 1]]], np.float32)
    scores = np.array([[[0.1, 0.2, 0.6, 0.1], [0.99, 0.01, 0, 0]]], np.float32)
    found = Ssd(NAMES, INPUT, (0, 1), dense=True).decode([boxes, scores], CANVAS, 0.05)
    assert found.xyxy.tolist() == [[48, 16, 72, 32]]
    assert found.scores == pytest.approx([0.6])
    assert found.classes.tolist() == [1]


def test_centres_by_hand() -> None:
    heat = np.zeros((1, 3, 16, 24), np.float32)
    offset, size = (np.zeros((1, 2, 16, 24), np.float32) for _ in range(2))
    heat[0, 1, 5, 10], heat[0, 1, 5, 11] = 0.8, 0.7  # a peak and its flank
    heat[0, 2, 5, 11] = 0.3  # another class
    offset[0, :, 5, 10], size[0, :, 5, 10] = (0.5, 0.25), (math.log(6), math.log(12))
    found = Centres(NAMES, INPUT).decode([heat, offset, size], CANVAS, 0.05)
    order = np.argsort(-found.scores)
    assert found.xyxy[order[0]] == pytest.approx([42 - 3, 21 - 6, 42 + 3, 21 + 6])
    assert found.classes[order].tolist() == [1, 2]
    assert found.scores[order] == pytest.approx([0.8, 0.3])


@pytest.mark.parametrize(
    ("layout", "outputs"),
    [
        (Yolov5(NAMES, INPUT), [np.zeros((1, 10, 7))]),
        (Yolov8(NAMES, INPUT), [np.zeros((1, 10, 7))]),
        (EndToEnd(NAMES, INPUT), [np.zeros((1, 10, 7))]),
        (Detr(NAMES, INPUT, (0, 1, 2)), [np.zeros((1, 9, 4)), np.zeros((1, 8)), np.zeros((1, 9))]),
        (Detr(NAMES, INPUT, (0, 1), raw=True), [np.zeros((1, 9, 4)), np.zeros((1, 9, 80))]),
        (Rtmdet(NAMES, INPUT), [np.zeros((1, 9, 5)), np.zeros((1, 8))]),
        (Ssd(NAMES, INPUT, (0, 1), dense=True), [np.zeros((1, 9, 4)), np.zeros((1, 9, 3))]),
        (Centres(NAMES, INPUT), [np.zeros((1, 3, 16, 24))] * 3),
    ],
)
def test_outputs_of_another_shape_are_told(layout: Yolov5, outputs: list[np.ndarray]) -> None:
    with pytest.raises(ValueError, match="expected"):
        layout.decode(outputs, CANVAS, 0.05)


def test_a_class_without_a_name_is_told_not_invented() -> None:
    assert known_class(np.array([0.0, 2.0]), 3).tolist() == [0, 2]
    for wrong in (3, -1, np.nan):
        with pytest.raises(ValueError, match="3 classes have names"):
            known_class(np.array([0.0, wrong]), 3)


def test_tensorflows_numbers_are_cocos_names() -> None:
    assert len(COCO_90) == 90
    # Its published label map, counted from 1.
    known = {1: "person", 13: "stop sign", 16: "bird", 44: "bottle", 90: "toothbrush"}
    assert {number: COCO_90[number - 1] for number in known} == known
    assert [name for name in COCO_90 if not name.startswith("class")] == list(COCO_80)


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_each_family_finds_what_is_red(form: str, tmp_path: Path) -> None:
    """Colour order, normalisation and place on the canvas included: else nothing would be red."""
    path = export(tmp_path / "tiny.onnx", form)
    engine = load_engine(path, DetectorSettings(min_score=0.3))
    assert engine.layout.family == form.split()[0]
    rgb = np.full((300, 480, 3), (110, 130, 100), np.uint8)
    rgb[100:140, 300:330] = (255, 0, 0)
    found = engine.detect(rgb)
    assert found.xyxy.tolist() == [pytest.approx([300, 100, 330, 140], abs=2)]
    assert found.scores == pytest.approx([0.9], abs=0.01)
    assert found.classes.tolist() == [0]


@pytest.mark.parametrize("form", FORMS)
def test_a_file_of_one_family_is_no_other(form: str, tmp_path: Path) -> None:
    description = describe(export(tmp_path / "tiny.onnx", form))
    fitting = [family for family in FAMILIES if recognise(description, family)]
    assert fitting == [form.split()[0]]


ULTRALYTICS = {"task": "detect", "stride": "32", "names": "{0: 'person', 1: 'tent'}"}
MEGADETECTOR = {"stride": "64", "names": "{0: 'animal', 1: 'person', 2: 'vehicle'}"}


@pytest.mark.parametrize(
    ("shape", "outputs", "metadata", "family"),
    [
        ((1, 3, 1280, 1280), {"output": (1, 102000, 8)}, MEGADETECTOR, "yolov5"),
        ((1, 3, 640, 640), {"output": (1, 25200, 85), "406": (1, 3, 80, 80, 85)}, {}, "yolov5"),
        (("batch", 3, "h", "w"), {"o": ("batch", "anchors", 8)}, MEGADETECTOR, "yolov5"),
        ((1, 3, 640, 640), {"output0": (1, 6, 8400)}, ULTRALYTICS, "yolov8"),
        (("b", 3, "h", "w"), {"output0": ("b", 6, "anchors")}, ULTRALYTICS, "yolov8"),
        ((1, 3, 640, 640), {"output0": (1, 300, 6)}, ULTRALYTICS, "end_to_end"),
        (("b", 3, "h", "w"), {"output0": ("b", 300, 6)}, ULTRALYTICS, "end_to_end"),
        ((1, 3, 640, 640), {"output0": (1, 38, 8400)}, ULTRALYTICS | {"task": "segment"}, None),
        ((1, 3, 640, 640), {"output0": (1, 7, 8400)}, ULTRALYTICS, None),  # three classes
        ((1, 3, 640, 640), {"output": (1, 25199, 85)}, {}, None),
        ((1, 3, 560, 560), {"dets": (1, 300, 4), "labels": (1, 300, 80)}, {}, "detr"),
        ((1, 3, 640, 640), {"dets": (1, 100, 5), "labels": (1, 100)}, {}, "rtmdet"),
        ((1, 3, 300, 300), {"scores": (1, 3000, 21), "boxes": (1, 3000, 4)}, {}, None),
        (
            (1, 3, 300, 300),
            {"scores": (1, 3000, 3), "boxes": (1, 3000, 4)},
            {"names": '["person", "tent"]'},
            "ssd",
        ),
        (
            (1, 6, 512, 512),
            {"heat": (1, 80, 128, 128), "offset": (1, 2, 128, 128), "size": (1, 2, 128, 128)},
            {},
            "centres",
        ),
    ],
)
def test_published_signatures(
    shape: Shape, outputs: dict[str, Shape], metadata: dict[str, str], family: str | None
) -> None:
    found = recognise(described(shape, outputs, metadata))
    assert (found and found.family) == family
    if found:
        assert found.input.background == (shape[1] == 6)


def test_megadetector_is_read_whole() -> None:
    found = recognise(described((1, 3, 1280, 1280), {"o": (1, 102000, 8)}, MEGADETECTOR))
    assert found is not None
    assert found.names == ("animal", "person", "vehicle")
    assert (found.input.stride, found.input.colour) == (64, "RGB")
    assert found.input.letterbox.centred


def test_a_person_may_name_classes_that_the_file_does_not() -> None:
    description = described((1, 3, 640, 640), {"output0": (1, 300, 6)})
    unnamed, named = recognise(description), recognise(description, names=["person", "tent"])
    assert unnamed is not None
    assert unnamed.names[:2] == ("class 0", "class 1")
    assert named is not None
    assert named.names == ("person", "tent")


def test_a_refusal_says_what_was_expected_and_what_was_found(tmp_path: Path) -> None:
    from detection.onnx.layouts import known

    description = ModelDescription(
        "",
        (Port("pixels", (1, 1, 28, 28), "tensor(float)"),),
        (Port("digits", (1, 10), "tensor(float)"),),
    )
    with pytest.raises(ModelRefused) as refused:
        known(description, "mnist.onnx")
    assert refused.value.reason is Refusal.UNKNOWN_LAYOUT
    told = str(refused.value)
    for part in ("mnist.onnx", "YOLOX: one output [1, N, 5 + classes]", "pixels [1, 1, 28, 28]",
                 "digits [1, 10]"):  # fmt: skip
        assert part in told
    assert all(family in told for family in ("YOLOv8", "RT-DETR", "SSD", "RTMDet", "MegaDetector"))
