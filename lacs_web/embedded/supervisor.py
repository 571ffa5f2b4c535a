"""Keep a set of processes running, their lines on one console, until told to stop.

One thread and one loop: children may ask the kernel to be signalled when it ends. Knows nothing
of LACS: what runs, and in which order, is said in `up`.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Self, TextIO

from lacs_web.embedded import service
from lacs_web.embedded.guardian import Guardian
from lacs_web.embedded.problem import Problem
from lacs_web.embedded.service import Group, Service

_COLOURS = (36, 33, 32, 35, 34, 96)
_LONGEST_PAUSE = 30.0  # seconds between two starts of a process that keeps dying
_STEP = 99  # the stage of one-off steps: they stop before any service
_STEADY = 30.0  # seconds after which a process counts as started well


class Stopped(Exception):
    """Ctrl-C, SIGTERM or a closed terminal asked for the end."""


@dataclass
class _Running:
    service: Service
    process: subprocess.Popen[bytes]
    group: Group
    since: float = field(default_factory=time.monotonic)
    pause: float = 0.5
    due: float | None = None  # when to start it again, once it has died


class Supervisor:
    """Starts services, watches them and stops them; a context manager, in the main thread.

    Leaving the context stops every service in the order of stages. If this process is killed, its
    guardian does the same.
    """

    def __init__(self, *, lock: int | None = None, console: TextIO = sys.stdout) -> None:
        self._console = console
        self._colour = console.isatty() and "NO_COLOR" not in os.environ
        self._running: list[_Running] = []
        self._names: list[str] = []
        self._selector = selectors.DefaultSelector()
        self._asked = 0
        self._guardian = Guardian(lock=lock)

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        service.stop(
            [one.group for one in self._running], reap=self._collect, hurry=lambda: self._asked > 1
        )
        for one in self._running:
            self._guardian.forget(one.group)
        self._guardian.close()
        self._selector.close()

    def start(self, what: Service) -> subprocess.Popen[bytes]:
        """Start `what` and start it again whenever it ends."""
        process, group = self._spawn(what)
        self._running.append(_Running(what, process, group))
        return process

    def run(self, name: str, argv: Sequence[str], *, capture: bool = False) -> str:
        """Run one step to its end beside the services; returns its standard output if captured.

        Raises Problem when it fails, Stopped when the end is asked for meanwhile.
        """
        step = Service(name, list(argv), stage=_STEP)
        process, group = self._guardian.spawn(
            step, subprocess.PIPE, errors=None if capture else subprocess.STDOUT
        )
        said = bytearray()
        self._listen(process, said.extend if capture else self._printer(name))

        def ended() -> bool:
            return process.poll() is not None

        def collect() -> None:
            process.poll()
            self._collect()

        try:
            self.wait(ended)
        finally:
            service.stop([group], reap=collect, hurry=lambda: self._asked > 1)
            collect()
            self._guardian.forget(group)
        if process.returncode != 0:
            raise Problem(f"the step “{name}” failed; its last lines are above.")
        return said.decode(errors="replace")

    def wait(self, until: Callable[[], bool] = lambda: False, seconds: float | None = None) -> bool:
        """Watch the services until `until` holds or `seconds` are over; whether it held.

        Raises Stopped.
        """
        limit = None if seconds is None else time.monotonic() + seconds
        while not until():
            if self._asked:
                raise Stopped
            if limit is not None and time.monotonic() > limit:
                return False
            self._turn(0.1)
        return True

    def say(self, text: str, name: str = "lacs") -> None:
        if name not in self._names:
            self._names.append(name)
        label = name.ljust(16)
        if self._colour:
            colour = 1 if name == "lacs" else _COLOURS[self._names.index(name) % len(_COLOURS)]
            label = f"\x1b[{colour}m{label}\x1b[0m"
        with contextlib.suppress(OSError):  # the terminal may be gone
            for line in text.splitlines():
                self._console.write(f"{label} {line}\n")
            self._console.flush()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked += 1

    def _turn(self, seconds: float) -> None:
        self._collect(seconds)
        now = time.monotonic()
        for one in self._running:
            if one.due is None and one.process.returncode is not None:
                self._mourn(one, now)
            elif one.due is not None and now >= one.due:
                one.process, one.group = self._spawn(one.service)
                one.since, one.due = now, None

    def _mourn(self, one: _Running, now: float) -> None:
        code = one.process.returncode
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"code {code}"
        one.pause = 0.5 if now - one.since > _STEADY else min(one.pause * 2, _LONGEST_PAUSE)
        one.due = now + one.pause
        self.say(f"{one.service.name} ended ({how}); starting it again in {one.pause:g} s")
        # What it had started itself goes with it, or two of a kind would run.
        service.stop([one.group], reap=self._collect)
        self._guardian.forget(one.group)

    def _spawn(self, what: Service) -> tuple[subprocess.Popen[bytes], Group]:
        process, group = self._guardian.spawn(what, subprocess.PIPE)
        if process.stdout is not None:
            self._listen(process, self._printer(what.name))
        return process, group

    def _listen(self, process: subprocess.Popen[bytes], take: Callable[[bytes], object]) -> None:
        stream = process.stdout
        assert stream is not None  # noqa: S101
        os.set_blocking(stream.fileno(), False)

        def read() -> None:
            try:
                block = os.read(stream.fileno(), 65536)
            except BlockingIOError:
                return
            if block:
                take(block)
            else:
                take(b"")  # the end
                self._selector.unregister(stream)
                stream.close()

        self._selector.register(stream, selectors.EVENT_READ, read)

    def _printer(self, name: str) -> Callable[[bytes], None]:
        rest = b""

        def take(block: bytes) -> None:
            nonlocal rest
            *lines, rest = (rest + (block or (b"\n" if rest else b""))).split(b"\n")
            for line in lines:
                self.say(line.decode(errors="replace") or " ", name)

        return take

    def _collect(self, seconds: float = 0) -> None:
        """Print what the processes have said, waiting for it up to `seconds`, and reap the dead."""
        for key, _ in self._selector.select(seconds):
            key.data()
        for one in self._running:
            one.process.poll()
