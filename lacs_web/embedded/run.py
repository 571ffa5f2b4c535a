"""Run one command beside a private, throwaway PostgreSQL and Redis: what `make test` does.

    python -m lacs_web.embedded.run -- pytest

A DATABASE_URL or REDIS_URL that is already set is used instead of the private one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from lacs_web.embedded.services import ServiceMissing, postgres, redis


def main(command: list[str]) -> int:
    environment = dict(os.environ)
    # SIGTERM must unwind the servers as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lacs-")))
        # As root, PostgreSQL runs under an account of its own that must reach its folder.
        folder.chmod(0o755)
        if not environment.get("DATABASE_URL"):
            environment["DATABASE_URL"] = stack.enter_context(postgres(folder / "postgres"))
        if not environment.get("REDIS_URL"):
            environment["REDIS_URL"] = stack.enter_context(redis(folder / "redis"))
        environment.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
        environment["LACS_DATA"] = str(folder / "data")
        return subprocess.call(command, env=environment)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if not arguments:
        sys.exit("usage: python -m lacs_web.embedded.run -- COMMAND…")
    try:
        sys.exit(main(arguments))
    except ServiceMissing as problem:
        sys.exit(f"lacs: {problem}")
