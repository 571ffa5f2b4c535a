"""One `make up` at a time for each data folder, and the secret that belongs to the folder."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from lacs_web.embedded.problem import Problem


@contextlib.contextmanager
def only_one(data: Path, *, patience: float = 90) -> Iterator[int]:
    """Hold the lock of `data`; yields its descriptor, for the guardian to hold it too.

    The kernel drops it with the last process that holds it, so none is ever stale. Where the
    holder named in it is dead, its guardian is still stopping its services: wait for that up to
    `patience` seconds. Raises Problem.
    """
    path = data / "run/up.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    limit = time.monotonic() + patience
    with path.open("a+") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip() or "?"
                if _alive(holder) or time.monotonic() > limit:
                    raise Problem(
                        f"LACS is already running from {data} (process {holder}): stop it with "
                        f"Ctrl-C where it runs or with `kill {holder}`, or start another one "
                        "beside it: make up PORT=8001 LACS_DATA=/path/to/another/folder"
                    ) from None
                time.sleep(0.1)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield file.fileno()


def _alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ProcessLookupError, ValueError):
        return False
    return True


def secret_key(data: Path) -> str:
    """The SECRET_KEY of `data`, made on the first call and readable by its owner alone."""
    path = data / "secret_key"
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
    if key := path.read_text().strip():
        return key
    path.unlink()  # cut short by a full disk or a power cut
    return secret_key(data)
