"""The CSV that Timelapse exports: a row a picture, counts in columns that a template named. Pure.

Which columns are counts only the template's maker knows: whoever brings the file in says so.
A picture has several rows where it was duplicated; each then names another kind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from annotation.elsewhere.files import Row, Source, Table
from annotation.elsewhere.said import (
    LEFT_OUT,
    MOST,
    File,
    Kind,
    Said,
    Words,
    digest,
    short,
    whole,
)
from detection.labels import Label
from detection.megadetector import Refused, parts

_YES = frozenset({"true", "1", "yes", "vrai", "oui", "vero", "si", "sì"})
_NO = frozenset({"false", "0", "no", "faux", "non", "falso", ""})
_FORMS = ("%d-%b-%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y:%m:%d %H:%M:%S")


def read(source: Source, words: Words) -> File:
    if source.packed:
        raise Refused("csv_wanted")
    table = Table(source.whole(), "CSV")
    table.need("File")
    columns = {
        name: words.given[name.casefold()]
        for name in table.columns
        if words.given.get(name.casefold(), LEFT_OUT) != LEFT_OUT
    }
    told = [name for name in columns.values() if name not in ("class", "activity")]
    if not told:
        listed = ", ".join(map(short, table.columns[:40]))
        raise Refused("no_columns", found=listed)
    for role in ("class", "activity", "count"):
        if list(columns.values()).count(role) > 1:
            raise Refused("role_twice", found=role)
    found = File()
    said: dict[tuple[str, ...], tuple[Said, set[Kind]]] = {}
    for row in table.rows():
        _row(row, columns, words, found, said)
    found.pictures = [picture for picture, _kinds in said.values()]
    return found


def _row(
    row: Row,
    columns: Mapping[str, str],
    words: Words,
    found: File,
    said: dict[tuple[str, ...], tuple[Said, set[Kind]]],
) -> None:
    name = row.get("File")
    if not name:
        raise Refused("text_at", where=row.cell("File"), found='""')
    if _is_yes(row, "DeleteFlag"):
        found.passed["deleted"] += 1
        return
    counts, readable = _counts(row, columns, words)
    if counts is None and readable:
        found.passed["unsaid"] += 1
        return
    path = "/".join(filter(None, (row.get("RelativePath").replace("\\", "/").strip("/"), name)))
    key, kinds = parts(path), {kind for kind, n in (counts or {}).items() if n}
    if key not in said:
        at = _moment(row)
        said[key] = (Said(row.where, (path,), digest(name), at, readable), set())
    picture, before = said[key]
    if kinds & before:
        raise Refused("picture_twice", where=row.where, found=short(path), first=picture.where)
    before |= kinds
    picture.readable = picture.readable and readable
    picture.counts.update({kind: n for kind, n in (counts or {}).items() if n})
    if picture.counts and not picture.readable:
        raise Refused("unreadable", where=row.where)


def _counts(
    row: Row, columns: Mapping[str, str], words: Words
) -> tuple[Counter[Kind] | None, bool]:
    """Kind → how many, None where no cell says anything; and whether the picture is readable."""
    counts: Counter[Kind] = Counter()
    named, doing, readable, said = "", "", True, False
    by_role = {role: name for name, role in columns.items()}
    if "class" in by_role:
        named = row.get(by_role["class"])
    if "activity" in by_role:
        doing = words.activity(row.get(by_role["activity"]), row.cell(by_role["activity"]))
    for name, role in columns.items():
        cell, where = row.get(name), row.cell(name)
        if role == "unreadable":
            readable = readable and not _is_yes(row, name)
        elif role not in ("class", "activity") and cell:
            said = True
            n = whole(cell, where)
            kind = _counted(role, n, named, "class" in by_role, words, row)
            if kind is not None:
                if kind[0] == Label.PERSON and not kind[1]:
                    kind = kind[0], doing
                counts[kind] += n
                if counts[kind] > MOST:
                    raise Refused("many", where=where, most=MOST)
    return (counts if said else None), readable


def _counted(role: str, n: int, named: str, classes: bool, words: Words, row: Row) -> Kind | None:
    """What a column counts; None: nothing that counts here."""
    if role != "count":
        label, _, activity = role.partition("/")
        return label, activity
    if not classes:
        return Label.PERSON.value, ""
    if not named:
        if n:
            raise Refused("no_class", where=row.where)
        return None
    return words.kind(named, row.where)


def _is_yes(row: Row, name: str) -> bool:
    cell = row.get(name).casefold()
    if cell not in _YES | _NO:
        raise Refused("yes", where=row.cell(name), found=short(cell))
    return cell in _YES


def _moment(row: Row) -> datetime | None:
    """By the camera's clock, or an instant where an offset is told."""
    told = row.get("DateTime") or " ".join(filter(None, (row.get("Date"), row.get("Time"))))
    if not told:
        return None
    with suppress(ValueError):
        return datetime.fromisoformat(told)
    for form in _FORMS:
        with suppress(ValueError):
            return datetime.strptime(told, form)  # noqa: DTZ007 - a camera's clock
    raise Refused("moment", where=row.cell("DateTime"), found=short(told))
