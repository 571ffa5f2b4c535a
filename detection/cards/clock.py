"""From the camera's clock to an instant, or to the reason why there is none. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

# Clocks that were never set start at these years; no timelapse survey is older.
EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)
FIRST, LAST = (end.replace(tzinfo=UTC) for end in (datetime.min, datetime.max))  # noqa: DTZ901


def captured_at(
    clock_at: datetime, *, offset_minutes: int, correction_seconds: int = 0
) -> datetime:
    """The instant (UTC) at which a clock `offset_minutes` east of UTC shows `clock_at`."""
    return _plus(clock_at, timedelta(seconds=correction_seconds, minutes=-offset_minutes))


def corrected(clock_at: datetime, anchors: Sequence[tuple[datetime, datetime]]) -> datetime:
    """The instant at which a clock shows `clock_at`, from one or two (clock, instant) anchors.

    One anchor is an offset; two are a clock that drifts evenly, before and after them too.
    """
    clock_1, true_1 = anchors[0]
    if len(anchors) == 1:
        return _plus(true_1, clock_at - clock_1)
    clock_2, true_2 = anchors[1]
    return _plus(true_1, (clock_at - clock_1) * ((true_2 - true_1) / (clock_2 - clock_1)))


def _plus(moment: datetime, by: timedelta) -> datetime:
    """`moment` + `by`, or the end of the calendar that it would leave: a clock may say anything."""
    try:
        return moment + by
    except OverflowError:
        return LAST if by > timedelta(0) else FIRST


def doubt(
    instant: datetime | None, *, starts_at: datetime, ends_at: datetime | None, now: datetime
) -> str:
    """Why a frame cannot be dated ("no_date", "absurd", "future", "outside"), or ""."""
    if instant is None:
        return "no_date"
    if instant < EARLIEST:
        return "absurd"
    if instant > now + timedelta(days=1):
        return "future"
    if instant < starts_at or (ends_at is not None and instant > ends_at):
        return "outside"
    return ""
