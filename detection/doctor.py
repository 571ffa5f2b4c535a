"""What does not fit together in cards, bytes and runs: found, explained, mended where it can be.

Each check gives a Finding or None. Mending never throws an original away, and may be repeated.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Exists, F, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from detection import runs, shadowing, trying
from detection.cards import ingest, purging, vault, words
from detection.models import (
    CandidateFrame,
    CardFile,
    Deployment,
    Detector,
    Frame,
    Purge,
    RunFrame,
    Trial,
)

FOUND = "found"  # the folder of the storage for originals that no row speaks of
FRESH = timedelta(days=1)  # bytes of an upload are stored before their row says so
_State = CardFile.State


@dataclass
class Finding:
    """`why` says what it means and what to do; `mend` returns how many it put right."""

    what: str
    which: list[str]
    why: str
    mend: Callable[[], int] | None = field(default=None, repr=False)


def originals_gone() -> Finding | None:
    """Rows of pictures whose original is not in the storage."""
    kept = CardFile.objects.exclude(state=_State.AWAITED).filter(frame__purge=None, purge=None)
    lost = [file for file in kept.order_by("pk").iterator() if not vault.holds(file.sha256)]
    owed = [file.pk for file in lost if file.state == _State.STORED]

    def mend() -> int:
        """What was not read yet is asked for again; the rest only a backup can give back."""
        return CardFile.objects.filter(pk__in=owed, state=_State.STORED).update(
            state=_State.AWAITED, reason=words.DAMAGED_HERE, claim=None, lease_until=None
        )

    return _finding(
        "files whose bytes are gone",
        [f"{file} of card {file.batch_id}" for file in lost],
        "Their originals are not in the storage: copy them from a backup (manage.py restore) or "
        "hand the same card over again. Those not read yet are asked for again by --mend.",
        mend if owed else None,
    )


def previews_gone() -> Finding | None:
    """Frames that cannot be shown."""
    lost = [frame for frame in Frame.objects.order_by("pk").iterator() if not _shown(frame)]

    def mend() -> int:
        made = 0
        for frame in lost:
            with contextlib.suppress(OSError, ValueError):  # its original is gone or damaged too
                ingest.remake_preview(frame.sha256)
                made += 1
        return made

    return _finding(
        "frames without a preview",
        [f"frame {frame.pk}" for frame in lost],
        "They cannot be shown or reviewed. --mend makes the previews again from the originals.",
        mend,
    )


def _shown(frame: Frame) -> bool:
    return bool(default_storage.exists(vault.preview_name(frame.sha256)))


def detectors_gone() -> Finding | None:
    lost = [each for each in Detector.objects.here().order_by("pk")
            if not default_storage.exists(each.storage_name)]  # fmt: skip
    return _finding(
        "detectors without their file",
        [f"{each} ({each.sha256[:12]})" for each in lost],
        "Runs with them fail: register the same file again (manage.py register_detector FILE).",
    )


def bytes_of_nobody() -> Finding | None:
    """Originals and previews that no row speaks of, and that are not just being uploaded."""
    originals = [name for name in _names("originals") if not _is_known(CardFile, name)]
    previews = [name for name in _names("previews") if not _is_known(Frame, name)]

    def mend() -> int:
        for name in originals:
            with default_storage.open(name) as file:
                default_storage.save(f"{FOUND}/{name.rsplit('/', 1)[1]}", file)
            default_storage.delete(name)
        for name in previews:
            default_storage.delete(name)
        return len(originals) + len(previews)

    return _finding(
        "files in the storage that no row speaks of",
        originals + previews,
        "A backup of the database that is older than the pictures leaves such files. --mend moves "
        f"originals to the folder {FOUND}, from where manage.py import_batch takes them or you "
        "delete them, and deletes previews, which can be made again.",
        mend,
    )


def _names(folder: str) -> Iterator[str]:
    with contextlib.suppress(FileNotFoundError):
        for part in sorted(default_storage.listdir(folder)[0]):
            for file in sorted(default_storage.listdir(f"{folder}/{part}")[1]):
                name = f"{folder}/{part}/{file}"
                if default_storage.get_modified_time(name) < timezone.now() - FRESH:
                    yield name


def _is_known(model: type[Model], name: str) -> bool:
    sha256 = name.rsplit("/", 1)[1].removesuffix(".jpg")
    return bool(model._default_manager.filter(sha256=sha256).exists())


def purges_cut_off() -> Finding | None:
    """Originals that the ledger says are going, or gone, and that are there."""
    rows = Purge.objects.alias(bytes=Coalesce("frame__sha256", "file__sha256"))
    for kept in purging.keepers(OuterRef("bytes")):
        rows = rows.filter(~Exists(kept))
    rows = rows.select_related("frame__deployment__lake", "file")
    left = [one for one in rows.order_by("pk").iterator()
            if one.done_at is None or vault.holds(one.sha256)]  # fmt: skip

    def mend() -> int:
        for one in left:
            purging.finish(one)
        return len(left)

    return _finding(
        "purges that were cut off",
        [f"frame {one.frame_id}" if one.frame_id else f"file {one.file_id}" for one in left],
        "The ledger says that these originals go. --mend lets them go.",
        mend,
    )


def stale_claims() -> Finding | None:
    """Work that was begun and that nobody goes on with."""
    long_ago = Now() - 10 * timedelta(seconds=settings.LEASE_SECONDS)
    stale: list[QuerySet[Any]] = [
        CardFile.objects.filter(state=_State.STORED, lease_until__lt=long_ago),
        RunFrame.objects.filter(state="pending", lease_until__lt=long_ago, run__paused=False),
        Trial.objects.filter(state="pending", lease_until__lt=long_ago),
        CandidateFrame.objects.filter(
            state="pending", lease_until__lt=long_ago, candidate__decision=""
        ),
    ]

    def mend() -> int:
        """Those out of attempts are named as what stops the program; the rest is let go."""
        ingest.give_up_on_poison()
        trying.give_up_on_poison()
        for candidate in shadowing.at_work():
            shadowing.give_up_on_poison(candidate)
        for run in runs.open_runs():
            runs.give_up_on_poison(run)
        for rows in stale:
            rows.update(claim=None, lease_until=None)
        return len(which)

    which = [f"{rows.model.__name__} {pk}" for rows in stale
             for pk in rows.order_by("pk").values_list("pk", flat=True)]  # fmt: skip
    return _finding(
        "claims that lapsed long ago",
        which,
        "A worker died and no other took its work up: see that workers and beat run. --mend lets "
        "the claims go, and gives up on what has stopped a worker again and again.",
        mend,
    )


def files_without_outcome() -> Finding | None:
    """Files said to have become a frame, without one."""
    became = Q(state__in=[_State.NEW, _State.QUARANTINED, _State.DUPLICATE])
    broken = CardFile.objects.filter(became, frame=None)

    def mend() -> int:
        return broken.update(state=_State.STORED, reason="", attempts=0, claim=None)

    return _finding(
        "files that were read and have no frame",
        [f"{file} of card {file.batch_id}" for file in broken.order_by("pk")],
        "No task would ever touch them again. --mend has them read anew.",
        mend,
    )


def quarantine_out_of_step() -> Finding | None:
    """Receipts that say otherwise than the frame whether it is dated."""
    own = CardFile.objects.filter(frame__batch=F("batch"), frame__path=F("path"))
    said_new = own.filter(state=_State.NEW).exclude(frame__quarantine="")
    said_held = own.filter(state=_State.QUARANTINED, frame__quarantine="")

    def mend() -> int:
        held = [(file.pk, file.frame) for file in said_new.select_related("frame")]
        count = said_held.update(state=_State.NEW, reason="")
        for pk, frame in held:
            assert frame is not None  # noqa: S101
            why = words.stored(Frame.Quarantine(frame.quarantine).label)
            count += CardFile.objects.filter(pk=pk).update(state=_State.QUARANTINED, reason=why)
        return count

    return _finding(
        "receipts out of step with their frames",
        [f"{file} of card {file.batch_id}" for file in (said_new | said_held).order_by("pk")],
        "The receipt says otherwise than the frame whether it has a date. --mend corrects it.",
        mend,
    )


def frames_never_owed() -> Finding | None:
    """Dated frames of cards that a detector examined, which no run owes."""
    examined = Frame.objects.filter(quarantine="", purge=None, batch__runs__isnull=False).distinct()
    missed = examined.filter(~Exists(RunFrame.objects.filter(frame=OuterRef("pk"))))

    def mend() -> int:
        count = missed.count()
        for deployment in Deployment.objects.filter(batches__frames__in=missed).distinct():
            runs.owe_newly_dated(deployment)
        return count - missed.count()

    return _finding(
        "frames that no run will examine",
        [f"frame {pk}" for pk in missed.order_by("pk").values_list("pk", flat=True)],
        "Their card was examined without them, so they stay masked and count as not looked at. "
        "--mend adds them to the card's last run.",
        mend,
    )


def _finding(
    what: str, which: list[str], why: str, mend: Callable[[], int] | None = None
) -> Finding | None:
    return Finding(what, which, why, mend) if which else None


CHECKS = [
    originals_gone,
    previews_gone,
    detectors_gone,
    bytes_of_nobody,
    purges_cut_off,
    stale_claims,
    files_without_outcome,
    quarantine_out_of_step,
    frames_never_owed,
]
