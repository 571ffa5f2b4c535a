"""Two detectors in one run: a general one for what is near, another for what is far.

Their classes are merged by the product's labels, and their scores by a calibration each, since .5
of one network is not .5 of another. Where both see the same thing, the surer word stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes, nms
from detection.onnx.engine import ALONE, Around, Engine

_HELD = 1e-6  # scores are kept so far from 0 and 1, whose logits have no end
_PULL = 0.02  # towards the score as it is, so that few examples do not settle everything


@dataclass(frozen=True)
class Calibration:
    """Probability = sigmoid(`slope` × logit(score) + `offset`); as it is unless fitted."""

    slope: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        if not (self.slope > 0 and np.isfinite(self.slope) and np.isfinite(self.offset)):
            raise ValueError("a calibration keeps the order of scores: its slope is above 0")

    def __call__(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Probabilities [N] of `scores` [N]."""
        return _sigmoid(self.slope * _logit(scores) + self.offset).astype(np.float32)


def fit(scores: NDArray[np.float32], right: NDArray[np.bool_]) -> Calibration:
    """The calibration under which boxes of these `scores` [N] would be `right` [N] as often as
    they were. With none of one kind only the pull towards the scores themselves holds it.
    """
    logits, truth = _logit(scores), right.astype(np.float64)

    def loss(values: NDArray[np.float64]) -> float:
        turned = np.exp(values[0]) * logits + values[1]
        wrong = np.logaddexp(0.0, turned) - truth * turned
        return float(wrong.sum() + _PULL * (values**2).sum())

    found = scipy.optimize.minimize(loss, np.zeros(2), method="L-BFGS-B", bounds=[(-3, 3), (-9, 9)])
    return Calibration(float(np.exp(found.x[0])), float(found.x[1]))


@dataclass(frozen=True)
class Member:
    """One of the two: its engine, the label of each class name (None or absent: left under its
    own name), and its calibration.
    """

    engine: Engine
    labels: Mapping[str, str | None]
    calibration: Calibration = Calibration()

    def called(self) -> list[str]:
        """Labels of the engine's classes, by index."""
        return [self.labels.get(name) or name for name in self.engine.names]


@dataclass(frozen=True)
class Pair:
    """Detects as an `Engine` does; `first` decides what overlaps how far, and how many boxes."""

    first: Member
    second: Member

    @property
    def names(self) -> tuple[str, ...]:
        """Labels that boxes' classes point to."""
        return tuple(dict.fromkeys([*self.first.called(), *self.second.called()]))

    @property
    def still_side(self) -> int | None:
        """As `Engine.still_side`: the larger of the two, so that each has what it needs."""
        sides = [each.engine.still_side for each in (self.first, self.second)]
        return max((side for side in sides if side is not None), default=None)

    def detect(self, rgb: NDArray[np.uint8], around: Around = ALONE) -> Boxes:
        """Boxes of both, calibrated and merged, best first; see `Engine.detect`."""
        names = {name: number for number, name in enumerate(self.names)}
        found = []
        for member in (self.first, self.second):
            before = None if around.before is None else self._of(member, around.before)
            seen = member.engine.detect(rgb, replace(around, before=before))
            numbers = np.array([names[name] for name in member.called()], np.int64)
            scores = member.calibration(seen.scores)
            found.append(Boxes(seen.xyxy, scores, numbers[seen.classes]))
        settings = self.first.engine.settings
        return nms(Boxes.concat(found), settings.nms_iou, settings.max_boxes)

    def _of(self, member: Member, boxes: Boxes) -> Boxes:
        """Those of the pair's boxes that have a class of the member's, in its numbers."""
        called = member.called()
        own = [called.index(name) if name in called else -1 for name in self.names]
        numbers = np.array(own, np.int64)[boxes.classes]
        kept = boxes.take(numbers >= 0)
        return Boxes(kept.xyxy, kept.scores, numbers[numbers >= 0])


def _logit(scores: NDArray[np.float32]) -> NDArray[np.float64]:
    held = np.clip(scores.astype(np.float64), _HELD, 1 - _HELD)
    return np.asarray(np.log(held) - np.log1p(-held), np.float64)


def _sigmoid(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * values)), np.float64)
