"""When a camera was to take pictures, and when it did not. Pure.

All times here are those of the camera's own clock, which runs its schedule and knows no summer
time: the nights on which the clocks of people change are nights like any other.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

BURST_SECONDS = 5  # frames closer together than this were released by one event
FEWEST_FRAMES = 10  # from which a schedule is inferred
MIDNIGHT, DAY = time(), timedelta(days=1)


@dataclass(frozen=True)
class Schedule:
    """A frame each `interval_seconds`, from `start` to `end` of each day; all day where None."""

    interval_seconds: int
    start: time | None = None
    end: time | None = None

    @property
    def interval(self) -> timedelta:
        return timedelta(seconds=self.interval_seconds)


@dataclass(frozen=True)
class Gap:
    """`missing` scheduled frames between the frames at `after` and at `before`."""

    after: datetime
    before: datetime
    missing: int


def infer(times: Sequence[datetime]) -> Schedule | None:
    """The schedule that sorted `times` follow, or None where too few say too little."""
    steps = [
        seconds for a, b in pairwise(times) if (seconds := (b - a).total_seconds()) >= BURST_SECONDS
    ]
    if len(steps) < FEWEST_FRAMES:
        return None
    mode = Counter(round(step / 5) * 5 for step in steps).most_common(1)[0][0]
    near = [step for step in steps if abs(step - mode) <= max(5.0, 0.1 * mode)]
    if len(near) < len(steps) / 2:
        return None  # released by movement, not by a clock
    interval = _round(statistics.median(near))
    return Schedule(interval, *_window(times, timedelta(seconds=interval)))


def _round(seconds: float) -> int:
    """To whole minutes, ten seconds or five, where the camera's slowness is all that differs."""
    for unit in (60, 10, 5):
        nearest = round(seconds / unit) * unit
        if nearest and abs(seconds - nearest) <= max(1.0, 0.02 * nearest):
            return int(nearest)
    return max(1, round(seconds))


def _window(times: Sequence[datetime], interval: timedelta) -> tuple[time | None, time | None]:
    """The hours of the day that most whole days begin and end with; (None, None) for all day."""
    days: dict[date, list[datetime]] = {}
    for moment in times:
        days.setdefault(moment.date(), []).append(moment)
    days_start = datetime.combine(times[0].date(), MIDNIGHT)
    whole = [days[day] for day in sorted(days)[1:-1]]  # card changes cut the first and the last
    if len(whole) < 2:
        return None, None
    first = statistics.median_low([_of_day(day[0]) for day in whole])
    last = statistics.median_high([_of_day(day[-1]) for day in whole])
    if DAY - (last - first) <= 1.5 * interval:
        return None, None
    return (days_start + first).time(), (days_start + last).time()


def _of_day(moment: datetime) -> timedelta:
    return moment - moment.replace(hour=0, minute=0, second=0, microsecond=0)


def gaps(times: Sequence[datetime], schedule: Schedule) -> list[Gap]:
    """Where sorted `times` leave out scheduled frames."""
    found = []
    for after, before in pairwise(times):
        if before - after > 1.5 * schedule.interval:
            missing = _due(after, before, schedule)
            if missing:
                found.append(Gap(after, before, missing))
    return found


def _due(after: datetime, before: datetime, schedule: Schedule) -> int:
    """Scheduled frames between two, counted from the first on and day by day."""
    step, total = schedule.interval, 0
    last = before - step / 2
    day = datetime.combine(after.date(), MIDNIGHT, after.tzinfo)
    while day <= last:
        start = day + (_span(schedule.start) if schedule.start else timedelta())
        end = day + (_span(schedule.end) if schedule.end else DAY - timedelta(microseconds=1))
        # Half an interval beside the window's edge is still in it: clocks tick unevenly.
        low = max(start - step / 2 if schedule.start else start, after + step / 2)
        high = min(end + step / 2 if schedule.end else end, last)
        if high >= low:
            before_low = -((after - low) // step)  # first tick at or after `low`, as a number
            total += max(0, (high - after) // step - before_low + 1)
        day += DAY
    return total


def _span(moment: time) -> timedelta:
    return datetime.combine(date.min, moment) - datetime.combine(date.min, MIDNIGHT)
