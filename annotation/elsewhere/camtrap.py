"""Camtrap DP 1.0: what people observed on single pictures. Pure.

Observations of machines, of whole events and of nobody in particular are passed over. Labels and
activities of our own packages stand among their tags.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from annotation.elsewhere.files import Row, Source, Table, document, spelt
from annotation.elsewhere.said import (
    ACTIVITIES,
    LABELS,
    MOST,
    File,
    Kind,
    Said,
    Words,
    box,
    decimal,
    digest,
    short,
    whole,
)
from detection.labels import Label
from detection.megadetector import Refused, parts

NAMES = {
    "homo sapiens": Label.PERSON,
    "canis lupus familiaris": Label.DOG,
    "canis familiaris": Label.DOG,
    "ovis aries": Label.SHEEP,
    "bos taurus": Label.CATTLE,
    "capra hircus": Label.GOAT,
    "capra aegagrus hircus": Label.GOAT,
    "equus": Label.HORSE,
    "equus caballus": Label.HORSE,
    "equus asinus": Label.HORSE,
}
_KINDS = {"human": Label.PERSON, "vehicle": Label.VEHICLE, "animal": Label.OTHER,
          "unknown": Label.OTHER}  # fmt: skip
_BOX = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")


def read(source: Source, words: Words) -> File:
    if not source.packed:
        raise Refused("zip_wanted")
    tables = _tables(source)
    media = _media(tables["media"])
    found = File()
    said: dict[str, Said] = {}
    uncounted: set[str] = set()
    blank: dict[str, str] = {}
    table = tables["observations"]
    table.need("mediaID", "observationType", "classificationMethod")
    for row in table.rows():
        key = row.get("mediaID")
        if not key or row.get("observationLevel") == "event":
            found.passed["event"] += 1
            continue
        if key not in media:
            raise Refused("unknown_id", where=row.cell("mediaID"), found=short(key))
        method = row.get("classificationMethod").lower()
        if method != "human":
            found.passed["machine" if method == "machine" else "nobody's"] += 1
            continue
        _observe(row, key, media, said, uncounted, blank, words, found)
    for key, picture in said.items():
        if key in uncounted:
            found.passed["uncounted"] += 1
            continue
        if key in blank and (picture.boxes or picture.counts):
            raise Refused("blank", where=blank[key])
        if not picture.readable and (picture.boxes or picture.counts):
            raise Refused("unreadable", where=picture.where)
        found.pictures.append(picture)
    return found


def _observe(
    row: Row,
    key: str,
    media: Mapping[str, Said],
    said: dict[str, Said],
    uncounted: set[str],
    blank: dict[str, str],
    words: Words,
    found: File,
) -> None:
    """One observation that a person made."""
    kind, tags = row.get("observationType").lower(), _tags(row.get("observationTags"))
    if kind == "unclassified":
        if "unreadable" not in tags:
            found.passed["unclassified"] += 1
            return
        said.setdefault(key, media[key]).readable = False
        return
    picture = said.setdefault(key, media[key])
    if kind == "blank":
        blank[key] = row.where
        return
    what = _kind(row, kind, tags, words)
    if what is None:
        found.passed["left out"] += 1
        return
    sides = [row.get(name) for name in _BOX]
    count = row.get("count")
    if any(sides):
        numbers = [decimal(side, row.cell(name)) for side, name in zip(sides, _BOX, strict=True)]
        x, y, w, h = numbers
        if len(picture.boxes) == MOST:
            raise Refused("many", where=row.where, most=MOST)
        picture.boxes.append(box(what, (x, y, w, h), row.where))
        more = max(whole(count, row.cell("count")), 1) - 1 if count else 0
    elif not count:
        uncounted.add(key)
        return
    else:
        more = whole(count, row.cell("count"))
    if more:
        picture.counts[what] += more
        if picture.counts[what] > MOST:
            raise Refused("many", where=row.where, most=MOST)


def _kind(row: Row, kind: str, tags: Mapping[str, str], words: Words) -> Kind | None:
    label = tags.get("label", "")
    name = row.get("scientificName")
    if label in LABELS:
        what: Kind | None = (label, "")
    elif name.casefold() in words.given:
        what = words.kind(name, row.cell("scientificName"))
    elif name.casefold() in NAMES:
        what = (NAMES[name.casefold()].value, "")
    elif kind in _KINDS:
        what = (_KINDS[kind].value, "")
    else:
        raise Refused("word", where=row.cell("observationType"), found=short(kind))
    if what is None or what[0] != Label.PERSON:
        return what
    told = tags.get("activity", "") or row.get("behavior").lower()
    if told in ACTIVITIES:
        return what[0], told
    meant = words.given.get(told) or words.known.get(told, "")
    return what[0], meant.partition("/")[2] or what[1]


def _tags(text: str) -> dict[str, str]:
    """ "label:tent | activity:bathing" and "unreadable", as a dictionary."""
    found: dict[str, str] = {}
    for tag in text.split("|"):
        name, _, value = tag.strip().partition(":")
        found[name.strip()] = value.strip()
    return found


def _tables(source: Source) -> dict[str, Table]:
    """The tables that datapackage.json names, beside it."""
    packages = [name for name in source.names if parts(name)[-1:] == ("datapackage.json",)]
    if not packages:
        raise Refused("no_member", expected="datapackage.json")
    name = min(packages, key=lambda each: len(parts(each)))
    folder, where = parts(name)[:-1], short(name)
    listed = document(source.read(name), where).get("resources")
    if not isinstance(listed, list):
        raise Refused("list_at", where=f"{where}, resources", found=spelt(listed))
    members = {parts(each): each for each in source.names}
    found: dict[str, Table] = {}
    for n, each in enumerate(listed):
        if not isinstance(each, dict):
            raise Refused("object_at", where=f"{where}, resources[{n}]", found=spelt(each))
        kind, path = each.get("name"), each.get("path")
        if kind not in ("media", "observations") or kind in found:
            continue
        member = members.get((*folder, *parts(path))) if isinstance(path, str) else None
        if member is None:
            raise Refused("no_member", expected=spelt(path).strip('"'))
        found[kind] = Table(source.read(member), short(member))
    for kind in ("media", "observations"):
        if kind not in found:
            raise Refused("no_member", expected=f"{kind}.csv")
    return found


def _media(table: Table) -> dict[str, Said]:
    table.need("mediaID", "filePath")
    found: dict[str, Said] = {}
    for row in table.rows():
        key, path, name = row.get("mediaID"), row.get("filePath"), row.get("fileName")
        if not key:
            raise Refused("text_at", where=row.cell("mediaID"), found='""')
        if key in found:
            raise Refused("id_twice", where=row.cell("mediaID"), found=short(key))
        names = tuple(each for each in (path, name) if each)
        at = moment(row.get("timestamp"), row.cell("timestamp"))
        found[key] = Said(row.where, names or (key,), digest(key, *names), at)
    return found


def moment(text: str, where: str) -> datetime | None:
    """An ISO time; None where there is none."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise Refused("moment", where=where, found=short(text)) from None
