"""A run examines every frame exactly once, whatever dies on the way. All parts are real."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import redis
from celery.signals import worker_shutting_down
from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image

from detection import choosing, claims, inference, runs, tasks
from detection.cards import ingest, vault
from detection.cards.redate import redate
from detection.models import Batch, CardFile, Detection, Detector, Frame, Run, RunFrame
from detection.onnx.boxes import Boxes
from detection.onnx.engine import Around, Engine
from detection.registering import register
from lacs_web import stopping
from lacs_web.embedded import redis as redis_server
from tests.factories import make_deployment
from tests.onnx_models import tiny_yolox


def red_card(folder: Path, n: int, seconds: int = 1) -> None:
    """`n` grey pictures of 320 × 256 with one red patch each, `seconds` apart."""
    folder.mkdir(parents=True)
    for index in range(n):
        rgb = np.full((256, 320, 3), 120 + index % 50, np.uint8)
        cv2.rectangle(rgb, (96, 96), (127, 127), (255, 0, 0), -1)
        rgb[0, 0] = (index % 256, index // 256, 7)
        exif = Image.Exif()
        taken = datetime(2025, 7, 26, 10) + timedelta(seconds=seconds * index)  # noqa: DTZ001
        exif.get_ifd(0x8769)[0x9003] = f"{taken:%Y:%m:%d %H:%M:%S}"
        Image.fromarray(rgb).save(folder / f"{index:04}.jpg", exif=exif, quality=95)


def import_card(tmp_path: Path, n: int, seconds: int = 1) -> Batch:
    make_deployment()
    red_card(tmp_path / "card", n, seconds)
    call_command("import_batch", str(tmp_path / "card"), deployment="shore", stdout=sys.stderr)
    register(path=tiny_yolox(tmp_path / "tiny.onnx"))
    return Batch.objects.get()


def open_run(batch: Batch) -> Run:
    tasks.start_owed_runs()
    return Run.objects.get(batch=batch)


# Tiles that are smaller than the pictures, where something changed or a box lay before.
GATED = choosing.options(tiling="gated", long_side=640) | {"tile": 128}


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
def test_a_frame_is_seen_before_its_neighbours_background(tmp_path: Path) -> None:
    """Four frames of a chunk have no neighbours in it apart enough; those examined before lend
    theirs: then the patch, which stands in all of them, differs from nothing.
    """
    run = open_run(import_card(tmp_path, 24, seconds=900))
    assert inference.examine(run, limit=20) == 20
    assert inference.examine(run, limit=4) == 4
    last = Frame.objects.order_by("-captured_at")[:4]
    patches = Detection.objects.counted().filter(frame__in=last)
    assert len(patches) == 4
    # 0 but for what JPEG makes of the patch's edge; None without a background, 1 without neighbours
    assert all(box.evidence is not None and box.evidence < 0.2 for box in patches)
    assert run.engine.startswith("onnxruntime")
    assert all(len(bytes(row.light or b"")) == 192 for row in RunFrame.objects.all())


@pytest.mark.django_db
def test_a_chunk_goes_on_from_the_one_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each preview is read once for a run, and what the last frame of a chunk showed is known to
    the first of the next; a frame whose clock is set right meanwhile is another.
    """
    batch = import_card(tmp_path, 24, seconds=900)
    read, opened = vault.preview, list[str]()

    def counted(sha256: str) -> bytes:
        opened.append(sha256)
        return read(sha256)

    monkeypatch.setattr(vault, "preview", counted)
    told = list[Around]()
    detect = Engine.detect

    def listening(engine: Engine, rgb: NDArray[np.uint8], around: Around) -> Boxes:
        told.append(around)
        return detect(engine, rgb, around)

    monkeypatch.setattr(Engine, "detect", listening)
    detector = Detector.objects.get()
    run = runs.start_run(batch=batch, detector=detector, options=GATED, user=None)
    monkeypatch.setattr(settings, "INFERENCE_THREADS", 1)
    assert inference.examine(run, limit=10) == 10
    assert len(opened) == len(set(opened))
    known = len(opened)
    assert inference.examine(run, limit=6) == 6
    assert len(opened) == known
    firsts = [each.before for each in (told[0], told[10])]
    assert firsts[0] is None
    assert firsts[1] is not None
    last = Frame.objects.order_by("captured_at")[9].detections.order_by("-score")
    assert firsts[1].scores.tolist() == pytest.approx([box.score for box in last])
    moved = Frame.objects.order_by("-captured_at")[0]
    assert moved.captured_at is not None
    Frame.objects.filter(pk=moved.pk).update(captured_at=moved.captured_at + timedelta(seconds=60))
    assert inference.examine(run, limit=8) == 8
    assert opened[known:] == [moved.sha256]


