"""The benchmarks of what a score is worth, on few seasons and small pictures."""

from __future__ import annotations

import pytest

from dashboards.benchmarks import calibration
from detection import calibrating
from detection.benchmarks import scores


def test_seasons_are_read_with_and_without_what_was_learnt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LACS_BENCH_SEASONS", "1")
    told = calibration.measure()["conditions"]
    assert set(told["normal"]["coverage"]) >= {"as it is", "learnt"}
    precision = told["normal"]["precision"]
    apart = {name: abs(one - other) for name, (one, other) in precision.items()}
    assert apart["share"] < apart["score"]


def test_two_lakes_are_drawn_and_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"INTERVAL": 240, "WIDE": 320, "HIGH": 240}.items():
        monkeypatch.setattr(scores, name, value)
    monkeypatch.setattr(calibrating, "LEAST", 1)
    told = scores.measure()
    assert [set(each) for each in told["conditions"]["lakes"]] == [
        {"score", "share", "boxes", "half from"}
    ] * 2
    assert 0 <= told["figure"] <= 1
