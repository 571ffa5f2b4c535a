"""Where picture bytes lie: under their SHA-256, whole or not at all.

Says nothing of what the bytes are; Postgres alone does.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
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


def put(chunks: Iterable[bytes], expected: str = "") -> tuple[str, int]:
    """Stream bytes to the storage; returns (SHA-256, size in bytes).

    They are flushed to disk before the move that makes them visible, so that a receipt never
    speaks of bytes that a power cut could still take. Raises TooLarge, WrongHash, OSError.
    """
    digest, size = hashlib.sha256(), 0
    incoming = Path(settings.MEDIA_ROOT) / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=incoming, delete=False) as temporary:
        try:
            for chunk in chunks:
                size += len(chunk)
                if size > settings.FILE_MAX_BYTES:
                    raise TooLarge
                digest.update(chunk)
                temporary.write(chunk)
            sha256 = digest.hexdigest()
            if expected and sha256 != expected:
                raise WrongHash
            temporary.flush()
            os.fsync(temporary.fileno())
            if not default_storage.exists(original_name(sha256)):
                default_storage.save(original_name(sha256), _Incoming(temporary, temporary.name))
        finally:
            Path(temporary.name).unlink(missing_ok=True)
    return sha256, size


def chunks_of(stream: BinaryIO, size: int = 1 << 20) -> Iterable[bytes]:
    while chunk := stream.read(size):
        yield chunk


def original(sha256: str) -> bytes:
    with default_storage.open(original_name(sha256)) as file:
        data: bytes = file.read()
        return data


def put_preview(sha256: str, jpeg: bytes) -> None:
    default_storage.save(preview_name(sha256), ContentFile(jpeg))
