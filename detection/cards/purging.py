"""An original goes, and a masked picture takes the place of its preview; for good.

Whether it is time, and whether somebody holds it back, is for the caller to ask. The row of the
ledger comes first: from then on nobody sees the frame unmasked, and what is cut off is taken up.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import simplejpeg
from django.db.models import OuterRef, Q, QuerySet
from django.utils import timezone

from detection import renditions
from detection.cards import vault
from detection.models import Batch, CardFile, Frame, Purge
from detection.mosaic import mask_all
from lacs_web.models import User

NO_FRAME = (CardFile.State.UNREADABLE, CardFile.State.SET_ASIDE)  # outcomes that keep bytes


_forgetting: list[Callable[[Frame | CardFile], None]] = []


def also_forget(what: Callable[[Frame | CardFile], None]) -> None:
    """Have `what` let go of all that was made of an original, when it goes or is erased.

    What lies to the right of this app may not be imported here; it registers itself.
    """
    if what not in _forgetting:
        _forgetting.append(what)


def begin(*, of: Frame | CardFile, rule: dict[str, Any], by: User | None) -> Purge:
    """Write that the original goes, of a frame or a file that became none. May be repeated."""
    key = "frame" if isinstance(of, Frame) else "file"
    begun = Purge.objects.get_or_create(**{key: of}, defaults={"rule": rule, "by": by})[0]
    for forget in _forgetting:
        forget(of)
    return begun


def took(sha256: str) -> bool:
    """Whether an original went, or is going, by a purge."""
    rows = Purge.objects.filter(Q(frame__sha256=sha256) | Q(file__sha256=sha256))
    return rows.exists() and not is_kept(sha256)


def finish(purge: Purge) -> None:
    """Let the bytes go; harmless when repeated.

    Frames of other parks and other files with the same bytes keep them until theirs go too. A
    preview that cannot be masked, for it is damaged or of no frame, goes as well.
    """
    sha256 = purge.sha256
    if not is_kept(sha256):
        purge.freed = purge.freed or vault.size(sha256) or 0
        twins = Frame.objects.filter(sha256=sha256).select_related("deployment__lake", "purge")
        for frame in twins.order_by("pk"):
            with contextlib.suppress(FileNotFoundError):
                try:
                    vault.put_preview(sha256, _masked(frame))
                except ValueError:
                    vault.discard_preview(sha256)
        if not twins:
            vault.discard_preview(sha256)
        vault.discard(sha256)
    purge.done_at = timezone.now()
    purge.save(update_fields=["freed", "done_at"])


def again(batch: Batch, files: Iterable[CardFile]) -> None:
    """Let go what was purged and has come again with a card; all of `files` are read."""
    hashes = {file.sha256 for file in files}
    gone = Purge.objects.filter(done_at__isnull=False)
    here = gone.filter(frame__park=batch.deployment.lake.park_id, frame__sha256__in=hashes)
    for sha256 in here.values_list("frame__sha256", flat=True):
        if not is_kept(sha256):
            vault.discard(sha256)
    # What was erased on request stays away from the whole park, what a lake's rule took from it.
    lake, park = batch.deployment.lake_id, batch.deployment.lake.park_id
    ruled = Q(file__batch__deployment__lake=lake)
    erased = Q(file__batch__deployment__lake__park=park, rule__has_key="erased")
    rules = dict(
        gone.filter(ruled | erased, file__sha256__in=hashes).values_list("file__sha256", "rule")
    )
    for file in CardFile.objects.filter(
        batch=batch, sha256__in=rules, state__in=NO_FRAME, purge=None
    ):
        finish(begin(of=file, rule=rules[file.sha256], by=None))


def keepers(sha256: str | OuterRef) -> tuple[QuerySet[Frame], QuerySet[CardFile]]:
    """The frames, and the files that became none or are still to be read, that keep an original."""
    files = CardFile.objects.filter(state__in=[*NO_FRAME, CardFile.State.STORED])
    return (
        Frame.objects.filter(sha256=sha256, purge=None),
        files.filter(sha256=sha256, purge=None),
    )


def is_kept(sha256: str) -> bool:
    """Whether a frame or a file keeps an original, whatever others with the same bytes do."""
    return any(rows.exists() for rows in keepers(sha256))


def _masked(frame: Frame) -> bytes:
    purge: Purge = frame.purge
    if "erased" not in purge.rule:
        return renditions.rendition(frame).jpeg()
    rgb = np.asarray(simplejpeg.decode_jpeg(vault.preview(frame.sha256), "RGB"), np.uint8)
    return bytes(simplejpeg.encode_jpeg(mask_all(rgb), quality=renditions.QUALITY))
