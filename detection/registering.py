"""Registering a detector: an ONNX file is described, kept under its hash, and offered to runs.

Whether it is fed as it was made to be shows on real pictures with something to be seen, so it is
probed once a detector has found enough; the sweep rings for it.
"""

from __future__ import annotations

import contextlib
import statistics
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Count, F
from numpy.typing import NDArray

from detection.cards import vault
from detection.cards.decode import decode
from detection.detecting import is_whole
from detection.labels import COUNTED_SCORE
from detection.models import Detection, Detector, Frame, TaughtFrame
from detection.onnx.classmap import propose
from detection.onnx.engine import DetectorSettings, Engine, load_engine
from detection.onnx.layouts import known
from detection.onnx.probe import probe
from detection.onnx.runtime import describe
from detection.onnx.trial import examine

PICTURES = 12  # that a detector is probed with


@transaction.atomic
def register(*, path: Path, name: str = "", licence: str = "", default: bool = False) -> Detector:
    """Register the file at `path`; the same bytes again give the detector that stands, its file put
    back where it was lost or changed.

    The first detector becomes the default. Raises ModelRefused when the file cannot be used.
    """
    description = examine(path)
    layout = known(description, path.name)
    detector, created = Detector.objects.get_or_create(
        sha256=description.sha256,
        defaults={
            "name": name or path.stem,
            "layout": layout.family,
            "class_map": propose(layout.names),
            "licence": licence,
        },
    )
    if created or not is_whole(detector):
        default_storage.delete(detector.storage_name)
        with path.open("rb") as file:
            default_storage.save(detector.storage_name, File(file))
    _teach(detector, description.metadata.get("taught", "").split())
    if default or not Detector.objects.filter(is_default=True).exists():
        Detector.objects.filter(is_default=True).update(is_default=False)
        Detector.objects.filter(pk=detector.pk).update(is_default=True)
        detector.refresh_from_db()
    return detector


def _teach(detector: Detector, sha256s: list[str]) -> None:
    """A file that was trained here says which frames it learnt from (annotation/teaching.py)."""
    known = Frame.objects.filter(sha256__in=sha256s).values_list("pk", flat=True)
    TaughtFrame.objects.bulk_create(
        (TaughtFrame(detector=detector, frame_id=pk) for pk in known),
        batch_size=5000,
        ignore_conflicts=True,
    )


@transaction.atomic
def set_default(detector: Detector, wanted: bool) -> None:
    """Show new batches to `detector`, or no longer; without any default, their detection waits."""
    if wanted:
        Detector.objects.filter(is_default=True).update(is_default=False)
    Detector.objects.filter(pk=detector.pk).update(is_default=wanted)


def check_layout(detector: Detector, family: str) -> None:
    """Raises ModelRefused unless the detector's file can be read as one of `family`."""
    path = vault.at_hand(detector.storage_name)
    known(describe(path), detector.name, family)


def owed_a_probe() -> list[int]:
    """Ids of detectors never tried on real pictures, once there are enough that show something."""
    waiting = Detector.objects.here().filter(probe__isnull=True, probes__lt=settings.MAX_ATTEMPTS)
    ids = list(waiting.values_list("pk", flat=True))
    return ids if ids and len(_telling()) == PICTURES else []


def probe_with_real_pictures(detector: Detector) -> None:
    """Keep which way of feeding `detector` finds most that is found again in the mirror."""
    begun = Detector.objects.filter(pk=detector.pk, probe__isnull=True, probes=detector.probes)
    if not begun.update(probes=F("probes") + 1):
        return  # another worker is at it
    pictures = []
    for sha256 in _telling():
        with contextlib.suppress(OSError, ValueError):  # gone, or damaged
            data = vault.original(sha256)
            most = settings.PICTURE_MAX_PIXELS
            pictures.append(decode(data, long_side=1280, max_pixels=most).rgb)
    path = vault.at_hand(detector.storage_name)
    chosen = DetectorSettings(long_side=1280)
    engine = load_engine(path, chosen, providers=settings.INFERENCE_PROVIDERS)
    found = probe(engine, pictures)
    told = {
        "verdict": found.verdict.value,
        "described": found.described,
        "pictures": len(pictures),
        "evidence": {way: round(value, 2) for way, value in found.evidence.items()},
        **_shown(engine, detector, pictures),
    }
    Detector.objects.filter(pk=detector.pk).update(probe=told)


def _shown(engine: Engine, detector: Detector, pictures: list[NDArray[np.uint8]]) -> dict[str, Any]:
    """{"boxes": label → how many count in all pictures, "seconds": the median picture's}."""
    boxes: Counter[str] = Counter()
    seconds = []
    for rgb in pictures:
        began = time.perf_counter()
        found = engine.detect(rgb)
        seconds.append(time.perf_counter() - began)
        sure = found.classes[found.scores >= COUNTED_SCORE].tolist()
        boxes.update(detector.class_map.get(engine.names[number]) or "" for number in sure)
    return {
        "boxes": {label: count for label, count in boxes.most_common() if label},
        "seconds": round(statistics.median(seconds), 4) if seconds else None,
    }


def _telling() -> list[str]:
    """SHA-256 of the PICTURES kept originals on which detectors found most."""
    kept = Detection.objects.counted().filter(frame__purge=None)
    counted = kept.order_by().values_list("frame__sha256")
    ranked = counted.annotate(n=Count("pk")).order_by("-n", "frame__sha256")
    return [sha256 for sha256, _ in ranked[:PICTURES]]
