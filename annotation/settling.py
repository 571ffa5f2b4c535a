"""The rule that settles a frame: a pure function over its reviews.

A frame settles when somebody with the right to settle alone reviews it, or when two volunteers
agree. Two statements agree when they have the same verdict and all boxes match one to one. The
order of reviews does not matter. Knows neither queue nor trust.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

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


@dataclass(frozen=True)
class Settlement:
    """Whose statement counts, and the clause that says so: "alone" or "two agree"."""

    statement: Statement
    clause: str


DECISIVE = frozenset({Verdict.BOXES.value, Verdict.NOBODY.value, Verdict.UNREADABLE.value})


def settle(statements: Sequence[Statement], rule: Rule) -> Settlement | None:
    """The settlement that `statements` (one per reviewer) reach, or None.

    Among several who may settle alone the latest counts; a flag asks the ranger and holds back
    agreement of volunteers.
    """
    decisive = sorted((each for each in statements if each.verdict in DECISIVE), key=lambda s: s.id)
    if alone := [each for each in decisive if each.alone]:
        return Settlement(alone[-1], "alone")
    if any(each.verdict == Verdict.FLAG for each in statements):
        return None
    for index, first in enumerate(decisive):
        for second in decisive[index + 1 :]:
            if agree(first, second, rule):
                return Settlement(second, "two agree")
    return None


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
    closeness = np.array([[_closeness(one, other, rule) for other in b] for one in a])
    # Each pair that may match outweighs any gain in closeness: most pairs first.
    weight: NDArray[np.float64] = np.where(closeness >= 0, len(a) + len(b) + closeness, 0.0)
    rows, columns = linear_sum_assignment(weight, maximize=True)
    return [(int(i), int(j)) for i, j in zip(rows, columns, strict=True) if closeness[i, j] >= 0]


def _closeness(a: Mark, b: Mark, rule: Rule) -> float:
    """0 to 1 for two boxes that may match, −1 for two that may not."""
    if a.label != b.label:
        return -1.0
    side = max(a.w, a.h, b.w, b.h)
    if side < rule.tiny_px:
        apart = float(np.hypot(a.x + a.w / 2 - b.x - b.w / 2, a.y + a.h / 2 - b.y - b.h / 2))
        near = apart / (rule.tiny_distance * side)
        return 1.0 - near if near <= 1 else -1.0
    across = min(a.x + a.w, b.x + b.w) - max(a.x, b.x)
    down = min(a.y + a.h, b.y + b.h) - max(a.y, b.y)
    if across <= 0 or down <= 0:
        return -1.0
    shared = across * down
    iou = shared / (a.w * a.h + b.w * b.h - shared)
    return iou if iou >= rule.least_iou else -1.0
