"""Which frames are learnt from, which are kept back, and when there are too few."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from detection.splitting import LEAST_BOXES, LEAST_FRAMES, LEAST_HELD, Picture, TooFew, split

FIRST = date(2025, 7, 1)


def pictures(*cameras: int, boxes: int = 2, taught: int = 0) -> list[Picture]:
    """As many frames of each camera, five a day; the first `taught` cameras were learnt from."""
    rows: list[Picture] = []
    for camera, count in enumerate(cameras):
        for number in range(count):
            day = FIRST + timedelta(days=number // 5)
            rows.append(Picture(len(rows), camera, day, boxes, camera < taught))
    return rows


def test_whole_cameras_are_kept_back() -> None:
    rows = pictures(40, 40, 40)
    parts = split(rows, seed=1)
    assert parts.by == "camera"
    assert sorted(parts.learn + parts.held) == [each.frame for each in rows]
    held = {rows[pk].camera for pk in parts.held}
    assert len(held) == 1
    assert not held & {rows[pk].camera for pk in parts.learn}
    assert split(rows, seed=1) == parts
    assert len({frozenset(split(rows, seed).held) for seed in range(20)}) == 3


def test_a_camera_with_most_of_the_boxes_is_learnt_from() -> None:
    for seed in range(5):
        assert len(split(pictures(100, 25), seed).held) == 25


@pytest.mark.parametrize("cameras", [(100,), (110, 3)])  # the second sees too little to judge by
def test_where_one_camera_stands_whole_days_are_kept_back(cameras: tuple[int, ...]) -> None:
    rows = pictures(*cameras)
    parts = split(rows, seed=1)
    assert parts.by == "day"
    assert {rows[pk].day for pk in parts.held}.isdisjoint(rows[pk].day for pk in parts.learn)
    assert min(rows[pk].day for pk in parts.held) > max(
        rows[pk].day for pk in parts.learn if rows[pk].camera == 0
    )
    assert len(parts.held) >= 20


def test_what_was_learnt_from_before_judges_nothing() -> None:
    rows = pictures(40, 40, 40, taught=2)
    for seed in range(5):
        assert {rows[pk].camera for pk in split(rows, seed).held} == {2}
    with pytest.raises(TooFew) as few:
        split(pictures(60, 60, taught=2), seed=1)
    assert (few.value.frames, few.value.boxes) == (0, 0)


def test_what_is_missing_is_said() -> None:
    for rows, missing in (
        ([], (LEAST_FRAMES, LEAST_BOXES)),
        (pictures(60, 20, boxes=1), (LEAST_FRAMES - 80, LEAST_BOXES - 80)),
        (pictures(99, boxes=9), (1, 0)),
        (pictures(140, boxes=1), (0, LEAST_BOXES - 140)),
    ):
        with pytest.raises(TooFew) as few:
            split(rows, seed=1)
        assert (few.value.frames, few.value.boxes) == missing
    one_day = [Picture(n, 0, FIRST, 2) for n in range(LEAST_FRAMES)]
    with pytest.raises(TooFew):
        split(one_day, seed=1)
    assert LEAST_HELD <= LEAST_BOXES / 5
