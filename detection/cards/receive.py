"""Taking in the files of a card: open a batch, store each file, close the batch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from django.db import transaction
from django.utils import timezone

from detection.cards import vault
from detection.models import Batch, CardFile, Deployment
from lacs_web.models import AuditEvent, User

State = CardFile.State


def open_batch(*, deployment: Deployment, source: str, user: User | None) -> Batch:
    """A new batch, ready to be told its files."""
    return Batch.objects.create(deployment=deployment, source=source[:255], uploaded_by=user)


def listing(folder: Path) -> dict[str, Path]:
    """Every file below `folder` by the path that the manifest gives it.

    Cards written by old cameras hold names that are no UTF-8; those bytes are spelt out.
    """
    return {
        os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "backslashreplace"): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def batch_of_folder(*, deployment: Deployment, source: str, files: dict[str, Path]) -> Batch:
    """The open batch that an interrupted import of the same files left, else a new one.

    Cameras give every card the same names, so bytes are compared: another card that happens to
    be called the same must never be taken for files that are already here.
    """
    for batch in Batch.objects.filter(
        deployment=deployment, source=source[:255], closed_at__isnull=True, uploaded_by=None
    ):
        here = batch.files.exclude(state=State.AWAITED).values_list("path", "sha256")
        if all(path in files and _sha256(files[path]) == known for path, known in here):
            return batch
    return open_batch(deployment=deployment, source=source, user=None)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def announce(*, batch: Batch, files: Iterable[tuple[str, int]]) -> None:
    """Add (path, size in bytes) to the manifest; a path that it already names is left alone."""
    CardFile.objects.bulk_create(
        (CardFile(batch=batch, path=path, size=size) for path, size in files),
        ignore_conflicts=True,
        batch_size=1000,
    )


def store(*, file: CardFile, chunks: Iterable[bytes], expected: str = "") -> None:
    """Store the bytes of one announced file. Raises what vault.put raises, and OSError."""
    sha256, size = vault.put(chunks, expected)
    CardFile.objects.filter(pk=file.pk, state=State.AWAITED).update(
        sha256=sha256, size=size, state=State.STORED
    )


def store_from_disk(*, batch: Batch, files: dict[str, Path]) -> list[tuple[str, str]]:
    """Store every awaited file of `files`; returns (path, problem) of those that failed."""
    failed = []
    for file in batch.files.filter(state=State.AWAITED):
        try:
            with files[file.path].open("rb") as stream:
                store(file=file, chunks=vault.chunks_of(stream))
        except KeyError:
            failed.append((file.path, "no longer in the folder"))
        except vault.TooLarge:
            failed.append((file.path, "larger than LACS_FILE_MAX_MB"))
        except OSError as problem:
            failed.append((file.path, problem.strerror or str(problem)))
    return failed


@transaction.atomic
def close_batch(*, batch: Batch, user: User | None) -> None:
    """The manifest is complete. Closing twice is harmless."""
    if Batch.objects.filter(pk=batch.pk, closed_at__isnull=True).update(closed_at=timezone.now()):
        AuditEvent.objects.create(
            user=user,
            lake=batch.deployment.lake,
            action="batch closed",
            detail={"batch": batch.pk, "files": batch.files.count()},
        )
    batch.refresh_from_db()
