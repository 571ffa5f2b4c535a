"""MegaDetector's JSON (format 1.x) as any program wrote it: read as a stream, judged, and refused
with what was expected and what was found. Pure.

A picture whose `detections` are absent or null was not examined, which is not an empty list; one
with `failure` could not be read. Classifications, and what programs add of their own, are passed
over. Whatever the size of a file, one image of it is held at a time.
Source: agentmorris/MegaDetector, megadetector-output-format.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TextIO

from detection.cards.manifest import label

SLACK = 0.001  # of the frame, by which rounding may put a box outside; it is cut there
NAME, CLASS = 200, 60  # characters of a detector's name and of a class's
_CHUNK, _MOST = 1 << 18, 1 << 22  # characters read at once, and of one value at most
_SPACE = re.compile(r"[ \t\r\n]*")


class Refused(Exception):
    """`why`, and what the words for it need (importing.refusal)."""

    def __init__(self, why: str, **known: object) -> None:
        super().__init__(f"{why} {known}")
        self.why = why
        self.known = known


class Seen(NamedTuple):
    """One box: the name of its class, its score, and fractions of the frame from the top left."""

    name: str
    score: float
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True)
class Head:
    """What a file says of itself. `categories`: id → name; `roots`: first folders of its images."""

    version: str
    detector: str
    categories: dict[str, str]
    roots: frozenset[str]


@dataclass(frozen=True)
class Image:
    """`boxes`: None where the picture was not examined; then `failure` says why, or is "". `flat`:
    boxes without an area, left out.
    """

    file: str
    failure: str
    boxes: Sequence[Seen] | None
    flat: int = 0


def parts(path: str) -> tuple[str, ...]:
    """Folders and name of a file, whichever slash parts them; its extension in small letters."""
    found = [each for each in path.replace("\\", "/").split("/") if each not in ("", ".")]
    if not found:
        return ()
    stem, dot, extension = found[-1].rpartition(".")
    return (*found[:-1], f"{stem}{dot}{extension.lower()}")


def head(path: Path) -> Head:
    """Raises Refused, as `images` does."""
    found: dict[str, Any] = {}
    roots: set[str] = set()
    some = False
    for key, value in _walk(path):
        if key != "images":
            found[key] = value
            continue
        some = True
        if isinstance(value, dict) and isinstance(value.get("file"), str):
            roots.update(parts(label(value["file"]))[:1])
    info = _of(found, "info", dict, "")
    version = _of(info, "format_version", str, "info.")
    if not re.fullmatch(r"1(\.\d{1,3}){1,2}", version):
        raise Refused("version", found=_spelt(version))
    categories = _of(found, "detection_categories", dict, "")
    names = {
        key: label(_of(categories, key, str, "detection_categories."))[:CLASS] for key in categories
    }
    if not some:
        raise Refused("empty")
    return Head(version, _detector(info), names, frozenset(roots))


def images(path: Path, head: Head) -> Iterator[Image]:
    number = 0
    for key, value in _walk(path):
        if key == "images":
            yield _image(value, f"images[{number}]", head.categories)
            number += 1


def _detector(info: dict[str, Any]) -> str:
    """Name and version."""
    name = label(_of(info, "detector", str, "info.")).strip()
    if not name:
        raise Refused("type", where="info.detector", expected="text", found='""')
    told = info.get("detector_metadata")
    if isinstance(told, dict):
        for key in ("megadetector_version", "version", "software"):
            version = told.get(key)
            if isinstance(version, str) and version.strip():
                version = label(version).strip()
                known = version.lower() in name.lower()
                return (name if known else f"{name} ({version})")[:NAME]
    return name[:NAME]


def _image(value: object, where: str, categories: dict[str, str]) -> Image:
    if not isinstance(value, dict):
        raise Refused("type", where=where, expected="object", found=_spelt(value))
    file = label(_of(value, "file", str, f"{where}."))
    failure = value.get("failure")
    if failure is not None and failure != "":
        return Image(file, label(_of(value, "failure", str, f"{where}.")), None)
    if value.get("detections") is None:
        return Image(file, "", None)
    found = [
        _box(each, f"{where}.detections[{number}]", categories)
        for number, each in enumerate(_of(value, "detections", list, f"{where}."))
    ]
    boxes = [box for box in found if box.w > 0 and box.h > 0]
    return Image(file, "", boxes, len(found) - len(boxes))


def _box(value: object, where: str, categories: dict[str, str]) -> Seen:
    if not isinstance(value, dict):
        raise Refused("type", where=where, expected="object", found=_spelt(value))
    category = _of(value, "category", str, f"{where}.")
    if category not in categories:
        known = ", ".join(map(_spelt, list(categories)[:20]))
        raise Refused("category", where=f"{where}.category", expected=known, found=_spelt(category))
    score: Any = value.get("conf")
    if not _is_number(score) or not 0 <= score <= 1:
        raise Refused("type", where=f"{where}.conf", expected="share", found=_found(value, "conf"))
    box = value.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(map(_fits, box)):
        raise Refused("type", where=f"{where}.bbox", expected="box", found=_found(value, "bbox"))
    x, y = (min(max(float(each), 0.0), 1.0) for each in box[:2])
    if x + box[2] > 1 + SLACK or y + box[3] > 1 + SLACK:
        raise Refused("type", where=f"{where}.bbox", expected="box", found=_spelt(box))
    w, h = (max(0.0, min(float(size), 1 - at)) for size, at in zip(box[2:], (x, y), strict=True))
    return Seen(categories[category], float(score), x, y, w, h)


def _fits(value: object) -> bool:
    return _is_number(value) and -SLACK <= value <= 1 + SLACK  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_KINDS: dict[type, str] = {str: "text", dict: "object", list: "list"}


def _of(table: dict[str, Any], key: str, kind: type, before: str) -> Any:
    value = table.get(key)
    if not isinstance(value, kind) or (not value and kind is not list):
        found = _found(table, key)
        raise Refused("type", where=f"{before}{key}", expected=_KINDS[kind], found=found)
    return value


def _found(table: dict[str, Any], key: str) -> str:
    return _spelt(table[key]) if key in table else ""


def _spelt(value: object) -> str:
    """JSON again, cut short: it goes into a message."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _walk(path: Path) -> Iterator[tuple[str, Any]]:
    """Keys of the document with their values, but ("images", each) for each image."""
    with path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            raise Refused("gzip")
    with path.open(encoding="utf-8-sig", newline="") as text:
        stream = _Stream(text)
        if stream.peek() != "{":
            raise Refused("document", found=_spelt(stream.ahead()))
        stream.take("{")
        seen: set[str] = set()
        while True:
            key = stream.value()
            if not isinstance(key, str) or key in seen:
                stream.refuse()
            seen.add(key)
            stream.take(":")
            if key == "images":
                for each in stream.elements():
                    yield key, each
            else:
                yield key, stream.value()
            if stream.take(",}") == "}":
                break
        if stream.peek():
            stream.refuse()


