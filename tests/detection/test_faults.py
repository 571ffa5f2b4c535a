"""What the bench of faults does not strike: clocks, detectors' files, connections, deliveries."""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from detection import claims, health, inference, runs, tasks
from detection.cards import ingest, receive
from detection.models import CardFile, Detection, Frame, Run, RunFrame
from detection.registering import register
from lacs_web.models import Role
from tests.cast import person
from tests.detection.test_runs import import_card, open_run, red_card
from tests.factories import make_deployment
from tests.onnx_models import tiny_yolox

HOUR = timedelta(hours=1)


def set_clock(monkeypatch: pytest.MonkeyPatch, off: timedelta) -> None:
    """This process's clock; that of the database stays right."""
    true = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: true() + off)


@pytest.mark.django_db
@pytest.mark.parametrize("off", [HOUR, -HOUR])
def test_a_worker_whose_clock_jumped_takes_nothing_from_others_and_holds_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, off: timedelta
) -> None:
    run = open_run(import_card(tmp_path, 2))
    _token, (mine, _other) = runs.take(run, 10)
    with monkeypatch.context() as there:
        set_clock(there, off)
        assert runs.take(run, 10)[1] == []  # an hour ahead it seems to have lapsed
        RunFrame.objects.filter(pk=mine.pk).update(attempts=settings.MAX_ATTEMPTS)
        runs.give_up_on_poison(run)
        assert runs.progress(run)["failed"] == 0
        RunFrame.objects.update(lease_until=None, attempts=0)
        _token, taken = runs.take(run, 10)
        claims.renew(RunFrame, _token)
    ends = RunFrame.objects.get(pk=taken[0].pk).lease_until
    assert ends
    left = ends - timezone.now()
    assert timedelta(0) < left <= timedelta(seconds=settings.LEASE_SECONDS + 1)


