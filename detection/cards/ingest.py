"""From stored bytes to a frame, or to the reason why not: one pass over each file.

Safe to run many times and in many places at once: files are claimed, outcomes written once.
"""

from __future__ import annotations

import hashlib
import logging
import uuid
from pathlib import PurePosixPath

import cv2
import simplejpeg
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from detection import claims
from detection.cards import clock, exif, vault
from detection.cards.decode import Picture, Undecodable, decode
from detection.models import Batch, CardFile, Frame

log = logging.getLogger(__name__)
PREVIEW_LONG_SIDE = 1600  # pixels
VIDEO = {".avi", ".mp4", ".mov", ".mkv", ".m4v", ".3gp"}
State = CardFile.State


def ingest_some(batch: Batch, limit: int = 16) -> int:
    """Read up to `limit` stored files of `batch`; returns how many, 0 when none is free."""
    owed = CardFile.objects.filter(batch=batch, state=State.STORED)
    # What crashed a worker again and again is named, and no longer stands in the way.
    owed.filter(attempts__gte=settings.MAX_ATTEMPTS, lease_until__lt=timezone.now()).update(
        state=State.UNREADABLE, reason="reading it stopped the program repeatedly", claim=None
    )
    token, files = claims.claim(owed.select_related("batch__deployment__lake"), limit)
    for file in files:
        try:
            ingest_one(file, token)
        except Exception:
            # It is tried again, alone, after its lease, and named if it fails for good.
            log.exception("file %s could not be read", file.pk)
    return len(files)


def ingest_one(file: CardFile, token: uuid.UUID) -> None:
    """Read one claimed file and write its outcome, if the claim still holds."""
    deployment = file.batch.deployment
    earlier = Frame.objects.filter(park=deployment.lake.park_id, sha256=file.sha256).first()
    if PurePosixPath(file.path).suffix.lower() in VIDEO:
        return _settle(file, token, State.SET_ASIDE, "video")
    if earlier is not None:
        return _settle(file, token, State.DUPLICATE, str(earlier.batch), earlier)
    data = vault.original(file.sha256)
    try:
        picture = decode(data, long_side=PREVIEW_LONG_SIDE, max_pixels=settings.PICTURE_MAX_PIXELS)
    except Undecodable as problem:
        return _settle(file, token, State.UNREADABLE, str(problem))
    vault.put_preview(
        file.sha256, simplejpeg.encode_jpeg(picture.rgb, quality=80, colorspace="RGB")
    )
    frame = _frame(file, data, picture)
    try:
        with transaction.atomic():
            frame.save()
            state = State.QUARANTINED if frame.quarantine else State.NEW
            _settle(
                file, token, state, frame.get_quarantine_display() * bool(frame.quarantine), frame
            )
    except IntegrityError:  # another card with the same picture came first
        earlier = Frame.objects.get(park=deployment.lake.park_id, sha256=file.sha256)
        _settle(file, token, State.DUPLICATE, str(earlier.batch), earlier)
    return None


def _frame(file: CardFile, data: bytes, picture: Picture) -> Frame:
    deployment, said = file.batch.deployment, exif.read(data)
    instant = None
    if said.clock_at is not None:
        stated = said.utc_offset_minutes
        instant = clock.captured_at(
            said.clock_at,
            offset_minutes=deployment.clock_offset_minutes if stated is None else stated,
            correction_seconds=deployment.clock_correction_seconds,
        )
    doubt = clock.doubt(
        instant, starts_at=deployment.starts_at, ends_at=deployment.ends_at, now=timezone.now()
    )
    grey = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY)
    return Frame(
        park_id=deployment.lake.park_id,
        deployment=deployment,
        batch=file.batch,
        sha256=file.sha256,
        path=file.path,
        width=picture.width,
        height=picture.height,
        clock_at=said.clock_at,
        clock_utc_offset_minutes=said.utc_offset_minutes,
        captured_at=None if doubt else instant,
        quarantine=doubt,
        exif=said.raw,
        brightness=float(grey.mean()),
        sharpness=float(cv2.Laplacian(grey, cv2.CV_64F).var()),
        damaged=picture.damaged,
        rank=rank(file.sha256),
    )


def rank(sha256: str) -> int:
    """Fixed pseudo-random order of reading: keyed, so that nobody can choose a frame's place."""
    digest = hashlib.blake2b(
        sha256.encode(), digest_size=8, key=settings.SECRET_KEY.encode()[:64]
    ).digest()
    return int.from_bytes(digest, "big", signed=True)


def _settle(
    file: CardFile, token: uuid.UUID, state: str, reason: str = "", frame: Frame | None = None
) -> None:
    written = CardFile.objects.filter(pk=file.pk, claim=token, state=State.STORED).update(
        state=state, reason=reason[:300], frame=frame, claim=None, lease_until=None
    )
    if not written:
        log.info("file %s was taken over by another worker", file.pk)
