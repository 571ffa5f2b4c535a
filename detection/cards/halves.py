"""Frames of half a file, whose whole came with a later card: kept, named, and no longer counted.

A folder may be imported while it is still being copied. Only bytes prove that a frame is half of
another: cameras give every card the same names.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from django.db.models import QuerySet

from detection.cards import vault, words
from detection.models import Batch, CardFile, Frame, RunFrame

State, SUPERSEDED = CardFile.State, Frame.Quarantine.SUPERSEDED


def candidates(batch: Batch, files: Collection[CardFile]) -> dict[str, list[Frame]]:
    """Damaged frames that the same camera took at this lake, by path. One query."""
    place = batch.deployment
    found: QuerySet[Frame] = Frame.objects.filter(
        deployment__lake=place.lake_id,
        deployment__camera=place.camera_id,
        damaged=True,
        path__in=[file.path for file in files],
    )
    by_path = defaultdict(list)
    for frame in found.exclude(quarantine=SUPERSEDED):
        by_path[frame.path].append(frame)
    return by_path


def is_half(sha256: str, whole: bytes) -> bool:
    """Whether an original is how `whole` begins; zeros stand where a copy had not come yet."""
    try:
        part = vault.original(sha256)
    except OSError:
        return False
    return part != whole and len(part) <= len(whole) and whole.startswith(part.rstrip(b"\0"))


def supersede(halves: Collection[Frame]) -> None:
    """Leave these frames out of all figures, and have their receipts say why."""
    why = words.stored(SUPERSEDED.label)
    Frame.objects.filter(pk__in=[half.pk for half in halves]).update(
        captured_at=None, quarantine=SUPERSEDED
    )
    own = CardFile.objects.filter(frame__in=halves, state__in=[State.NEW, State.QUARANTINED])
    own.update(state=State.QUARANTINED, reason=why)
    waiting = RunFrame.objects.filter(frame__in=halves, state=RunFrame.State.PENDING)
    waiting.update(state=RunFrame.State.FAILED, reason=why, claim=None, lease_until=None)
