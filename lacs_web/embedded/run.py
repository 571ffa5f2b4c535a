"""Run one command beside a private, throwaway PostgreSQL and Redis: what `make test` does.

    python -m lacs_web.embedded.run -- pytest

A DATABASE_URL or REDIS_URL that is already set is used instead of the private one. The exit code
is the command's.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lacs_web.embedded import private, service
from lacs_web.embedded.guardian import Guardian
from lacs_web.embedded.problem import Problem
from lacs_web.embedded.service import Group, Service


def main(command: list[str]) -> int:
    # Ctrl-C reaches the command too: it ends first, then its servers do.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="lacs-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)  # as root, PostgreSQL runs under another account
        with _servers(folder) as addresses:
            environment = {
                "SECRET_KEY": secrets.token_urlsafe(50),
                **os.environ,
                **addresses,
                "LACS_DATA": str(folder / "data"),
            }
            with subprocess.Popen(command, env=environment) as process:
                try:
                    return process.wait()
                except SystemExit:
                    process.terminate()
                    raise


@contextlib.contextmanager
def _servers(folder: Path) -> Iterator[dict[str, str]]:
    guardian = Guardian(throwaway=folder)
    started: list[tuple[Group, subprocess.Popen[bytes]]] = []

    def begin(what: Service) -> subprocess.Popen[bytes]:
        process, group = guardian.spawn(what)
        started.append((group, process))
        return process

    try:
        yield private.start(folder, os.environ, begin, throwaway=True)
    finally:
        service.stop(
            [group for group, _ in started], reap=lambda: [one.poll() for _, one in started]
        )
        for group, _ in started:
            guardian.forget(group)
        guardian.close()


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if not arguments:
        sys.exit("usage: python -m lacs_web.embedded.run -- COMMAND…")
    try:
        sys.exit(main(arguments))
    except Problem as problem:
        sys.exit(f"lacs: {problem}")
