"""What must hold before anything is started, each failing with a sentence that says what to do."""

from __future__ import annotations

import errno
import shutil
import socket
import tempfile
from pathlib import Path

import psycopg
from django.core.exceptions import ImproperlyConfigured
from redis import Redis
from redis.exceptions import RedisError

from lacs_web import env
from lacs_web.embedded.problem import Problem


def data_folder(folder: Path) -> None:
    """`folder` exists, or can be made, and can be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise Problem(
            f"The data folder {folder} cannot be written to ({error.strerror}): change its rights, "
            "or name another: make up LACS_DATA=/path/to/folder"
        ) from None


def disk(folder: Path, megabytes: int) -> None:
    """At least `megabytes` (of 10⁶ bytes) are free where `folder` lies."""
    free = shutil.disk_usage(folder).free // 1_000_000
    if free < megabytes:
        raise Problem(
            f"Only {free} MB are free where {folder} lies, and {megabytes} MB are wanted: free "
            "some, name another data folder (make up LACS_DATA=…), or want less "
            "(make up LACS_MIN_FREE_MB=…)."
        )


def port(host: str, number: int) -> None:
    """`host`:`number` can be listened on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as trial:
            # As gunicorn does: connections of a server that has just stopped are no hindrance.
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((host, number))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Problem(
                f"Port {number} is taken by another program: stop it, or choose another port, "
                f"for example: make up PORT={number + 1 if number < 65535 else 8000}"
            ) from None
        if error.errno == errno.EACCES:
            raise Problem(
                f"Port {number} is kept for root: choose one above 1023, for example: "
                "make up PORT=8000"
            ) from None
        raise Problem(
            f"{host} is not an address of this machine ({error.strerror}): make up HOST=127.0.0.1"
        ) from None


def public_url(url: str) -> None:
    """PUBLIC_URL is an address that people can type."""
    try:
        env.origin(url)
    except ImproperlyConfigured as error:
        raise Problem(str(error)) from None


def named_postgres(url: str) -> None:
    """The server that DATABASE_URL names is a PostgreSQL, and answers."""
    try:
        env.database(url)
    except ImproperlyConfigured as error:
        raise Problem(f"{error} Unset DATABASE_URL to use a private one.") from None
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as error:
        raise Problem(
            f"DATABASE_URL names a PostgreSQL that does not answer: {str(error).strip()}\n"
            "Start it, correct the address, or unset DATABASE_URL to use a private one."
        ) from None


def named_redis(url: str) -> None:
    """The server that REDIS_URL names answers."""
    try:
        with Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as client:
            client.ping()
    except (RedisError, ValueError) as error:
        raise Problem(
            f"REDIS_URL names a Redis that does not answer: {error}\n"
            "Start it, correct the address, or unset REDIS_URL to use a private one."
        ) from None
