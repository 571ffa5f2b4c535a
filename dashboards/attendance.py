"""Attendance of a lake, day by day, counted over rows. Never extrapolates, never invents a zero.

Three kinds of hours stand apart and are not added up:
validated (frames that people settled), machine only (frames that only a detector saw), and frames
that nobody has looked at. A day without a readable frame is absent: not observed, never zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db import connection

from lacs_web.models import Lake

# Below this score a machine box is stored but not counted.
COUNTED_SCORE = 0.3

# Several frames in one interval (a burst, a card changed in mid-hour, overlapping cards) share
# the time that one of them would stand for: an hour is never counted twice.
_PER_DAY = """
WITH placed AS (
    SELECT f.id,
           (f.captured_at AT TIME ZONE %(zone)s)::date AS day,
           d.interval_seconds / 3600.0::float8 / count(*) OVER (
               PARTITION BY d.id, floor(extract(epoch FROM f.captured_at) / d.interval_seconds)
           ) AS hours
    FROM detection_frame f
    JOIN detection_deployment d ON d.id = f.deployment_id
    LEFT JOIN annotation_settledframe s ON s.frame_id = f.id
    WHERE d.lake_id = %(lake)s AND f.captured_at >= %(start)s AND f.captured_at < %(end)s
      AND coalesce(s.readable, true)
),
seen AS (
    SELECT DISTINCT ON (r.frame_id) r.frame_id, r.run_id
    FROM detection_runframe r JOIN placed p ON p.id = r.frame_id
    WHERE r.state = 'done' ORDER BY r.frame_id, r.run_id DESC
),
counted AS (
    SELECT p.day, p.hours, s.id IS NOT NULL AS read, seen.run_id IS NOT NULL AS examined,
           (SELECT count(*) FROM annotation_reviewbox b
             WHERE b.review_id = s.review_id AND b.label = 'person') AS persons,
           (SELECT count(*) FROM detection_detection m
             WHERE m.run_id = seen.run_id AND m.frame_id = p.id AND m.label = 'person'
               AND m.score >= %(score)s) AS machine
    FROM placed p
    LEFT JOIN annotation_settledframe s ON s.frame_id = p.id
    LEFT JOIN seen ON seen.frame_id = p.id
)
SELECT day, count(*), count(*) FILTER (WHERE read), sum(hours),
       coalesce(sum(hours) FILTER (WHERE read), 0),
       sum(hours * persons) FILTER (WHERE read),
       coalesce(sum(hours) FILTER (WHERE NOT read AND examined), 0),
       sum(hours * machine) FILTER (WHERE NOT read AND examined),
       max(persons) FILTER (WHERE read)
FROM counted GROUP BY day ORDER BY day
"""


@dataclass(frozen=True)
class Day:
    """One local day with at least one frame not known to be unreadable. Hours are hours."""

    day: date
    frames: int
    frames_read: int
    watched_hours: float
    read_hours: float
    validated_person_hours: float | None  # over the hours read; None when none was
    machine_only_hours: float
    machine_only_person_hours: float | None  # not validated attendance; None when none
    peak_persons: int | None  # among the frames read; None when none was

    @property
    def basis(self) -> str:
        """How the day was got: "fully read", "partly read" or "machine only"."""
        if self.frames_read == 0:
            return "machine only" if self.machine_only_hours else "not looked at"
        return "fully read" if self.frames_read == self.frames else "partly read"

    @property
    def share_read(self) -> float:
        return self.read_hours / self.watched_hours


def days(lake: Lake, first: date, last: date) -> list[Day]:
    """The days of `lake` from `first` to `last`, both included, in its own time. One query."""
    midnight = datetime.combine(first, time(), lake.zone)
    after = datetime.combine(last + timedelta(days=1), time(), lake.zone)
    with connection.cursor() as cursor:
        cursor.execute(
            _PER_DAY,
            {
                "zone": lake.time_zone,
                "lake": lake.pk,
                "start": midnight,
                "end": after,
                "score": COUNTED_SCORE,
            },
        )
        columns = [field.name for field in fields(Day)]
        return [Day(**dict(zip(columns, row, strict=True))) for row in cursor.fetchall()]


def _total(parts: Iterable[float | None]) -> float | None:
    """The sum of what is known; None, never zero, when nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None


def attendance(lake: Lake, first: date, last: date) -> dict[str, Any]:
    """Figures of a period, as `manage.py attendance --json` and every page give them."""
    found = days(lake, first, last)
    observed = {each.day for each in found}
    span = (first + timedelta(days=n) for n in range((last - first).days + 1))
    watched, read = (sum(getattr(d, k) for d in found) for k in ("watched_hours", "read_hours"))
    return {
        "lake": lake.slug,
        "from": first,
        "to": last,
        "watched_hours": watched,
        "frames": sum(each.frames for each in found),
        "frames_read": sum(each.frames_read for each in found),
        "share_read": read / watched if watched else None,
        "validated_person_hours": _total(each.validated_person_hours for each in found),
        "machine_only_person_hours": _total(each.machine_only_person_hours for each in found),
        "days": [
            asdict(each) | {"basis": each.basis, "share_read": each.share_read} for each in found
        ],
        "not_observed": [day for day in span if day not in observed],
    }
