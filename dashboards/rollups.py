"""Figures kept for each day of a deployment, in step with frames, boxes and reviews.

    something changes ─ trigger ─▶ Change ─ catch_up ─▶ DayFigures, DeploymentFigures
A review makes its day anew; whatever touches the machine's counts, dates or flags makes the
deployment anew, for strata and neighbours change with it. A small change is worked off by whoever
asks for figures; all others by the task, at most a sweep later. `differences` makes everything anew
without writing and says where what is kept is another.
Does not estimate: `dashboards.attendance` does, from what is kept here.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.functions import Now

from dashboards import sheets
from dashboards.estimators import proxy, sampling, strata
from dashboards.estimators.strata import Bools, Floats, Ints
from dashboards.models import Change, DayFigures, DeploymentFigures
from dashboards.sheets import ACTIVITIES, FEATURE, FRAME, HERD, READING
from detection.labels import COUNTED_SCORE
from detection.models import Deployment, Frame
from lacs_web.models import Lake

log = logging.getLogger(__name__)
AT_ONCE = 3000  # frames that are made anew while somebody waits for a page
READINGS_AT_ONCE = 40  # likewise, where only readings changed
PLACES_AT_ONCE = 8  # deployments looked at for that

# A frame is watched unless it looks unreadable and nobody has read it, or a reviewer says so.
# Frames of one interval (a burst, a card changed in mid-hour, overlapping cards) share its time.
_FRAMES = """
WITH placed AS (
    SELECT f.id, f.rank, f.captured_at, f.captured_at AT TIME ZONE l.time_zone AS local,
           d.interval_seconds / 3600.0::float8 AS interval, f.flag,
           floor(extract(epoch FROM f.captured_at) / d.interval_seconds) AS slot,
           s.review_id, s.readable, s.rule::text AS rule
    FROM detection_frame f
    JOIN detection_deployment d ON d.id = f.deployment_id
    JOIN lacs_web_lake l ON l.id = d.lake_id
    LEFT JOIN annotation_settledframe s ON s.frame_id = f.id
    WHERE f.deployment_id = %(deployment)s AND f.captured_at IS NOT NULL
        AND (%(start)s::timestamptz IS NULL
             OR f.captured_at >= %(start)s AND f.captured_at < %(stop)s)
),
seen AS (
    SELECT DISTINCT ON (r.frame_id) r.frame_id, r.run_id, r.problem
    FROM detection_runframe r JOIN placed p ON p.id = r.frame_id
    WHERE r.state = 'done' ORDER BY r.frame_id, r.run_id DESC
),
taught AS (
    SELECT seen.frame_id FROM seen JOIN detection_run n ON n.id = seen.run_id
    WHERE EXISTS (SELECT 1 FROM detection_taughtframe t WHERE t.frame_id = seen.frame_id
                  AND t.detector_id IN (n.detector_id, n.second_detector_id))
),
machine AS (
    SELECT m.frame_id, count(*) AS persons
    FROM detection_detection m JOIN seen ON seen.frame_id = m.frame_id AND seen.run_id = m.run_id
    WHERE m.label = 'person' AND m.score >= %(score)s
        AND NOT EXISTS (SELECT 1 FROM detection_suppression x WHERE x.detection_id = m.id)
    GROUP BY m.frame_id
),
stated AS (
    SELECT b.review_id, b.label, b.activity, 1 AS n
    FROM annotation_reviewbox b JOIN placed p ON p.review_id = b.review_id
    UNION ALL
    SELECT c.review_id, c.label, c.activity, c.n
    FROM annotation_reviewcount c JOIN placed p ON p.review_id = c.review_id
),
people AS (
    SELECT b.review_id, {counts} FROM stated b GROUP BY b.review_id
),
spent AS (
    SELECT v.frame_id, sum(v.seconds) AS seconds, bool_or(v.picked) AS picked
    FROM annotation_review v JOIN placed p ON p.id = v.frame_id
    LEFT JOIN annotation_import i ON i.id = v.imported_from_id
    WHERE i.undone_at IS NULL GROUP BY v.frame_id
),
judged AS (
    SELECT p.*, seen.run_id, coalesce(machine.persons, 0) AS machine,
           p.flag <> '' OR coalesce(seen.problem, '') <> '' AS doubtful,
           coalesce(p.readable, p.flag = '' AND coalesce(seen.problem, '') = '') AS watched,
           coalesce(spent.seconds, 0) AS seconds,
           coalesce(spent.picked, false) OR taught.frame_id IS NOT NULL AS picked
    FROM placed p
    LEFT JOIN seen ON seen.frame_id = p.id
    LEFT JOIN machine ON machine.frame_id = p.id
    LEFT JOIN spent ON spent.frame_id = p.id
    LEFT JOIN taught ON taught.frame_id = p.id
),
shared AS (
    SELECT j.*, count(*) FILTER (WHERE watched) OVER same AS watching,
           count(*) FILTER (WHERE NOT watched AND NOT doubtful) OVER same AS lost
    FROM judged j WINDOW same AS (PARTITION BY slot, local::date)
)
SELECT s.id, s.rank, s.local,
       CASE WHEN watched THEN interval / watching
            WHEN watching = 0 AND NOT doubtful THEN interval / lost ELSE 0 END,
       s.machine, s.run_id, s.doubtful, s.picked, s.review_id IS NOT NULL, s.watched, s.rule,
       s.seconds, {named}
