"""Where picture bytes lie: under their SHA-256, whole or not at all.

Says nothing of what the bytes are; Postgres alone does.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage


class TooLarge(ValueError):
    """More bytes came than one file may have (FILE_MAX_BYTES)."""


class WrongHash(ValueError):
    """The bytes that came are not those that were announced."""


class _Incoming(File):  # type: ignore[type-arg]
    """A temporary file that the storage may move into place instead of copying it."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def original_name(sha256: str) -> str:
    return f"originals/{sha256[:2]}/{sha256}.jpg"


def preview_name(sha256: str) -> str:
    return f"previews/{sha256[:2]}/{sha256}.jpg"


def put(chunks: Iterable[bytes], expected: str = "", *, name: str = "") -> tuple[str, int]:
    """Stream bytes to the storage; returns (SHA-256, size in bytes).

    `name` is where they are to lie if they are no original; then any size is taken. Other bytes
    that lie there are replaced at once, never removed before. They are flushed to disk before the
    move that makes them visible, so that a receipt never speaks of bytes that a power cut could
    still take. Raises TooLarge, WrongHash, OSError; ENOSPC while there is still room for the
    database, which may share the disk.
    """
    digest, size = hashlib.sha256(), 0
    incoming = Path(settings.MEDIA_ROOT) / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(incoming).free < settings.DISK_RESERVE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as temporary:
        try:
            for chunk in chunks:
                size += len(chunk)
                if size > settings.FILE_MAX_BYTES and not name:
                    raise TooLarge
                digest.update(chunk)
                temporary.write(chunk)
            sha256 = digest.hexdigest()
            if expected and sha256 != expected:
                raise WrongHash
            temporary.flush()
            os.fsync(temporary.fileno())
            place = name or original_name(sha256)
            if not lies_there(place, sha256):
                default_storage.save(place, _Incoming(temporary, temporary.name))
                _flush_folder(place)
        finally:
            Path(temporary.name).unlink(missing_ok=True)
    return sha256, size


def _flush_folder(name: str) -> None:
    """Flush the entry of `name` in its folder too; other storages than folders see to it."""
    with contextlib.suppress(NotImplementedError):
        folder = os.open(Path(default_storage.path(name)).parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def at_hand(name: str) -> Path:
    """A file of the storage on this machine's disk: itself, or a copy that is kept there.

    For names that stand for their content, such as a detector's.
    """
    with contextlib.suppress(NotImplementedError):
        return Path(default_storage.path(name))
    copy = Path(settings.MEDIA_ROOT) / "copies" / name
    if not copy.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        with (
            default_storage.open(name) as file,
            tempfile.NamedTemporaryFile(dir=copy.parent, delete=False) as part,
        ):
            shutil.copyfileobj(file, part)
        Path(part.name).rename(copy)
    return copy


def is_as_named(name: str, sha256: str) -> bool:
    """Whether a file of the storage has this SHA-256; read again only when it was written since.

    Raises OSError where it cannot be read.
    """
    return _digest(name, str(default_storage.get_modified_time(name))) == sha256


@functools.lru_cache(maxsize=8)
def _digest(name: str, _written: str) -> str:
    return digest_of(name)


def digest_of(place: Path | str) -> str:
    """SHA-256 of a file on this machine's disk, or of the storage by its name. Raises OSError."""
    with default_storage.open(place) if isinstance(place, str) else place.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lies_there(name: str, sha256: str) -> bool:
    """Whether the storage has bytes of this SHA-256 under `name`, and can give them back."""
    try:
        return digest_of(name) == sha256
    except OSError:
        return False


def holds(sha256: str) -> bool:
    return default_storage.exists(original_name(sha256))


def size(sha256: str) -> int | None:
    """Bytes of an original; None where there is none. Asks the storage once."""
    try:
        return int(default_storage.size(original_name(sha256)))
    except FileNotFoundError:
        return None


def discard(sha256: str) -> None:
    """Forget an original: one that is no longer what its name says, or that was purged."""
    default_storage.delete(original_name(sha256))


def tidy(older_than_seconds: float = 24 * 3600) -> None:
    """Remove what uploads that were killed left half written."""
    for path in (Path(settings.MEDIA_ROOT) / "incoming").glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - older_than_seconds:
                path.unlink()


def is_whole(sha256: str) -> bool:
    """Whether the bytes of an original lie there as they came, and can be read."""
    return lies_there(original_name(sha256), sha256)


def chunks_of(stream: BinaryIO, size: int = 1 << 20) -> Iterable[bytes]:
    while chunk := stream.read(size):
        yield chunk


def original(sha256: str) -> bytes:
    with default_storage.open(original_name(sha256)) as file:
        data: bytes = file.read()
        return data


def preview(sha256: str) -> bytes:
    with default_storage.open(preview_name(sha256)) as file:
        data: bytes = file.read()
        return data


def discard_preview(sha256: str) -> None:
    default_storage.delete(preview_name(sha256))


def put_preview(sha256: str, jpeg: bytes) -> None:
    default_storage.save(preview_name(sha256), ContentFile(jpeg))
