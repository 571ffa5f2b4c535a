"""A small survey with every kind of day, for the tests of figures.

25 July: fully read (quarter-hour frames: 2 persons, then 4). 26 July: one of two frames read, the
other seen by the machine alone. 27 July: machine only. 28 July: not observed. 29 July: watched,
nobody looked. 30 July: one frame, settled as unreadable, so not observed either.
"""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

from annotation.reviewing import StatedBox, submit
from detection.models import Deployment, Frame
from detection.runs import Box
from lacs_web.models import Lake, Role
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

FIRST, LAST = date(2025, 7, 25), date(2025, 7, 30)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A local time in France, in July 2025."""
    return datetime(2025, 7, day, hour - 2, minute, tzinfo=UTC)


def read(frame: Frame, persons: int, verdict: str = "") -> None:
    """A ranger settles `frame`."""
    submit(
        frame=frame,
        reviewer=person(Role.RANGER, frame.deployment.lake),
        request_id=uuid.uuid4(),
        verdict=verdict or ("boxes" if persons else "nobody"),
        boxes=[StatedBox("person", "resting", 0.05 * n, 0.5, 0.02, 0.05) for n in range(persons)],
    )


def seen(persons: int, score: float = 0.8) -> list[Box]:
    return [Box("person", "person", score, 0.1 * n, 0.1, 0.05, 0.1) for n in range(persons)]


def make_survey(lake: Lake | None = None) -> Deployment:
    deployment = make_deployment(lake, slug=f"{lake.slug if lake else 'lake'}-shore",
                                 interval_seconds=900)  # fmt: skip
    one, two, three, four, five, _, fog = (
        make_frame(deployment, when)
        for when in (
            at(25, 14),
            at(25, 15),
            at(26, 14),
            at(26, 15),
            at(27, 14),
            at(29, 9),
            at(30, 9),
        )
    )
    read(one, 2)
    read(two, 4)
    read(three, 0)
    read(fog, 0, "unreadable")
    examine(three, four, five, boxes={three.pk: seen(9), four.pk: seen(3), five.pk: seen(5)})
    return deployment
