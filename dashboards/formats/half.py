"""A file of frames that is written to this machine's disk, and goes on where it was cut off.

Beside `.NAME.part` lies `.NAME.part.json`, which says what its whole pieces hold; bytes after them
are dropped.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dashboards.formats import pieces
from dashboards.formats.pieces import Facts, Piece

Of = Callable[[datetime, list[Facts]], Iterator[Piece]]
Still = Callable[[Mapping[int, str]], bool]  # whether these masks are still those of now


def write(
    target: Path, of: Of, *, what: list[str], now: datetime, still: Still
) -> Iterator[tuple[int, int]]:
    """Write `target`, whole or not at all; after each piece (frames, bytes) so far.

    A half-made one is gone on with if it is of the same `what` and shows people as they may be
    shown now.
    """
    part = target.with_name(f".{target.name}.part")
    journal = part.with_name(f"{part.name}.json")
    known = _known(part, journal, what)
    if known is None or not still(dict(_masks(known))):
        known = {"what": what, "made": now.isoformat(), "pieces": []}
        part.write_bytes(b"")
    done, made = known["pieces"], datetime.fromisoformat(known["made"])
    size, frames = (sum(each[name] for each in done) for name in ("size", "frames"))
    entries = [entry for each in done for entry in each["entries"]]
    with part.open("r+b") as file:
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
    part.replace(target)
    journal.unlink()


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
