"""The short form of the table of faults: a database killed in the middle of an upload."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings


@pytest.mark.worker
def test_what_was_being_done_when_a_part_was_killed_is_whole_and_single() -> None:
    """Slow: it starts an installation of its own and kills its database."""
    done = subprocess.run(
        [sys.executable, "manage.py", "bench", "reliability", "--json"],
        env=os.environ | {"LACS_BENCH_SHORT": "1", "LACS_BENCH_FILES": "12"},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    measured = json.loads(done.stdout.splitlines()[-1])
    (line,) = measured["table"]
    assert 0 < line["at"] < line["of"] == 12
    assert (line["lost"], line["doubled"]) == (0, 0)
    assert measured["conditions"]["doctor"] == "Everything fits together."