def _refuse_constant(name: str) -> NoReturn:
    raise Refused("number", found=name)


class _Stream:
    """JSON, a value at a time."""

    _decoder = json.JSONDecoder(parse_constant=_refuse_constant)

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text = ""
        self._at = 0
        self._passed = 0  # characters before `_text`

    def peek(self) -> str:
        """The next character that is no white space; "" at the end."""
        while True:
            match = _SPACE.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def ahead(self) -> str:
        return self._text[self._at : self._at + 40]

    def take(self, wanted: str) -> str:
        """Pass over the next character, which must be one of `wanted`."""
        found = self.peek()
        if not found or found not in wanted:
            self.refuse()
        self._at += 1
        return found

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                raise Refused("deep") from None
            except ValueError:  # wrong, or not yet whole
                if len(self._text) - self._at > _MOST or not self._more():
                    self.refuse()
                continue
            if end == len(self._text) and self._more():  # a number may go on
                continue
            self._at = end
            return value

    def elements(self) -> Iterator[Any]:
        """Those of a list."""
        if self.peek() != "[":
            raise Refused("type", where="images", expected="list", found=_spelt(self.ahead()))
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        while True:
            yield self.value()
            if self.take(",]") == "]":
                return

    def refuse(self) -> NoReturn:
        raise Refused("json", at=self._passed + self._at + 1, found=_spelt(self.ahead()))

    def _more(self) -> bool:
        try:
            part = self._file.read(_CHUNK)
        except UnicodeDecodeError:
            raise Refused("text") from None
        self._passed += self._at
        self._text, self._at = self._text[self._at :] + part, 0
        return bool(part)
