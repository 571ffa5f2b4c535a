"""A file of frames as a sequence of pieces, so that one that was cut off goes on where it stood.

A piece says what it holds once its bytes are taken; whoever keeps that, and gives it back, is given
the pieces that follow. All in one they are the file that streams. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dashboards.formats import archive
from dashboards.formats.archive import Entry, Member

Facts = dict[str, Any]  # what JSON can hold of a piece, for those that follow


@dataclass
class Piece:
    """Members of an archive, or plain `parts` of a file that is none.

    `facts`, `masks` (frame → tag of the rendition that is shown of it), `frames` (how many were
    worked off) and `last` are whole once the bytes are taken.
    """

    members: Iterable[Member] = ()
    parts: Iterable[bytes] = ()
    facts: Facts = field(default_factory=dict)
    masks: dict[int, str] = field(default_factory=dict)
    frames: int = 0
    last: bool = False


Pieces = Callable[[Sequence[Facts]], Iterator[Piece]]  # those after the ones with such facts


def written(piece: Piece, *, made: datetime, offset: int, entries: list[Entry]) -> Iterator[bytes]:
    """The bytes of a piece that begins `offset` bytes after its file does; `entries` as in
    archive.run.
    """
    if piece.parts:
        return iter(piece.parts)
    return archive.run(
        piece.members, made=made, last=lambda: piece.last, offset=offset, entries=entries
    )


def stream(pieces: Iterable[Piece], *, made: datetime) -> Iterator[bytes]:
    """The whole file."""
    offset, entries = 0, list[Entry]()
    for piece in pieces:
        for part in written(piece, made=made, offset=offset, entries=entries):
            offset += len(part)
            yield part
