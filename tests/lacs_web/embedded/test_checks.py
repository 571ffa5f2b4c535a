"""What is in the way is said, with the way out."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from lacs_web.embedded import checks
from lacs_web.embedded.problem import Problem
from lacs_web.embedded.up import Settings


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
def test_a_port_that_is_taken(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        with pytest.raises(Problem, match=rf"Port {number} is taken.*make up PORT=\d+"):
            checks.port(host, number)
    checks.port(host, number)


def test_an_address_of_another_machine() -> None:
    with pytest.raises(Problem, match=r"192\.0\.2\.1 is not an address of this machine"):
        checks.port("192.0.2.1", 8000)


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    checks.disk(tmp_path, 1)
    with pytest.raises(Problem, match=r"Only \d+ MB are free.*LACS_MIN_FREE_MB"):
        checks.disk(tmp_path, 10**12)


def test_a_data_folder_is_made(tmp_path: Path) -> None:
    checks.data_folder(tmp_path / "new/var")
    assert (tmp_path / "new/var").is_dir()


def test_a_data_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Problem, match=r"cannot be written to.*make up LACS_DATA="):
        checks.data_folder(tmp_path / "file/var")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_data_folder_of_somebody_elses(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(Problem, match="cannot be written to"):
        checks.data_folder(tmp_path)


def test_named_servers_that_do_not_answer() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it
        number = closed.getsockname()[1]
        with pytest.raises(Problem, match="DATABASE_URL names a PostgreSQL that does not answer"):
            checks.named_postgres(f"postgresql://lacs@127.0.0.1:{number}/lacs")
        with pytest.raises(Problem, match="REDIS_URL names a Redis that does not answer"):
            checks.named_redis(f"redis://127.0.0.1:{number}/0")


def test_the_servers_of_these_tests_answer() -> None:
    checks.named_postgres(os.environ["DATABASE_URL"])
    checks.named_redis(os.environ["REDIS_URL"])


@pytest.mark.parametrize("value", ["http", "-1", "0", "65536", "8000.5"])
def test_a_port_that_is_none(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("PORT", value)
    with pytest.raises(Problem, match="PORT must"):
        Settings.read()


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),  # noqa: S104
        ("::1", "http://[::1]:8123"),
    ],
)
def test_the_address_to_open(monkeypatch: pytest.MonkeyPatch, host: str, address: str) -> None:
    monkeypatch.delenv("PUBLIC_URL", raising=False)
    monkeypatch.setenv("HOST", host)
    monkeypatch.setenv("PORT", "8123")
    assert Settings.read().public_url == address


def test_another_database_is_refused_in_words() -> None:
    for url in ("mysql://lacs@db.example.org/lacs", "lacs"):
        with pytest.raises(Problem, match=r"must begin with postgresql://.*use a private one"):
            checks.named_postgres(url)


def test_a_public_address_without_scheme_is_refused_in_words() -> None:
    with pytest.raises(Problem, match=r"https://lacs.example.org, not 'lacs'"):
        checks.public_url("lacs")
    checks.public_url("http://127.0.0.1:8000")
