"""Whose minutes gave what: validated attendance per minute of checking, and how far to trust it.

Minutes are the active seconds that the review page measured (a pause of more than twenty seconds
counts as away), skipped frames and second thoughts included. Reviews that came without a time (an
import, the demo) are left out on both sides of the ratio.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from django.db import connection
from django.utils.translation import gettext as _

from annotation.models import Judgement, LabelChoice, Plan, Review, SettledFrame, VerdictChoice
from annotation.reviewing import trust_in
from annotation.settling import NOBODY
from annotation.trust import Answers
from dashboards import planning, rollups
from lacs_web.models import Lake, User

_PEOPLE = """
SELECT r.reviewer_id, bool_or(r.alone),
       count(DISTINCT r.frame_id) FILTER (WHERE r.verdict <> 'skip'),
       coalesce(sum(r.seconds), 0),
       count(DISTINCT s.frame_id)
FROM annotation_review r
JOIN detection_frame f ON f.id = r.frame_id
JOIN detection_deployment d ON d.id = f.deployment_id
LEFT JOIN annotation_settledframe s ON s.frame_id = r.frame_id AND r.id = ANY(s.voices)
WHERE d.lake_id = %(lake)s AND r.seconds > 0 AND r.reviewer_id IS NOT NULL
GROUP BY r.reviewer_id ORDER BY sum(r.seconds) DESC
"""


@dataclass(frozen=True)
class Person:
    """One reviewer at a lake. `trust`: of volunteers, kind → answers."""

    user: User
    alone: bool
    frames: int
    minutes: float
    settled: int
    trust: dict[str, Answers]

    @property
    def frames_per_minute(self) -> float | None:
        return self.frames / self.minutes if self.minutes else None

    @property
    def trusted(self) -> list[str]:
        """ "person: 24 of 25 (trust 82 %)", by kind, the most asked first."""
        kinds = sorted(self.trust.items(), key=lambda pair: (-pair[1].asked, pair[0]))
        return [
            _("%(kind)s: %(right)d of %(asked)d (trust %(trust)d %%)")
            % {
                "kind": _name(kind),
                "right": each.right,
                "asked": each.asked,
                "trust": int(100 * each.bound),
            }
            for kind, each in kinds
        ]


@dataclass(frozen=True)
class Effort:
    """What checking a lake has cost and given. Hours are hours, minutes minutes."""

    people: list[Person]
    minutes: float
    untimed: int  # reviews without a time, left out
    frames: int  # settled with timed reviews alone
    read_hours: float  # that these frames stand for
    person_hours: float  # validated on them
    shown: tuple[int, int]  # volunteers' words that agree with the machine, of those, boxes shown
    hidden: tuple[int, int]  # … its boxes not shown
    plan: Plan | None

    @property
    def person_hours_per_minute(self) -> float | None:
        return self.person_hours / self.minutes if self.minutes else None

    @property
    def read_hours_per_minute(self) -> float | None:
        return self.read_hours / self.minutes if self.minutes else None

    @property
    def leaning(self) -> float | None:
        """How much more often people agree with boxes that they see; None below 20 hidden ones."""
        (yes, shown), (alike, hidden) = self.shown, self.hidden
        return yes / shown - alike / hidden if shown and hidden >= 20 else None

    @property
    def leaning_points(self) -> float | None:
        return None if self.leaning is None else 100 * self.leaning


def effort(lake: Lake) -> Effort:
    """Nine queries, and one for each reviewer who is not trusted by right."""
    rollups.catch_up([lake])
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, {"lake": lake.pk})
        rows = cursor.fetchall()
    users = User.objects.in_bulk([row[0] for row in rows])
    people = [
        Person(
            user=users[pk],
            alone=alone,
            frames=frames,
            minutes=seconds / 60,
            settled=settled,
            trust={} if alone else trust_in(users[pk], lake),
        )
        for pk, alone, frames, seconds, settled in rows
    ]
    reviews = Review.objects.filter(frame__deployment__lake=lake)
    untimed = reviews.filter(seconds=0)
    timed = SettledFrame.objects.filter(frame__deployment__lake=lake).exclude(
        frame__in=untimed.values("frame")
    )
    sheet, ids = planning.kept(lake)
    of_readings = ids[sheet.reading]
    counted = np.isin(of_readings, list(timed.values_list("frame", flat=True))) & sheet.readable
    hours = sheet.hours[sheet.reading][counted]
    said = Judgement.objects.filter(
        review__frame__deployment__lake=lake, with_machine__isnull=False
    ).values_list("with_machine", "review__bare")
    words = list(said)
    return Effort(
        people=people,
        minutes=sum(person.minutes for person in people),
        untimed=untimed.filter(imported_from=None).count(),
        frames=int(counted.sum()),
        read_hours=float(hours.sum()),
        person_hours=float(hours @ sheet.persons[counted]),
        shown=_share([agrees for agrees, bare in words if not bare]),
        hidden=_share([agrees for agrees, bare in words if bare]),
        plan=Plan.objects.filter(lake=lake).first(),
    )


def _name(kind: str) -> str:
    """A class in words, or that nobody is there."""
    if kind == NOBODY:
        return str(VerdictChoice.NOBODY.label)
    return str(LabelChoice(kind).label)


def _share(agrees: list[bool | None]) -> tuple[int, int]:
    return sum(bool(each) for each in agrees), len(agrees)
