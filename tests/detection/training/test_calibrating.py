"""Scores after training: counts that lean neither way, and the same boxes."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from detection import choosing
from detection.datasets import read
from detection.evaluating import compare
from detection.labels import COUNTED_SCORE
from detection.onnx.engine import DetectorSettings, load_engine
from detection.scenes.card import tiny_card
from detection.training import calibrating
from tests.detection.test_weights import FILE


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The shipped detector as though nobody had said what its scores mean."""
    path = Path(shutil.copy(FILE, tmp_path / "detector.onnx"))
    held = onnx.load(str(path))
    said = {each.key: each.value for each in held.metadata_props}
    assert said.pop("calibrated")
    onnx.helper.set_model_props(held, said)
    onnx.save(held, str(path))
    return path


def outputs(path: Path) -> list[NDArray[np.float32]]:
    session = onnxruntime.InferenceSession(str(path))
    pair = np.random.default_rng(1).random((1, 6, 96, 128), np.float32)
    return [np.asarray(each) for each in session.run(None, {"pair": pair})]


def test_logits_are_moved_and_steeper_and_boxes_stay(file: Path) -> None:
    before = outputs(file)
    calibrating.bake(file, {"boat": 0.7, "person": 0.2}, 1.5)
    after = outputs(file)
    heat = np.clip(before[0][0].astype(np.float64), 1e-12, 1 - 1e-12)
    names = load_engine(file, DetectorSettings()).names
    kept = np.log(COUNTED_SCORE / (1 - COUNTED_SCORE))
    for name, score in {"boat": 0.7, "person": 0.2, "tent": COUNTED_SCORE}.items():
        at = names.index(name)
        logits = np.log(heat[at] / (1 - heat[at])) - np.log(score / (1 - score))
        expected = 1 / (1 + np.exp(-kept - 1.5 * logits))
        assert after[0][0][at] == pytest.approx(expected, abs=1e-4)
    for one, other in zip(before[1:], after[1:], strict=True):
        assert np.array_equal(one, other)
    said = {each.key: each.value for each in onnx.load(str(file)).metadata_props}
    told = json.loads(said["calibrated"])[-1]
    assert (told["slope"], told["boat"], told["tent"]) == (1.5, 0.7, COUNTED_SCORE)


def test_as_many_are_found_as_there_are(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    card = tmp_path / "card"
    tiny_card(card, 24, size=(640, 480))
    monkeypatch.setattr(sys, "argv", ["calibrating", str(file), str(card)])
    calibrating.main()
    with pytest.raises(SystemExit):
        calibrating.main()
    assert "calibrated already" in capsys.readouterr().err
    engine = load_engine(file, DetectorSettings.from_dict(choosing.options()))
    judged, _ = compare(engine, read(card))
    for label in ("person", "tent"):
        found = np.concatenate([each.scores for each in judged[label]])
        assert abs((found >= COUNTED_SCORE).sum() - 24) <= 1
        assert sum(len(each.truth) for each in judged[label]) == 24
