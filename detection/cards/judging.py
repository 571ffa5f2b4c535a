"""What the frames of a card say of one another: dark, fogged, a drop on the lens, a knocked camera.

Proposals, from the statistics that reading left behind and a few previews. Done once a card is
read, and safe to repeat.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from django.db import transaction
from django.utils import timezone

from detection.cards import moved, quality, vault
from detection.models import Batch, CardFile, Frame


def owed() -> list[int]:
    """Ids of cards that are read and were not judged."""
    ready = Batch.objects.filter(judged_at=None, closed_at__isnull=False)
    return list(ready.exclude(files__state=CardFile.State.STORED).values_list("pk", flat=True))


def judge(batch: Batch) -> None:
    """Flag the frames of `batch` and say where its camera was knocked."""
    rows = list(
        Frame.objects.filter(batch=batch)
        .exclude(tiles=b"")
        .order_by("clock_at", "path")
        .values_list("pk", "brightness", "tiles", "sha256")
    )
    found = Batch.objects.filter(pk=batch.pk)
    if not rows:
        found.update(judged_at=timezone.now(), moved_from=None)
        return
    brightness = np.array([row[1] for row in rows], np.float32)
    tiles = np.stack([quality.sharpness_of(bytes(row[2])) for row in rows])
    flags = np.array(quality.flags(brightness, tiles), dtype="<U8")
    usable = [int(i) for i in np.flatnonzero(flags == "")]
    try:
        at = moved.knocked_at(usable, lambda i: _view(rows[i][3]))
    except (OSError, ValueError):  # a preview is gone; nothing is proposed then
        at = None
    if at is not None:
        # Each view has its own usual look.
        for part in (slice(None, at), slice(at, None)):
            flags[part] = quality.flags(brightness[part], tiles[part])
    with transaction.atomic():
        for flag in ("", *Frame.Flag.values):
            ids = [row[0] for row, one in zip(rows, flags, strict=True) if one == flag]
            kept = Frame.objects.filter(pk__in=ids).exclude(flag__in=[flag, Frame.Flag.ERASED])
            kept.update(flag=flag)
        found.update(judged_at=timezone.now(), moved_from=rows[at][0] if at is not None else None)


def _view(sha256: str) -> moved.View:
    preview = vault.preview(sha256)
    return moved.edges(simplejpeg.decode_jpeg(preview, "GRAY", min_width=moved.WIDTH)[..., 0])
