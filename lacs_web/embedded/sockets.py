"""Folders for UNIX sockets: private, and short enough for the kernel."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import tempfile
from pathlib import Path

from lacs_web.embedded.problem import Problem

_LONGEST_NAME = ".s.PGSQL.5432"
# Addresses are written into URLs and into lists separated by commas, by parties that quote
# differently: only plain paths are used.
_PLAIN = re.compile(r"[A-Za-z0-9/._-]+")


def socket_folder(wanted: Path) -> Path:
    """`wanted`, made with mode 0700, or a short private folder where a socket cannot lie there.

    A socket's path may hold 107 bytes (Linux; 103 on macOS), and some mounted folders take none.
    """
    if _fits(wanted):
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:12]
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    for parent in (base, Path("/tmp")):  # noqa: S108 - owner and mode are checked
        short = parent / f"lacs-{os.geteuid()}-{digest}"
        if _fits(short):
            return short
    raise Problem(
        f"No folder can hold a UNIX socket: neither {wanted} nor {base}. "
        "Set TMPDIR to a short path on a local disk."
    )


def _fits(folder: Path) -> bool:
    if not _PLAIN.fullmatch(str(folder)):
        return False
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        # Root may have given it to PostgreSQL's account; anybody else's folder is a trap.
        if folder.is_symlink() or (os.geteuid() != 0 and status.st_uid != os.geteuid()):
            return False
        folder.chmod(0o700)
        probe = folder / _LONGEST_NAME.replace("s", "t")
        with contextlib.closing(socket.socket(socket.AF_UNIX)) as trial:
            trial.bind(str(probe))
        probe.unlink()
    except OSError:
        return False
    return True
