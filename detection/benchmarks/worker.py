"""The whole path of a run against the bare engine: the same frames, settings and threads.

The path: a real Celery worker with its one process, rows claimed and written in PostgreSQL, bytes
read from the storage; timed by the rows themselves, from the first frame examined to the last, so
that the worker's start does not count. The peer: the engine's own loop over the same loaders in
this process. They take turns. The worker's memory is read after a third of its frames and at the
end of all turns.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import simplejpeg
from django.conf import settings
from django.core.management import CommandError
from django.db.models import Max, Min

from detection import choosing, inference, runs, tasks
from detection.benchmarks.floor import _files, detector_file
from detection.cards import vault
from detection.cards.decode import decode
from detection.detecting import looking
from detection.models import Batch, Camera, Deployment, Detector, Frame, Run, RunFrame
from detection.registering import register
from lacs_web.models import Lake, Park

FRAMES, TURNS = 240, 4
SECONDS = 600.0  # that a turn may take
EVERY = timedelta(minutes=10)


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lacs-bench-") as folder:
        detector = register(path=detector_file(Path(folder)), name="bench")
    batch = _batch()
    frames = list(Frame.objects.filter(batch=batch).order_by("captured_at"))
    options = choosing.options()
    paths: list[float] = []
    bare: list[float] = []
    memory: list[float] = []
    with _worker() as process:
        for _turn in range(TURNS):
            paths.append(_path(batch, detector, options, process, memory))
            bare.append(_bare(detector, options, frames))
    path, peer = statistics.median(paths), statistics.median(bare)
    return {
        "what": "frames through a run: Celery, claims, storage, PostgreSQL; peer: the bare engine "
        "over the same frames",
        "figure": round(path, 2),
        "unit": "frames/s",
        "peer": round(peer, 2),
        "ratio": round(path / peer, 3),
        "conditions": {
            "detector": detector.layout,
            "settings": f"{choosing.tiling(options).value}, {options['long_side']} px",
            "frames": f"{FRAMES} a turn",
            "turns": f"{TURNS} of each, alternating; medians",
            "worker_mb_after_a_third": round(memory[0]) if memory else None,
            "worker_mb_at_the_end": round(memory[-1]) if memory else None,
            "load_average": round(os.getloadavg()[0], 1),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        },
    }


def _batch() -> Batch:
    """FRAMES frames of a deployment, EVERY so often: a few drawn ones, each under many hashes."""
    name = f"bench-{time.time_ns()}"
    park = Park.objects.create(slug=name, name=name)
    lake = Lake.objects.create(park=park, slug=name, name=name)
    camera = Camera.objects.create(park=park, make="bench", serial=name)
    start = datetime(2025, 7, 26, 6, tzinfo=UTC)
    deployment = Deployment.objects.create(
        lake=lake, camera=camera, slug=name, viewpoint=name, starts_at=start
    )
    batch = Batch.objects.create(deployment=deployment)
    drawn = _files(12)
    for number in range(FRAMES):
        comment = f"{name} {number}".encode()
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        picture = drawn[number % len(drawn)]
        data = picture[:2] + segment + picture[2:]
        sha256 = hashlib.sha256(data).hexdigest()
        vault.put([data])
        small = decode(data, long_side=1600, max_pixels=settings.PICTURE_MAX_PIXELS)
        vault.put_preview(sha256, simplejpeg.encode_jpeg(small.rgb, quality=80, colorspace="RGB"))
        Frame.objects.create(
            park=park, deployment=deployment, batch=batch, sha256=sha256, path=f"{number}.jpg",
            width=small.width, height=small.height, captured_at=start + EVERY * number,
            brightness=100, sharpness=100, rank=number,
        )  # fmt: skip
    return batch


@contextlib.contextmanager
def _worker() -> Iterator[subprocess.Popen[bytes]]:
    """A worker for inference as `make up` starts it."""
    process = subprocess.Popen(
        [
            sys.executable, "-m", "celery", "-A", "lacs_web", "worker", "-Q", "inference",
            "--concurrency", "1", "--without-gossip", "--without-mingle", "-l", "ERROR",
        ],
        stdout=subprocess.DEVNULL,  # its banner is no JSON
    )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _path(
    batch: Batch,
    detector: Detector,
    options: dict[str, Any],
    process: subprocess.Popen[bytes],
    memory: list[float],
) -> float:
    """Frames a second of one run by the worker; appends to `memory` what it holds, MB."""
    run = runs.start_run(batch=batch, detector=detector, options=options, user=None)
    tasks.ring(tasks.detect, run.pk)
    rows = RunFrame.objects.filter(run=run)
    began = time.monotonic()
    while not Run.objects.filter(pk=run.pk, finished_at__isnull=False).exists():
        if time.monotonic() > began + SECONDS or process.poll() is not None:
            raise CommandError("the worker did not finish its run")
        if not memory and rows.exclude(state="pending").count() >= FRAMES // 3:
            memory += _memory(process.pid)
        time.sleep(0.5)
    memory += _memory(process.pid)
    if rows.filter(state="failed").exists():
        raise CommandError("frames could not be examined")
    ends = rows.aggregate(first=Min("examined_at"), last=Max("examined_at"))
    after = rows.filter(examined_at__gt=ends["first"]).count()  # some are written together
    if not after:  # all of them, so few they are
        return FRAMES / (time.monotonic() - began)
    return after / float((ends["last"] - ends["first"]).total_seconds())


def _bare(detector: Detector, options: dict[str, Any], frames: list[Frame]) -> float:
    """Frames a second of the engine alone, once it has been at it for a second, as the path."""
    eye = looking(detector, None, options)
    done = []
    for _index, seen in inference.look(eye.network, frames):
        if isinstance(seen, Exception):
            raise seen
        done.append(time.perf_counter())
    first = next((at for at in done[:-1] if at >= done[0] + 1), done[0])
    return sum(at > first for at in done) / (done[-1] - first)


def _memory(pid: int) -> list[float]:
    """[MB] that the worker's child holds; [] where the system does not tell."""
    try:
        (child, *_) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        status = Path(f"/proc/{child}/status").read_text()
    except (OSError, ValueError):
        return []
    return [int(line.split()[1]) / 1024 for line in status.splitlines() if "VmRSS" in line]
