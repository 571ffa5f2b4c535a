"""Whether everything that LACS needs is there, measured now: for the officers' page and Prometheus.

Measures and says; mends nothing (manage.py doctor does).
"""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.db.models import Count, Min
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from kombu.exceptions import OperationalError

from detection import claims, wording
from detection.detecting import changed, is_whole
from detection.models import CardFile, Detector, RunFrame

QUEUES = ("ingest", "inference")
SWEPT = "lacs:swept"  # in Redis: when beat's sweep last ran; nothing is lost with it
SWEEPING = "lacs:sweeping"  # in Redis, for a while: one of beat's sweeps has just been begun
WAITS_LONG = 3600  # seconds, after which waiting work with nobody at it is worth a word


@dataclass(frozen=True)
class Part:
    """One thing that is needed: `state` is "good", "poor" or "bad"; `words` say what to do."""

    name: str
    state: str
    words: str
    measures: Mapping[str, float] = field(default_factory=dict)  # Prometheus name → value


def parts() -> list[Part]:
    """Everything, measured; takes up to two seconds, for workers are asked and given time."""
    if (database := _database()).state != "good":
        return [database]  # all else would ask it
    return [database, *(measure() for measure in _MEASURES)]


def note_sweep() -> None:
    """Beat and a worker of the ingest queue are alive: the sweep says so."""
    with contextlib.suppress(redis.RedisError):
        _redis().set(SWEPT, time.time(), ex=24 * 3600)


def is_time_to_sweep() -> bool:
    """Whether none of beat's sweeps was begun within half its time, by the clock of Redis; True
    while Redis is away. The next ones are then not for a while.
    """
    with contextlib.suppress(redis.RedisError):
        half = max(1, 500 * settings.SWEEP_SECONDS)
        return bool(_redis().set(SWEEPING, 1, px=half, nx=True))
    return True


def messages(queue: str) -> int:
    """How many messages wait in a queue; 0 while Redis is away."""
    with contextlib.suppress(redis.RedisError):
        return int(_redis().llen(queue))
    return 0


def _redis() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=2)


def _database() -> Part:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            size = cursor.fetchone()[0]
    except DatabaseError:
        words = _("PostgreSQL does not answer: see that it runs.")
        return Part(_("Database"), "bad", words, {"lacs_database_up": 0})
    measures = {"lacs_database_up": 1, "lacs_database_bytes": size}
    return Part(_("Database"), "good", _("answers"), measures)


def _doorbell() -> Part:
    try:
        _redis().ping()
    except redis.RedisError:
        words = _("Redis does not answer: nothing is lost, but work waits until it runs.")
        return Part(_("Messages"), "bad", words, {"lacs_redis_up": 0})
    return Part(_("Messages"), "good", _("Redis answers"), {"lacs_redis_up": 1})


def _workers() -> Part:
    found: Mapping[str, Sequence[Mapping[str, Any]]] = {}
    with contextlib.suppress(OperationalError, redis.RedisError, OSError):
        found = current_app.control.inspect(timeout=1).active_queues() or {}
    counted = Counter(queue["name"] for queues in found.values() for queue in queues)
    measures = {f'lacs_workers{{queue="{name}"}}': counted[name] for name in QUEUES}
    missing = [name for name in QUEUES if not counted[name]]
    if missing:
        words = _("No worker takes from: %(queues)s. Start one.") % {"queues": ", ".join(missing)}
        return Part(_("Workers"), "bad", words, measures)
    shown = ", ".join(wording.pair(name, counted[name]) for name in QUEUES)
    return Part(_("Workers"), "good", shown, measures)


def _beat() -> Part:
    swept = None
    with contextlib.suppress(redis.RedisError):
        swept = _redis().get(SWEPT)
    if swept is None:
        words = _("No sweep has run lately: see that beat and an ingest worker run.")
        return Part(_("Clock (beat)"), "bad", words)
    age = max(0.0, time.time() - float(swept))
    late = age > 4 * settings.SWEEP_SECONDS
    return Part(
        _("Clock (beat)"),
        "bad" if late else "good",
        _("last sweep %(n)s seconds ago") % {"n": round(age)},
        {"lacs_sweep_age_seconds": round(age, 1)},
    )


