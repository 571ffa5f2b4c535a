"""A ZIP that leaves while it is being made, so that nothing of its size is ever held. Pure."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime

Member = tuple[str, Iterable[bytes]]  # name, and its bytes in parts
_STORED = (".jpg", ".xlsx")  # compressed already


class _Sink(io.RawIOBase):
    """Where the archive is written to; holds what nobody has taken yet."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(data)  # type: ignore[call-overload]
        self._parts.append(part)
        return len(part)

    def taken(self) -> Iterator[bytes]:
        parts, self._parts = self._parts, []
        if parts:
            yield b"".join(parts)


def stream(members: Iterable[Member], *, made: datetime) -> Iterator[bytes]:
    """The archive in parts. A member is asked for only once those before it are written."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w") as archive:
        for name, parts in members:
            info = zipfile.ZipInfo(name, date_time=made.timetuple()[:6])
            stored = name.endswith(_STORED)
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as member:
                for part in parts:
                    member.write(part)
                    yield from sink.taken()
    yield from sink.taken()
