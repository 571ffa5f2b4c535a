"""Real processes for these tests, all ended with the test that started them."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lacs_web.embedded import service
from lacs_web.embedded.private import Start
from lacs_web.embedded.service import Group, Service


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that other accounts may enter, as pytest's own may not be: root's PostgreSQL is."""
    with tempfile.TemporaryDirectory(prefix="lacs-test-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)  # where sockets of deep folders go
        yield Path(name)


@pytest.fixture
def begin() -> Iterator[Start]:
    started: list[tuple[Group, subprocess.Popen[bytes]]] = []

    def start(what: Service) -> subprocess.Popen[bytes]:
        process = service.spawn(what)
        started.append((service.group(what, process.pid), process))
        return process

    yield start
    service.stop([one for one, _ in started], reap=lambda: [one.poll() for _, one in started])


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool]], None]:
    def wait(condition: Callable[[], bool]) -> None:
        limit = time.monotonic() + 90
        while not condition():
            assert time.monotonic() < limit, "it did not come about within 90 s"
            time.sleep(0.02)

    return wait


@pytest.fixture
def alive() -> Callable[[int], bool]:
    def look(pid: int) -> bool:
        """Whether the process runs; a zombie that nobody has collected does not."""
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout
        return bool(state.strip()) and not state.startswith("Z")

    return look
