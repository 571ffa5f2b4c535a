"""`run`: a command beside servers of its own, and nothing left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
RUN = [sys.executable, "-m", "lacs_web.embedded.run", "--"]
CLEAN = {name: value for name, value in os.environ.items()
         if name not in {"DATABASE_URL", "REDIS_URL", "LACS_DATA", "SECRET_KEY"}}  # fmt: skip
LOOK = """
import os, psycopg, redis, sys
with psycopg.connect(os.environ["DATABASE_URL"]) as session:
    (pid,) = session.execute("SELECT pg_backend_pid()").fetchone()
    (folder,) = session.execute("SHOW data_directory").fetchone()
redis.Redis.from_url(os.environ["REDIS_URL"]).ping()
print(folder, len(os.environ["SECRET_KEY"]) >= 50, os.environ["LACS_DATA"])
sys.exit(7)
"""


def test_the_command_gets_servers_and_gives_its_exit_code() -> None:
    done = subprocess.run(
        [*RUN, sys.executable, "-c", LOOK], cwd=ROOT, env=CLEAN, capture_output=True, text=True,
        timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 7, done.stderr
    folder, secret, data = done.stdout.split()
    assert secret == "True"
    assert not Path(folder).exists()
    assert Path(data).parent == Path(folder).parent


def test_named_servers_are_used() -> None:
    named = {"DATABASE_URL": "postgresql:///named", "REDIS_URL": "redis://named/0"}
    show = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'])"
    done = subprocess.run(
        [*RUN, sys.executable, "-c", show], cwd=ROOT, env={**CLEAN, **named}, check=True,
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == list(named.values())


def test_no_server_outlives_a_killed_run(
    alive: Callable[[int], bool], eventually: Callable[[Callable[[], bool]], None]
) -> None:
    show = (
        "import os, pathlib, redis, time, urllib.parse as u; "
        "run = pathlib.Path(u.parse_qs(u.urlsplit(os.environ['DATABASE_URL']).query)['host'][0]); "
        "print(run.parent.parent); "
        "print(*(run.parent.parent / 'postgres/postmaster.pid').read_text().split()[:1], "
        "redis.Redis.from_url(os.environ['REDIS_URL']).info()['process_id'], flush=True); "
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [*RUN, sys.executable, "-c", show], cwd=ROOT, env=CLEAN, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        folder = process.stdout.readline().strip()
        pids = [int(word) for word in process.stdout.readline().split()]
        assert len(pids) == 2
        assert all(alive(pid) for pid in pids)
        os.killpg(process.pid, signal.SIGKILL)
        eventually(lambda: not any(alive(pid) for pid in pids))
        eventually(lambda: not Path(folder).exists())
