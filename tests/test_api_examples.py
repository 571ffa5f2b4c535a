"""The worked examples of docs/api.md do what it says, against a server that listens."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from dashboards import api, kept
from detection.models import Batch
from lacs_web import tokens
from lacs_web.models import Role
from tests.cast import person
from tests.factories import make_deployment, make_frame

PAGE = (Path(__file__).resolve().parent.parent / "docs/api.md").read_text()
EXAMPLES = re.findall(r"^```(sh|python|r)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
RUN = {"sh": ["sh", "-eu"], "python": [sys.executable, "-W", "error"], "r": ["Rscript"]}
NEEDS = {"sh": "curl", "python": sys.executable, "r": "Rscript"}


@pytest.mark.django_db(transaction=True)
def test_the_examples_run(
    live_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One test for all, for each start of a server costs seconds."""
    shore = make_deployment()
    make_frame(shore)
    monkeypatch.setattr(api, "ring", lambda _task, pk: kept.go_on(pk))  # as a worker would
    folder = tmp_path / "CARD"
    folder.mkdir()
    for n in range(2):
        (folder / f"{n}.jpg").write_bytes(b"no picture %d" % n)
    officer, ends = person(Role.OFFICER, shore.lake), timezone.now() + timedelta(days=1)
    secret = {
        scope: tokens.make(user=officer, label="t", scope=scope, expires_at=ends)[1]
        for scope in ("figures", "frames", "cards")
    }
    given = {
        "LACS": live_server.url, "LAKE": shore.lake.slug, "DEPLOYMENT": shore.slug,
        "FOLDER": str(folder), "TOKEN": secret["figures"], "CARDS_TOKEN": secret["cards"],
        "FRAMES_TOKEN": secret["frames"],
        "PATH": os.environ["PATH"], "HOME": str(tmp_path),
    }  # fmt: skip
    assert [kind for kind, _text in EXAMPLES] == [
        "sh", "sh", "python", "python", "python", "python", "r",
    ]  # fmt: skip
    said = []
    for n, (kind, text) in enumerate(EXAMPLES):
        if shutil.which(NEEDS[kind]) is None:
            continue  # test_what_the_examples_need says so
        script = tmp_path / f"example-{n}"
        script.write_text(text)
        done = subprocess.run(
            [*RUN[kind], str(script)], cwd=tmp_path, env=given, capture_output=True, text=True,
            timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (text, done.stderr)
        said.append(done.stdout)
    if shutil.which("curl"):
        assert json.loads((tmp_path / "attendance.json").read_text())["frames"] == 1
        assert (tmp_path / "july.xlsx").read_bytes()[:2] == b"PK"
    (packed,) = tmp_path.glob("july-*.zip")
    assert zipfile.ZipFile(packed).testzip() is None
    card = Batch.objects.latest("pk")
    assert f"{card.pk} 2 2 " in "".join(said)
    assert card.closed_at
    assert card.files.count() == 2


@pytest.mark.parametrize("program", ["curl", "Rscript"])
def test_what_the_examples_need(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine: its examples in docs/api.md do not run")
