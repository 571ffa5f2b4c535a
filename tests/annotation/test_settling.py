"""The rule, by worked cases and by properties."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.settling import Mark, Rule, Statement, agree, disputed, match, settle

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
        ([boxes(1, BIG), boxes(2, TENT), boxes(3, TENT), boxes(4, BIG)], None),  # two against two
        (
            [boxes(1, BIG), boxes(2, TENT), boxes(3, TENT), boxes(4, TENT), boxes(5, BIG)],
            (4, "two agree"),
        ),
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


SURE = {"person": 0.9, "tent": 0.7, "nobody": 0.8}


def sure(id: int, *marks: Mark) -> Statement:
    return Statement(id, "boxes", marks=marks, trust=SURE)


@pytest.mark.parametrize(
    ("statements", "machine", "expected"),
    [
        ([sure(1, BIG)], (SHIFTED,), (1, "trusted and machine", (1,))),
        ([sure(1)], (), (1, "trusted and machine", (1,))),  # at the least trust
        ([Statement(1, "nobody", trust=SURE)], (), (1, "trusted and machine", (1,))),
        ([sure(1, BIG)], (), None),
        ([sure(1, TENT)], (TENT,), None),  # not trusted with tents
        ([sure(1, BIG, TENT)], (BIG, TENT), None),
        ([boxes(1, BIG)], (BIG,), None),  # not trusted at all
        ([sure(1, BIG)], None, None),  # no machine has looked
        ([Statement(1, "unreadable", trust=SURE)], (), None),
        ([sure(1, BIG), Statement(2, "flag")], (BIG,), None),
        ([sure(1, BIG), boxes(2, TENT), boxes(3, TENT)], (BIG,), (3, "two agree", (2, 3))),
        ([sure(1, BIG), sure(2, BIG)], (BIG,), (2, "two agree", (1, 2))),
        ([sure(1, BIG), boxes(2, TENT, alone=True)], (BIG,), (2, "alone", (2,))),
    ],
)
def test_one_trusted_volunteer_and_the_machine(
    statements: list[Statement],
    machine: tuple[Mark, ...] | None,
    expected: tuple[int, str, tuple[int, ...]] | None,
) -> None:
    seen = None if machine is None else boxes(0, *machine)
    for order in itertools.permutations(statements):
        got = settle(order, RULE, seen)
        assert (got and (got.statement.id, got.clause, got.voices)) == expected
        never = settle(order, dataclasses.replace(RULE, least_trust=1.0), seen)
        assert not never or never.clause != "trusted and machine"


def test_three_who_differ_and_a_flag_are_the_rangers_to_decide() -> None:
    assert not disputed([boxes(1, BIG), boxes(2, TENT), Statement(3, "skip")])
    assert disputed([boxes(1, BIG), boxes(2, TENT), Statement(3, "nobody")])
    assert disputed([Statement(1, "flag")])


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
trusts = st.dictionaries(
    st.sampled_from(["person", "tent", "nobody"]), st.sampled_from([0.5, 0.8, 0.9])
)
statements = st.lists(
    st.tuples(
        st.sampled_from(["boxes", "nobody", "unreadable", "skip", "flag"]),
        st.booleans(),
        st.lists(marks, max_size=3),
        trusts,
    ),
    max_size=4,
)


@given(statements, st.none() | st.lists(marks, max_size=2), st.randoms())
def test_the_order_of_reviews_does_not_matter(
    drawn: list[tuple[str, bool, list[Mark], dict[str, float]]],
    seen: list[Mark] | None,
    shuffle: object,
) -> None:
    machine = None if seen is None else boxes(0, *seen)
    stated = [
        Statement(number, verdict, alone, tuple(placed) if verdict == "boxes" else (), trust)
        for number, (verdict, alone, placed, trust) in enumerate(drawn, 1)
    ]
    mixed = list(stated)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    assert settle(stated, RULE, machine) == settle(mixed, RULE, machine)
    assert disputed(stated) == disputed(mixed)


@given(st.lists(marks, max_size=4), st.lists(marks, max_size=4))
def test_agreement_is_mutual(one: list[Mark], other: list[Mark]) -> None:
    a, b = boxes(1, *one), boxes(2, *other)
    assert agree(a, b, RULE) == agree(b, a, RULE)
    assert agree(a, a, RULE)
