"""The rule, by worked cases and by properties."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.settling import Mark, Rule, Statement, agree, match, settle

RULE = Rule()
BIG = Mark("person", 100, 100, 40, 80)
SHIFTED = Mark("person", 104, 104, 40, 80)
TENT = Mark("tent", 100, 100, 40, 80)
TINY = Mark("person", 10, 10, 5, 12)
TINY_NEAR = Mark("person", 16, 14, 5, 12)  # no overlap at all, centres 7.2 px apart


def boxes(id: int, *marks: Mark, alone: bool = False) -> Statement:
    return Statement(id, "boxes", alone, marks)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([], None),
        ([boxes(1, BIG)], None),
        ([boxes(1, BIG, alone=True)], (1, "alone")),
        ([boxes(1, BIG), boxes(2, SHIFTED)], (2, "two agree")),
        ([boxes(1, BIG), boxes(2, TENT)], None),
        ([boxes(1, BIG), boxes(2, TENT), boxes(3, SHIFTED)], (3, "two agree")),
        ([boxes(1, TINY), boxes(2, TINY_NEAR)], (2, "two agree")),
        ([boxes(1), Statement(2, "nobody")], (2, "two agree")),
        ([boxes(1, BIG), boxes(2, BIG, BIG)], None),
        ([Statement(1, "unreadable"), Statement(2, "unreadable")], (2, "two agree")),
        ([Statement(1, "unreadable"), Statement(2, "nobody")], None),
        ([Statement(1, "skip"), Statement(2, "skip")], None),
        ([boxes(1, BIG), boxes(2, BIG), Statement(3, "flag")], None),
        ([boxes(1, BIG, alone=True), Statement(3, "flag")], (1, "alone")),
        ([boxes(1, alone=True), boxes(2, BIG, alone=True)], (2, "alone")),
    ],
)
def test_worked_cases(statements: list[Statement], expected: tuple[int, str] | None) -> None:
    for order in itertools.permutations(statements):
        reached = settle(order, RULE)
        assert (reached and (reached.statement.id, reached.clause)) == expected


def test_matching_is_one_to_one_and_takes_the_most_pairs() -> None:
    # Greedy matching by overlap would pair the two middle boxes and leave the outer ones alone.
    left = [Mark("person", 0, 0, 100, 100), Mark("person", 30, 0, 100, 100)]
    right = [Mark("person", 25, 0, 100, 100), Mark("person", 58, 0, 100, 100)]
    assert match(left, right, RULE) == [(0, 0), (1, 1)]


marks = st.builds(
    Mark,
    st.sampled_from(["person", "tent"]),
    st.integers(0, 200),
    st.integers(0, 200),
    st.integers(3, 90),
    st.integers(3, 90),
)
statements = st.lists(
    st.tuples(
        st.sampled_from(["boxes", "nobody", "unreadable", "skip", "flag"]),
        st.booleans(),
        st.lists(marks, max_size=3),
    ),
    max_size=4,
)


@given(statements, st.randoms())
def test_the_order_of_reviews_does_not_matter(
    drawn: list[tuple[str, bool, list[Mark]]], shuffle: object
) -> None:
    stated = [
        Statement(number, verdict, alone, tuple(placed) if verdict == "boxes" else ())
        for number, (verdict, alone, placed) in enumerate(drawn)
    ]
    mixed = list(stated)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    assert settle(stated, RULE) == settle(mixed, RULE)


@given(st.lists(marks, max_size=4), st.lists(marks, max_size=4))
def test_agreement_is_mutual(one: list[Mark], other: list[Mark]) -> None:
    a, b = boxes(1, *one), boxes(2, *other)
    assert agree(a, b, RULE) == agree(b, a, RULE)
    assert agree(a, a, RULE)
