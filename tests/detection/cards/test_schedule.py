"""Schedules are read from what a camera did; only scheduled frames can be missing."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest

from detection.cards.schedule import Schedule, gaps, infer

START = datetime(2025, 7, 1, tzinfo=UTC)


def every(minutes: float, days: int = 5, hours: tuple[float, float] = (0, 24)) -> list[datetime]:
    step = timedelta(minutes=minutes)
    moments, moment = [], START
    while moment < START + timedelta(days=days):
        if hours[0] <= moment.hour + moment.minute / 60 <= hours[1]:
            moments.append(moment)
        moment += step
    return moments


@pytest.mark.parametrize("minutes", [1, 5, 15, 60, 1.5])
def test_an_interval_is_inferred(minutes: float) -> None:
    assert infer(every(minutes, days=3)) == Schedule(int(minutes * 60))


def test_a_slow_clock_and_lost_frames_do_not_hide_it() -> None:
    times = [START + timedelta(minutes=5, seconds=0.7) * n for n in range(300) if n % 11]
    assert infer(times) == Schedule(300)


def test_a_daily_window_is_inferred_from_whole_days() -> None:
    assert infer(every(5, hours=(5, 21))) == Schedule(300, time(5), time(21))
    assert infer(every(5, days=2, hours=(5, 21))) == Schedule(300)  # no whole day between


def test_movement_and_bursts_are_no_schedule() -> None:
    moment, times = START, []
    for n in range(200):
        moment += timedelta(minutes=(n * 7919) % 97 + 1, seconds=n % 50)
        times.append(moment)
    assert infer(times) is None
    assert infer([START]) is None
    assert infer([]) is None
    bursts = [each + timedelta(seconds=n) for each in every(10) for n in range(3)]
    assert infer(bursts) == Schedule(600)


def test_only_scheduled_frames_are_missing() -> None:
    by_day = Schedule(300, time(5), time(21))
    times = every(5, hours=(5, 21))
    assert gaps(times, by_day) == []
    lacking = [each for each in times if each.date() != datetime(2025, 7, 3, tzinfo=UTC).date()]
    (gap,) = gaps(lacking, by_day)
    assert gap.missing == 16 * 12 + 1
    assert gap.after.date() != gap.before.date()
    round_the_clock = max(gaps(lacking, Schedule(300)), key=lambda one: one.missing)
    assert round_the_clock.missing > gap.missing
    assert gaps([], by_day) == gaps(times[:1], by_day) == []


def test_a_camera_that_is_late_by_half_an_interval_misses_nothing() -> None:
    times = every(5)
    times[10] += timedelta(seconds=140)
    assert gaps(times, Schedule(300)) == []


def test_a_gap_of_ten_years_of_seconds_is_counted_at_once() -> None:
    (gap,) = gaps([START, START + timedelta(days=3653)], Schedule(1))
    assert gap.missing == 3653 * 86400 - 1
