"""Trust by worked cases and by properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.settling import Mark, Rule, Statement
from annotation.trust import EXTRA, MISSED, RIGHT, Answers, bounds, compare
from tests.annotation.test_settling import BIG, SHIFTED, TENT, boxes, marks

RULE = Rule()
NONE = Statement(1, "nobody")


@pytest.mark.parametrize(
    ("said", "truth", "answers"),
    [
        (NONE, boxes(2), {"nobody": RIGHT}),
        (boxes(1, BIG), boxes(2, SHIFTED), {"person": RIGHT}),
        (boxes(1, BIG, TENT), boxes(2, BIG), {"person": RIGHT, "tent": EXTRA}),
        (boxes(1, BIG), boxes(2, BIG, TENT), {"person": RIGHT, "tent": MISSED}),
        (boxes(1, BIG, BIG), boxes(2, BIG), {"person": EXTRA}),
        (boxes(1, TENT), boxes(2, BIG), {"person": MISSED, "tent": EXTRA}),
        (NONE, boxes(2, BIG), {"person": MISSED, "nobody": MISSED}),
        (boxes(1, BIG), boxes(2), {"person": EXTRA, "nobody": EXTRA}),
        (Statement(1, "unreadable"), boxes(2, BIG), {}),
        (Statement(1, "skip"), boxes(2, BIG), {}),
        (boxes(1, BIG), Statement(2, "unreadable"), {}),
    ],
)
def test_worked_comparisons(said: Statement, truth: Statement, answers: dict[str, str]) -> None:
    assert compare(said, truth, RULE) == answers


def test_trust_is_the_lower_bound_of_a_beta_posterior() -> None:
    assert Answers().bound == pytest.approx(0.05)  # of the uniform prior
    assert Answers(right=12).bound == pytest.approx(0.05 ** (1 / 13))  # 0.794: not yet 0.8
    assert Answers(right=13).bound > 0.8
    assert Answers(right=30, extra=1).bound > Answers(right=30, missed=1).bound
    assert Answers(right=30, missed=1).bound == Answers(right=30, extra=2).bound
    assert bounds({"person": Answers(right=12)}) == {"person": 0.7942}


numbers = st.integers(0, 400)


@given(numbers, numbers, numbers)
def test_trust_grows_with_right_answers_and_falls_with_wrong_ones(
    right: int, extra: int, missed: int
) -> None:
    here = Answers(right, extra, missed).bound
    assert 0 <= here < 1
    assert Answers(right + 1, extra, missed).bound > here
    assert Answers(right, extra + 1, missed).bound < here
    assert Answers(right, extra, missed + 1).bound <= Answers(right, extra + 1, missed).bound
    if right + extra + missed:
        share = Answers(right, extra, missed).share
        assert share is not None
        assert 0 <= share <= 1


@given(st.lists(marks, max_size=4), st.lists(marks, max_size=4))
def test_who_says_the_same_is_right_and_who_differs_is_not(
    one: list[Mark], other: list[Mark]
) -> None:
    same = compare(boxes(1, *one), boxes(2, *one), RULE)
    assert set(same.values()) == {RIGHT}
    apart = compare(boxes(1, *one), boxes(2, *other), RULE)
    back = compare(boxes(2, *other), boxes(1, *one), RULE)
    assert apart.keys() == back.keys()
    assert {kind for kind in apart if apart[kind] == RIGHT} == {
        kind for kind in back if back[kind] == RIGHT
    }
