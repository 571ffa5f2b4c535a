"""How detectors may be applied: what somebody chooses, as the engine's settings, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from detection.onnx.engine import DetectorSettings

TILE, OVERLAP = 480, 0.25  # px a side, and the share of it that neighbours have in common
DETAIL = 1920  # px of a frame's long side at the scale of its tiles
LONG_SIDES = (640, 960, 1280, 1920)  # px


class Tiling(models.TextChoices):
    NONE = "none", _("the whole frame only")
    FULL = "full", _("the whole frame and all its tiles")
    GATED = "gated", _("the whole frame, and tiles where something changed")


DEFAULT_TILING, DEFAULT_LONG_SIDE = Tiling.GATED, 640  # docs/decisions/0006


def options(
    *,
    tiling: str = DEFAULT_TILING,
    long_side: int = DEFAULT_LONG_SIDE,
    second_look: bool = False,
    layout: str | None = None,
) -> dict[str, Any]:
    """A run's settings; the defaults are those of docs/decisions/0006. ValueError out of range."""
    return DetectorSettings(
        long_side=long_side,
        tile=None if tiling == Tiling.NONE else TILE,
        detail=None if tiling == Tiling.NONE else DETAIL,
        overlap=OVERLAP,
        gated=tiling == Tiling.GATED,
        second_look=second_look,
        weighed=True,
        layout=layout,
    ).to_dict()


def tiling(settings: Mapping[str, Any]) -> Tiling:
    """Which tiling a run's stored settings are."""
    if not settings.get("tile"):
        return Tiling.NONE
    return Tiling.GATED if settings.get("gated") else Tiling.FULL
