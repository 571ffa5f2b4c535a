"""The private servers that stand in for a DATABASE_URL or REDIS_URL that is not set."""

from __future__ import annotations

import functools
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from lacs_web.embedded import postgres, redis
from lacs_web.embedded.problem import Problem
from lacs_web.embedded.service import Service

Start = Callable[[Service], subprocess.Popen[bytes]]


def start(
    data: Path, environment: Mapping[str, str], begin: Start, *, throwaway: bool = False
) -> dict[str, str]:
    """Start what `environment` does not name; returns both addresses once both answer.

    `begin` starts a service and has it watched. Raises Problem.
    """
    addresses = {name: environment.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    (data / "run").mkdir(parents=True, exist_ok=True)
    waiting = []
    if not addresses["DATABASE_URL"]:
        what, addresses["DATABASE_URL"] = postgres.service(data, throwaway=throwaway)
        waiting.append((what, begin(what), postgres.ready, addresses["DATABASE_URL"]))
    if not addresses["REDIS_URL"]:
        what, addresses["REDIS_URL"] = redis.service(data)
        waiting.append((what, begin(what), redis.ready, addresses["REDIS_URL"]))
    for what, process, ready, url in waiting:
        _await(what, process, functools.partial(ready, url))
    return addresses


def _await(what: Service, process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
    limit = time.monotonic() + 60  # recovery after a power cut takes its time
    while not ready():
        if process.poll() is not None or time.monotonic() > limit:
            said = what.log.read_text(errors="replace")[-2000:] if what.log else ""
            raise Problem(f"{what.name} did not start. It said:\n{said}")
        time.sleep(0.02)
