"""Stops the services of a supervisor that died without stopping them (SIGKILL, out of memory).

    python -m lacs_web.embedded.guardian [THROWAWAY_FOLDER] < lines

Reads `+ PGID STAGE SIGNAL GRACE ENDS_ITS_OWN` and `- PGID` from the supervisor's pipe. The pipe's
end is the supervisor's end, however it came; what is still listed then is stopped in order, and a
throwaway folder goes with it. The guardian inherits the lock of the data folder, which so stays
taken until everything has stopped.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

from lacs_web.embedded import service
from lacs_web.embedded.service import Group, Service


def main(lines: IO[str], throwaway: str | None = None) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: dict[int, Group] = {}
    for line in lines:
        sign, pgid, *rest = line.split()
        if sign == "+":
            stage, asks, grace, alone = rest
            groups[int(pgid)] = Group(
                int(pgid), int(stage), int(asks), float(grace), bool(int(alone))
            )
        else:
            groups.pop(int(pgid), None)
    service.stop(groups.values())
    if throwaway is not None:
        shutil.rmtree(throwaway, ignore_errors=True)


class Guardian:
    """The supervisor's end of the pipe."""

    def __init__(self, *, lock: int | None = None, throwaway: Path | None = None) -> None:
        folder = [] if throwaway is None else [str(throwaway)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lacs_web.embedded.guardian", *folder],
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=[lock] if lock is not None else [],
        )

    def spawn(
        self,
        what: Service,
        output: int | IO[bytes] | None = None,
        errors: int | None = subprocess.STDOUT,
    ) -> tuple[subprocess.Popen[bytes], Group]:
        """As `service.spawn`, under guard from its first moment."""
        process = service.spawn(what, output, errors, announce=self._watch)
        return process, service.group(what, process.pid)

    def _watch(self, group: Group) -> None:
        rest = f"{group.stage} {group.stop_signal:d} {group.grace} {group.ends_its_own:d}"
        self._tell(f"+ {group.pgid} {rest}")

    def forget(self, group: Group) -> None:
        """Its number may soon be another program's."""
        self._tell(f"- {group.pgid}")

    def close(self) -> None:
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None  # noqa: S101
        with contextlib.suppress(OSError):  # it was killed; the kernel's signal is left
            # Past Python's buffer: a process that was only just forked writes here too.
            os.write(self._process.stdin.fileno(), f"{line}\n".encode())


if __name__ == "__main__":
    main(sys.stdin, *sys.argv[1:])
