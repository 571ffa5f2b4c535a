"""The benchmark of detection measures in earnest: here on few, small frames and a tiny detector."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import CommandError

from detection.benchmarks import detect, drawn, floor, gating, memory, repeats, slicing, worker
from detection.onnx.engine import DetectorSettings
from detection.scenes.model import View
from tests.onnx_models import tiny_yolox


def test_the_floor_is_measured_beneath_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LACS_DETECTOR", str(tiny_yolox(tmp_path / "tiny.onnx")))
    monkeypatch.setattr(floor, "FRAMES", 2)
    monkeypatch.setattr(floor, "TURNS", 1)
    monkeypatch.setattr(floor, "VIEW", View(320, 240))
    measured = floor.measure()
    assert measured["figure"] > 0
    assert measured["ratio"] == pytest.approx(measured["figure"] / measured["limit"], rel=0.05)
    assert measured["conditions"]["cpu_over_floor"] > 1  # the engine does all that the floor does
    assert 0 < measured["conditions"]["own_over_own_and_idle"] <= 1
    assert measured["conditions"]["detector"] == "tiny.onnx"


def test_detection_is_measured_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each part is measured in its own test; here, that all are told, or why they are not."""
    told = {"cpu_over_floor": 1.5}
    monkeypatch.setattr(floor, "measure", lambda: {"figure": 9.0, "conditions": told})
    for part, ratio in ((worker, 0.97), (memory, 1.0)):
        given = {
            **dict.fromkeys(("what", "figure", "unit"), "x"),
            "ratio": ratio,
            "conditions": dict.fromkeys(detect.TOLD[part], 1),
        }
        monkeypatch.setattr(part, "measure", lambda given=given: given)
    monkeypatch.setitem(sys.modules, "sahi", None)
    measured = detect.measure()
    assert measured["figure"] == 1.5
    assert measured["ratio"] == 0.75
    conditions = measured["conditions"]
    assert conditions["path"]["ratio"] == 0.97
    assert conditions["memory"]["ratio"] == 1.0
    assert "SAHI cannot be imported" in conditions["sliced"]


def test_the_short_mode_names_what_there_is() -> None:
    for module, values in detect.SHORT.items():
        assert all(hasattr(module, name) for name in values)


def test_without_a_detector_one_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LACS_DETECTOR", raising=False)
    monkeypatch.setattr(drawn, "LENT_DETECTOR", tmp_path / "not there.onnx")
    assert floor.detector_file(tmp_path).exists()
    assert "LACS_DETECTOR" not in os.environ


def test_gating_measures_both_ways(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACS_DETECTOR", str(tiny_yolox(tmp_path / "tiny.onnx")))
    monkeypatch.setattr(gating, "INTERVAL", 45)
    small = DetectorSettings(long_side=160, tile=96, overlap=0.25, min_score=0.3)
    measured = gating.measure(View(320, 240), small, replace(small, tile=None))
    assert measured["ratio"] == pytest.approx(measured["figure"] / measured["peer"], rel=0.05)
    assert measured["ratio"] < 1  # a quiet day: most tiles stay shut
    assert measured["conditions"]["people"] > 0
    for way in ("gated", "all_tiles", "whole_frame"):
        assert 0 <= measured["conditions"][f"{way}_recall"] <= 1
        assert measured["conditions"][f"{way}_median_s"] > 0
    monkeypatch.setenv("LACS_DETECTOR", str(tmp_path / "absent.onnx"))
    with pytest.raises(CommandError, match="LACS_DETECTOR"):
        gating.measure()


def test_repeats_count_what_became_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "SEEDS", (1,))
    monkeypatch.setattr(repeats, "INTERVAL", 60)
    monkeypatch.setattr(repeats, "SIZE", (320, 240))
    measured = repeats.measure()
    assert measured["ratio"] == pytest.approx(measured["figure"] / measured["limit"], abs=0.01)
    assert measured["conditions"]["suppressed tent"].startswith("0 of ")


def test_memory_is_measured_along_a_sequence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LACS_DETECTOR", str(tiny_yolox(tmp_path / "tiny.onnx")))
    monkeypatch.setattr(memory, "FRAMES", 100)
    monkeypatch.setattr(memory, "INTERVAL", 120)
    measured = memory.measure(View(160, 120))
    assert measured["figure"] > 10
    assert len(measured["conditions"]["mb_by_tenths"]) == 10


def test_without_sahi_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sahi", None)
    with pytest.raises(CommandError, match="SAHI cannot be imported"):
        slicing.measure()
