"""What storage and workers do, for those who set up lakes: room left, work owed, who is at it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.db.models.functions import Now

from dashboards.models import Change
from detection.models import CardFile, RunFrame
from lacs_web.models import Lake

KEPT = ~Q(state=CardFile.State.AWAITED)


@dataclass(frozen=True)
class Queue:
    """Rows that wait for one kind of worker; `held`: those that one is at now."""

    owed: int
    held: int

    @property
    def at_work(self) -> bool:
        return self.held > 0

    @property
    def stuck(self) -> bool:
        """Work is owed and nobody is at it."""
        return bool(self.owed) and not self.at_work


@dataclass(frozen=True)
class Machinery:
    """Bytes are bytes. `full`: below the reserve, no card is taken in any more."""

    free: int
    total: int
    cards: int  # of the given lakes' cards, as they were handed over
    ingest: Queue
    inference: Queue
    figures_behind: int  # deployments whose figures are to be made anew

    @property
    def full(self) -> bool:
        return bool(self.free < settings.DISK_RESERVE_BYTES)

    @property
    def share_free(self) -> float:
        return self.free / self.total


def machinery(lakes: Sequence[Lake]) -> Machinery:
    """Of the disk as a whole, and of the work that `lakes` owe. Four queries."""
    files = CardFile.objects.filter(batch__deployment__lake__in=lakes).order_by()
    frames = RunFrame.objects.filter(
        run__batch__deployment__lake__in=lakes,
        run__paused=False,
        run__finished_at=None,
        state=RunFrame.State.PENDING,
    )
    reading = files.filter(state=CardFile.State.STORED)
    held = Count("pk", filter=Q(lease_until__gt=Now()))
    disk = shutil.disk_usage(_standing(Path(settings.MEDIA_ROOT)))
    return Machinery(
        free=disk.free,
        total=disk.total,
        cards=files.filter(KEPT).aggregate(Sum("size"))["size__sum"] or 0,
        ingest=Queue(**reading.aggregate(owed=Count("pk"), held=held)),
        inference=Queue(**frames.aggregate(owed=Count("pk"), held=held)),
        figures_behind=Change.objects.filter(deployment__lake__in=lakes)
        .order_by()
        .aggregate(n=Count("deployment", distinct=True))["n"],
    )


def _standing(folder: Path) -> Path:
    """`folder`, or the nearest one above it that was made already."""
    while not folder.exists():
        folder = folder.parent
    return folder
