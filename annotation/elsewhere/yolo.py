"""YOLO's texts: one a picture, a line a box, with the names of classes beside them. Pure."""

from __future__ import annotations

import re

from annotation.elsewhere.files import Source, text
from annotation.elsewhere.said import MOST, File, Kind, Said, Words, box, decimal, digest, short
from detection.megadetector import Refused, parts

_NAMES = ("names.txt", "classes.txt", "obj.names", "data.yaml", "dataset.yaml", "data.yml")
_LISTS = ("train.txt", "val.txt", "valid.txt", "test.txt")
_PICTURES = (".jpg", ".jpeg", ".png")
_SPLITS = frozenset({"train", "val", "valid", "test"})
_CELL = re.compile(r"\S+")


def read(source: Source, words: Words, *, empty_is_nobody: bool) -> File:
    """`empty_is_nobody`: a picture with an empty text, or none, shows nobody."""
    if not source.packed:
        raise Refused("zip_wanted")
    by_name = {parts(name)[-1].lower(): name for name in source.names if parts(name)}
    beside = next((by_name[each] for each in _NAMES if each in by_name), None)
    if beside is None:
        raise Refused("no_member", expected="data.yaml, names.txt, classes.txt")
    names = _names(text(source.read(beside), short(beside)), beside)
    kinds = [words.kind(name, f"{short(beside)}, {n}") for n, name in enumerate(names)]
    found = File()
    said: set[tuple[str, ...]] = set()
    for name in _texts(source):
        picture = _picture(source, name, kinds, found)
        said.add(_stem(name))
        if picture.boxes or empty_is_nobody:
            found.pictures.append(picture)
        else:
            found.passed["empty"] += 1
    silent = {_stem(name): name for name in _pictures(source, by_name) if _stem(name) not in said}
    for name in silent.values():
        if empty_is_nobody:
            found.pictures.append(_said(name))
        else:
            found.passed["empty"] += 1
    return found


def _texts(source: Source) -> list[str]:
    """Those of pictures: below a folder `labels` where there is one."""
    every = [
        name
        for name in source.names
        if name.lower().endswith(".txt") and parts(name)[-1].lower() not in (*_NAMES, *_LISTS)
    ]
    below = [name for name in every if "labels" in parts(name)[:-1]]
    found = below or [name for name in every if not parts(name)[-1].lower().startswith("readme")]
    if not found:
        raise Refused("no_member", expected="labels/*.txt")
    return found


def _pictures(source: Source, by_name: dict[str, str]) -> list[str]:
    found = [name for name in source.names if name.lower().endswith(_PICTURES)]
    for each in _LISTS:
        if name := by_name.get(each):
            found += text(source.read(name), short(name)).split("\n")
    return [name.strip() for name in found if name.strip().lower().endswith(_PICTURES)]


def _stem(name: str) -> tuple[str, ...]:
    """Where a picture lies, without what only the data set has before it, and no extension."""
    where = parts(name)
    for folder in ("labels", "images"):
        if folder in where[:-1]:
            where = where[len(where) - where[::-1].index(folder) :]
            break
    if len(where) > 1 and where[0] in _SPLITS:
        where = where[1:]
    return (*where[:-1], where[-1].rpartition(".")[0])


def _said(name: str) -> Said:
    return Said(short(name), ("/".join(_stem(name)) + ".txt",), digest(name))


def _picture(source: Source, name: str, kinds: list[Kind | None], found: File) -> Said:
    picture = _said(name)
    for n, line in enumerate(text(source.read(name), short(name)).splitlines(), 1):
        cells = _CELL.findall(line)
        if not cells:
            continue
        at = f"{short(name)}:{n}"
        if len(cells) == 6:
            raise Refused("machine", where=at)
        if len(cells) != 5:
            raise Refused("five", where=at, found=short(line))
        if not re.fullmatch(r"\d{1,4}(\.0+)?", cells[0], re.ASCII):
            raise Refused("whole", where=at, found=short(cells[0]))
        number = int(float(cells[0]))
        if number >= len(kinds):
            raise Refused("class_number", where=at, found=number, most=len(kinds) - 1)
        x, y, w, h = (decimal(cell, at) for cell in cells[1:])
        kind = kinds[number]
        if kind is None:
            found.passed["left out"] += 1
        elif len(picture.boxes) == MOST:
            raise Refused("many", where=at, most=MOST)
        else:
            picture.boxes.append(box(kind, (x - w / 2, y - h / 2, w, h), at))
    return picture


def _names(content: str, where: str) -> list[str]:
    """A name a line; or what a YAML file has under `names`, as a list or with its numbers."""
    if not where.lower().endswith((".yaml", ".yml")):
        found = [line.strip() for line in content.strip().splitlines()]
    else:
        found = _yaml_names(content)
    if not found or not all(found):
        raise Refused("names", where=short(where))
    return found


def _yaml_names(content: str) -> list[str]:
    lines = [re.sub(r"(^|\s)#.*", "", line).rstrip() for line in content.splitlines()]
    at = next((n for n, line in enumerate(lines) if re.match(r"names\s*:", line)), None)
    if at is None:
        return []
    rest = lines[at].partition(":")[2].strip()
    if rest:
        for line in lines[at + 1 :]:
            if rest[-1] in "]}":
                break
            rest += " " + line.strip()
        items = rest.strip("[]{}").split(",") if rest[0] in "[{" else []
    else:
        items = []
        for line in lines[at + 1 :]:
            if line and not re.match(r"\s|-", line):
                break
            if line.strip():
                items.append(line.strip())
    found: dict[int, str] = {}
    for n, item in enumerate(each for each in items if each.strip()):
        numbered = re.fullmatch(r"\s*(\d{1,4})\s*:\s*(.*)", item)
        name = numbered[2] if numbered else re.sub(r"^\s*-\s+", "", item)
        found[int(numbered[1]) if numbered else n] = name.strip().strip("'\"").strip()
    return [found.get(n, "") for n in range(max(found, default=-1) + 1)]
