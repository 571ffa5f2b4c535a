"""Models fed the wrong way are noticed; hostile and damaged files harm nobody."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from detection.onnx.engine import DetectorSettings, load_engine
from detection.onnx.layouts import fed
from detection.onnx.layouts.input import IMAGENET
from detection.onnx.probe import Verdict, probe
from detection.onnx.runtime import ModelRefused, Refusal, describe
from detection.onnx.trial import examine
from tests.detection.onnx.lent import COCO, MODELS, coco, lent
from tests.onnx_models import tiny_yolox

BACKWARDS = {"colour": "RGB"}
OVERFED = {"deviation": (1.0, 1.0, 1.0), "mean": (0.0, 0.0, 0.0)}
NORMALISED = {name: IMAGENET[name][::-1] for name in ("mean", "deviation")}


@pytest.mark.parametrize(
    ("file", "side", "wrong"),
    [
        ("yolox_nano_416.onnx", 416, BACKWARDS),
        ("nanodet_m_320.onnx", 320, OVERFED),
        ("FastestDet.onnx", 352, NORMALISED),
    ],
)
@lent(MODELS, COCO)
def test_a_real_model_fed_the_wrong_way_is_noticed(
    file: str, side: int, wrong: dict[str, Any]
) -> None:
    pictures = [rgb for rgb, _ in itertools.islice(coco(), 12)]
    right = load_engine(MODELS / file, DetectorSettings(long_side=side))
    assert probe(right, pictures).verdict is Verdict.FITS
    told = right.layout.input
    wrongly = replace(right, layout=fed(right.layout, replace(told, **wrong)))
    outcome = probe(wrongly, pictures)
    assert outcome.verdict is Verdict.OTHERWISE
    assert outcome.best.colour == told.colour
    assert outcome.best.mean == pytest.approx(told.mean, abs=1)
    assert outcome.best.deviation == pytest.approx(told.deviation, abs=2)


def test_nothing_to_see_is_no_verdict(tmp_path: Path) -> None:
    engine = load_engine(tiny_yolox(tmp_path / "t.onnx"), DetectorSettings(long_side=64))
    assert probe(engine, [np.zeros((64, 64, 3), np.uint8)]).verdict is Verdict.UNCLEAR


def test_red_seen_as_blue_is_noticed(tmp_path: Path) -> None:
    engine = load_engine(tiny_yolox(tmp_path / "t.onnx"), DetectorSettings(long_side=320))
    rgb = np.full((320, 320, 3), 120, np.uint8)
    for left in (40, 140, 240):
        rgb[100:130, left : left + 20] = (255, 0, 0)
    told = engine.layout.input
    assert probe(engine, [rgb] * 2).verdict is Verdict.FITS
    wrongly = replace(engine, layout=fed(engine.layout, replace(told, colour="RGB")))
    outcome = probe(wrongly, [rgb] * 2)
    assert (outcome.verdict, outcome.best) == (Verdict.OTHERWISE, told)
    assert "described as RGB 0–255" in str(outcome)


def test_a_good_file_is_described_as_in_this_process(tmp_path: Path) -> None:
    path = tiny_yolox(tmp_path / "good.onnx")
    assert examine(path) == describe(path)


def bomb(path: Path, nodes: list[onnx.NodeProto], *constants: onnx.TensorProto) -> Path:
    """A file with YOLOX's signature whose nodes end in `output`."""
    floats = TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "bomb",
        [helper.make_tensor_value_info("images", floats, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("output", floats, [1, 21, 85])],
        list(constants),
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), str(path))
    return path


def test_a_file_that_asks_for_all_memory_is_refused(tmp_path: Path) -> None:
    sides = numpy_helper.from_array(np.array([1 << 20, 1 << 20], np.int64), "sides")  # 4 TB
    path = bomb(
        tmp_path / "memory.onnx",
        [
            helper.make_node("ConstantOfShape", ["sides"], ["vast"]),
            helper.make_node("ReduceSum", ["vast"], ["sum"], keepdims=0),
            helper.make_node("ReduceMean", ["images"], ["mean"], keepdims=0),
            helper.make_node("Add", ["sum", "mean"], ["both"]),
            helper.make_node("Expand", ["both", "rows"], ["output"]),
        ],
        sides,
        numpy_helper.from_array(np.array([1, 21, 85], np.int64), "rows"),
    )
    with pytest.raises(ModelRefused) as refused:
        examine(path, seconds=30)
    assert refused.value.reason is Refusal.UNSUPPORTED
    assert "memory.onnx" in str(refused.value)


def test_a_file_that_never_ends_is_refused(tmp_path: Path) -> None:
    true = numpy_helper.from_array(np.array(True), "true")
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["on"]),
            helper.make_node("Identity", ["carried"], ["passed"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("carried", TensorProto.FLOAT, [1, 3, 32, 32]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("passed", TensorProto.FLOAT, [1, 3, 32, 32]),
        ],
    )
    path = bomb(
        tmp_path / "endless.onnx",
        [
            helper.make_node("Loop", ["", "true", "images"], ["turned"], body=body),
            helper.make_node("ReduceMean", ["turned"], ["mean"], keepdims=0),
            helper.make_node("Expand", ["mean", "rows"], ["output"]),
        ],
        true,
        numpy_helper.from_array(np.array([1, 21, 85], np.int64), "rows"),
    )
    with pytest.raises(ModelRefused, match="did not finish one picture in 4 seconds"):
        examine(path, seconds=4)


def test_damaged_files_are_refused_and_harm_nobody(tmp_path: Path) -> None:
    """Random bytes of a good file changed: whatever the runtime makes of it, we go on."""
    good = tiny_yolox(tmp_path / "good.onnx").read_bytes()
    random = np.random.default_rng(3)
    for number in range(4):
        bytes_ = np.frombuffer(good, np.uint8).copy()
        at = random.integers(0, len(bytes_), 40)
        bytes_[at] = random.integers(0, 256, 40)
        path = tmp_path / f"damaged{number}.onnx"
        path.write_bytes(bytes_.tobytes())
        with pytest.raises(ModelRefused, match=path.name):
            examine(path, seconds=20)
