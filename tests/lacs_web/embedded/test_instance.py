"""One start at a time for a data folder, and its secret."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lacs_web.embedded.instance import only_one, secret_key
from lacs_web.embedded.problem import Problem

# Holds the lock as a guardian does whose supervisor is dead: its number is in the file.
GUARDIAN = """
import fcntl, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write(sys.argv[2]); file.flush()
print("held", flush=True)
time.sleep(float(sys.argv[3]))
"""


def test_a_second_start_is_refused_with_the_way_out(tmp_path: Path) -> None:
    with (
        only_one(tmp_path),
        pytest.raises(Problem, match=rf"already running .*process {os.getpid()}.*LACS_DATA="),
        only_one(tmp_path),
    ):
        pass
    with only_one(tmp_path):
        assert (tmp_path / "run/up.lock").read_text() == str(os.getpid())


@pytest.mark.parametrize(("seconds", "patience", "gets_it"), [(0.5, 20, True), (20, 0.3, False)])
def test_the_guardian_of_a_killed_start_is_waited_for(
    tmp_path: Path, seconds: float, patience: float, gets_it: bool
) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    (tmp_path / "run").mkdir()
    path = tmp_path / "run/up.lock"
    argv = [sys.executable, "-c", GUARDIAN, str(path), str(dead.pid), str(seconds)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            if gets_it:
                with only_one(tmp_path, patience=patience):
                    assert path.read_text() == str(os.getpid())
            else:
                with pytest.raises(Problem, match=str(dead.pid)), only_one(tmp_path, patience=0.3):
                    pass
        finally:
            holder.kill()


def test_the_secret_is_made_once_and_kept_from_others(tmp_path: Path) -> None:
    key = secret_key(tmp_path)
    assert len(key) >= 50
    assert secret_key(tmp_path) == key
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_secret_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    assert len(secret_key(tmp_path)) >= 50
