"""A ZIP that leaves while it is being made, so that nothing of its size is ever held. Pure.

Or is made in runs of members, each kept by itself: one after the other they are the archive.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

Member = tuple[str, Iterable[bytes]]  # name, and its bytes in parts
Entry = list[Any]  # of the directory at the archive's end: name, method, CRC, sizes, place
_STORED = (".jpg", ".xlsx")  # compressed already
_AFTER = 0x08  # flag: the sizes of a member follow it
_MODE = 0o600  # as zipfile gives what it writes


class _Sink(io.RawIOBase):
    """Where the archive is written to; holds what nobody has taken yet."""

    def __init__(self, offset: int = 0) -> None:
        self._parts: list[bytes] = []
        self._at = offset

    def tell(self) -> int:
        return self._at

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        self._at += len(part)
        return len(part)

    def taken(self) -> Iterator[bytes]:
        parts, self._parts = self._parts, []
        if parts:
            yield b"".join(parts)


def stream(members: Iterable[Member], *, made: datetime) -> Iterator[bytes]:
    """The archive in parts. A member is asked for only once those before it are written."""
    return run(members, made=made, last=lambda: True)


def run(
    members: Iterable[Member],
    *,
    made: datetime,
    last: Callable[[], bool],
    offset: int = 0,
    entries: list[Entry] | None = None,
) -> Iterator[bytes]:
    """Some members, which begin `offset` bytes after the archive does, in parts.

    `entries`, of all members before, take up these. With the `last` run, asked once its members are
    written, comes the directory of all of them.
    """
    sink, entries = _Sink(offset), [] if entries is None else entries
    archive = zipfile.ZipFile(sink, "w")
    before = list(entries)
    for name, parts in members:
        info = zipfile.ZipInfo(name, date_time=made.timetuple()[:6])
        stored = name.endswith(_STORED)
        info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        with archive.open(info, "w", force_zip64=True) as member:
            for part in parts:
                member.write(part)
                yield from sink.taken()
        entries.append(
            [name, info.compress_type, info.CRC, info.compress_size, info.file_size,
             info.header_offset]
        )  # fmt: skip
    yield from sink.taken()
    ends = last()
    archive.filelist[:0] = [_info(entry, made) for entry in before]
    archive.close()
    if ends:
        yield from sink.taken()


def _info(entry: Entry, made: datetime) -> zipfile.ZipInfo:
    name, method, crc, packed, size, place = entry
    info = zipfile.ZipInfo(name, date_time=made.timetuple()[:6])
    info.compress_type, info.CRC, info.header_offset = method, crc, place
    info.compress_size, info.file_size = packed, size
    info.flag_bits, info.external_attr = _AFTER, _MODE << 16
    info.extract_version = info.create_version = zipfile.ZIP64_VERSION
    return info