FROM shared s LEFT JOIN people ON people.review_id = s.review_id
ORDER BY s.captured_at, s.id
"""
_HERD = ", ".join(f"'{label}'" for label in HERD)
_KINDS = {
    **{
        name: f"b.label = 'person' AND b.activity = '{name}'"
        for name in ACTIVITIES
        if name != "unknown"
    },
    "unknown": "b.label = 'person' AND b.activity IN ('', 'unknown')",
    **{name: f"b.label = '{name}'" for name in sheets.THINGS if name != "herd"},
    "herd": f"b.label IN ({_HERD})",
}
_FRAMES = _FRAMES.format(
    counts=", ".join(f"sum(b.n) FILTER (WHERE {_KINDS[name]}) AS {name}" for name in sheets.COUNTS),
    named=", ".join(f"coalesce(people.{name}, 0)" for name in sheets.COUNTS),
)
_COLUMNS = 12 + len(sheets.COUNTS)


@dataclass(frozen=True)
class Raw:
    """Frames of one deployment in the order of time, as the rows say; every field is [frames]."""

    id: Ints
    rank: Ints
    day: Ints  # ordinal of the local day
    clock: Floats  # local hours after midnight
    hours: Floats
    machine: Floats
    run: Ints  # −1: no detector has examined it
    doubtful: Bools
    picked: Bools  # by hand, or the detector learnt from it
    settled: Bools
    watched: Bools
    rule: Sequence[str | None]
    seconds: Floats
    counts: Ints  # [frames, COUNTS]

    @property
    def sampled(self) -> Bools:
        """Asked for by the estimates; all others count exactly where they are settled."""
        return (self.run >= 0) & ~self.doubtful & ~self.picked


def catch_up(lakes: Iterable[Lake], *, at_once: bool = True) -> bool:
    """Make anew what changed; with `at_once` only what takes no time. Whether all is in step."""
    changed = Change.objects.filter(deployment__lake__in=list(lakes))
    owed = list(
        changed.order_by()
        .values("deployment")
        .annotate(readings=Count("pk"), whole=Count("pk", filter=Q(instant=None)))
        .values_list("deployment", "readings", "whole")
    )
    behind = False
    frames, reviews = AT_ONCE, READINGS_AT_ONCE  # of all `lakes` together
    for number, (deployment, readings, whole) in enumerate(owed):
        if at_once:
            if number == PLACES_AT_ONCE:
                return False
            much = bool(whole) or readings > reviews
            size = _size(deployment, frames) if much else 0
            if size > frames:
                behind = True
                continue
            frames, reviews = frames - size, reviews - (0 if much else readings)
        try:
            behind |= not refresh(deployment, wait=not at_once)
        except Exception:
            if not at_once:
                raise
            # A page shows the others, and says that something is behind.
            log.exception("no figures for deployment %s: what is owed stays so", deployment)
            behind = True
    return not behind


def _size(deployment: int, most: int) -> int:
    """Frames of a deployment, counted no further than one beyond `most`."""
    return Frame.objects.filter(deployment=deployment)[: most + 1].count()


def owed(quiet_for: timedelta, at_most: timedelta) -> list[int]:
    """Deployments that are behind: nothing came for `quiet_for`, or the first came `at_most` ago.

    While a run goes on, its counts change every second: making them anew would never end.
    """
    now = Now()  # changes are dated by the database
    late = Change.objects.filter(deployment=OuterRef("deployment"))
    found = Change.objects.filter(
        ~Exists(late.filter(at__gt=now - quiet_for)) | Exists(late.filter(at__lt=now - at_most))
    )
    return list(found.order_by("deployment").values_list("deployment", flat=True).distinct())


@transaction.atomic
def refresh(deployment: int, *, wait: bool = True) -> bool:
    """Work off the changes of a deployment; False when another process is at it (and not `wait`).

    Changes that come meanwhile stay: they are worked off the next time.
    """
    _, new = DeploymentFigures.objects.get_or_create(deployment_id=deployment)
    locked = DeploymentFigures.objects.select_for_update(skip_locked=not wait)
    if not (mine := locked.filter(pk=deployment).first()):
        return False
    changes = list(Change.objects.filter(deployment=deployment).values_list("pk", "instant"))
    if not changes:
        return True
    place = Deployment.objects.select_related("lake").get(pk=deployment)
    instants = [instant for _, instant in changes if instant is not None]
    if new or len(instants) < len(changes):
        _store(mine, made(place))
    else:
        zone = place.lake.zone
        _renew(mine, place, {instant.astimezone(zone).date() for instant in instants})
    Change.objects.filter(pk__in=[pk for pk, _ in changes]).delete()
    return True


def rebuild(deployment: int) -> None:
    """Make a deployment's figures anew from its frames, whatever is known to have changed."""
    Change.objects.create(deployment_id=deployment)
    refresh(deployment)