@pytest.mark.django_db
@pytest.mark.parametrize("harm", ["swapped", "corrupt", "gone"])
def test_a_run_waits_for_the_very_detector_that_it_was_started_with(
    tmp_path: Path, harm: str, client: Any, rung: list[int]
) -> None:
    run = open_run(import_card(tmp_path, 3))
    file = Path(default_storage.path(run.detector.storage_name))
    if harm == "swapped":
        shutil.copy(tiny_yolox(tmp_path / "other.onnx", size=(64, 64)), file)
    elif harm == "corrupt":
        file.write_bytes(file.read_bytes()[:-100])
    else:
        file.unlink()
    if harm != "gone":
        os.utime(file, (1, 1))
    tasks.detect(run.pk)
    tasks.detect(run.pk)
    assert runs.progress(run) == {"pending": 3, "done": 0, "failed": 0, "total": 3}
    assert set(RunFrame.objects.values_list("attempts", "lease_until")) == {(0, None)}
    client.force_login(person(Role.RANGER, run.batch.deployment.lake))
    client.cookies["django_language"] = "en"
    said = client.get(f"/runs/{run.pk}/").content.decode()
    assert "is gone or was changed: register it again." in said
    register(path=tmp_path / "tiny.onnx")
    tasks.detect(run.pk)
    assert runs.progress(run)["done"] == 3
    assert "register it again" not in client.get(f"/runs/{run.pk}/").content.decode()


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Rings instead of messages: the ids that were rung for."""
    found: list[int] = []
    monkeypatch.setattr(tasks, "ring", lambda task, pk: found.append(pk))
    return found


@pytest.mark.django_db
def test_messages_that_come_twice_late_or_in_any_order_do_nothing_twice(
    tmp_path: Path, rung: list[int]
) -> None:
    batch = import_card(tmp_path, 4)
    tasks.start_owed_runs()
    run = Run.objects.get()

    def stands() -> tuple[object, ...]:
        return (
            list(Frame.objects.order_by("pk").values_list("pk", "sha256")),
            list(CardFile.objects.order_by("pk").values_list("pk", "state")),
            list(RunFrame.objects.order_by("pk").values_list("pk", "state", "attempts")),
            list(Detection.objects.order_by("pk").values_list("pk", "frame")),
            Run.objects.count(),
        )

    tasks.weigh(run.pk)  # before anything was examined
    for _ in range(3):
        tasks.detect(run.pk)
    for _ in range(3):
        tasks.ingest(batch.pk)  # long after the card was read
    before = stands()
    again: list[tuple[Callable[[int], None], int]] = [
        (tasks.weigh, run.pk), (tasks.detect, run.pk), (tasks.ingest, batch.pk),
        (tasks.weigh, run.pk), (tasks.ingest, batch.pk), (tasks.detect, run.pk),
    ]  # fmt: skip
    for task, pk in again:
        task(pk)
    tasks.sweep()
    tasks.sweep()
    assert stands() == before
    assert len(before[0]) == 4 == Detection.objects.count()  # type: ignore[arg-type]
    assert inference.examine(run, limit=50) == 0


@pytest.mark.django_db
def test_no_sweep_is_lost_and_of_those_that_piled_up_one_works(
    tmp_path: Path, rung: list[int], settings: Any
) -> None:
    """While a worker is busy for long, beat goes on sending them."""
    beat = settings.CELERY_BEAT_SCHEDULE["sweep"]
    assert "expires" not in beat.get("options", {})
    settings.SWEEP_SECONDS = 3600  # however slow this machine is
    run = open_run(import_card(tmp_path, 2))
    doorbell = health._redis()
    doorbell.delete(health.SWEEPING)
    tasks.sweep(**beat["kwargs"])
    assert run.pk in rung
    rung.clear()
    for _ in range(20):
        tasks.sweep(**beat["kwargs"])
    assert rung == []
    assert 0 < doorbell.pttl(health.SWEEPING) <= 1_800_000  # gone before beat's next
    doorbell.delete(health.SWEEPING)
    tasks.sweep(**beat["kwargs"])
    assert run.pk in rung
    doorbell.delete(health.SWEEPING)


@pytest.mark.django_db(transaction=True)
def test_a_picture_that_kills_its_reader_is_named_and_takes_no_other_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any, rung: list[int]
) -> None:
    """Each reader is a process of its own that really dies when it comes to the third picture."""
    settings.LEASE_SECONDS = 0  # the dead hold nothing
    red_card(tmp_path / "card", 5)
    pictures = {each.name: each.read_bytes() for each in sorted((tmp_path / "card").iterdir())}
    batch = receive.open_batch(
        deployment=make_deployment(), source="SD", user=None, fingerprint="f" * 64, expected_files=5
    )
    lines = [receive.Announced(name, len(data), None) for name, data in pictures.items()]
    for row, data in zip(
        receive.announce(batch=batch, files=lines), pictures.values(), strict=True
    ):
        receive.store(file=row, chunks=[data], expected=hashlib.sha256(data).hexdigest())
    true, poison = ingest._decoded, pictures["0002.jpg"]

    def deadly(data: bytes) -> Any:
        if data == poison:
            os.kill(os.getpid(), signal.SIGKILL)
        return true(data)

    monkeypatch.setattr(ingest, "_decoded", deadly)
    dead = 0
    for _ in range(12):
        connection.close()
        if (reader := os.fork()) == 0:
            try:
                tasks.ingest(batch.pk)
            finally:
                os._exit(0)
        dead += os.waitstatus_to_exitcode(os.waitpid(reader, 0)[1]) == -signal.SIGKILL
        tasks.sweep()
        if not batch.files.filter(state=CardFile.State.STORED).exists():
            break
    assert dict(batch.files.values_list("path", "state")) == {
        name: "unreadable" if name == "0002.jpg" else "new" for name in pictures
    }
    assert dead == settings.MAX_ATTEMPTS
    assert Frame.objects.count() == 4
