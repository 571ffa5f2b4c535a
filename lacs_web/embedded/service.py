"""One long-running process: how it is started, and how a set of them is stopped in order.

Does not watch, restart or print: that is the supervisor's.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from lacs_web.embedded import account as accounts


@dataclass(frozen=True)
class Service:
    """What to run. `stage` orders the stop: the highest first, equal ones together."""

    name: str
    argv: list[str]
    stage: int = 0
    environment: Mapping[str, str] = field(default_factory=dict)  # added to ours
    stop_signal: int = signal.SIGTERM
    grace: float = 4.0  # seconds between the polite signal and SIGKILL
    # Whether the polite signal is for its first process alone, which ends those that it started.
    ends_its_own: bool = False
    account: pwd.struct_passwd | None = None
    log: Path | None = None  # where its lines go instead of the console


@dataclass(frozen=True)
class Group:
    """The process group of one started service, enough for any process to stop it."""

    pgid: int
    stage: int
    stop_signal: int
    grace: float
    ends_its_own: bool = False


def spawn(
    service: Service,
    output: int | IO[bytes] | None = None,
    errors: int | None = subprocess.STDOUT,
    announce: Callable[[Group], None] = lambda group: None,
) -> subprocess.Popen[bytes]:
    """Start `service` in a process group of its own, signalled by the kernel if we die.

    `announce` is called in the new process before it becomes the service: whoever is told so
    misses none, not even when we are killed at this moment. Call it from the main thread: the
    kernel's signal comes when the *thread* that started it ends.
    """

    def prepare() -> None:
        announce(group(service, os.getpid()))
        if service.account is not None:
            accounts.become(service.account)
        # After the change of account, which clears it.
        accounts.end_with_parent(service.stop_signal)

    with contextlib.ExitStack() as stack:
        if service.log is not None:
            output = stack.enter_context(service.log.open("ab"))
        return subprocess.Popen(
            service.argv,
            env={**os.environ, **service.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            # An account that has been dropped to may not enter ours.
            cwd="/" if service.account is not None else None,
            start_new_session=True,
            preexec_fn=prepare,
        )


def group(service: Service, pid: int) -> Group:
    return Group(pid, service.stage, service.stop_signal, service.grace, service.ends_its_own)


def stop(
    groups: Iterable[Group],
    reap: Callable[[], object] = lambda: None,
    hurry: Callable[[], bool] = lambda: False,
) -> None:
    """Stop every group, stage by stage: signal, wait for its grace, then SIGKILL what is left.

    `reap` collects ended children of the caller, for a zombie still counts as alive here.
    """
    left = sorted(groups, key=lambda one: -one.stage)
    while left:
        now = [one for one in left if one.stage == left[0].stage]
        left = left[len(now) :]
        for one in now:
            _signal(one.pgid, one.stop_signal, os.kill if one.ends_its_own else os.killpg)
        _await(now, max(one.grace for one in now), reap, hurry)
        for one in now:
            _signal(one.pgid, signal.SIGKILL)
        _await(now, 1.0, reap, lambda: False)


def _await(
    groups: list[Group], seconds: float, reap: Callable[[], object], hurry: Callable[[], bool]
) -> None:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit and not hurry():
        reap()
        if not any(_signal(one.pgid, 0) for one in groups):
            return
        time.sleep(0.02)


def _signal(pgid: int, number: int, send: Callable[[int, int], None] = os.killpg) -> bool:
    """Whether the group was there to be signalled."""
    try:
        send(pgid, number)
    except (ProcessLookupError, PermissionError):  # macOS says EPERM of a group of zombies
        return False
    return True
