"""Which frames the estimates ask for next: their turns, in a table that the queue owns.

The queue (annotation) may not import the estimates, so they write down what they ask for: the next
STOCK readings of a lake, the most useful first, each stratum in the order of ranks. `owed` finds
the lakes where readings, runs or weighings have come since; a periodic task makes their plan anew.
Does not show figures: it takes all frames of a lake as one population.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from django.db import connection, transaction
from django.utils import timezone

from annotation.models import Plan, Turn
from dashboards.estimators import proxy, sampling, stopping, strata, totals, units
from dashboards.estimators.strata import Bools, Floats, Ints
from dashboards.sheets import is_free
from detection.labels import COUNTED_SCORE
from lacs_web.models import Lake

STOCK = 500  # readings in turn: more than all reviewers of a lake do between two plans

# Frames that a detector has read, or people. Those of one interval share its time.
_FRAMES = """
WITH seen AS (
    SELECT DISTINCT ON (r.frame_id) r.frame_id, r.run_id, r.problem
    FROM detection_runframe r
    JOIN detection_frame f ON f.id = r.frame_id
    JOIN detection_deployment d ON d.id = f.deployment_id
    WHERE r.state = 'done' AND d.lake_id = %(lake)s
    ORDER BY r.frame_id, r.run_id DESC
),
machine AS (
    SELECT m.frame_id, count(*) AS persons
    FROM detection_detection m JOIN seen ON seen.frame_id = m.frame_id AND seen.run_id = m.run_id
    WHERE m.label = 'person' AND m.score >= %(score)s
        AND NOT EXISTS (SELECT 1 FROM detection_suppression x WHERE x.detection_id = m.id)
    GROUP BY m.frame_id
)
SELECT f.id, f.deployment_id, f.rank, f.captured_at AT TIME ZONE %(zone)s,
       d.interval_seconds / 3600.0::float8 / count(*) OVER (
           PARTITION BY d.id, floor(extract(epoch FROM f.captured_at) / d.interval_seconds)
       ),
       coalesce(machine.persons, 0), seen.frame_id IS NOT NULL,
       f.flag <> '' OR coalesce(seen.problem, '') <> '',
       s.id IS NOT NULL, coalesce(s.readable, true),
       (SELECT count(*) FROM annotation_reviewbox b
        WHERE b.review_id = s.review_id AND b.label = 'person'),
       EXISTS (SELECT 1 FROM annotation_review v WHERE v.frame_id = f.id AND v.picked)
FROM detection_frame f
JOIN detection_deployment d ON d.id = f.deployment_id
LEFT JOIN seen ON seen.frame_id = f.id
LEFT JOIN machine ON machine.frame_id = f.id
LEFT JOIN annotation_settledframe s ON s.frame_id = f.id
WHERE d.lake_id = %(lake)s AND f.captured_at IS NOT NULL
    AND (seen.frame_id IS NOT NULL OR s.id IS NOT NULL)
ORDER BY f.rank, f.id
"""

# What a plan rests on, in figures that change when it does.
_BASIS = """
SELECT l.id, concat_ws(' ', l.country, l.time_zone,
    (SELECT concat_ws(' ', count(*), max(r.id)) FROM detection_runframe r
     JOIN detection_frame f ON f.id = r.frame_id
     JOIN detection_deployment d ON d.id = f.deployment_id
     WHERE d.lake_id = l.id AND r.state = 'done'),
    (SELECT count(*) FROM detection_run n JOIN detection_batch b ON b.id = n.batch_id
     JOIN detection_deployment d ON d.id = b.deployment_id
     WHERE d.lake_id = l.id AND n.weigh_owed_at IS NULL),
    (SELECT concat_ws(' ', count(*), extract(epoch FROM max(s.at))) FROM annotation_settledframe s
     JOIN detection_frame f ON f.id = s.frame_id
     JOIN detection_deployment d ON d.id = f.deployment_id WHERE d.lake_id = l.id))
FROM lacs_web_lake l
WHERE EXISTS (SELECT 1 FROM detection_deployment d WHERE d.lake_id = l.id)
"""


@dataclass(frozen=True)
class Frames:
    """A lake's frames in the order of ranks; every field is [frames]."""

    id: Ints
    deployment: Ints
    day: Ints  # number of the local day
    clock: Floats  # local hours after midnight
    free: Bools  # weekend or holiday
    hours: Floats  # that the frame stands for
    machine: Floats  # persons that the machine counts
    seen: Bools  # by a detector
    sampled: Bools  # asked for by the estimates; the rest counts exactly where it is settled
    settled: Bools
    readable: Bools  # as people settled it
    persons: Ints  # settled


@dataclass(frozen=True)
class Asked:
    """What a lake's frames say: its figure (None before every stratum is read), and what is next.

    `frames`, `read`: of the sampled population and of its settled prefixes; `turns`: ids of frames,
    the most useful reading first.
    """

    frames: int
    read: int
    figure: totals.Total | None
    more: int | None
    turns: list[int]


