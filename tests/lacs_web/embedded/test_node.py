"""Node.js: the machine's where it is new enough, else the wheel's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from lacs_web.embedded import node
from lacs_web.embedded.problem import Problem


def fake_node(folder: Path, version: str) -> None:
    for name in ("node", "npm"):
        path = folder / name
        path.write_text(f"#!/bin/sh\necho {version}\n")
        path.chmod(0o755)


def test_an_old_node_is_passed_over_for_the_wheels(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_node(tmp_path, "v18.19.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    start = node.command("npm")
    assert not start[0].startswith(str(tmp_path))
    said = subprocess.run([*start, "--version"], check=True, capture_output=True, text=True).stdout
    assert int(said.split(".")[0]) >= 10


def test_a_new_node_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake_node(tmp_path, "v22.1.0")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert node.command("npm") == [str(tmp_path / "npm")]


def test_no_node_at_all_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Problem, match=r"no Node\.js 20 or newer"):
        node.command("node")