def _storage() -> Part:
    try:
        # A name of its own: another process may be measuring at this moment.
        name = default_storage.save(f"health/{uuid.uuid4()}", ContentFile(b"lacs"))
        try:
            with default_storage.open(name) as file:
                whole = file.read() == b"lacs"
        finally:
            default_storage.delete(name)
    except OSError as problem:
        words = _("Pictures cannot be written: %(why)s.") % {"why": problem.strerror or problem}
        return Part(_("Storage"), "bad", words, {"lacs_storage_up": 0})
    state, words = ("good", _("writes and reads")) if whole else ("bad", _("reads back wrongly"))
    return Part(_("Storage"), state, words, {"lacs_storage_up": float(whole)})


def _disk() -> Part:
    place = Path(settings.MEDIA_ROOT)
    place.mkdir(parents=True, exist_ok=True)
    usage = shutil.disk_usage(place)
    state = "good" if usage.free > max(5 * settings.DISK_RESERVE_BYTES, usage.total // 20) else (
        "poor" if usage.free > settings.DISK_RESERVE_BYTES else "bad"
    )  # fmt: skip
    words = _("%(free)s GB of %(total)s GB are free") % {
        "free": number_format(usage.free / 1e9, 1),
        "total": number_format(usage.total / 1e9, 1),
    }
    if state == "bad":
        words = f"{words}. " + _("No card is taken in until there is more room.")
    return Part(_("Disk"), state, words, {"lacs_disk_free_bytes": usage.free})


def _detector() -> Part:
    detector = Detector.objects.filter(is_default=True).first()
    if detector is None:
        words = _("No detector is registered: pictures stay wholly masked until one is.")
        return Part(_("Detector"), "poor", words, {"lacs_detector_whole": 0})
    whole = is_whole(detector)
    measures = {"lacs_detector_whole": float(whole)}
    if not whole:
        return Part(_("Detector"), "bad", changed(detector), measures)
    return Part(_("Detector"), "good", f"{detector.name}, {detector.sha256[:12]}", measures)


def _waiting() -> Part:
    """Work that is owed, and since when the oldest of it is."""
    read = CardFile.objects.filter(state=CardFile.State.STORED)
    look = RunFrame.objects.filter(
        state=RunFrame.State.PENDING, run__paused=False, run__finished_at=None
    )
    reading = read.aggregate(n=Count("pk"), since=Min("batch__opened_at"))
    looking = look.aggregate(n=Count("pk"), since=Min("run__started_at"))
    every = reading["n"] + looking["n"]
    starts = (reading["since"], looking["since"])
    oldest: datetime | None = min((at for at in starts if at), default=None)
    age = (timezone.now() - oldest).total_seconds() if oldest else 0.0
    measures: dict[str, float] = {
        'lacs_waiting{work="reading"}': reading["n"],
        'lacs_waiting{work="detection"}': looking["n"],
        "lacs_oldest_waiting_seconds": round(age, 1),
    }
    if oldest is None:
        return Part(_("Waiting frames"), "good", _("none"), measures)
    words = _("%(n)s frames, the oldest for %(minutes)s minutes") % {
        "n": every,
        "minutes": round(age / 60),
    }
    stuck = age > WAITS_LONG and every == claims.free(read).count() + claims.free(look).count()
    return Part(_("Waiting frames"), "poor" if stuck else "good", words, measures)


_MEASURES: list[Callable[[], Part]] = [
    _doorbell, _workers, _beat, _storage, _disk, _detector, _waiting,
]  # fmt: skip


def exposition(measured: list[Part]) -> str:
    """In Prometheus' text format, each metric a gauge."""
    lines, told = [], set()
    for part in measured:
        for name, value in part.measures.items():
            stem = name.split("{")[0]
            if stem not in told:
                lines.append(f"# TYPE {stem} gauge")
                told.add(stem)
            lines.append(f"{name} {value:g}" if value % 1 else f"{name} {int(value)}")
    return "\n".join(lines) + "\n"
