"""Ingest against what its files cost by themselves: read, hashed, decoded once, reduced.

Ingest: a folder's files, announced and stored, from claim to frame, with previews, statistics and
rows, as the worker does it with its threads. Limit: reading, hashing and decoding those files at
the scale that ingest decodes at, by the fastest decoder here, on as many threads. In turns, so
that the machine's moods hit both alike; everything is rolled back.
"""

from __future__ import annotations

import hashlib
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from django.conf import settings
from django.db import transaction
from PIL import Image

from detection.cards import receive
from detection.cards.ingest import PREVIEW_CLOSE, PREVIEW_LONG_SIDE, ingest_some
from detection.models import Camera, Deployment
from detection.scenes.model import Moment, View
from detection.scenes.render import render
from lacs_web.models import Lake, Park

FILES, TURNS = 96, 5
SIZE = (4000, 3000)


def measure() -> dict[str, Any]:
    threads = settings.INGEST_THREADS
    with tempfile.TemporaryDirectory(prefix="lacs-bench-") as name:
        card = write_card(Path(name) / "card", FILES, SIZE)
        media = settings.MEDIA_ROOT
        settings.MEDIA_ROOT = Path(name) / "media"
        try:
            ways: dict[str, Callable[[], float]] = {
                "ingest": lambda: _ingest(card),
                "floor": lambda: _floor(card, threads),
            }
            for way in ways.values():
                way()
            taken: dict[str, list[float]] = {way: [] for way in ways}
            for _ in range(TURNS):
                for which, way in ways.items():
                    taken[which].append(way())
        finally:
            settings.MEDIA_ROOT = media
        seconds = {which: statistics.median(all_) for which, all_ in taken.items()}
        kilobytes = sum(file.size for file in card.values()) // FILES // 1000
    return {
        "what": "files through the ingest, stored bytes to frame, preview and rows; limit: the "
        "same files read, hashed and decoded once at reduced scale",
        "figure": round(FILES / seconds["ingest"], 1),
        "unit": "files/s",
        "limit": round(FILES / seconds["floor"], 1),
        "ratio": round(seconds["floor"] / seconds["ingest"], 3),
        "conditions": {
            "files": f"{FILES} of {SIZE[0]}×{SIZE[1]} px, {kilobytes} kB each",
            "turns": f"{TURNS} of each, alternating; medians",
            "threads": threads,
            "load_average": round(os.getloadavg()[0], 1),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        },
    }


def write_card(folder: Path, n: int, size: tuple[int, int]) -> dict[str, receive.OnDisk]:
    """`n` pictures of one drawn lake, five minutes apart, no two alike; gives a listing."""
    folder.mkdir(parents=True)
    start = datetime(2025, 7, 25, 6, tzinfo=UTC)
    # Drawn once: drawing takes longer than everything that is measured.
    base = render(View(1600, 1200), Moment(start.replace(tzinfo=None)), ()).image
    base = np.asarray(cv2.resize(base, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    grain = np.random.default_rng(1).normal(0, 5, (size[1], size[0], 1)).astype(np.int16)
    rgb = np.clip(base + grain, 0, 255).astype(np.uint8)
    for index in range(n):
        rgb[:8, :8] = index % 256
        exif = Image.Exif()
        taken = start + timedelta(minutes=5 * index)
        exif[0x010E] = f"picture {index}"
        exif.get_ifd(0x8769)[0x9003] = f"{taken:%Y:%m:%d %H:%M:%S}"
        jpeg = simplejpeg.encode_jpeg(rgb, quality=88, colorspace="RGB", colorsubsampling="420")
        (folder / f"IMG_{index:05}.JPG").write_bytes(_with_exif(jpeg, exif.tobytes()))
    return receive.listing(folder)[0]


def _with_exif(jpeg: bytes, exif: bytes) -> bytes:
    return jpeg[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + jpeg[2:]


def _ingest(card: dict[str, receive.OnDisk]) -> float:
    """Seconds for all of `card`, from stored to settled."""
    with transaction.atomic():
        park = Park.objects.create(name="Bench", slug="bench-ingest")
        lake = Lake.objects.create(park=park, name="Bench", slug="bench-ingest")
        deployment = Deployment.objects.create(
            lake=lake,
            camera=Camera.objects.create(park=park, make="Bench", serial="B"),
            slug="bench-ingest",
            viewpoint="Bench",
            starts_at=datetime(2020, 1, 1, tzinfo=UTC),
        )
        batch = receive.open_batch(deployment=deployment, source="bench", user=None)
        receive.announce(batch=batch, files=receive.announced(card))
        receive.store_from_disk(batch=batch, files=card)
        receive.close_batch(batch=batch, user=None)
        begun = time.perf_counter()
        while ingest_some(batch):
            pass
        seconds = time.perf_counter() - begun
        frames = batch.frames.count()
        transaction.set_rollback(True)
    if frames != len(card):
        raise RuntimeError(f"{frames} of {len(card)} files became frames")
    return seconds


def _floor(card: dict[str, receive.OnDisk], threads: int) -> float:
    least = {"min_width": round(PREVIEW_LONG_SIDE * PREVIEW_CLOSE)}

    def bare(file: receive.OnDisk) -> None:
        data = file.at.read_bytes()
        hashlib.sha256(data).digest()
        simplejpeg.decode_jpeg(data, "RGB", fastdct=True, **least)

    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(bare, card.values()))
    return time.perf_counter() - begun
