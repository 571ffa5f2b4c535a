"""What pedestrian counters write: Eco-Visio's CSV, and our own `compteur;date;donnees`. Pure.

A column, or a name, is a counter or one direction of it: they are never added. Quarters become
whole hours; an hour of which a part is missing is left out, for it would be too low.
"""

from __future__ import annotations

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from annotation.elsewhere.files import MOST_ROWS, text
from annotation.elsewhere.said import LEFT_OUT, decimal, short
from detection.megadetector import Refused

MOST_COUNTERS, NAME = 50, 100
MOST = 100_000  # passages in one row
_MOST_CELL = 10_000  # characters; a bound of the csv module is whatever others set it to
_LOOK = 30  # rows among which the first one with a time is sought
_FORMS = tuple(
    f"{day} {clock}"
    for day in ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y/%m/%d", "%d/%m/%y")
    for clock in ("%H:%M", "%H:%M:%S")
)
_LONG = ("compteur", "date", "donnees")
Key = tuple[str, datetime]  # counter, instant at which the hour begins


@dataclass
class Passages:
    """`hours`: passages; `passed`: why hours of the file are left out → how many."""

    hours: dict[Key, float] = field(default_factory=dict)
    passed: Counter[str] = field(default_factory=Counter)
    minutes: int = 60  # from row to row

    @property
    def counters(self) -> list[str]:
        return sorted({name for name, _at in self.hours})


@dataclass(frozen=True)
class _Row:
    counter: str
    told: datetime  # with an offset only where the file has one
    value: float | None
    where: str


def read(
    data: bytes, zone: ZoneInfo, *, winter: bool = False, names: Mapping[str, str] | None = None
) -> Passages:
    """`winter`: the counter's clock stays on winter time all year. `names`: column or counter, in
    small letters → its name here, or LEFT_OUT. Raises Refused.
    """
    rows = list(_rows(data, names or {}))
    if not rows:
        raise Refused("no_passages")
    found = Passages(minutes=_step(rows))
    parts: dict[Key, list[float | None]] = defaultdict(list)
    for row, at in _instants(rows, zone, winter, found):
        parts[row.counter, at.replace(minute=0, second=0, microsecond=0)].append(row.value)
    for key, values in parts.items():
        known = [value for value in values if value is not None]
        if not known:
            found.passed["empty hours"] += 1
        elif len(known) < 60 // found.minutes:
            found.passed["parts"] += 1
        else:
            found.hours[key] = round(sum(known), 6)
    return found


def _rows(data: bytes, names: Mapping[str, str]) -> Iterator[_Row]:
    cells = list(_cells(text(data, "CSV")))
    for n, (_line, row) in enumerate(cells[:_LOOK]):
        heads = [_plain(cell) for cell in row]
        if set(_LONG) <= set(heads):
            yield from _long(cells[n + 1 :], heads, names)
            return
        if n and _moment(row) is not None:
            yield from _wide(cells[n:], cells[n - 1][1], names)
            return
    raise Refused("no_moments", found=short(" | ".join(cells[0][1])) if cells else "")


def _cells(content: str) -> Iterator[tuple[int, list[str]]]:
    head = content.splitlines()[:_LOOK]
    # A decimal comma is no separator where there is another.
    delimiter = next((each for each in ";\t" if any(each in line for line in head)), ",")
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
    number = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error:
            raise Refused("csv", where=f"CSV:{reader.line_num}") from None
        if row is None:
            return
        if max(map(len, row), default=0) > _MOST_CELL:  # a quote that was never closed
            raise Refused("csv", where=f"CSV:{reader.line_num}")
        number += 1
        if number > MOST_ROWS:
            raise Refused("rows", where="CSV", most=MOST_ROWS)
        if any(cell.strip() for cell in row):
            yield reader.line_num, [cell.strip() for cell in row]


def _plain(word: str) -> str:
    return word.casefold().replace("é", "e").strip()


def _long(
    cells: Sequence[tuple[int, list[str]]], heads: Sequence[str], names: Mapping[str, str]
) -> Iterator[_Row]:
    at = [heads.index(each) for each in _LONG]
    for line, row in cells:
        where = f"CSV:{line}"
        if len(row) != len(heads):
            raise Refused("cells", where=where, expected=len(heads), found=len(row))
        counter, told, value = (row[n] for n in at)
        name = _name(counter, names, where)
        moment = _moment([told])
        if moment is None:
            raise Refused("moment", where=where, found=short(told))
        if name != LEFT_OUT:
            yield _Row(name, moment[0], _value(value, where), where)