def owed() -> dict[int, str]:
    """Lake id → basis, for the lakes whose last plan rests on another. Two queries."""
    with connection.cursor() as cursor:
        cursor.execute(_BASIS)
        now = dict(cursor.fetchall())
    made = dict(Plan.objects.values_list("lake", "basis"))
    return {lake: basis for lake, basis in now.items() if made.get(lake) != basis}


@transaction.atomic
def plan(*, lake: Lake, basis: str) -> Plan | None:
    """Give out a lake's turns anew; None when another process is at it."""
    Plan.objects.get_or_create(lake=lake)
    mine = Plan.objects.select_for_update(skip_locked=True).filter(lake=lake).first()
    if mine is None:
        return None
    asked = ask(frames_of(lake))
    Turn.objects.filter(frame__deployment__lake=lake).delete()
    Turn.objects.bulk_create(Turn(frame_id=pk, place=place) for place, pk in enumerate(asked.turns))
    mine.made_at, mine.basis = timezone.now(), basis
    mine.frames, mine.read, mine.more = asked.frames, asked.read, asked.more
    figure = asked.figure
    mine.total, mine.low, mine.high = (
        (figure.total, figure.low, figure.high) if figure else (None, None, None)
    )
    mine.save()
    return mine


def frames_of(lake: Lake) -> Frames:
    """One query."""
    with connection.cursor() as cursor:
        cursor.execute(_FRAMES, {"lake": lake.pk, "zone": lake.time_zone, "score": COUNTED_SCORE})
        rows = cursor.fetchall()
    columns = list(zip(*rows, strict=True)) or [()] * 12
    local: tuple[datetime, ...] = columns[3]
    day = np.array([at.toordinal() for at in local], np.int64)
    seen, doubtful, settled, picked = (np.array(columns[n], bool) for n in (6, 7, 8, 11))
    return Frames(
        id=np.array(columns[0], np.int64),
        deployment=np.array(columns[1], np.int64),
        day=day,
        clock=np.array([at.hour + at.minute / 60 + at.second / 3600 for at in local], np.float64),
        free=is_free(day, lake.country),
        hours=np.array(columns[4], np.float64),
        machine=np.array(columns[5], np.float64),
        seen=seen,
        sampled=seen & ~doubtful & ~picked,
        settled=settled,
        readable=np.array(columns[9], bool),
        persons=np.array(columns[10], np.int64),
    )


def ask(every: Frames) -> Asked:
    """The figure of the frames as they stand, and the readings that it asks for next."""
    # Neighbours are what a machine has counted too, as the figures have it (dashboards/rollups.py).
    seen = every.seen
    x = np.zeros((len(every.id), len(proxy.FEATURES)))
    lively = np.zeros(len(every.id), bool)
    x[seen], lively[seen] = proxy.features(
        every.deployment[seen],
        every.day[seen],
        every.clock[seen],
        every.free[seen],
        every.machine[seen],
    )
    keep = every.sampled
    y = every.hours * every.persons * every.readable
    stratum = strata.strata(
        every.deployment[keep], every.free[keep], every.machine[keep], lively[keep]
    )
    ids, hours, x = every.id[keep], every.hours[keep], x[keep]
    settled = every.settled[keep]
    if not len(ids):
        return Asked(0, 0, None, None, [])
    place = sampling.places(stratum, np.arange(len(ids)).astype(np.uint64))
    sample = sampling.prefix(stratum, place, settled)
    whole = totals.population(stratum, hours, x)
    picked = every.settled & ~keep
    figure = totals.estimate(
        whole,
        stratum=stratum[sample],
        place=place[sample],
        x=(x * hours[:, None])[sample],
        y=y[keep][sample],
        certain=float(y[picked].sum()),
        settled=float(y[every.settled].sum()),
    )
    more = None
    if figure is not None:
        watched = units.watched_hours(
            whole,
            stratum=stratum[sample],
            place=place[sample],
            hours=hours[sample],
            readable=every.readable[keep][sample],
            certain=float((every.hours * every.readable)[picked].sum()),
        )
        assert watched is not None  # noqa: S101  # known whenever the figure is
        more = stopping.progress(figure, watched.value).more
    read = np.bincount(stratum[sample], minlength=len(whole.size))
    variance = figure.planning if figure else None
    wanted = sampling.order(whole.size, read, variance, STOCK)
    return Asked(len(ids), int(sample.sum()), figure, more, _turns(wanted, stratum, settled, ids))


def _turns(wanted: Ints, stratum: Ints, settled: Bools, ids: Ints) -> list[int]:
    """The frame of each wanted reading: the next of its stratum, by rank, that is not settled."""
    left = {
        number: iter(ids[(stratum == number) & ~settled].tolist()) for number in np.unique(wanted)
    }
    found = (next(left[number], None) for number in wanted)
    return [pk for pk in found if pk is not None]