def differences(deployment: Deployment) -> list[str]:
    """What is kept and is not what the frames say, in words for a terminal; empty when all is."""
    right = {day.day: day for day in made(deployment)}
    kept = {day.day: day for day in DayFigures.objects.filter(deployment=deployment)}
    found = [f"{deployment.slug} {day}: not kept" for day in sorted(right.keys() - kept.keys())]
    found += [f"{deployment.slug} {day}: gone" for day in sorted(kept.keys() - right.keys())]
    for day in sorted(right.keys() & kept.keys()):
        wrong = [
            name
            for name in _WRITTEN
            if not _same(getattr(right[day], name), getattr(kept[day], name))
        ]
        if wrong:
            found.append(f"{deployment.slug} {day}: {', '.join(wrong)}")
    figures = DeploymentFigures.objects.filter(deployment=deployment).first()
    depths = _depths(right.values())
    if right and (not figures or any(getattr(figures, name) != depths[name] for name in depths)):
        found.append(f"{deployment.slug}: how far its strata are read")
    return found


_WRITTEN = [
    "n_frames", "n_read", "watched_hours", "read_hours", "validated_person_hours",
    "machine_only_hours", "machine_only_person_hours", "peak_persons", "seconds", "n_brought",
    "runs", "rules",
    "frames", "readings", "population", "features",
]  # fmt: skip


def _same(a: Any, b: Any) -> bool:
    return bytes(a) == bytes(b) if isinstance(a, bytes | memoryview) else bool(a == b)


def made(deployment: Deployment) -> list[DayFigures]:
    """The days of a deployment from its frames alone; nothing is written. One query."""
    raw = _raw(deployment)
    stratum, place, x = _strata(raw, deployment.lake.country)
    return [_day(deployment, *part) for part in _by_day(raw, stratum, place, x)]


