"""Files and archives that somebody chose, hostile ones too: their members and tables. Pure.

Nothing is ever written by a name that an archive gives, and no more of it is unpacked than limits
allow, whatever its headers say.
"""

from __future__ import annotations

import csv
import io
import json
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NoReturn

from annotation.elsewhere.said import short
from detection.megadetector import Refused, parts

MOST_TEXT = 64 << 20  # bytes of one text, unpacked
MOST_IN_ALL = 256 << 20  # of all that is read of an archive
MOST_LISTED = 64 << 20  # bytes of an archive's list of names
MOST_ENTRIES = 600_000
MOST_ROWS = 1_000_000
RATIO, FROM = 200, 4 << 20  # bytes unpacked for one packed, of what is larger than FROM
_PART = 1 << 20
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError,
           ValueError, struct.error)  # fmt: skip


class Source:
    """One text, or an archive of several: `names`, in their order. Close it after use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._archive: zipfile.ZipFile | None = None
        self._unpacked = 0
        with path.open("rb") as file:
            packed = file.read(4) == b"PK\x03\x04"
        self.names: list[str] = []
        if not packed:
            return
        if _listed(path) > MOST_LISTED:
            raise Refused("entries", most=MOST_ENTRIES)
        try:
            self._archive = zipfile.ZipFile(path)
        except _BROKEN:
            raise Refused("zip") from None
        infos = self._archive.infolist()
        if len(infos) > MOST_ENTRIES:
            raise Refused("entries", most=MOST_ENTRIES)
        seen: set[str] = set()
        for info in infos:
            if info.is_dir() or not parts(info.filename) or info.filename.startswith("__MACOSX/"):
                continue
            if info.filename in seen:
                raise Refused("doubled", found=short(info.filename))
            seen.add(info.filename)
            self.names.append(info.filename)

    def __enter__(self) -> Source:
        return self

    def __exit__(self, *_: object) -> None:
        if self._archive is not None:
            self._archive.close()

    @property
    def packed(self) -> bool:
        return self._archive is not None

    def whole(self) -> bytes:
        """The file itself, where it is no archive."""
        if self._path.stat().st_size > MOST_TEXT:
            raise Refused("text_large", where=short(self._path.name), most=MOST_TEXT)
        return self._path.read_bytes()

    def read(self, name: str) -> bytes:
        """A member, unpacked as far as limits allow."""
        assert self._archive is not None  # noqa: S101
        parts, size = [], 0
        try:
            info = self._archive.getinfo(name)
            with self._archive.open(info) as member:
                while part := member.read(_PART):
                    size += len(part)
                    if size > MOST_TEXT or self._unpacked + size > MOST_IN_ALL:
                        raise Refused("text_large", where=short(name), most=MOST_TEXT)
                    if size > FROM and size > RATIO * max(info.compress_size, 1):
                        raise Refused("bomb", where=short(name))
                    parts.append(part)
        except _BROKEN:
            raise Refused("member", where=short(name)) from None
        self._unpacked += size
        return b"".join(parts)


def _listed(path: Path) -> int:
    """Bytes of the list at the end of an archive, before anything of it is held."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 65_600))
        end = file.read()
        at = end.rfind(b"PK\x05\x06")
        if at < 0 or len(end) < at + 22:
            raise Refused("zip")
        (listed,) = struct.unpack_from("<L", end, at + 12)
        if listed == 0xFFFFFFFF and end[at - 20 : at - 16] == b"PK\x06\x07":
            (where,) = struct.unpack_from("<Q", end, at - 12)
            if where + 56 > size:
                raise Refused("zip")
            file.seek(where)
            (listed,) = struct.unpack_from("<Q", file.read(56), 40)
    return int(listed)


def text(data: bytes, where: str) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, or what Windows writes in Western Europe."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            found = data.decode("utf-16")
        except UnicodeDecodeError:
            raise Refused("binary", where=where) from None
    else:
        try:
            found = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            found = data.decode("cp1252", "replace")
    if "\0" in found:
        raise Refused("binary", where=where)
    return found


class Table:
    """Rows of a CSV with their line numbers; columns are found whatever their letters' case."""

    def __init__(self, data: bytes, where: str) -> None:
        self._text, self.where = text(data, where), where
        head = self._text.lstrip("\r\n").split("\n", 1)[0]
        self._delimiter = max(",;\t", key=head.count)
        rows = self._rows()
        first = next(rows, None)
        if first is None:
            raise Refused("csv_empty", where=where)
        self.columns = [cell.strip() for cell in first[1]]
        self._at = {name.casefold(): n for n, name in enumerate(self.columns) if name}
        named = [name for name in self.columns if name]
        if len(self._at) < len(named):
            times = Counter(name.casefold() for name in named)
            twice = next(name for name in named if times[name.casefold()] > 1)
            raise Refused("columns_twice", where=where, found=short(twice))

    def has(self, name: str) -> bool:
        return name.casefold() in self._at

    def need(self, *names: str) -> None:
        for name in names:
            if not self.has(name):
                listed = ", ".join(map(short, self.columns[:40]))
                raise Refused("column", where=self.where, expected=name, found=listed)

    def rows(self) -> Iterator[Row]:
        rows = self._rows()
        next(rows)
        for number, (line, cells) in enumerate(rows):
            if number == MOST_ROWS:
                raise Refused("rows", where=self.where, most=MOST_ROWS)
            if len(cells) != len(self.columns):
                raise Refused(
                    "cells", where=_line(self.where, line), expected=len(self.columns),
                    found=len(cells),
                )  # fmt: skip
            yield Row(self._at, cells, _line(self.where, line))

    def _rows(self) -> Iterator[tuple[int, Sequence[str]]]:
        """Line number and cells; empty lines are passed over."""
        reader = csv.reader(io.StringIO(self._text, newline=""), delimiter=self._delimiter)
        while True:
            try:
                cells = next(reader, None)
            except csv.Error:
                raise Refused("csv", where=_line(self.where, reader.line_num)) from None
            if cells is None:
                return
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells


class Row:
    def __init__(self, at: dict[str, int], cells: Sequence[str], where: str) -> None:
        self._at, self._cells, self.where = at, cells, where

    def get(self, name: str) -> str:
        """The cell of a column; "" where there is no such column."""
        at = self._at.get(name.casefold())
        return "" if at is None else self._cells[at].strip()

    def cell(self, name: str) -> str:
        """Where a cell stands, for messages."""
        return f"{self.where}, {name}"


def _line(where: str, line: int) -> str:
    return f"{where}:{line}"


def document(data: bytes, where: str) -> dict[str, Any]:
    """A JSON object."""
    try:
        found = json.loads(text(data, where), parse_constant=_constant)
    except RecursionError:
        raise Refused("deep", where=where) from None
    except ValueError as error:
        at = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise Refused("json_text", where=_line(where, at)) from None
    if not isinstance(found, dict):
        raise Refused("json_object", where=where)
    return found


def _constant(name: str) -> NoReturn:
    raise Refused("constant", found=name)


def number(value: object) -> float | None:
    """A JSON value as a finite number of reasonable size, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if -1e9 <= value <= 1e9 else None


def spelt(value: object) -> str:
    return short(json.dumps(value, default=str)[:200])
