"""How long the server takes for the pages of figures, beside the plain GROUP BY under them.

Builds a survey of the size that is asked for by COPY, inside a transaction that is rolled back:
nothing stays. Every size is a setting of the environment; the page is asked for through all of
Django, templates included, without a network in between.

    LACS_BENCH_FRAMES=100000 LACS_BENCH_DETECTIONS=500000 LACS_BENCH_LAKES=10
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from annotation.models import Review, ReviewBox, SettledFrame
from dashboards import rollups, school
from dashboards.attendance import span
from dashboards.periods import Period, usual
from detection.models import Batch, Camera, Deployment, Detection, Detector, Frame, Run, RunFrame
from lacs_web.models import Lake, Membership, Park, Role, User

INTERVAL = timedelta(minutes=5)
OPENS, HOURS = 5, 16  # UTC hour of a day's first frame; hours watched a day
READ_EVERY = 20  # of the frames, one is settled
REPEATS = 7
TARGET_MS = 100.0  # median on the server
LAST = datetime(2025, 8, 31, tzinfo=UTC)  # day of the newest frame


def measure() -> dict[str, Any]:
    """Milliseconds (median) and queries of the lake's page and the overview, and the conditions."""
    frames, detections, lakes = (
        int(os.environ.get(f"LACS_BENCH_{name}", default))
        for name, default in (("FRAMES", 100_000), ("DETECTIONS", 500_000), ("LAKES", 10))
    )
    # Static files have not been collected where only a measurement runs.
    plain_names = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    with (
        _thrown_away(),
        override_settings(
            ALLOWED_HOSTS=["testserver"],
            STORAGES=settings.STORAGES | {"staticfiles": plain_names},
        ),
    ):
        places, user = _places(lakes)
        started = time.perf_counter()
        _fill(places, frames, detections)
        loaded = time.perf_counter() - started
        started = time.perf_counter()
        for place in places:
            rollups.refresh(place.pk)
        built = time.perf_counter() - started
        client = Client()
        client.force_login(user)
        lake = places[0].lake
        where = reverse("dashboards:lake", args=[lake.slug])
        page = _asked(client, f"{where}?period=month")
        started = time.perf_counter()
        client.get(f"{where}?period=season")  # nothing of it is remembered yet
        cold = time.perf_counter() - started
        season = _asked(client, f"{where}?period=season") | {"first_ms": round(1000 * cold, 1)}
        every = _asked(client, f"{where}?period=all")
        overview = _asked(client, reverse("home"))
        ranked = reverse("dashboards:overview")
        started = time.perf_counter()
        client.get(ranked)  # no rate is remembered yet
        first = time.perf_counter() - started
        ranking = _asked(client, ranked) | {"first_ms": round(1000 * first, 1)}
        month = usual(Period(*span([lake])[lake.pk]), {})["month"]
        plain = _median(lambda: _plain(lake, month))
    return {
        "what": "a lake's page, made on the server; peer: the plain GROUP BY under it",
        "figure": page["ms"],
        "unit": "ms",
        "measured": {
            "lake_page": page,
            "lake_page_season": season,
            "lake_page_all": every,
            "overview": overview,
            "ranking": ranking,
        },
        "peer": {"name": "plain GROUP BY over the same 30 days", "ms": plain},
        "limit": {"ms": TARGET_MS, "queries": 15},
        "ratio": page["ms"] / plain,
        "conditions": {
            "frames": frames, "detections": detections, "lakes": lakes,
            "frames_read": frames // READ_EVERY, "repeats": REPEATS,
            "load_seconds": round(loaded, 1), "build_seconds": round(built, 1),
            "cores": os.cpu_count(), "software": settings.VERSION,
        },
    }  # fmt: skip