@pytest.mark.django_db
def test_a_neighbour_without_preview_stops_nothing(tmp_path: Path) -> None:
    run = open_run(import_card(tmp_path, 12, seconds=1800))
    for frame in Frame.objects.order_by("captured_at")[:6]:
        (Path(settings.MEDIA_ROOT) / vault.preview_name(frame.sha256)).unlink()
    RunFrame.objects.filter(frame__in=Frame.objects.order_by("captured_at")[:6]).delete()
    assert inference.examine(run, limit=50) == 6
    assert runs.progress(run)["done"] == 6


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
    found = runs.Outcome([box])
    assert not runs.store(token=token, outcomes=[(row, found)])
    assert runs.store(token=second, outcomes=[(row, found)])
    assert not runs.store(token=second, outcomes=[(row, found)])
    assert Detection.objects.count() == 1


@pytest.mark.django_db
def test_frames_are_written_together_each_with_its_own(
    tmp_path: Path, django_assert_num_queries: Any
) -> None:
    """What somebody else has taken meanwhile is left to them; the others lose nothing."""
    run = open_run(import_card(tmp_path, 3))
    token, rows = runs.take(run, 10)
    box = runs.Box("person", "person", 0.5, 0.1, 0.1, 0.1, 0.1)
    outcomes = [
        (row, runs.Outcome([box] * number, problem=problem, light=bytes([number])))
        for number, (row, problem) in enumerate(zip(rows, ("", "fog", ""), strict=True), start=1)
    ]
    RunFrame.objects.filter(pk=rows[0].pk).update(claim=uuid.uuid4())
    with django_assert_num_queries(3 + 2):  # two of the savepoint, in a test
        assert runs.store(token=token, outcomes=outcomes) == 2
    told = RunFrame.objects.order_by("pk").values_list("state", "problem", "light")
    assert [(state, problem, bytes(light or b"")) for state, problem, light in told] == [
        ("pending", "", b""),
        ("done", "fog", b"\x02"),
        ("done", "", b"\x03"),
    ]
    counts = Counter(Detection.objects.values_list("frame", flat=True))
    assert counts == {rows[1].frame_id: 2, rows[2].frame_id: 3}
    assert runs.store(token=token, outcomes=outcomes) == 0
    assert runs.store(token=token, outcomes=[]) == 0


@pytest.mark.django_db(transaction=True)
def test_what_is_just_being_taken_away_keeps_nobody_waiting(tmp_path: Path) -> None:
    run = open_run(import_card(tmp_path, 3))
    token, rows = runs.take(run, 10)
    outcomes = [(row, runs.Outcome([])) for row in rows]

    def elsewhere() -> int:
        try:
            return runs.store(token=token, outcomes=outcomes)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as another, transaction.atomic():
        RunFrame.objects.select_for_update().get(pk=rows[1].pk)
        assert another.submit(elsewhere).result(timeout=10) == 2
    assert runs.progress(run) == {"pending": 1, "done": 2, "failed": 0, "total": 3}


@pytest.mark.django_db
def test_what_loses_its_date_is_owed_no_longer_until_it_has_one(tmp_path: Path) -> None:
    """Else it would stop the whole chunk that it is claimed with."""
    batch = import_card(tmp_path, 6, seconds=600)
    run = open_run(batch)
    place = batch.deployment
    third = Frame.objects.order_by("captured_at")[2].captured_at
    assert third is not None
    starts = place.starts_at
    for begins, left in ((third, 4), (starts, 6)):
        place.starts_at = begins
        place.save()
        with transaction.atomic():
            redate(place)
        assert runs.progress(run)["total"] == left
    place.starts_at = third
    place.save()
    with transaction.atomic():
        redate(place)
    assert inference.examine(run, limit=50) == 4
    assert runs.finish_if_done(run)


@pytest.mark.django_db(transaction=True)
def test_a_slow_frame_is_held_for_as_long_as_it_takes(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LEASE_SECONDS = 1
    run = open_run(import_card(tmp_path, 1))
    read, taken = vault.original, []

    def slowly(sha256: str) -> bytes:
        time.sleep(1.5)
        taken.extend(runs.take(run, 10)[1])  # as another worker would
        connection.close()  # this thread's own
        return read(sha256)

    monkeypatch.setattr(vault, "original", slowly)
    assert inference.examine(run, limit=50) == 1
    assert taken == []
    assert runs.progress(run)["done"] == 1


@pytest.mark.django_db
def test_a_worker_that_is_to_end_hands_back_what_it_has_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingest, "SETTLED_AT_ONCE", 2)
    monkeypatch.setattr(stopping, "_asked", bytearray(1))
    batch = import_card(tmp_path, 6)
    CardFile.objects.update(state="stored", frame=None, attempts=0)
    Frame.objects.all().delete()
    assert not stopping.asked()
    worker_shutting_down.send(sender=None)
    assert stopping.asked()
    tasks.ingest(batch.pk)
    stored = batch.files.filter(state="stored")
    assert batch.files.count() - stored.count() == 2
    assert claims.free(stored).filter(attempts=0).count() == 4
    stopping._asked[0] = 0
    tasks.ingest(batch.pk)
    run = open_run(batch)
    stopping._asked[0] = 1
    tasks.detect(run.pk)
    assert runs.progress(run)["done"] == 1
    assert claims.free(runs.owed(run)).filter(attempts=0).count() == 5


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
def test_sweeps_do_not_fill_redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MOST_WAITING", 40)
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
    for _ in range(6):
        tasks.sweep()
    assert doorbell.llen("inference") == 3 * tasks.MOST_RINGS  # then there were 40
    (message,) = doorbell.lrange("inference", 0, 0)
    assert json.loads(message)["headers"]["expires"] is None  # whatever a worker's clock says
    doorbell.flushall()