def _renew(mine: DeploymentFigures, deployment: Deployment, days: set[date]) -> None:
    """Make `days` anew of whose frames only the reading changed."""
    kept = {
        each.day: (np.frombuffer(each.frames, FRAME), np.frombuffer(each.features, FEATURE))
        for each in DayFigures.objects.filter(deployment=deployment, day__in=days).only(
            "day", "frames", "features"
        )
    }
    none = np.zeros(0, FRAME), np.zeros(0, FEATURE)
    renewed = []
    for day in days:
        raw = _raw(deployment, day)
        frames, features = kept.get(day, none)
        stratum, place = np.full(len(raw.id), -1, np.int64), np.zeros(len(raw.id), np.int64)
        x = np.zeros((len(raw.id), len(proxy.FEATURES)), np.float32)
        _ids, here, there = np.intersect1d(raw.id, features["frame"], return_indices=True)
        stratum[here], place[here] = frames["stratum"][there], frames["place"][there]
        x[here] = features["x"][there]
        stratum[~raw.sampled] = -1
        for part in _by_day(raw, stratum, place, x):
            renewed.append(_day(deployment, *part))
    DayFigures.objects.filter(deployment=deployment, day__in=days).delete()
    DayFigures.objects.bulk_create(renewed)
    _write(mine, DayFigures.objects.filter(deployment=deployment).only("frames"))


def _store(mine: DeploymentFigures, days: list[DayFigures]) -> None:
    DayFigures.objects.filter(deployment=mine.deployment_id).delete()
    DayFigures.objects.bulk_create(days, batch_size=200)
    _write(mine, days)


def _write(mine: DeploymentFigures, days: Iterable[DayFigures]) -> None:
    for name, value in _depths(days).items():
        setattr(mine, name, value)
    mine.save()


def _depths(days: Iterable[DayFigures]) -> dict[str, list[int]]:
    """Of each stratum its size, its sample, and the place of its first frame not settled."""
    parts = [np.frombuffer(day.frames, FRAME) for day in days]
    rows = np.concatenate(parts) if parts else np.zeros(0, FRAME)
    rows = rows[rows["stratum"] >= 0]
    stratum = rows["stratum"].astype(np.int64)
    sizes = np.bincount(stratum)
    ends = np.zeros(len(sizes), np.int64)
    np.maximum.at(ends, stratum, rows["place"] + 1)
    open_ = ~rows["settled"]
    np.minimum.at(ends, stratum[open_], rows["place"][open_])
    read = np.bincount(stratum[rows["place"] < ends[stratum]], minlength=len(sizes))
    return {"sizes": sizes.tolist(), "read": read.tolist(), "ends": ends.tolist()}


def _strata(raw: Raw, country: str) -> tuple[Ints, Ints, Any]:
    """Stratum (−1: none), place in its order of reading and features of each frame."""
    stratum = np.full(len(raw.id), -1, np.int64)
    place = np.zeros(len(raw.id), np.int64)
    x = np.zeros((len(raw.id), len(proxy.FEATURES)))
    seen = np.flatnonzero(raw.run >= 0)
    free = sheets.is_free(raw.day, country)
    one = np.zeros(len(seen), np.int64)
    x[seen], lively = proxy.features(
        one, raw.day[seen], raw.clock[seen], free[seen], raw.machine[seen]
    )
    keep = raw.sampled[seen]
    mine = seen[keep]
    stratum[mine] = strata.strata(one[keep], free[mine], raw.machine[mine], lively[keep])
    order = np.empty(len(mine), np.uint64)
    order[np.lexsort((raw.id[mine], raw.rank[mine]))] = np.arange(len(mine), dtype=np.uint64)
    place[mine] = sampling.places(stratum[mine], order)
    return stratum, place, x.astype(np.float32)  # as it is kept


def _by_day(raw: Raw, stratum: Ints, place: Ints, x: Any) -> Iterator[tuple[Raw, Ints, Ints, Any]]:
    """Parts of the frames by local day; frames that count nowhere are left out."""
    counts = raw.watched | (stratum >= 0)
    cuts = np.flatnonzero(np.diff(raw.day)) + 1
    for here in np.split(np.arange(len(raw.id)), cuts):
        here = here[counts[here]]
        if len(here):
            yield _part(raw, here), stratum[here], place[here], x[here]


