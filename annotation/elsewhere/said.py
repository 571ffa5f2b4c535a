"""What a file says of its pictures, whichever tool wrote it, and what its words mean here. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from detection.labels import Activity, Label, Verdict
from detection.megadetector import Refused
from detection.onnx.classmap import propose

MOST = 1000  # of one kind on a picture, and boxes
SLACK = 0.002  # of the picture, by which rounding may put a box outside; it is cut there
LEFT_OUT = "-"  # what a word means that counts nothing here
Kind = tuple[str, str]  # label, activity or ""
LABELS = frozenset(each.value for each in Label)
ACTIVITIES = frozenset(each.value for each in Activity)


class Box(NamedTuple):
    """x, y, w, h are fractions of the picture, from the top left."""

    label: str
    activity: str
    x: float
    y: float
    w: float
    h: float


@dataclass
class Said:
    """Of one picture. `names`: ways to find it; `at`: an instant, or without an offset what the
    camera's clock said; `counts`: of what has no box; `size`: width and height, where told.
    """

    where: str
    names: tuple[str, ...]
    sha256: str = ""
    at: datetime | None = None
    readable: bool = True
    boxes: list[Box] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)
    size: tuple[float, float] | None = None

    @property
    def verdict(self) -> Verdict:
        if not self.readable:
            return Verdict.UNREADABLE
        if self.counts:
            return Verdict.COUNTED
        return Verdict.BOXES if self.boxes else Verdict.NOBODY


@dataclass
class File:
    """Pictures of which it says something, and why of others it does not: reason → how many."""

    pictures: list[Said] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Words:
    """Their word in small letters → ours: "person", "person/bathing", LEFT_OUT. `given` were said
    by whoever brings the file in, `known` are the words of our own pages.
    """

    given: Mapping[str, str] = field(default_factory=dict)
    known: Mapping[str, str] = field(default_factory=dict)

    def kind(self, word: str, where: str) -> Kind | None:
        """None: left out. Raises Refused for what nobody has said the meaning of."""
        key = word.strip().casefold()
        ours = self.given.get(key) or self.known.get(key) or propose([key])[key]
        if ours is None:
            raise Refused("word", where=where, found=short(word))
        if ours == LEFT_OUT:
            return None
        label, _, activity = ours.partition("/")
        if label not in LABELS:
            raise Refused("column_word", where=where, found=short(word), ours=ours)
        return label, activity

    def activity(self, word: str, where: str) -> str:
        """What a person does, by a word for it; "" for none."""
        if not word.strip():
            return ""
        kind = self.kind(word, where)
        return kind[1] if kind else ""


_COLUMNS = frozenset({"count", "class", "activity", "unreadable"})


def meanings(text: str) -> dict[str, str]:
    """Lines `their word = ours`; raises Refused."""
    found: dict[str, str] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        theirs, sign, ours = (each.strip() for each in line.rpartition("="))
        theirs, ours = theirs.casefold(), ours.casefold()
        label, slash, activity = ours.partition("/")
        right = ours in _COLUMNS or ours == LEFT_OUT or label in LABELS
        if slash:
            right = label == Label.PERSON and activity in ACTIVITIES
        if not sign or not theirs or not right:
            raise Refused("meaning", found=short(line))
        if found.get(theirs, ours) != ours:
            raise Refused("meanings", found=short(theirs))
        found[theirs] = ours
    return found


def box(kind: Kind, sides: tuple[float, float, float, float], where: str) -> Box:
    """Raises Refused for a box that lies outside the picture or has no area."""
    x, y, w, h = sides
    inside = all(map(math.isfinite, sides)) and min(x, y) >= -SLACK
    if not inside or x + w > 1 + SLACK or y + h > 1 + SLACK or w <= 0 or h <= 0:
        told = ", ".join(f"{side:.6g}" for side in sides)
        raise Refused("box", where=where, found=told)
    left, top = max(x, 0.0), max(y, 0.0)
    wide, tall = min(w - (left - x), 1 - left), min(h - (top - y), 1 - top)
    if wide <= 0 or tall <= 0:
        raise Refused("box", where=where, found=", ".join(f"{side:.6g}" for side in sides))
    return Box(*kind, left, top, wide, tall)


_WHOLE = re.compile(r"(\d{1,4})(?:[.,]0{1,6})?", re.ASCII)
_DECIMAL = re.compile(r"[+-]?\d{1,12}(?:[.,]\d{1,20})?(?:[eE][+-]?\d{1,2})?", re.ASCII)


def whole(text: str, where: str) -> int:
    """A count as a table has it."""
    matched = _WHOLE.fullmatch(text.strip())
    if not matched or int(matched[1]) > MOST:
        raise Refused("whole", where=where, found=short(text))
    return int(matched[1])


def decimal(text: str, where: str) -> float:
    if not _DECIMAL.fullmatch(text.strip()):
        raise Refused("decimal", where=where, found=short(text))
    return float(text.strip().replace(",", "."))


_DIGEST = re.compile(r"[0-9a-f]{64}")


def digest(*names: str) -> str:
    """The SHA-256 that a picture is named by, if one of `names` is such a name."""
    for name in names:
        stem = re.split(r"[/\\]", name)[-1].split(".")[0].lower()
        if _DIGEST.fullmatch(stem):
            return stem
    return ""


def short(text: str) -> str:
    """As it goes into a message."""
    clean = "".join(each if each.isprintable() else "�" for each in text.strip())
    return clean if len(clean) <= 60 else f"{clean[:60]}…"


def storable(name: str) -> str:
    """A name as it can be shown and stored: JSON and file systems may have halves of characters."""
    return name[:255].encode("utf-8", "replace").decode()