@contextmanager
def _thrown_away() -> Iterator[None]:
    """A transaction that leaves nothing behind."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _places(lakes: int) -> tuple[list[Deployment], User]:
    park = Park.objects.create(name="Bench", slug="bench")
    user = User.objects.create_user("bench@localhost")
    Membership.objects.create(user=user, role=Role.OFFICER, park=park)
    places = []
    for number in range(lakes):
        lake = Lake.objects.create(park=park, name=f"Bench {number}", slug=f"bench-{number}")
        camera = Camera.objects.create(park=park, make="Bench", serial=str(number))
        places.append(
            Deployment.objects.create(
                lake=lake, camera=camera, slug=f"bench-{number}", viewpoint="Bench",
                starts_at=datetime(1990, 1, 1, tzinfo=UTC),
                interval_seconds=int(INTERVAL.total_seconds()),
            )
        )  # fmt: skip
    for year in (LAST.year - 2, LAST.year - 1):
        school.fill(year=year, lake=places[0].lake, whole_park=True, by=user)
    return places, user


def _fill(places: Sequence[Deployment], frames: int, detections: int) -> None:
    """COPY frames, their examination and detections, one frame in READ_EVERY settled."""
    detector = Detector.objects.create(name="Bench", sha256="b" * 64, layout="yolox")
    per_day, base = int(timedelta(hours=HOURS) / INTERVAL), _next_id("detection_frame")
    reviews = _next_id("annotation_review")
    batches = [Batch.objects.create(deployment=place) for place in places]
    runs = [
        Run.objects.create(batch=batch, detector=detector, software=settings.VERSION)
        for batch in batches
    ]
    numbers = range(frames)

    def which(number: int) -> int:
        return number % len(places)

    def instant(number: int) -> datetime:
        day, slot = divmod(number // len(places), per_day)
        return LAST - timedelta(days=day) + timedelta(hours=OPENS) + slot * INTERVAL

    _copy(
        Frame,
        "id park_id deployment_id batch_id sha256 path width height captured_at quarantine exif"
        " brightness sharpness flag damaged rank",
        (
            (base + n, places[0].lake.park_id, places[which(n)].pk, batches[which(n)].pk,
             f"{n:064x}", f"{n}.jpg", 1600, 1200, instant(n), "", "{}", 100, 100, "", False,
             n if n % READ_EVERY == 0 else n + frames)  # what is read comes first: a sample
            for n in numbers
        ),
    )  # fmt: skip
    _copy(
        RunFrame,
        "run_id frame_id state reason attempts",
        ((runs[which(n)].pk, base + n, "done", "", 1) for n in numbers),
    )
    _copy(
        Detection,
        "run_id frame_id label source_class score x y w h",
        (
            (runs[which(n % frames)].pk, base + n % frames, "person", "person",
             0.2 + 0.7 * (n % 11) / 11, 0.01 * (n % 90), 0.5, 0.01, 0.02)
            for n in range(detections)
        ),
    )  # fmt: skip
    read = range(0, frames, READ_EVERY)
    _copy(
        Review,
        "id frame_id request_id author comment verdict alone seconds at",
        (
            (reviews + n, base + n, f"{n:032x}", f"{n:032x}", "", "boxes", True, 6, LAST)
            for n in read
        ),
    )
    _copy(
        ReviewBox,
        "review_id label activity x y w h",
        (
            (reviews + n, "person", "resting", 0.1 * box, 0.5, 0.01, 0.02)
            for n in read
            for box in range(n // READ_EVERY % 7)
        ),
    )
    _copy(
        SettledFrame,
        "frame_id review_id readable rule at",
        ((base + n, reviews + n, True, '{"clause": "alone"}', LAST) for n in read),
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _next_id(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}")  # noqa: S608 - our own
        return int(cursor.fetchone()[0])


def _copy(model: type[Model], columns: str, rows: Iterator[tuple[Any, ...]]) -> None:
    """COPY `rows` of `columns`; what the model has beside gets its own default in every row."""
    named = columns.split()
    beside = [
        field
        for field in model._meta.concrete_fields
        if field.column not in named and not field.primary_key and not field.null
    ]
    defaults = tuple(field.get_db_prep_save(field.get_default(), connection) for field in beside)
    names = ", ".join([*named, *(str(field.column) for field in beside)])
    table = model._meta.db_table
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy,
    ):
        for row in rows:
            copy.write_row(row + defaults)


def _asked(client: Client, where: str) -> dict[str, float]:
    """A page's median time, the processor's share of it in this process, and its queries."""
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(where)
    if answer.status_code != 200:
        raise RuntimeError(f"{where} answered {answer.status_code}")
    asked = len(queries)  # counted now: the next request empties the log
    ms = _median(lambda: client.get(where))
    started = time.process_time()  # holds on a busy machine too
    client.get(where)
    cpu = round(1000 * (time.process_time() - started), 1)
    return {"ms": ms, "cpu_ms": cpu, "queries": asked}


def _plain(lake: Lake, period: Period) -> None:
    """The least that a page without any preparation has to ask for: persons per day."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (f.captured_at AT TIME ZONE %s)::date AS day, count(m.id)
            FROM detection_frame f
            JOIN detection_deployment d ON d.id = f.deployment_id
            LEFT JOIN detection_detection m
                ON m.frame_id = f.id AND m.label = 'person' AND m.score >= 0.3
            WHERE d.lake_id = %s AND f.captured_at >= %s AND f.captured_at < %s
            GROUP BY day
            """,
            [lake.time_zone, lake.pk, period.first, period.last + timedelta(days=1)],
        )
        cursor.fetchall()


def _median(work: Callable[[], object]) -> float:
    """Milliseconds, after one run to warm up."""
    work()
    spent = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        spent.append(1000 * (time.perf_counter() - started))
    return round(statistics.median(spent), 1)
