"""What a person is probably doing, from where they are; pure. The reviewer decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from detection.labels import Activity
from detection.zoning import Boxed, inside


def activity(
    person: Boxed, *, boats: Iterable[Boxed], water: Iterable[Sequence[Sequence[float]]]
) -> str:
    """ "on_water" on a boat, "bathing" with the feet in a water zone, else "".

    `water`: polygons [[x, y], …] in fractions of the frame.
    """
    across, feet = person.x + person.w / 2, person.y + person.h
    if any(b.x <= across <= b.x + b.w and b.y <= feet <= b.y + 1.2 * b.h for b in boats):
        return Activity.ON_WATER
    if any(inside(across, feet, corners) for corners in water):
        return Activity.BATHING
    return ""
