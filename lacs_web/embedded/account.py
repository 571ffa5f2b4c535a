"""The account that PostgreSQL runs under when we are root, for it refuses to run as root.

No account is made and no folder's mode is changed: an account that every system has is taken, and
where a parent folder is closed to it (a checkout under /root), the one capability to pass through
is handed on instead. Does nothing for an ordinary user.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys
from pathlib import Path

# linux/prctl.h, linux/securebits.h and linux/capability.h
_PR_SET_PDEATHSIG, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 1, 28, 47, 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2  # capabilities outlive setuid, and access() heeds them
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2
_CAPABILITY_VERSION_3 = 0x20080522
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def for_postgres(data: Path) -> pwd.struct_passwd | None:
    """The account to run under: None unless we are root; else the owner of `data`, or a common one.

    Raises KeyError on a system with neither `postgres` nor `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if (data / "PG_VERSION").exists() and (owner := data.stat().st_uid) != 0:
        return pwd.getpwuid(owner)
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def become(account: pwd.struct_passwd) -> None:
    """Turn this process, root and about to exec, into `account`, keeping the right to pass through.

    Where the kernel grants no capability the account's own rights must do.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    if _LIBC is not None:
        any(_keep(capability) for capability in (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE))


def _keep(capability: int) -> bool:
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    data = (ctypes.c_uint32 * 6)(*[1 << capability] * 3, 0, 0, 0)  # effective, permitted, inherited
    assert _LIBC is not None  # noqa: S101
    if _LIBC.capset(header, data) != 0:
        return False
    return bool(_LIBC.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)


def end_with_parent(signal_number: int) -> None:
    """Ask the kernel to signal this process when its parent dies; nothing where it cannot."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
