"""`manage.py bench`: finds measurements in the apps, insists on a whole answer."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from lacs_web.management.commands import bench

MEASURED = {
    "what": "steps",
    "figure": 2.0,
    "unit": "steps/s",
    "limit": 4.0,
    "ratio": 0.5,
    "conditions": {"machine": "here"},
}


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A benchmark called `steps`; what it answers may be changed before it is asked."""
    module, answer = ModuleType("steps"), dict(MEASURED)
    module.measure = lambda: answer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "steps_of_a_test", module)
    monkeypatch.setattr(bench, "benchmarks", lambda: {"steps": "steps_of_a_test"})
    return answer


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("bench", *arguments, stdout=out)
    return out.getvalue()


def test_one_json_object(measured: dict[str, Any]) -> None:
    assert json.loads(run("steps", "--json")) == {"name": "steps", **MEASURED}


def test_a_line_for_people(measured: dict[str, Any]) -> None:
    assert run("steps") == "steps: 2.0 steps/s; limit 4.0, ratio 0.5\n(machine here)\n"


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(CommandError, match=r"called nothing; there are: .*detect"):
        run("nothing")


@pytest.mark.parametrize("key", ["what", "ratio", "conditions", "limit"])
def test_half_an_answer_is_refused(measured: dict[str, Any], key: str) -> None:
    del measured[key]
    with pytest.raises(CommandError, match=key):
        run("steps", "--json")


def test_benchmarks_of_the_apps_are_found() -> None:
    found = bench.benchmarks()
    assert found["detect"] == "detection.benchmarks.detect"
    root = Path(__file__).resolve().parents[2]
    there = {path.stem for path in root.glob("*/benchmarks/*.py")} - {"__init__"}
    assert set(found) == there
