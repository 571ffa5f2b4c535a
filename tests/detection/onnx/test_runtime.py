"""What is accepted as a model, and how refusals are told."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from detection.onnx.layouts import recognise
from detection.onnx.runtime import MOST_BYTES, ModelRefused, Refusal, Session, describe
from tests.onnx_models import tiny_yolox


def reason_of(path: Path) -> Refusal:
    with pytest.raises(ModelRefused) as refused:
        describe(path)
    assert path.name in str(refused.value)
    return refused.value.reason


def small_model(node: onnx.NodeProto, *weights: onnx.TensorProto) -> onnx.ModelProto:
    ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in ("x", "y")]
    graph = helper.make_graph([node], "small", ports[:1], ports[1:], list(weights))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid(node.domain or "none", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def test_description(tmp_path: Path) -> None:
    path = tiny_yolox(tmp_path / "tiny.onnx")
    described = describe(path)
    assert described.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert described.size == path.stat().st_size
    assert [(port.name, port.shape) for port in described.inputs] == [
        ("images", (1, 3, "height", "width"))
    ]
    assert described.outputs[0].shape == (1, "anchors", 85)


@pytest.mark.parametrize("content", [b"", b"hello world", b"\xff\xd8\xff\xe0" * 50, b"\x08\x07"])
def test_other_files_are_not_onnx(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "picture.onnx"
    path.write_bytes(content)
    assert reason_of(path) is Refusal.NOT_ONNX


def test_a_file_cut_short_is_not_onnx(tmp_path: Path) -> None:
    path = tiny_yolox(tmp_path / "cut.onnx")
    path.write_bytes(path.read_bytes()[:-100])
    assert reason_of(path) is Refusal.NOT_ONNX


def test_an_absent_file_is_unreadable(tmp_path: Path) -> None:
    assert reason_of(tmp_path / "absent.onnx") is Refusal.UNREADABLE


def test_weights_in_another_file_are_refused_even_when_it_is_there(tmp_path: Path) -> None:
    weight = numpy_helper.from_array(np.ones(2, np.float32), "w")
    model = small_model(helper.make_node("Add", ["x", "w"], ["y"]), weight)
    path = tmp_path / "split.onnx"
    onnx.save(model, str(path), save_as_external_data=True, location="w.bin", size_threshold=0)
    assert (tmp_path / "w.bin").exists()
    assert reason_of(path) is Refusal.EXTERNAL_DATA


def test_custom_operators_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "custom.onnx"
    onnx.save(small_model(helper.make_node("Magic", ["x"], ["y"], domain="elsewhere")), str(path))
    assert reason_of(path) is Refusal.CUSTOM_OPERATOR


def test_a_model_that_detects_nothing_has_no_layout(tmp_path: Path) -> None:
    path = tmp_path / "relu.onnx"
    onnx.save(small_model(helper.make_node("Relu", ["x"], ["y"])), str(path))
    assert recognise(describe(path)) is None


def test_an_absent_provider_falls_back_to_the_cpu_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    session = Session(tiny_yolox(tmp_path / "tiny.onnx"), providers=["NoSuchExecutionProvider"])
    with caplog.at_level(logging.WARNING, "detection.onnx.runtime"):
        (output,) = session.run(np.zeros((1, 3, 64, 32), np.float32))
    assert output.shape == (1, 32 + 8 + 2, 85)
    assert "NoSuchExecutionProvider" in caplog.text


def test_a_file_beyond_all_detectors_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "vast.onnx"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # sparse: takes no room
    assert reason_of(path) is Refusal.TOO_LARGE


def test_a_third_shape_begins_afresh_and_answers_the_same(tmp_path: Path) -> None:
    session = Session(tiny_yolox(tmp_path / "tiny.onnx"))
    picture = np.zeros((1, 3, 96, 96), np.float32)
    picture[0, 2, 32:56, 40:64] = 255
    first = session.run(picture)[0]
    opened = session._session
    session.run(picture[..., :64])
    session.run(picture)
    assert session._session is opened
    session.run(picture[..., :32])
    assert session._session is not opened
    assert session.run(picture)[0] == pytest.approx(first)


def test_nothing_is_imported_before_use_and_nothing_reported(tmp_path: Path) -> None:
    """Unsilenced, onnxruntime leaves an identifier in the home folder as it is imported."""
    model = tiny_yolox(tmp_path / "tiny.onnx")
    home = tmp_path / "home"
    home.mkdir()
    program = (
        "import sys; from pathlib import Path; from detection.onnx import engine\n"
        "assert 'onnxruntime' not in sys.modules\n"
        "made = engine.load_engine(Path(sys.argv[1]), engine.DetectorSettings(long_side=64))\n"
        "import numpy; made.detect(numpy.zeros((64, 64, 3), 'uint8'))\n"
        "assert 'onnxruntime' in sys.modules\n"
    )
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH") if name in os.environ}
    subprocess.run(
        [sys.executable, "-c", program, str(model)],
        env=kept | {"HOME": str(home)},  # without the variables that mark a test machine
        cwd=Path(__file__).parents[3],
        check=True,
    )
    assert list(home.rglob("*")) == []
