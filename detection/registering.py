"""Registering a detector: an ONNX file is described, kept under its hash, and offered to runs."""

from __future__ import annotations

from pathlib import Path

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from detection.models import Detector
from detection.onnx.classmap import propose
from detection.onnx.layouts import recognise
from detection.onnx.runtime import ModelRefused, Refusal, describe


@transaction.atomic
def register(*, path: Path, name: str = "", licence: str = "", default: bool = False) -> Detector:
    """Register the file at `path`; the same bytes again give the detector that stands.

    The first detector becomes the default. Raises ModelRefused when the file cannot be used.
    """
    description = describe(path)
    layout = recognise(description)
    if layout is None:
        found = ", ".join(f"{port.name} {list(port.shape)}" for port in description.outputs)
        raise ModelRefused(
            Refusal.UNKNOWN_LAYOUT,
            f"No known layout fits {path.name}. "
            f"Expected YOLOX, NanoDet or FastestDet; found {found}.",
        )
    detector, created = Detector.objects.get_or_create(
        sha256=description.sha256,
        defaults={
            "name": name or path.stem,
            "layout": layout.family,
            "class_map": propose(layout.names),
            "licence": licence,
        },
    )
    if created or not default_storage.exists(detector.storage_name):
        with path.open("rb") as file:
            default_storage.save(detector.storage_name, File(file))
    if default or not Detector.objects.filter(is_default=True).exists():
        Detector.objects.filter(is_default=True).update(is_default=False)
        Detector.objects.filter(pk=detector.pk).update(is_default=True)
        detector.refresh_from_db()
    return detector
