"""The bucket as a storage whose faults are OSError, as a disk's are.

So whoever retries, waits or says what is wrong does so for a bucket too. Needs the extra [s3].
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage


@contextmanager
def _as_a_disk() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as problem:
        raise OSError(str(problem)) from problem


class Bucket(S3Storage):  # type: ignore[misc]  # has no types
    def _open(self, name: str, mode: str = "rb") -> Any:
        """Whole at once: what is cut off is noticed here and not in the middle."""
        with _as_a_disk():
            file = super()._open(name, mode)
            if "r" in mode:
                file.file  # noqa: B018 - fetches it
            return file

    def _save(self, name: str, content: Any) -> Any:
        with _as_a_disk():
            return super()._save(name, content)

    def exists(self, name: str) -> bool:
        with _as_a_disk():
            return bool(super().exists(name))

    def listdir(self, name: str) -> tuple[list[str], list[str]]:
        with _as_a_disk():
            folders, files = super().listdir(name)
            return folders, files

    def delete(self, name: str) -> None:
        with _as_a_disk():
            super().delete(name)

    def size(self, name: str) -> int:
        with _as_a_disk():
            return int(super().size(name))