def _wide(
    cells: Sequence[tuple[int, list[str]]], heads: Sequence[str], names: Mapping[str, str]
) -> Iterator[_Row]:
    first = _moment(cells[0][1])
    assert first is not None  # noqa: S101 - the caller looked
    used = first[1]
    columns = {
        n: _name(head, names, f"CSV, {short(head)}")
        for n, head in enumerate(heads)
        if n >= used and head
    }
    kept = {n: name for n, name in columns.items() if name != LEFT_OUT}
    if not kept:
        raise Refused("no_counters")
    if len(set(kept.values())) < len(kept):
        twice = Counter(kept.values()).most_common(1)[0][0]
        raise Refused("columns_twice", where="CSV", found=short(twice))
    if len(kept) > MOST_COUNTERS:
        raise Refused("counters", most=MOST_COUNTERS)
    for line, row in cells:
        where = f"CSV:{line}"
        if _plain(row[0]).startswith(("total", "totale")):
            continue
        moment = _moment(row)
        if moment is None or moment[1] != used:
            raise Refused("moment", where=where, found=short(row[0]))
        if len(row) > len(heads) and any(row[len(heads) :]):
            raise Refused("cells", where=where, expected=len(heads), found=len(row))
        for n, name in kept.items():
            cell = row[n] if n < len(row) else ""
            yield _Row(name, moment[0], _value(cell, f"{where}, {short(heads[n])}"), where)


def _name(told: str, names: Mapping[str, str], where: str) -> str:
    name = names.get(told.casefold(), told)
    if not name or len(name) > NAME or not name.isprintable():
        raise Refused("counter_name", where=where, found=short(told), most=NAME)
    return name


def _moment(row: Sequence[str]) -> tuple[datetime, int] | None:
    """The time in the first cell, or in the first two, and how many it takes."""
    for used in (1, 2):
        told = " ".join(row[:used])
        if len(row) < used or ":" not in told:
            continue
        with suppress(ValueError):
            return datetime.fromisoformat(told), used
        for form in _FORMS:
            with suppress(ValueError):
                return datetime.strptime(told, form), used  # noqa: DTZ007 - local time
    return None


def _value(cell: str, where: str) -> float | None:
    if not cell or _plain(cell) in ("na", "nan", "-"):
        return None
    value = decimal(cell, where)
    if not 0 <= value <= MOST:
        raise Refused("passages", where=where, found=short(cell), most=MOST)
    return value


def _step(rows: Sequence[_Row]) -> int:
    """Minutes from row to row, of the counter that has most."""
    steps: Counter[float] = Counter()
    before: dict[str, datetime] = {}
    for row in rows:
        last = before.get(row.counter)
        if last is not None and (last.tzinfo is None) == (row.told.tzinfo is None):
            apart = (row.told - last).total_seconds() / 60
            if apart > 0:
                steps[apart] += 1
        before[row.counter] = row.told
    step = steps.most_common(1)[0][0] if steps else 60
    if step not in (5, 10, 15, 20, 30, 60):
        raise Refused("step", found=f"{step:g}")
    for row in rows:
        if (row.told.minute % step, row.told.second, row.told.microsecond) != (0, 0, 0):
            raise Refused("uneven", where=row.where, found=f"{row.told.time()}")
    return int(step)


def _instants(
    rows: Sequence[_Row], zone: ZoneInfo, winter: bool, found: Passages
) -> Iterator[tuple[_Row, datetime]]:
    """Each row with its instant. An hour that comes twice in a night is told twice, or left out;
    one that no clock showed has no passages.
    """
    seen: set[tuple[str, datetime]] = set()
    twice: dict[tuple[str, datetime], list[_Row]] = defaultdict(list)
    for row in rows:
        at = _instant(row, zone, winter)
        if at is None:  # no clock showed that time
            if row.value:
                raise Refused("no_such_hour", where=row.where, found=f"{row.told:%Y-%m-%d %H:%M}")
            found.passed["no such hour"] += 1
            continue
        if row.told.tzinfo is None and not winter and _is_ambiguous(row.told, zone):
            twice[row.counter, row.told].append(row)
            continue
        if (row.counter, at) in seen:
            raise Refused("moment_twice", where=row.where, found=f"{row.told:%Y-%m-%d %H:%M}")
        seen.add((row.counter, at))
        yield row, at
    for (counter, told), both in twice.items():
        if len(both) > 2:
            raise Refused("moment_twice", where=both[2].where, found=f"{told:%Y-%m-%d %H:%M}")
        if len(both) == 1:
            found.passed["told once"] += 1
            continue
        for fold, row in enumerate(both):
            at = told.replace(tzinfo=zone, fold=fold).astimezone(UTC)
            if (counter, at) in seen:
                raise Refused("moment_twice", where=row.where, found=f"{told:%Y-%m-%d %H:%M}")
            seen.add((counter, at))
            yield row, at


def _instant(row: _Row, zone: ZoneInfo, winter: bool) -> datetime | None:
    told = row.told
    if not 1990 <= told.year <= 2200:
        raise Refused("year", where=row.where, found=f"{told:%Y-%m-%d}")
    if told.tzinfo is not None:
        return told.astimezone(UTC)
    if winter:
        january = datetime(told.year, 1, 1, tzinfo=zone)
        offset = (january.utcoffset() or timedelta()) - (january.dst() or timedelta())
        return told.replace(tzinfo=timezone(offset)).astimezone(UTC)
    at = told.replace(tzinfo=zone).astimezone(UTC)
    return at if at.astimezone(zone).replace(tzinfo=None) == told else None


def _is_ambiguous(told: datetime, zone: ZoneInfo) -> bool:
    offsets = {told.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1)}
    return len(offsets) > 1
