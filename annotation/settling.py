"""The rule that settles a frame: a pure function over its reviews and the machine's boxes.

A frame settles when somebody with the right to settle alone reviews it, when two volunteers agree,
or when one volunteer who is trusted with what they state agrees with the machine. Two statements
agree when they have the same verdict and all boxes match one to one. The order of reviews does not
matter. What was counted elsewhere stands while nobody here has spoken, and is no voice among those
who have. Knows no queue, and takes trust as it was when each review was made (trust.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from detection.labels import Verdict


@dataclass(frozen=True)
class Rule:
    """Parameters; stored beside each settled frame."""

    least_iou: float = 0.5
    tiny_px: float = 24.0  # below this height or width, boxes match by the distance of centres
    tiny_distance: float = 1.0  # … up to this many times the larger side
    least_trust: float = 0.8  # with which one volunteer and the machine settle; 1: never

    def to_dict(self) -> dict[str, float]:
        return asdict(self)


@dataclass(frozen=True)
class Mark:
    """A labelled box in pixels of the frame."""

    label: str
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True)
class Statement:
    """One reviewer's present opinion; `id` orders statements of equal weight."""

    id: int
    verdict: str
    alone: bool = False
    marks: tuple[Mark, ...] = ()
    trust: Mapping[str, float] = field(default_factory=dict)  # kind → trust when it was made
    source: str = ""  # the file that it came in with; "": it was made here


@dataclass(frozen=True)
class Settlement:
    """Whose statement counts, the clause that says so, and the statements that made it so.

    Clauses: "alone", "two agree", "trusted and machine", "imported".
    """

    statement: Statement
    clause: str
    voices: tuple[int, ...]  # ids


DECISIVE = frozenset({Verdict.BOXES.value, Verdict.NOBODY.value, Verdict.UNREADABLE.value})
_SPEAKS = DECISIVE | {Verdict.FLAG.value}
NOBODY = "nobody"  # the kind of a frame without boxes; all other kinds are classes
VOICES = 3  # volunteers who disagree: more of them would not help, the ranger is asked


def settle(
    statements: Sequence[Statement], rule: Rule, machine: Statement | None = None
) -> Settlement | None:
    """The settlement that `statements` (one per reviewer) reach, or None.

    `machine`: what the last run saw; None where none has looked. Among several who may settle
    alone the latest counts; a flag asks the ranger and holds back agreement of volunteers. Two
    people who agree outweigh one and the machine; where two pairs of people contradict each other
    nothing is settled, and more people outweigh fewer.
    """
    brought = [each for each in statements if each.source]
    statements = [each for each in statements if not each.source]
    if brought and not any(each.verdict in _SPEAKS for each in statements):
        last = max(brought, key=lambda each: each.id)
        return Settlement(last, "imported", (last.id,))
    decisive = sorted((each for each in statements if each.verdict in DECISIVE), key=lambda s: s.id)
    if alone := [each for each in decisive if each.alone]:
        return Settlement(alone[-1], "alone", (alone[-1].id,))
    if any(each.verdict == Verdict.FLAG for each in statements):
        return None
    sides = {each.id: [each] for each in decisive}
    for first, second in combinations(decisive, 2):
        if agree(first, second, rule):
            sides[first.id].append(second)
            sides[second.id].append(first)
    most = max(map(len, sides.values()), default=0)
    if most > 1:
        best = [each for each in decisive if len(sides[each.id]) == most]
        side = sides[best[-1].id]
        if any(each not in side for each in best):
            return None
        return Settlement(best[-1], "two agree", tuple(sorted(each.id for each in side)))
    if machine is not None:
        for each in decisive:
            if trusted(each, rule) and agree(each, machine, rule):
                return Settlement(each, "trusted and machine", (each.id,))
    return None


def kinds(statement: Statement) -> set[str]:
    """What a statement speaks of: its classes, or NOBODY."""
    return {mark.label for mark in statement.marks} or {NOBODY}


def trusted(statement: Statement, rule: Rule) -> bool:
    """Whether who made it was trusted with everything that it speaks of."""
    return all(statement.trust.get(kind, 0.0) >= rule.least_trust for kind in kinds(statement))


def disputed(statements: Sequence[Statement]) -> bool:
    """Whether an unsettled frame is the ranger's to decide: flagged, or VOICES people differ."""
    decisive = [each for each in statements if each.verdict in DECISIVE and not each.source]
    return len(decisive) >= VOICES or any(each.verdict == Verdict.FLAG for each in statements)


def agree(a: Statement, b: Statement, rule: Rule) -> bool:
    """Whether two statements say the same; empty boxes and "nobody" are one statement."""
    if Verdict.UNREADABLE in (a.verdict, b.verdict):
        return a.verdict == b.verdict
    if len(a.marks) != len(b.marks):
        return False
    if not a.marks:
        return True
    return len(match(a.marks, b.marks, rule)) == len(a.marks)


def match(a: Sequence[Mark], b: Sequence[Mark], rule: Rule) -> list[tuple[int, int]]:
    """The largest one-to-one set of pairs that may match, closest pairs preferred."""
    if not a or not b:
        return []
    closeness = _closeness(a, b, rule)
    # Each pair that may match outweighs any gain in closeness: most pairs first.
    weight: NDArray[np.float64] = np.where(closeness >= 0, len(a) + len(b) + closeness, 0.0)
    rows, columns = linear_sum_assignment(weight, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if closeness[i, j] >= 0]


def _closeness(a: Sequence[Mark], b: Sequence[Mark], rule: Rule) -> NDArray[np.float64]:
    """[len(a), len(b)]: 0 to 1 for two boxes that may match, −1 for two that may not.

    All pairs at once: of 300 boxes on either side there are 90,000.
    """
    one, other = _sides(a)[:, None], _sides(b)[None]
    (x, y, w, h), (u, v, s, t) = np.moveaxis(one, -1, 0), np.moveaxis(other, -1, 0)
    side = np.maximum(np.maximum(w, h), np.maximum(s, t))
    apart = np.hypot(x + w / 2 - u - s / 2, y + h / 2 - v - t / 2)
    near = apart / (rule.tiny_distance * side)
    across = np.minimum(x + w, u + s) - np.maximum(x, u)
    down = np.minimum(y + h, v + t) - np.maximum(y, v)
    shared = np.maximum(across, 0) * np.maximum(down, 0)
    iou = shared / (w * h + s * t - shared)
    tiny = np.where(near <= 1, 1 - near, -1.0)
    large = np.where((shared > 0) & (iou >= rule.least_iou), iou, -1.0)
    labels = np.array([mark.label for mark in a])[:, None] == np.array([mark.label for mark in b])
    found: NDArray[np.float64] = np.where(labels, np.where(side < rule.tiny_px, tiny, large), -1.0)
    return found


def _sides(marks: Sequence[Mark]) -> NDArray[np.float64]:
    """[N, 4]: x, y, w, h."""
    return np.array([(mark.x, mark.y, mark.w, mark.h) for mark in marks], np.float64)
