"""`up` as a whole: started, reached, refused twice, stopped, started again."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
OURS = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "LACS_DETECTOR", "HOST"}
CLEAN = {name: value for name, value in os.environ.items() if name not in OURS}


class Up:
    """One `up` over the data in `folder`, its console in a file."""

    def __init__(self, folder: Path, port: int) -> None:
        self.console = folder / f"console-{port}"
        self.settings = {"PORT": str(port), "LACS_DATA": str(folder / "var"), "LACS_DEMO": "0"}
        with self.console.open("wb") as console:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "lacs_web.embedded.up"],
                cwd=ROOT,
                env={**CLEAN, **self.settings},
                stdout=console,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.console.read_text()

    def running(self) -> bool:
        assert self.process.poll() is None, self.said()
        return "LACS is running" in self.said()

    def address(self) -> str:
        (found,) = re.findall(r"^lacs +(http://\S+)$", self.said(), re.MULTILINE)
        return str(found)


@pytest.fixture
def up(folder: Path) -> Iterator[Callable[[], Up]]:
    made: list[Up] = []

    def start() -> Up:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        made.append(Up(folder, port))
        return made[-1]

    yield start
    for one in made:
        one.process.terminate()
        one.process.wait(30)


@pytest.mark.worker
def test_the_whole_house_starts_and_stops(
    up: Callable[[], Up], folder: Path, eventually: Callable[[Callable[[], bool]], None]
) -> None:
    first = up()
    eventually(first.running)
    with urllib.request.urlopen(first.address(), timeout=20) as page:  # noqa: S310
        assert page.status == 200
    second = up()
    assert second.process.wait(30) == 1
    assert f"already running from {folder / 'var'} (process {first.process.pid})" in second.said()
    listing = subprocess.run(
        ["ps", "-ww", "-eo", "args="], check=True, capture_output=True, text=True
    ).stdout
    assert f"--bind 127.0.0.1:{first.settings['PORT']}" in listing
    beside = [sys.executable, "-m", "lacs_web.embedded.manage", "signin_link"]
    made = subprocess.run(
        [*beside, "administrator@localhost"],
        env={**CLEAN, "LACS_DATA": str(folder / "var")},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    with urllib.request.urlopen(made.strip(), timeout=20) as page:  # noqa: S310
        assert page.status == 200
    first.process.send_signal(signal.SIGINT)
    assert first.process.wait(30) == 0, first.said()
    assert "stopped; all data are kept" in first.said()
    third = up()
    eventually(third.running)
    assert "static files" not in third.said()
    assert "Applying" not in third.said()
