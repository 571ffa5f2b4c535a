"""Who comes together: walkers in file, families on the shore, campers at a tent, a boat's crew, a
flock with its dog. People at a lake hide one another more often than not, and a detector that has
only seen them strewn about takes two for one.
"""

from __future__ import annotations

from dataclasses import dataclass

from numpy.random import Generator

WATER, GROUND, EITHER = "water", "ground", "either"


@dataclass(frozen=True)
class Member:
    """One of a party. `kind`: of FIGURES; `right`, `away`: metres from the party's place."""

    kind: str
    right: float = 0.0
    away: float = 0.0


def party(rng: Generator, place: str) -> list[Member]:
    """A party that may be met at `place` (EITHER where nobody knows what the ground is); the
    chief of it, by whom it comes and goes, first.
    """
    if place == EITHER:
        place = WATER if rng.random() < 0.4 else GROUND
    kinds = _AFLOAT if place == WATER else _ASHORE
    return _PARTIES[str(rng.choice(list(kinds), p=list(kinds.values())))](rng)


_AFLOAT = {"bathers": 0.68, "boat": 0.25, "board": 0.07}
_ASHORE = {"one": 0.24, "group": 0.2, "file": 0.19, "camp": 0.17, "dog": 0.09, "flock": 0.06,
           "cattle": 0.05}  # fmt: skip


def _about(rng: Generator, kind: str, count: int, spread: float) -> list[Member]:
    return [
        Member(kind, float(rng.normal(0, spread)), float(rng.normal(0, spread)))
        for _ in range(count)
    ]


def _one(rng: Generator) -> list[Member]:
    return [Member("person")]


def _group(rng: Generator) -> list[Member]:
    spread = rng.uniform(0.4, 1.8)
    return [Member("person"), *_about(rng, "person", int(rng.integers(1, 5)), spread)]


def _file(rng: Generator) -> list[Member]:
    across, deep = rng.uniform(-1.4, 1.4), rng.uniform(-2.5, 2.5)
    return [
        Member("person", place * across + float(rng.normal(0, 0.15)), place * deep)
        for place in range(int(rng.integers(2, 5)))
    ]


def _bathers(rng: Generator) -> list[Member]:
    rest = _about(rng, "bather", int(rng.choice([0, 0, 1, 2])), rng.uniform(0.8, 3))
    return [Member("bather"), *rest]


def _boat(rng: Generator) -> list[Member]:
    crew = int(rng.choice([0, 1, 2], p=(0.3, 0.5, 0.2)))
    return [
        Member("boat"),
        *(
            Member("rider", float(rng.normal(0, 0.25)) + 0.8 * place, float(rng.uniform(-0.1, 0.3)))
            for place in range(crew)
        ),
    ]


def _board(rng: Generator) -> list[Member]:
    return [Member("boat"), Member("person", float(rng.normal(0, 0.15)), 0.1)]


def _camp(rng: Generator) -> list[Member]:
    side = float(rng.choice([-1, 1]))
    campers = [
        Member("person", side * rng.uniform(0.0, 2.6), float(rng.uniform(-2, 0.5)))
        for _ in range(int(rng.choice([0, 1, 2, 3], p=(0.3, 0.3, 0.25, 0.15))))
    ]
    second = [Member("tent", -side * rng.uniform(2.2, 4), float(rng.normal(0, 1)))]
    return [Member("tent"), *campers, *(second if rng.random() < 0.25 else [])]


def _dog(rng: Generator) -> list[Member]:
    owner = _about(rng, "person", int(rng.integers(0, 2)), 1.2)
    return [Member("dog"), *owner]


def _flock(rng: Generator) -> list[Member]:
    herders = _about(rng, "dog", int(rng.random() < 0.3), 4)
    herders += _about(rng, "person", int(rng.random() < 0.3), 4)
    return [Member("sheep"), *_about(rng, "sheep", int(rng.integers(2, 13)), 3.0), *herders]


def _cattle(rng: Generator) -> list[Member]:
    return [Member("cattle"), *_about(rng, "cattle", int(rng.integers(0, 6)), 4.0)]


_PARTIES = {
    "one": _one, "group": _group, "file": _file, "bathers": _bathers, "boat": _boat,
    "board": _board, "camp": _camp, "dog": _dog, "flock": _flock, "cattle": _cattle,
}  # fmt: skip
