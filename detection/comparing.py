"""Two runs side by side, on the frames that both examined."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from detection.labels import Label
from detection.models import Detection, Run, RunFrame
from detection.onnx.boxes import iou
from detection.runs import EXAMINED

SAME = 0.5  # IoU from which two boxes of a class are of one thing


@dataclass(frozen=True)
class Row:
    """Counted boxes of one class: of the first run, of the other, and of those the pairs."""

    label: str
    first: int
    other: int
    both: int

    @property
    def agreement(self) -> int | None:
        """Per cent of all things that both found; None where neither found any."""
        things = self.first + self.other - self.both
        return round(100 * self.both / things) if things else None


@dataclass(frozen=True)
class Comparison:
    """`frames` that both examined, `alike` with equally many boxes of each class."""

    frames: int
    alike: int
    rows: list[Row]


def compare(first: Run, other: Run) -> Comparison:
    """Boxes that count, class by class. Three queries."""
    done = RunFrame.objects.filter(state__in=EXAMINED)
    common = set(
        done.filter(run=first, frame__in=done.filter(run=other).values("frame")).values_list(
            "frame", flat=True
        )
    )
    found = _boxes(first), _boxes(other)
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    unlike = set()
    for frame, label in {*found[0], *found[1]}:
        if frame not in common:
            continue
        mine, theirs = (each.get((frame, label), []) for each in found)
        counts[label][0] += len(mine)
        counts[label][1] += len(theirs)
        counts[label][2] += _pairs(mine, theirs)
        if len(mine) != len(theirs):
            unlike.add(frame)
    rows = [Row(label, *counts[label]) for label in Label if label in counts]
    return Comparison(len(common), len(common) - len(unlike), rows)


Sides = tuple[float, float, float, float]


def _boxes(run: Run) -> dict[tuple[int, str], list[Sides]]:
    """(frame, label) → boxes as left, top, right, bottom, the surest first."""
    found: dict[tuple[int, str], list[Sides]] = defaultdict(list)
    counted = Detection.objects.counted().filter(run=run).order_by("-score", "pk")
    for frame, label, x, y, w, h in counted.values_list("frame", "label", "x", "y", "w", "h"):
        found[frame, label].append((x, y, x + w, y + h))
    return found


def _pairs(mine: list[Sides], theirs: list[Sides]) -> int:
    """How many of `mine` have one of `theirs` of their own."""
    if not mine or not theirs:
        return 0
    same = iou(np.array(mine, np.float32), np.array(theirs, np.float32))
    pairs = 0
    for row in range(len(mine)):
        best = int(same[row].argmax())
        if same[row, best] >= SAME:
            pairs += 1
            same[:, best] = 0
    return pairs
