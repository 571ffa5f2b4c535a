"""From the camera's clock to an instant, or to the reason why there is none. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# Clocks that were never set start at these years; no timelapse survey is older.
EARLIEST = datetime(2005, 1, 1, tzinfo=UTC)


def captured_at(
    clock_at: datetime, *, offset_minutes: int, correction_seconds: int = 0
) -> datetime:
    """The instant (UTC) at which a clock `offset_minutes` east of UTC shows `clock_at`."""
    return clock_at - timedelta(minutes=offset_minutes) + timedelta(seconds=correction_seconds)


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
