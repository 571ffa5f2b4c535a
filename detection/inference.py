"""Running a registered detector over claimed frames: decode, infer, store.

One engine per worker process, made at first use, so after the fork; threads inside share it.
"""

from __future__ import annotations

import functools
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.files.storage import default_storage
from numpy.typing import NDArray

from detection import claims, runs
from detection.cards import vault
from detection.cards.decode import decode
from detection.models import Detector, Run, RunFrame
from detection.onnx.boxes import Boxes
from detection.onnx.engine import DetectorSettings, Engine, detect_many, load_engine

log = logging.getLogger(__name__)
LONG_SIDE = 1920  # pixels to which a frame is decoded
STORED_AT_ONCE = 8  # frames between two renewals of the lease


@functools.lru_cache(maxsize=2)
def _engine(storage_name: str, options: str) -> Engine:
    path = Path(default_storage.path(storage_name))
    return load_engine(
        path,
        DetectorSettings.from_dict(json.loads(options)),
        threads=1,
        providers=settings.INFERENCE_PROVIDERS,
    )


def examine(run: Run, *, limit: int) -> int:
    """Claim up to `limit` frames of `run`, detect, store; returns how many were claimed."""
    token, rows = runs.take(run, limit)
    if not rows:
        return 0
    engine = _engine(run.detector.storage_name, json.dumps(run.settings, sort_keys=True))
    threads = settings.INFERENCE_THREADS or os.cpu_count() or 1
    sizes: dict[int, tuple[int, int]] = {}  # of the picture as decoded, by position
    loaders = [_loader(row, sizes, index) for index, row in enumerate(rows)]
    for count, (index, found) in enumerate(detect_many(engine, loaders, threads), start=1):
        row = rows[index]
        if isinstance(found, Exception):
            log.warning("frame %s could not be examined: %s", row.frame_id, found)
            runs.fail(row=row, token=token, reason=str(found) or type(found).__name__)
            continue
        runs.store(row=row, token=token, boxes=_boxes(found, sizes[index], engine, run.detector))
        if count % STORED_AT_ONCE == 0:
            claims.renew(RunFrame, token)
    return len(rows)


def _boxes(
    found: Boxes, size: tuple[int, int], engine: Engine, detector: Detector
) -> list[runs.Box]:
    """Engine boxes in pixels of a picture of `size` (width, height) as fractions, with labels."""
    result = []
    fractions = found.to_fractions(*size).tolist()
    for (x, y, w, h), score, number in zip(fractions, found.scores, found.classes, strict=True):
        if w > 0 and h > 0:
            name = engine.layout.names[int(number)]
            label = detector.class_map.get(name) or ""
            result.append(runs.Box(label, name, min(1.0, float(score)), x, y, w, h))
    return result


def _loader(
    row: RunFrame, sizes: dict[int, tuple[int, int]], index: int
) -> Callable[[], NDArray[np.uint8]]:
    sha256 = row.frame.sha256  # read here: threads do not touch the database

    def load() -> NDArray[np.uint8]:
        data = vault.original(sha256)
        rgb = decode(data, long_side=LONG_SIDE, max_pixels=settings.PICTURE_MAX_PIXELS).rgb
        sizes[index] = (rgb.shape[1], rgb.shape[0])
        return rgb

    return load
