"""A whole installation in a folder of its own, whose parts can be killed and started again.

For trying faults on (`manage.py bench reliability`). Listens on 127.0.0.1 alone, and ends nothing
but what it started.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from lacs_web.embedded import postgres, redis, service, up
from lacs_web.embedded.problem import Problem
from lacs_web.embedded.service import Service

PATIENCE = 60.0  # seconds for a part to answer


class Trial:
    """PostgreSQL, Redis, web server, both workers and beat. A context manager, in the main thread.

    `environment` is added to what they read.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        folder.chmod(0o755)  # as root, PostgreSQL runs under another account
        (folder / "run").mkdir()
        self.folder = folder
        self.environment = {
            "SECRET_KEY": secrets.token_urlsafe(50),
            "PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            "LACS_DATA": str(folder),
            "LOG_LEVEL": "ERROR",
            **environment,
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        try:
            for name in ("postgres", "redis"):
                self.start(name)
            self.manage("migrate", "--verbosity", "0")
            self.manage("collectstatic", "--noinput", "--verbosity", "0")
            for name in ("web", "worker-ingest", "worker-inference", "beat"):
                self.start(name)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for name in ("beat", "web", "worker-ingest", "worker-inference", "redis", "postgres"):
            self.stop(name)

    def start(self, name: str, **environment: str) -> None:
        """Start a part and wait until it answers. Raises Problem."""
        what, ready = self._part(name)
        environment = self.environment | dict(what.environment) | environment
        log = self.folder / "run" / f"{name}.log"
        self._running[name] = service.spawn(
            replace(what, environment=environment, log=what.log or log)
        )
        limit = time.monotonic() + PATIENCE
        while not ready():
            if time.monotonic() > limit or self._running[name].poll() is not None:
                raise Problem(f"{name} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.05)

    def _part(self, name: str) -> tuple[Service, Callable[[], bool]]:
        if name == "postgres":
            what, url = postgres.service(self.folder)
            self.environment["DATABASE_URL"] = url
            return what, lambda: postgres.ready(url)
        if name == "redis":
            what, url = redis.service(self.folder)
            self.environment["REDIS_URL"] = url
            return what, lambda: redis.ready(url)
        settings = up.Settings(
            "127.0.0.1", self.port, self.folder, 0, self.environment["PUBLIC_URL"]
        )
        found = next(one for one in up.services(settings) if one.name == name)
        return found, lambda: name != "web" or up.healthy(settings)

    def stop(self, name: str) -> None:
        """Politely, as a system does that is shut down."""
        process = self._running.pop(name, None)
        if process is not None:
            group = service.Group(process.pid, 0, signal.SIGTERM, 8.0, name.startswith("worker"))
            service.stop([group], reap=process.poll)

    def has_ended(self, name: str) -> bool:
        return self._running[name].poll() is not None

    def kill(self, name: str) -> None:
        """SIGKILL to the part and to all that it started."""
        process = self._running.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_child(self, name: str) -> None:
        """SIGKILL to one process that the part started; the part itself lives on."""
        pid = self._running[name].pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for child in children[-1:]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)

    def begin(self, *arguments: str) -> subprocess.Popen[bytes]:
        """A command of manage.py, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "manage.py", *arguments],
            cwd=up.ROOT,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py to its end; returns what it said. Raises Problem."""
        process = self.begin(*arguments)
        said, _ = process.communicate(timeout=300)
        if process.returncode:
            raise Problem(f"{' '.join(arguments)}: {said.decode(errors='replace')[-2000:]}")
        return said.decode()
