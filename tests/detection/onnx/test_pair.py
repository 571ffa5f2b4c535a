"""Two detectors in one run, calibrated scores, and networks that take the background along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from detection.onnx.background import Background, Change, remember
from detection.onnx.boxes import Boxes
from detection.onnx.engine import Around, DetectorSettings, Engine, load_engine
from detection.onnx.layouts.input import Input
from detection.onnx.pair import Calibration, Member, Pair, fit
from tests.onnx_models import tiny_yolox

SETTINGS = DetectorSettings(long_side=320, min_score=0.1)
PICTURE = np.full((240, 320, 3), (110, 130, 100), np.uint8)
PICTURE[100:130, 200:220] = (255, 0, 0)


def member(folder: Path, name: str, score: float, label: str | None, offset: float = 0.0) -> Member:
    path = tiny_yolox(folder / f"{name}.onnx", score, names=[name])
    return Member(load_engine(path, SETTINGS), {name: label}, Calibration(1.0, offset))


def test_two_words_for_one_label_are_one_box(tmp_path: Path) -> None:
    pair = Pair(member(tmp_path, "person", 0.6, "person"), member(tmp_path, "hiker", 0.8, "person"))
    found = pair.detect(PICTURE)
    assert pair.names == ("person",)
    assert found.xyxy.tolist() == [pytest.approx([200, 100, 220, 130], abs=1)]
    assert found.scores == pytest.approx([0.8], abs=1e-3)


def test_scores_are_compared_calibrated(tmp_path: Path) -> None:
    boastful = member(tmp_path, "hiker", 0.8, "person", offset=-3.0)
    found = Pair(member(tmp_path, "person", 0.6, "person"), boastful).detect(PICTURE)
    assert found.scores == pytest.approx([0.6], abs=1e-3)


def test_what_has_no_label_keeps_its_own_name(tmp_path: Path) -> None:
    pair = Pair(member(tmp_path, "person", 0.6, "person"), member(tmp_path, "kite", 0.8, None))
    found = pair.detect(PICTURE)
    assert [pair.names[number] for number in found.classes] == ["kite", "person"]
    assert pair.still_side is None


def test_each_is_told_of_the_frame_before_in_its_own_numbers(tmp_path: Path) -> None:
    """Of two with many and few classes, gated: what only the other calls so is none of its own."""
    gated = DetectorSettings(long_side=64, tile=160, gated=True, min_score=0.1)
    many = load_engine(tiny_yolox(tmp_path / "many.onnx", 0.6), gated)
    few = load_engine(tiny_yolox(tmp_path / "few.onnx", 0.8, names=["kite", "person"]), gated)
    labels = {"person": "person", "boat": "boat"}
    pair = Pair(Member(many, labels), Member(few, labels))
    told: list[tuple[Engine, Boxes | None]] = []
    look = Engine._as_before

    def listening(engine: Engine, whole: Boxes, w: int, h: int, around: Around) -> Any:
        told.append((engine, around.before))
        return look(engine, whole, w, h, around)

    numbers = np.array([pair.names.index(name) for name in ("boat", "person", "kite", "toilet")])
    place = np.array([[200, 100, 220, 130]] * 4, np.float32)
    before = Boxes(place, np.full(4, 0.5, np.float32), numbers)
    nothing = Change(np.zeros((48, 64), np.uint8), np.zeros((0, 4), np.float32))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "_as_before", listening)
        pair.detect(PICTURE, Around(None, nothing, before))
        pair.detect(PICTURE, Around(None, nothing, None))
    said = [None if b is None else [e.names[n] for n in b.classes] for e, b in told]
    assert said == [["boat", "person", "kite", "toilet"], ["person", "kite"], None, None]


def test_a_calibration_is_found_from_examples() -> None:
    random = np.random.default_rng(1)
    scores = random.uniform(0.02, 0.98, 4000).astype(np.float32)
    truth = Calibration(1.6, -1.2)
    found = fit(scores, random.random(4000) < truth(scores))
    assert found.slope == pytest.approx(1.6, abs=0.15)
    assert found.offset == pytest.approx(-1.2, abs=0.15)
    assert (np.diff(found(np.sort(scores))) >= 0).all()


def test_few_examples_settle_little_and_none_nothing() -> None:
    assert fit(np.zeros(0, np.float32), np.zeros(0, bool)) == Calibration(1.0, 0.0)
    one = fit(np.array([0.9], np.float32), np.array([False]))
    assert np.isfinite([one.slope, one.offset]).all()
    assert one(np.array([0.0, 0.5, 1.0], np.float32)) == pytest.approx(
        sorted(one(np.array([0.0, 0.5, 1.0], np.float32)))
    )


def test_a_calibration_never_turns_scores_about() -> None:
    with pytest.raises(ValueError, match="order of scores"):
        Calibration(-1.0)


def aware(path: Path) -> Path:
    """A network [1,6,H,W] in the form of centres: a person where the red channel exceeds the
    background's, over cells of 4 px.
    """
    steps = [
        helper.make_node("Slice", ["images", "zero", "one", "axis"], ["red"]),
        helper.make_node("Slice", ["images", "three", "four", "axis"], ["was_red"]),
        helper.make_node("Sub", ["red", "was_red"], ["more"]),
        helper.make_node("AveragePool", ["more"], ["mean"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Clip", ["mean", "low", "high"], ["heat"]),
        helper.make_node("Concat", ["heat", "heat"], ["two"], axis=1),
        helper.make_node("Mul", ["two", "low"], ["nought"]),
        helper.make_node("Add", ["nought", "half"], ["offset"]),
        helper.make_node("Add", ["nought", "log4"], ["size"]),
    ]
    values = {
        "zero": np.array([0]), "one": np.array([1]), "three": np.array([3]),
        "four": np.array([4]), "axis": np.array([1]), "low": np.array(0, np.float32),
        "high": np.array(1, np.float32), "half": np.array(0.5, np.float32),
        "log4": np.array(np.log(4), np.float32),
    }  # fmt: skip
    floats = TensorProto.FLOAT
    model = helper.make_model(
        helper.make_graph(
            steps,
            "aware",
            [helper.make_tensor_value_info("images", floats, [1, 6, "h", "w"])],
            [
                helper.make_tensor_value_info(name, floats, [1, count, "y", "x"])
                for name, count in (("heat", 1), ("offset", 2), ("size", 2))
            ],
            [numpy_helper.from_array(value, name) for name, value in values.items()],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    helper.set_model_props(model, {"names": '["person"]'})
    onnx.save(model, str(path))
    return path


def test_a_network_that_takes_the_background_sees_what_is_new(tmp_path: Path) -> None:
    engine = load_engine(aware(tmp_path / "aware.onnx"), SETTINGS)
    assert engine.layout.family == "centres"
    assert engine.still_side == SETTINGS.long_side
    rgb = np.full((96, 128, 3), 40, np.uint8)
    rgb[10:20, 10:20] = (220, 40, 40)  # was there before
    empty = rgb.copy()
    rgb[48:52, 64:68] = (240, 40, 40)
    behind = Background(remember(empty, 0.0).level, np.zeros((96, 128), np.uint8))
    found = engine.detect(rgb, Around(behind))
    assert found.xyxy[0] == pytest.approx([64, 48, 68, 52], abs=2.1)
    assert found.scores[0] > 0.5
    assert (found.scores > 0.2).sum() == 1  # the logarithmic scale costs a few levels
    assert len(engine.detect(rgb)) == 0  # without a background nothing is new


def test_six_channels_are_the_picture_and_then_the_background() -> None:
    wants = Input(32, 64, colour="RGB", background=True)
    rgb, behind = (np.full((32, 64, 3), level, np.uint8) for level in (10, 20))
    tensor, _ = wants.prepare(rgb, 64, behind)
    assert tensor.shape == (1, 6, 32, 64)
    assert tensor[0, :, 3, 3].tolist() == [10] * 3 + [20] * 3
    assert wants.prepare(rgb, 64)[0][0, :, 3, 3].tolist() == [10] * 6
