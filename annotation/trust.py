"""How far a volunteer's word can be trusted, class by class: pure.

A volunteer's statement is compared with a frame that others settled, hidden check frames among
them. Per kind (a class of box, "nobody" for a frame without boxes) the answers are counted as
right, extra (a box too many, or boxes where nobody is) or missed. Trust is the lower bound of a
Beta posterior over them: it starts low and grows with evidence, never by luck alone. A missed
person costs more than an extra box. Decides nothing (settling.py does) and knows no rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from scipy.special import betaincinv

from annotation.settling import Rule, Statement, kinds, match
from detection.labels import Verdict

MISS = 2.0  # a miss counts as that many wrong answers
DOUBT = 0.05  # the chance that somebody is worse than their trust says
RIGHT, EXTRA, MISSED = "right", "extra", "missed"
_READABLE = frozenset({Verdict.BOXES.value, Verdict.NOBODY.value})


@dataclass(frozen=True)
class Answers:
    """How often somebody was right about one kind, and how they were wrong."""

    right: int = 0
    extra: int = 0
    missed: int = 0

    @property
    def asked(self) -> int:
        return self.right + self.extra + self.missed

    @property
    def share(self) -> float | None:
        """Of right answers; None without any answer."""
        return self.right / self.asked if self.asked else None

    @property
    def bound(self) -> float:
        """Trust: better than this with a probability of 1 − DOUBT (prior: uniform)."""
        wrong = self.extra + MISS * self.missed
        return float(betaincinv(1 + self.right, 1 + wrong, DOUBT))


def compare(said: Statement, truth: Statement, rule: Rule) -> dict[str, str]:
    """Kind → RIGHT, EXTRA or MISSED; {} where either gives no opinion on what is there."""
    if said.verdict not in _READABLE or truth.verdict not in _READABLE:
        return {}
    answers = {}
    for kind in kinds(said) | kinds(truth):
        mine = [mark for mark in said.marks if mark.label == kind]
        true = [mark for mark in truth.marks if mark.label == kind]
        pairs = len(match(mine, true, rule))
        if pairs < len(true):
            answers[kind] = MISSED
        elif pairs < len(mine):
            answers[kind] = EXTRA
        elif mine or not (said.marks or truth.marks):
            answers[kind] = RIGHT
        else:  # "nobody", on one side only
            answers[kind] = MISSED if truth.marks else EXTRA
    return answers


def bounds(answers: Mapping[str, Answers]) -> dict[str, float]:
    """Kind → trust, to four digits, as a review keeps it."""
    return {kind: round(each.bound, 4) for kind, each in answers.items()}
