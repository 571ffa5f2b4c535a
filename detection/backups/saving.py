"""Saving: one snapshot of the tables, and of the bytes what the target does not hold yet."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from detection.backups import tables
from detection.cards import purging, vault
from detection.models import CardFile, Detector, Frame, Purge

FILES, SNAPSHOTS, MANIFEST, NAMES, TABLES = (
    "files", "snapshots", "manifest.json", "files.gz", "tables",
)  # fmt: skip


@dataclass(frozen=True)
class Saved:
    """What one backup came to; `lost`: names of bytes that were not there, or not as they came."""

    folder: Path
    rows: int
    files: int
    copied: int
    lost: list[str]


def save(target: Path) -> Saved:
    """Save everything to `target`; what an earlier backup brought there is not copied again.

    Rows are read in one transaction, and bytes are stored before rows speak of them: so the bytes
    that a snapshot names are there to be copied after it, but for what is purged meanwhile. A
    backup that was cut off leaves whole files, which the next one takes over, and no snapshot.
    Raises OSError.
    """
    snapshots = target / SNAPSHOTS
    snapshots.mkdir(parents=True, exist_ok=True)
    for half in snapshots.glob("*.part"):
        shutil.rmtree(half)
    made_at = timezone.now()
    folder = snapshots / f"{made_at:%Y%m%dT%H%M%S.%fZ}"
    half = folder.with_name(folder.name + ".part")
    last = max((each.parent for each in snapshots.glob(f"*/{MANIFEST}")), default=None)
    known = {name: sha256 for sha256, _, name in listed(last)} if last else {}
    _forget_what_was_purged(target / FILES, known)
    with transaction.atomic(durable=True):
        tables.begin_reading()
        snapshot = tables.dump(half / TABLES)
        names = sorted(set(_names()))
    lost, copied, files = [], 0, 0
    with gzip.open(half / NAMES, "wt", encoding="utf-8", compresslevel=4) as lines:
        for name, sha256 in names:
            try:
                found, size, fresh = _copy(target / FILES, name, sha256, known)
            except FileNotFoundError:
                # The rows were read before the bytes are copied: a purge may come in between.
                if not purging.took(PurePosixPath(name).stem):
                    lost.append(name)
                continue
            except vault.WrongHash:
                lost.append(name)
                continue
            lines.write(f"{found} {size} {name}\n")
            files, copied = files + 1, copied + fresh
    said = {
        "made_at": made_at.isoformat(),
        "software": settings.VERSION,
        "files": files,
        "lost": lost,
        **snapshot.to_dict(),
    }
    _write(half / MANIFEST, json.dumps(said, indent=1).encode())
    half.rename(folder)
    rows = sum(table.rows for table in snapshot.tables.values())
    return Saved(folder, rows, files, copied, lost)


def _names() -> Iterator[tuple[str, str]]:
    """(name in the storage, SHA-256 of its bytes or "") of all that rows speak of."""
    came = CardFile.objects.exclude(state=CardFile.State.AWAITED).exclude(sha256="")
    came = came.exclude(frame__purge__done_at__isnull=False).exclude(purge__done_at__isnull=False)
    for sha256 in came.order_by().values_list("sha256", flat=True).distinct().iterator():
        yield vault.original_name(sha256), sha256
    frames = Frame.objects.order_by().values_list("sha256", flat=True).distinct()
    for sha256 in frames.iterator():
        yield vault.preview_name(sha256), ""
    for detector in Detector.objects.here():
        yield detector.storage_name, detector.sha256


def _forget_what_was_purged(files: Path, known: dict[str, str]) -> None:
    """What was purged here goes from the target too: a backup is no way around it.

    Its preview was masked since; where a target has the old one, it is copied anew.
    """
    gone = Purge.objects.filter(done_at__isnull=False).select_related("frame", "file")
    for sha256 in (purge.sha256 for purge in gone.iterator()):
        if (files / vault.original_name(sha256)).exists() and not vault.holds(sha256):
            (files / vault.original_name(sha256)).unlink()
            (files / vault.preview_name(sha256)).unlink(missing_ok=True)
            known.pop(vault.preview_name(sha256), None)


def listed(snapshot: Path) -> Iterator[tuple[str, int, str]]:
    """(SHA-256, size in bytes, name) of each file that a snapshot speaks of."""
    with gzip.open(snapshot / NAMES, "rt", encoding="utf-8") as lines:
        for line in lines:
            sha256, size, name = line.rstrip("\n").split(" ", 2)
            yield sha256, int(size), name


def _copy(files: Path, name: str, expected: str, known: dict[str, str]) -> tuple[str, int, bool]:
    """(SHA-256, size, whether it was copied now). Files in the target are whole or absent."""
    place = files / name
    if place.exists():
        sha256 = expected or known.get(name) or vault.digest_of(place)
        return sha256, place.stat().st_size, False
    with default_storage.open(name) as source:
        sha256 = _write(place, vault.chunks_of(source), expected)  # type: ignore[arg-type]
    return sha256, place.stat().st_size, True


def _write(place: Path, data: bytes | Iterable[bytes], expected: str = "") -> str:
    """Write a file whole or not at all; returns its SHA-256. Raises vault.WrongHash."""
    place.parent.mkdir(parents=True, exist_ok=True)
    part, digest = place.with_name(place.name + ".part"), hashlib.sha256()
    try:
        with part.open("wb") as file:
            for chunk in [data] if isinstance(data, bytes) else data:
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if expected and digest.hexdigest() != expected:
            raise vault.WrongHash
        part.rename(place)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    return digest.hexdigest()