@contextlib.contextmanager
def doorbell(data: Path) -> Iterator[Doorbell]:
    """A Redis of the test's own, that it may kill."""
    what, url = redis_server.service(data)
    bell = Doorbell(list(what.argv), url)
    bell.start()
    try:
        yield bell
    finally:
        bell.kill()


class Doorbell:
    def __init__(self, argv: list[str], url: str) -> None:
        self.argv, self.url = argv, url

    def start(self) -> None:
        self.process = subprocess.Popen(self.argv, stdout=subprocess.DEVNULL)
        wait_until(lambda: redis_server.ready(self.url), 20)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def worker(data: Path, bell: Doorbell) -> Iterator[subprocess.Popen[bytes]]:
    database = connection.settings_dict
    name, host = database["NAME"], database["HOST"]
    environment = os.environ | {
        "DATABASE_URL": f"postgresql://{database['USER']}@/{name}?host={host}",
        "REDIS_URL": bell.url,
        "LACS_DATA": str(data),
        "LACS_LEASE_SECONDS": str(LEASE),
        "LACS_SWEEP_SECONDS": str(SWEEP),
        "LACS_INFERENCE_THREADS": "2",
    }
    process = subprocess.Popen(
        [
            sys.executable, "-m", "celery", "-A", "lacs_web", "worker", "-Q", "ingest,inference",
            "--concurrency", "1", "--beat", "-s", str(data / "beat"), "-l", "ERROR",
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


def examining(process: subprocess.Popen[bytes]) -> int:
    """The process id of the worker's child that examines: the one with the runtime in it."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    (one,) = [pid for pid in children if "onnxruntime" in Path(f"/proc/{pid}/maps").read_text()]
    return int(one)


def wait_until(true: Any, seconds: float = 300) -> None:
    limit = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < limit, "it did not happen in time"
        time.sleep(0.1)


LEASE, SWEEP = 3, 1  # seconds; a server has 60 and 30, so is back as much sooner than two minutes
BACK = 20 * (LEASE + SWEEP)  # seconds, at most, until frames are examined again: a busy machine's


@pytest.mark.worker
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="looks processes up in /proc")
@pytest.mark.skipif(
    not connection.settings_dict["HOST"].startswith("/"), reason="needs a PostgreSQL on a socket"
)
def test_whatever_is_killed_each_frame_is_examined_once(tmp_path: Path) -> None:
    """SIGKILL for the worker's child, for Redis (which forgets everything), for the worker."""
    batch = import_card(tmp_path, 360, seconds=300)
    detector = Detector.objects.get()
    runs.start_run(batch=batch, detector=detector, options=GATED, user=None)
    done = RunFrame.objects.filter(state=RunFrame.State.DONE)

    def goes_on(more: int = 20) -> None:
        reached = done.count()
        assert reached < 360 - more, "too late to prove anything"
        wait_until(lambda: done.count() >= reached + more, BACK)

    with doorbell(tmp_path) as bell:
        with worker(tmp_path, bell) as first:  # its sweep rings for what is owed
            goes_on()
            os.kill(examining(first), signal.SIGKILL)
            goes_on(tasks.CHUNK + 5)  # more than another child may have held
            bell.kill()
            time.sleep(SWEEP)
            bell.start()
            goes_on(tasks.CHUNK + 5)
            assert first.poll() is None
            os.killpg(first.pid, signal.SIGKILL)
        assert done.count() < 360, "the worker was killed too late to prove anything"
        with worker(tmp_path, bell):
            wait_until(lambda: Run.objects.filter(finished_at__isnull=False).exists())
    run = Run.objects.get(batch=batch)
    assert runs.progress(run) == {"pending": 0, "done": 360, "failed": 0, "total": 360}
    # The detector gives each frame the same boxes, so a frame done twice would have double.
    counts = {frame.detections.count() for frame in Frame.objects.all()}
    assert counts == {Frame.objects.all()[0].detections.count()} != {0}
