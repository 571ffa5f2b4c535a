"""Imports flow one way, and pure modules know no framework: read from the sources."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ARCHITECTURE = (ROOT / "docs/architecture.md").read_text()
APPS = ["lacs_web", "detection", "annotation", "dashboards"]  # each may import those before it
PURE = [
    "lacs_web/bucket.py",
    "detection/labels.py",
    "detection/mosaic.py",
    "detection/onnx",
    "detection/scenes",
    "detection/cards/clock.py",
    "detection/cards/decode.py",
    "detection/calibrating.py",
    "detection/contesting.py",
    "detection/datasets.py",
    "detection/evaluating.py",
    "detection/measuring.py",
    "detection/model_card.py",
    "detection/splitting.py",
    "detection/megadetector.py",
    "detection/training",
    "detection/cards/exif.py",
    "detection/cards/manifest.py",
    "detection/cards/moved.py",
    "detection/cards/quality.py",
    "detection/cards/schedule.py",
    "detection/zoning.py",
    "annotation/elsewhere",
    "annotation/proposing.py",
    "annotation/settling.py",
    "annotation/sign.py",
    "annotation/trust.py",
    "dashboards/calendar.py",
    "dashboards/charts.py",
    "dashboards/days.py",
    "dashboards/discretion.py",
    "dashboards/exports.py",
    "dashboards/formats/archive.py",
    "dashboards/formats/passages.py",
    "dashboards/formats/pieces.py",
    "dashboards/formats/table.py",
    "dashboards/formats/workbook.py",
    "dashboards/figures.py",
    "dashboards/periods.py",
    "dashboards/ranges.py",
    "dashboards/estimators",
    "dashboards/seasons.py",
    "dashboards/sheets.py",
    "dashboards/study.py",
]
FRAMEWORKS = {"django", "rest_framework", "celery", "psycopg"}


def imports(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def sources(folder: str) -> list[Path]:
    place = ROOT / folder
    return [place] if place.is_file() else sorted(place.rglob("*.py"))


@pytest.mark.parametrize("app", APPS)
def test_imports_point_to_the_left(app: str) -> None:
    later = set(APPS[APPS.index(app) + 1 :])
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in sources(app)
        for name in imports(path)
        if name.split(".")[0] in later
    }
    assert not wrong


@pytest.mark.parametrize("place", PURE)
def test_pure_modules_know_no_framework(place: str) -> None:
    for path in sources(place):
        assert not {name.split(".")[0] for name in imports(path)} & FRAMEWORKS, path
        assert not {n for n in imports(path) if n.endswith((".models", ".tasks"))}, path


def test_every_module_has_its_room() -> None:
    """docs/architecture.md names each, but for those whose name is Django's or a text's."""
    named = re.findall(r"\w+", " ".join(re.findall(r"`([^`]*)`", ARCHITECTURE)))
    usual = {"__init__", "apps", "urls", "models", "celery", "wsgi", "static"}
    places = [ROOT / app for app in APPS] + [ROOT / "detection/cards"]
    nowhere = {
        path.relative_to(ROOT).as_posix()
        for place in places
        for path in place.glob("*.py")
        if path.stem not in usual.union(named) and not path.stem.endswith("_text")
    }
    assert not nowhere


def test_one_module_only_imports_onnxruntime() -> None:
    users = [
        path.relative_to(ROOT).as_posix()
        for app in APPS
        for path in sources(app)
        if any(name.split(".")[0] == "onnxruntime" for name in imports(path))
    ]
    assert users == ["detection/onnx/runtime.py"]


def test_what_runs_knows_nothing_of_the_training() -> None:
    for app in APPS:
        for path in sources(app):
            if "training" not in path.parts:
                names = imports(path)
                assert "torch" not in {name.split(".")[0] for name in names}, path
                assert not any(name.startswith("detection.training") for name in names), path
