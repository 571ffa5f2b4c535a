"""Bringing a snapshot back: bytes first, each held against its hash, then the rows at once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from django.apps import apps
from django.db import ProgrammingError

from detection.backups import saving, tables
from detection.cards import vault


class Occupied(Exception):
    """Something stands here already; `what` says what."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


@dataclass(frozen=True)
class Restored:
    """What one restore came to; `missing`: bytes that the backup does not hold, or not whole."""

    rows: int
    files: int
    missing: list[str]


def newest(source: Path) -> Path:
    """`source` itself if it is a snapshot, else the last whole one below it. Raises NotThis."""
    found = [place.parent for place in (source / saving.SNAPSHOTS).glob(f"*/{saving.MANIFEST}")]
    if (source / saving.MANIFEST).exists():
        return source
    if not found:
        raise tables.NotThis("there is no finished backup in it")
    return max(found)


def restore(snapshot: Path, *, replace: bool = False) -> Restored:
    """Make database and storage what they were at `snapshot`; may be repeated after a cut.

    Everything is held against its hash before it counts. Raises NotThis, and Occupied where a
    park, a person or a frame stands already, unless `replace`: then their rows are lost.
    """
    said = json.loads((snapshot / saving.MANIFEST).read_bytes())
    database = tables.Snapshot.from_dict(said)
    tables.check(database, snapshot / saving.TABLES)
    if not replace and (what := _standing()):
        raise Occupied(what)
    missing, files = list(said["lost"]), 0
    for sha256, _, name in saving.listed(snapshot):
        if _fetch(snapshot.parent.parent / saving.FILES / name, name, sha256):
            files += 1
        else:
            missing.append(name)
    tables.load(database, snapshot / saving.TABLES)
    return Restored(sum(table.rows for table in database.tables.values()), files, missing)


def _standing() -> str:
    """What a restore would wipe out, in words; "" for an installation that nobody has begun."""
    for label in ("lacs_web.Park", "lacs_web.User", "detection.Frame"):
        model = apps.get_model(label)
        try:
            count = model._default_manager.count()
        except ProgrammingError:  # no such table yet
            continue
        if count:
            return f"{count} {model._meta.verbose_name_plural}"
    return ""


def _fetch(place: Path, name: str, sha256: str) -> bool:
    """Bring one file; False where the backup has lost it: what lies here, if anything, stays."""
    if vault.lies_there(name, sha256):
        return True
    try:
        with place.open("rb") as stream:
            vault.put(vault.chunks_of(stream), sha256, name=name)
    except (FileNotFoundError, vault.WrongHash):
        return False
    return True
