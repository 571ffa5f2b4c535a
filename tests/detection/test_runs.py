"""A run examines every frame exactly once, whatever dies on the way. All parts are real."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import redis
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from PIL import Image

from detection import claims, inference, runs, tasks
from detection.models import Batch, Detection, Frame, Run, RunFrame
from detection.registering import register
from tests.factories import make_deployment
from tests.onnx_models import tiny_yolox


def red_card(folder: Path, n: int) -> None:
    """`n` grey pictures of 320 × 256 with one red patch each, a second apart."""
    folder.mkdir(parents=True)
    for index in range(n):
        rgb = np.full((256, 320, 3), 120 + index % 50, np.uint8)
        cv2.rectangle(rgb, (96, 96), (127, 127), (255, 0, 0), -1)
        rgb[0, 0] = (index % 256, index // 256, 7)
        exif = Image.Exif()
        exif.get_ifd(0x8769)[0x9003] = f"2025:07:26 10:{index // 60:02}:{index % 60:02}"
        Image.fromarray(rgb).save(folder / f"{index:04}.jpg", exif=exif, quality=95)


def import_card(tmp_path: Path, n: int) -> Batch:
    make_deployment()
    red_card(tmp_path / "card", n)
    call_command("import_batch", str(tmp_path / "card"), deployment="shore", stdout=sys.stderr)
    register(path=tiny_yolox(tmp_path / "tiny.onnx"))
    return Batch.objects.get()


def open_run(batch: Batch) -> Run:
    tasks.start_owed_runs()
    return Run.objects.get(batch=batch)


@pytest.mark.django_db
def test_detections_have_label_and_provenance(tmp_path: Path) -> None:
    run = open_run(import_card(tmp_path, 5))
    assert inference.examine(run, limit=50) == 5
    assert runs.finish_if_done(run)
    assert runs.progress(run) == {"pending": 0, "done": 5, "failed": 0, "total": 5}
    for frame in Frame.objects.all():
        best = frame.detections.order_by("-score")[0]
        assert best.label == "person"
        # The red patch's centre, 112 of 320 and 112 of 256 px.
        assert best.x <= 112 / 320 <= best.x + best.w
        assert best.y <= 112 / 256 <= best.y + best.h
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Detection.objects.update(score=1)


@pytest.mark.django_db
def test_a_frame_whose_bytes_are_gone_stops_no_other(tmp_path: Path) -> None:
    run = open_run(import_card(tmp_path, 3))
    lost = Frame.objects.order_by("path")[1]
    (Path(settings.MEDIA_ROOT) / f"originals/{lost.sha256[:2]}/{lost.sha256}.jpg").unlink()
    inference.examine(run, limit=50)
    assert runs.progress(run) == {"pending": 0, "done": 2, "failed": 1, "total": 3}
    assert RunFrame.objects.get(frame=lost).reason


@pytest.mark.django_db
def test_a_lost_claim_writes_nothing(tmp_path: Path) -> None:
    run = open_run(import_card(tmp_path, 1))
    token, (row,) = runs.take(run, 10)
    assert runs.take(run, 10)[1] == []  # held by another
    RunFrame.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    second, taken = runs.take(run, 10)
    assert [each.pk for each in taken] == [row.pk]
    box = runs.Box("person", "person", 0.5, 0.1, 0.1, 0.1, 0.1)
    assert not runs.store(row=row, token=token, boxes=[box])
    assert runs.store(row=row, token=second, boxes=[box])
    assert not runs.store(row=row, token=second, boxes=[box])
    assert Detection.objects.count() == 1


@pytest.mark.django_db
def test_what_stops_every_worker_is_given_up_alone(tmp_path: Path) -> None:
    run = open_run(import_card(tmp_path, 3))
    assert len(claims.claim(runs.owed(run), 10)[1]) == 3
    RunFrame.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    _, (alone,) = claims.claim(runs.owed(run), 10)  # what failed once is tried by itself
    RunFrame.objects.filter(pk=alone.pk).update(
        attempts=settings.MAX_ATTEMPTS, lease_until=timezone.now() - timedelta(seconds=1)
    )
    assert alone not in claims.claim(runs.owed(run), 10)[1]
    runs.give_up_on_poison(run)
    assert runs.progress(run) == {"pending": 2, "done": 0, "failed": 1, "total": 3}


@pytest.mark.django_db
@pytest.mark.skipif(
    not settings.REDIS_URL.startswith("unix:"), reason="never flushes a Redis that is not ours"
)
def test_sweeps_do_not_fill_redis(tmp_path: Path) -> None:
    run = open_run(import_card(tmp_path, 2))
    frame = Frame.objects.all()[0]
    copies = [
        Frame(
            park_id=frame.park_id,
            deployment_id=frame.deployment_id,
            batch_id=frame.batch_id,
            sha256=f"{n:064x}",
            path=frame.path,
            width=1,
            height=1,
            captured_at=frame.captured_at,
            brightness=1,
            sharpness=1,
            rank=n,
        )
        for n in range(5000)
    ]
    RunFrame.objects.bulk_create(
        RunFrame(run=run, frame=copy) for copy in Frame.objects.bulk_create(copies)
    )
    doorbell = redis.Redis.from_url(settings.REDIS_URL)
    doorbell.flushall()
    for _ in range(3):
        tasks.sweep()
    assert 0 < doorbell.llen("inference") <= 3 * tasks.MOST_RINGS
    (message,) = doorbell.lrange("inference", 0, 0)
    assert json.loads(message)["headers"]["expires"]
    doorbell.flushall()


@contextlib.contextmanager
def worker(data: Path) -> Iterator[subprocess.Popen[bytes]]:
    database = connection.settings_dict
    name, host = database["NAME"], database["HOST"]
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{database['USER']}@/{name}?host={host}",
        "LACS_DATA": str(data),
        "LACS_LEASE_SECONDS": "3",
        "LACS_SWEEP_SECONDS": "1",
        "LACS_INFERENCE_THREADS": "2",
    }
    process = subprocess.Popen(
        [
            sys.executable, "-m", "celery", "-A", "lacs_web", "worker", "-Q", "ingest,inference",
            "--concurrency", "1", "--beat", "-s", str(data / "beat"), "-l", "WARNING",
        ],
        env=environment,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(true: Any, seconds: float = 90) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.worker
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(
    not settings.REDIS_URL.startswith("unix:"), reason="never flushes a Redis that is not ours"
)
def test_killed_worker_and_flushed_redis_lose_nothing(tmp_path: Path) -> None:
    batch = import_card(tmp_path, 400)
    done = RunFrame.objects.filter(state=RunFrame.State.DONE)
    with worker(tmp_path) as first:  # its sweep starts the run by itself
        wait_until(lambda: done.count() >= 20)
        os.killpg(first.pid, signal.SIGKILL)
    assert done.count() < 400, "the worker was killed too late to prove anything"
    redis.Redis.from_url(settings.REDIS_URL).flushall()
    with worker(tmp_path):
        wait_until(lambda: Run.objects.filter(finished_at__isnull=False).exists())
    run = Run.objects.get(batch=batch)
    assert runs.progress(run) == {"pending": 0, "done": 400, "failed": 0, "total": 400}
    # The detector gives each frame the same boxes, so a frame done twice would have double.
    counts = {frame.detections.count() for frame in Frame.objects.all()}
    assert counts == {Frame.objects.all()[0].detections.count()} != {0}
