"""The page and the figures of health: each part is taken away, and it shows."""

from __future__ import annotations

import os
from collections import namedtuple
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from detection import health
from detection.cards import vault
from detection.models import CardFile, Detector, Run, RunFrame
from lacs_web.models import Role
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
WORKERS = {"ingest@h": [{"name": "ingest"}], "inference@h": [{"name": "inference"}]}


@pytest.fixture(autouse=True)
def all_there(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Workers that answer, a sweep just now, a detector whose file is what it was."""
    answers = namedtuple("answers", "active_queues")
    monkeypatch.setattr(current_app.control, "inspect", lambda timeout: answers(lambda: WORKERS))
    sha256, _ = vault.put([b"network"])
    detector = Detector.objects.create(name="Tiny", sha256=sha256, layout="x", is_default=True)
    default_storage.save(detector.storage_name, ContentFile(b"network"))
    health.note_sweep()
    doorbell = health._redis()
    yield
    doorbell.delete(health.SWEPT)


def state(name: str) -> str:
    return next(part.state for part in health.parts() if part.name == name)


def test_all_is_well() -> None:
    assert {part.state for part in health.parts()} == {"good"}


def test_a_queue_without_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(WORKERS, "inference@h")
    part = next(part for part in health.parts() if part.name == "Workers")
    assert part.state == "bad"
    assert "inference" in part.words
    assert part.measures['lacs_workers{queue="inference"}'] == 0


def test_redis_away(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    assert (state("Messages"), state("Clock (beat)")) == ("bad", "bad")
    health.note_sweep()  # and the sweep goes on


def test_no_sweep(settings: Any) -> None:
    health._redis().set(health.SWEPT, 0)
    assert state("Clock (beat)") == "bad"


def test_a_disk_that_fills(settings: Any) -> None:
    settings.DISK_RESERVE_BYTES = 1 << 60
    assert state("Disk") == "bad"


def test_a_storage_that_cannot_be_written(settings: Any) -> None:
    from pathlib import Path

    place = Path(settings.MEDIA_ROOT) / "health"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("a file where a folder must be")
    assert state("Storage") == "bad"


def test_two_who_measure_at_once_do_not_take_each_other_s_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened = FileSystemStorage.open
    states: list[str] = []

    def meanwhile(storage: Any, *more: Any) -> Any:
        if not states:
            states.append("another begins")
            states.append(health._storage().state)
        return opened(storage, *more)

    monkeypatch.setattr(FileSystemStorage, "open", meanwhile)
    assert (health._storage().state, states[1]) == ("good", "good")
    assert default_storage.listdir("health") == ([], [])


@pytest.mark.parametrize("harm", ["gone", "swapped"])
def test_a_detector_s_file(harm: str) -> None:
    name = Detector.objects.get().storage_name
    default_storage.delete(name)
    if harm == "swapped":
        default_storage.save(name, ContentFile(b"another"))
        os.utime(default_storage.path(name), (1, 1))
    assert state("Detector") == "bad"
    Detector.objects.all().delete()
    assert state("Detector") == "poor"


def test_what_waits_and_since_when() -> None:
    frame = make_frame(make_deployment())
    Detector.objects.update(sha256="d" * 64)
    examine(frame)
    RunFrame.objects.update(state=RunFrame.State.PENDING)
    Run.objects.update(finished_at=None, started_at=timezone.now() - timedelta(hours=2))
    CardFile.objects.create(
        batch=frame.batch, path="1", size=1, sha256="0" * 64, state=CardFile.State.STORED
    )
    with CaptureQueriesContext(connection) as asked:
        part = health._waiting()
    assert len(asked) == 4  # the counts once, and who is at it
    assert part.state == "poor"
    assert "2 frames, the oldest for 120 minutes" in part.words
    RunFrame.objects.update(lease_until=timezone.now() + timedelta(minutes=1))
    assert state("Waiting frames") == "good"  # somebody is at it


def test_the_page_and_the_metrics(client: Client, settings: Any) -> None:
    client.force_login(person(Role.OFFICER, make_lake()))
    client.cookies["django_language"] = "en"
    assert "Everything that LACS needs" in client.get(reverse("detection:health")).content.decode()
    text = client.get(reverse("detection:metrics")).content.decode()
    assert 'lacs_workers{queue="ingest"} 1\n' in text
    assert "# TYPE lacs_workers gauge\n" in text
    assert text.count("# TYPE lacs_workers ") == 1
    anybody, address = Client(), reverse("detection:metrics")
    assert anybody.get(address, headers={"Authorization": "Bearer "}).status_code == 401
    settings.METRICS_TOKEN = "known to prometheus"
    assert anybody.get(address, headers={"Authorization": "Bearer x"}).status_code == 401
    shown = anybody.get(address, headers={"Authorization": "Bearer known to prometheus"})
    assert shown.status_code == 200