def _part(raw: Raw, here: Ints) -> Raw:
    values: dict[str, Any] = {
        name: [value[n] for n in here.tolist()] if name == "rule" else value[here]
        for name, value in vars(raw).items()
    }
    return Raw(**values)


def _day(deployment: Deployment, raw: Raw, stratum: Ints, place: Ints, x: Any) -> DayFigures:
    x = np.where(stratum[:, None] >= 0, x, np.float32(0))
    frames = np.zeros(len(raw.id), FRAME)
    frames["clock"] = sheets.clocks(raw.clock)
    frames["hours"], frames["machine"] = raw.hours, raw.machine
    frames["stratum"], frames["place"] = stratum, place
    frames["examined"], frames["settled"], frames["readable"] = (
        raw.run >= 0, raw.settled, raw.watched,
    )  # fmt: skip
    at = np.flatnonzero(raw.settled)
    readings = np.zeros(len(at), READING)
    readings["frame"], readings["counts"], readings["x"] = at, raw.counts[at], x[at]
    features = np.zeros(len(raw.id), FEATURE)
    features["frame"], features["x"] = raw.id, x

    persons = raw.counts[:, : len(ACTIVITIES)].sum(axis=1)
    read = raw.watched & raw.settled
    alone = raw.watched & ~raw.settled & (raw.run >= 0)
    return DayFigures(
        deployment=deployment,
        day=date.fromordinal(int(raw.day[0])),
        n_frames=int(raw.watched.sum()),
        n_read=int(read.sum()),
        watched_hours=float(raw.hours[raw.watched].sum()),
        read_hours=float(raw.hours[read].sum()),
        validated_person_hours=float(raw.hours[read] @ persons[read]) if read.any() else None,
        machine_only_hours=float(raw.hours[alone].sum()),
        machine_only_person_hours=float(raw.hours[alone] @ raw.machine[alone])
        if alone.any()
        else None,
        peak_persons=int(persons[read].max()) if read.any() else None,
        seconds=float(raw.seconds.sum()),
        n_brought=sum(_is_brought(text) for text in raw.rule if text),
        runs=np.unique(raw.run[raw.watched & (raw.run >= 0)]).tolist(),
        rules=sorted({text for text, was in zip(raw.rule, read, strict=True) if was and text}),
        frames=frames.tobytes(),
        readings=readings.tobytes(),
        population=sheets.population(stratum, raw.hours, x),
        features=features.tobytes(),
    )


@lru_cache(maxsize=1000)
def _is_brought(rule: str) -> bool:
    """Whether the rule by which a frame is settled is a file's (annotation/resettling.py)."""
    return bool(json.loads(rule).get("clause") == "imported")


def _raw(deployment: Deployment, day: date | None = None) -> Raw:
    """The frames of a deployment, or of one of its local days."""
    start = stop = None
    if day is not None:
        midnight = datetime.min.time()
        start = datetime.combine(day, midnight, deployment.lake.zone)
        stop = datetime.combine(day + timedelta(days=1), midnight, deployment.lake.zone)
    with connection.cursor() as cursor:
        cursor.execute(
            _FRAMES,
            {
                "deployment": deployment.pk,
                "start": start,
                "stop": stop,
                "score": COUNTED_SCORE,
            },
        )
        rows = cursor.fetchall()
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [()] * _COLUMNS
    local: Sequence[datetime] = columns[2]
    return Raw(
        id=np.array(columns[0], np.int64),
        rank=np.array(columns[1], np.int64),
        day=np.array([at.toordinal() for at in local], np.int64),
        clock=np.array(
            [at.hour + at.minute / 60 + (at.second + at.microsecond / 1e6) / 3600 for at in local],
            np.float64,
        ),
        hours=np.array(columns[3], np.float64),
        machine=np.array(columns[4], np.float64),
        run=np.array([-1 if run is None else run for run in columns[5]], np.int64),
        doubtful=np.array(columns[6], bool),
        picked=np.array(columns[7], bool),
        settled=np.array(columns[8], bool),
        watched=np.array(columns[9], bool),
        rule=columns[10],
        seconds=np.array(columns[11], np.float64),
        counts=np.array(columns[12:], np.int64).T.reshape(len(rows), len(sheets.COUNTS)),
    )
