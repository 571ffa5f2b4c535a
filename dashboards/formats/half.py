"""A file of frames that is written to this machine's disk, and goes on where it was cut off.

Beside `.NAME.part` lies `.NAME.part.json`, which says what its whole pieces hold; bytes after them
are dropped.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from dashboards.formats import pieces
from dashboards.formats.pieces import Facts, Piece

Of = Callable[[datetime, list[Facts]], Iterator[Piece]]
Still = Callable[[Mapping[int, str]], bool]  # whether these masks are still those of now


class Busy(Exception):
    """Somebody else is writing this file."""


class Changed(Exception):
    """While it was written, what people may see of its pictures changed: nothing of it is kept."""


def write(
    target: Path, of: Of, *, what: list[str], now: datetime, still: Still
) -> Iterator[tuple[int, int]]:
    """Write `target`, whole or not at all; after each piece (frames, bytes) so far.

    A half-made one is gone on with if it is of the same `what` and shows people as they may be
    shown now, which is looked at again before the whole is there. Raises Busy, Changed.
    """
    part = target.with_name(f".{target.name}.part")
    journal = part.with_name(f"{part.name}.json")
    with _alone(part) as file:
        yield from _write(part, journal, file, of, what, now, still)
        journal.unlink()
        part.replace(target)


def _write(
    part: Path,
    journal: Path,
    file: IO[bytes],
    of: Of,
    what: list[str],
    now: datetime,
    still: Still,
) -> Iterator[tuple[int, int]]:
    known = _known(part, journal, what)
    if known is None or not still(dict(_masks(known))):
        known = {"what": what, "made": now.isoformat(), "pieces": []}
    done, made = known["pieces"], datetime.fromisoformat(known["made"])
    size, frames = (sum(each[name] for each in done) for name in ("size", "frames"))
    entries = [entry for each in done for entry in each["entries"]]
    file.truncate(size)
    file.seek(size)
    for piece in of(made, [each["facts"] for each in done]):
        before, begun = len(entries), size
        for bytes_ in pieces.written(piece, made=made, offset=size, entries=entries):
            size += file.write(bytes_)
        file.flush()
        os.fsync(file.fileno())
        frames += piece.frames
        done.append(
            {"size": size - begun, "frames": piece.frames, "facts": piece.facts,
             "entries": entries[before:], "masks": sorted(piece.masks.items())}
        )  # fmt: skip
        half = journal.with_name(f"{journal.name}.new")
        half.write_text(json.dumps(known))
        half.replace(journal)
        yield frames, size
    if not still(dict(_masks(known))):
        part.unlink()
        journal.unlink(missing_ok=True)
        raise Changed


@contextlib.contextmanager
def _alone(part: Path) -> Iterator[IO[bytes]]:
    """`part`, made where it is not there, held against others. Raises Busy."""
    with os.fdopen(os.open(part, os.O_RDWR | os.O_CREAT, 0o666), "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        if not part.exists() or part.stat().st_ino != os.fstat(file.fileno()).st_ino:
            raise Busy  # it was finished in between
        yield file


def _known(part: Path, journal: Path, what: list[str]) -> dict[str, Any] | None:
    try:
        known: dict[str, Any] = json.loads(journal.read_text())
        size = part.stat().st_size
    except (OSError, ValueError):
        return None
    whole = size >= sum(each["size"] for each in known["pieces"])
    return known if whole and known["what"] == what else None


def _masks(known: dict[str, Any]) -> Iterator[tuple[int, str]]:
    for each in known["pieces"]:
        yield from each["masks"]
