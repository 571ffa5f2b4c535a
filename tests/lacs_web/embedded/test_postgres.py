"""A private PostgreSQL of its own for each test: crashes, leftovers, deep folders."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from lacs_web import env
from lacs_web.embedded import postgres, private, service
from lacs_web.embedded.private import Start
from lacs_web.embedded.problem import Problem
from lacs_web.embedded.service import Service

OTHERS = {"REDIS_URL": "redis://127.0.0.1:1/0"}  # so that only PostgreSQL is started


def start(folder: Path, begin: Start) -> tuple[str, subprocess.Popen[bytes]]:
    started: list[subprocess.Popen[bytes]] = []

    def remember(what: Service) -> subprocess.Popen[bytes]:
        started.append(begin(what))
        return started[-1]

    return private.start(folder, OTHERS, remember)["DATABASE_URL"], started[0]


def test_data_survive_a_crash(folder: Path, begin: Start) -> None:
    url, process = start(folder, begin)
    with psycopg.connect(url) as session:
        session.execute("CREATE TABLE lake AS SELECT 'Lauvitel' AS name")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (folder / "postgres/postmaster.pid").exists()
    url, _ = start(folder, begin)
    with psycopg.connect(url) as session:
        assert session.execute("SELECT name FROM lake").fetchall() == [("Lauvitel",)]


def test_a_stop_is_clean(folder: Path, begin: Start) -> None:
    _, process = start(folder, begin)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert not (folder / "postgres/postmaster.pid").exists()


def test_a_dead_servers_number_may_have_gone_to_another_program(folder: Path, begin: Start) -> None:
    _, process = start(folder, begin)
    process.send_signal(signal.SIGINT)
    process.wait(20)
    (folder / "postgres/postmaster.pid").write_text(f"{os.getpid()}\n{folder}/postgres\n")
    url, _ = start(folder, begin)
    assert postgres.ready(url)


def test_a_server_that_outlived_its_supervisor_is_ended(folder: Path, begin: Start) -> None:
    _, process = start(folder, begin)
    url, second = start(folder, begin)
    assert process.poll() == 0
    assert second.poll() is None
    assert postgres.ready(url)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_what_a_dead_server_left_behind_is_ended(
    folder: Path, begin: Start, alive: Callable[[int], bool]
) -> None:
    """Its children are in groups of their own: one deep in a write outlives its server."""
    _, process = start(folder, begin)
    listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    titles = postgres._commands()  # of what lives: one that tidies up may have ended since
    own = [int(pid) for pid in listed]
    (writing,) = (pid for pid in own if "checkpointer" in titles.get(pid, ""))
    os.kill(writing, signal.SIGSTOP)
    service.stop([service.group(Service("", [], grace=0.1), process.pid)], reap=process.poll)
    assert process.poll() == -signal.SIGKILL
    assert alive(writing)
    url, _ = start(folder, begin)
    assert postgres.ready(url)
    assert not alive(writing)


def test_a_socket_path_that_is_too_long_is_shortened(folder: Path, begin: Start) -> None:
    deep = folder / ("a-folder-whose-name-is-long-" * 4)
    deep.mkdir()
    url, _ = start(deep, begin)
    place = Path(str(conninfo_to_dict(url)["host"]))
    assert not place.is_relative_to(deep)
    assert place.stat().st_mode & 0o777 == 0o700
    assert env.database(url)["HOST"] == str(place)
    assert postgres.ready(url)


def test_only_a_socket_is_listened_on(folder: Path, begin: Start) -> None:
    url, _ = start(folder, begin)
    with psycopg.connect(url) as session:
        for setting, value in (("listen_addresses", ""), ("server_encoding", "UTF8")):
            assert session.execute(f"SHOW {setting}").fetchone() == (value,)
        # Letters beyond ASCII fold without a locale of the system's.
        assert session.execute("SELECT upper('écrins')").fetchone() == ("ÉCRINS",)


def test_data_of_another_major_version_are_left_alone(folder: Path, begin: Start) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres/PG_VERSION").write_text("12\n")
    with pytest.raises(Problem, match=r"written by PostgreSQL 12.*pg_dump"):
        start(folder, begin)


def test_foreign_files_are_left_alone(folder: Path, begin: Start) -> None:
    (folder / "postgres").mkdir()
    (folder / "postgres/holiday.jpg").write_bytes(b"precious")
    with pytest.raises(Problem, match="not PostgreSQL's"):
        start(folder, begin)
    assert (folder / "postgres/holiday.jpg").read_bytes() == b"precious"


def test_a_server_that_cannot_start_says_why(folder: Path, begin: Start) -> None:
    _, process = start(folder, begin)
    process.send_signal(signal.SIGINT)
    process.wait(20)
    (folder / "postgres/postgresql.conf").write_text("shared_buffers = plenty\n")
    with pytest.raises(Problem, match=r"postgres did not start(.|\n)*plenty"):
        start(folder, begin)
