"""From stored bytes to a frame, or to the reason why not: one pass over each file.

Safe to run many times and in many places at once: files are claimed, outcomes written once.
"""

from __future__ import annotations

import hashlib
import logging
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import PurePosixPath

import simplejpeg
from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction

from detection import claims
from detection.cards import exif, halves, purging, quality, vault, words
from detection.cards.decode import Picture, Undecodable, decode
from detection.cards.fitting import Fitting
from detection.models import Batch, CardFile, Frame
from lacs_web import stopping

log = logging.getLogger(__name__)
SETTLED_AT_ONCE = 16
PREVIEW_LONG_SIDE = 1600  # pixels
PREVIEW_CLOSE = 0.8  # share of it that will do, where the decoder scales so for nothing
VIDEO = {".avi", ".mp4", ".mov", ".mkv", ".m4v", ".3gp"}
State = CardFile.State


@dataclass(frozen=True)
class Outcome:
    """What reading one file came to: `frame` is unsaved, or an earlier one of the same picture.

    `halves`: frames of the same file from when only its beginning had been copied.
    """

    file: CardFile
    state: CardFile.State
    reason: str = ""
    frame: Frame | None = None
    halves: tuple[Frame, ...] = ()


def ingest_some(batch: Batch, limit: int = 256) -> int:
    """Read up to `limit` stored files of `batch`; returns how many, 0 when none is free.

    Threads wait for one another and for the database at the end of each call alone.
    """
    owed = CardFile.objects.filter(batch=batch, state=State.STORED)
    give_up_on_poison()
    token, files = claims.claim(owed.select_related("batch__deployment__lake"), limit)
    if not files:
        return 0
    fitting, earlier = Fitting(batch), _earlier(batch, files)
    damaged = halves.candidates(batch, files)

    def read_one(file: CardFile) -> Outcome | None:
        return _read(file, earlier.get(file.sha256), damaged.get(file.path, []), fitting)

    # Decoding, encoding and hashing leave Python's lock alone; the database is this thread's.
    pool, reached = ThreadPoolExecutor(settings.INGEST_THREADS), 0
    try:
        read = pool.map(read_one, files)
        renewed = time.monotonic()
        # What is read is written while the threads go on reading.
        while reached < len(files):
            reached += SETTLED_AT_ONCE
            some = islice(read, SETTLED_AT_ONCE)
            _settle(batch, [outcome for outcome in some if outcome], token)
            if time.monotonic() > renewed + settings.LEASE_SECONDS / 3:
                claims.renew(CardFile, token)
                renewed = time.monotonic()
            if stopping.asked():
                break
    finally:  # where nothing can be written, or the worker ends: the rest was not tried
        pool.shutdown(cancel_futures=True)
        if rest := files[reached:]:
            with suppress(DatabaseError, InterfaceError):
                claims.hand_back(CardFile, token, rest)
    purging.again(batch, files)
    return len(files)


def give_up_on_poison() -> None:
    """Files that stopped a worker MAX_ATTEMPTS times are named, and no longer stand in the way."""
    poisoned = claims.poisoned(CardFile.objects.filter(state=State.STORED))
    for pk, sha256 in list(poisoned.values_list("pk", "sha256")):
        state, reason = State.UNREADABLE, words.STOPPED_PROGRAM
        if not vault.is_whole(sha256):
            state, reason = State.AWAITED, words.DAMAGED_HERE
        poisoned.filter(pk=pk).update(state=state, reason=reason, claim=None)


def remake_preview(sha256: str) -> None:
    """Make the preview of an original again. Raises OSError or Undecodable."""
    vault.put_preview(sha256, _jpeg(_decoded(vault.original(sha256))))


def ingest_all(batch: Batch) -> Iterator[int]:
    """Read all that is stored of `batch`; yields how many after each step.

    Waits for what other workers hold, so that a receipt made afterwards speaks of every file. It
    ends: a dead worker's files come free with their lease, a poisoned one is given up, and what
    the disk has no room for is left to the sweep.
    """
    owed = CardFile.objects.filter(batch=batch, state=State.STORED)
    owed = owed.exclude(reason=words.NO_PREVIEW)
    while True:
        if read := ingest_some(batch):
            yield read
        elif owed.exists():
            time.sleep(0.2)
        else:
            return


def _earlier(batch: Batch, files: list[CardFile]) -> dict[str, Frame]:
    """The park's frames of the same bytes, by SHA-256."""
    park = batch.deployment.lake.park_id
    same = Frame.objects.filter(park=park, sha256__in={file.sha256 for file in files})
    return {frame.sha256: frame for frame in same.select_related("batch__deployment")}


def _read(
    file: CardFile, earlier: Frame | None, damaged: list[Frame], fitting: Fitting
) -> Outcome | None:
    """One pass over a file's bytes; asks the database nothing. None when it must be retried.

    Only what lies here whole has an outcome; a fault of this machine is none of the file's.
    """
    try:
        try:
            data = _kept(file.sha256)
        except OSError:
            if file.attempts < settings.MAX_ATTEMPTS:
                raise
            data = None
        if data is None:
            return Outcome(file, State.AWAITED, words.DAMAGED_HERE)
        if PurePosixPath(file.path).suffix.lower() in VIDEO:
            return Outcome(file, State.SET_ASIDE, words.VIDEO)
        if earlier is not None:
            return Outcome(
                file, State.DUPLICATE, _before(batch=file.batch, earlier=earlier), earlier
            )
        picture = _decoded(data)
        try:
            vault.put_preview(file.sha256, _jpeg(picture))
        except OSError:
            log.exception("the preview of file %s could not be written", file.pk)
            return Outcome(file, State.STORED, words.NO_PREVIEW)
        frame = _frame(file, data, picture, fitting)
        parts = tuple(one for one in damaged if halves.is_half(one.sha256, data))
    except Undecodable as problem:
        return Outcome(file, State.UNREADABLE, str(problem))
    except Exception:
        # It is tried again, alone, after its lease, and named if it fails for good.
        log.exception("file %s could not be read", file.pk)
        return None
    if frame.quarantine:
        return Outcome(
            file,
            State.QUARANTINED,
            words.stored(Frame.Quarantine(frame.quarantine).label),
            frame,
            parts,
        )
    return Outcome(file, State.NEW, frame=frame, halves=parts)


def _before(*, batch: Batch, earlier: Frame) -> str:
    """With which card a picture came first; not to be told where that lies at another lake."""
    here = earlier.batch.deployment.lake_id == batch.deployment.lake_id
    return str(earlier.batch) if here else words.ELSEWHERE


def _kept(sha256: str) -> bytes | None:
    """The bytes as they came; None where the disk has lost them: no receipt may call them safe."""
    try:
        data = vault.original(sha256)
    except FileNotFoundError:
        return None
    if hashlib.sha256(data).hexdigest() == sha256:
        return data
    vault.discard(sha256)
    return None


def _decoded(data: bytes) -> Picture:
    return decode(
        data,
        long_side=PREVIEW_LONG_SIDE,
        max_pixels=settings.PICTURE_MAX_PIXELS,
        close=PREVIEW_CLOSE,
    )


def _jpeg(picture: Picture) -> bytes:
    return bytes(
        simplejpeg.encode_jpeg(
            picture.rgb, quality=80, colorspace="RGB", colorsubsampling="420", fastdct=True
        )
    )


@transaction.atomic
def _settle(batch: Batch, outcomes: list[Outcome], token: uuid.UUID) -> None:
    """Write what was read, of each file once and only while the claim on it holds.

    What is still STORED waits for this machine: it is tried again after a while, and for ever.
    """
    held = CardFile.objects.select_for_update().filter(
        pk__in=[one.file.pk for one in outcomes], claim=token, state=State.STORED
    )
    ours = set(held.values_list("pk", flat=True))
    outcomes = [one for one in outcomes if one.file.pk in ours]
    frames = (one.frame for one in outcomes)
    fresh = [frame for frame in frames if frame is not None and frame._state.adding]
    # Another card, or this one, may bring the same picture at this moment: the first one counts.
    Frame.objects.bulk_create(fresh, ignore_conflicts=True)
    stored = _earlier(batch, [one.file for one in outcomes])
    rows = []
    for one in outcomes:
        file, frame = one.file, stored.get(one.file.sha256)
        file.state, file.reason, file.frame = one.state, one.reason[:300], frame
        taken = frame and (frame.batch_id, frame.path) != (file.batch_id, file.path)
        if taken and frame and one.state in (State.NEW, State.QUARANTINED):
            file.state = State.DUPLICATE
            file.reason = _before(batch=batch, earlier=frame)[:300]
        if one.state not in (State.NEW, State.QUARANTINED, State.DUPLICATE):
            file.frame = None
        file.claim = None
        if one.state == State.STORED:
            file.attempts = 0
            file.lease_until = claims.lease_end(10)
        else:
            file.lease_until = None
        rows.append(file)
    # These rows are there, and held: an upsert updates each, at a third of bulk_update's cost.
    CardFile.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["state", "reason", "frame", "claim", "lease_until", "attempts"],
    )
    if parts := [half for one in outcomes for half in one.halves]:
        halves.supersede(parts)


def _frame(file: CardFile, data: bytes, picture: Picture, fitting: Fitting) -> Frame:
    said = exif.read(data)
    fit = fitting.fit(said)
    seen = quality.look(picture.rgb)
    return Frame(
        park_id=fit.deployment.lake.park_id,
        deployment=fit.deployment,
        batch=file.batch,
        sha256=file.sha256,
        path=file.path,
        width=picture.width,
        height=picture.height,
        clock_at=said.clock_at,
        clock_utc_offset_minutes=said.utc_offset_minutes,
        captured_at=fit.instant,
        quarantine=fit.doubt,
        exif=said.raw,
        brightness=seen.brightness,
        sharpness=seen.sharpness,
        tiles=seen.tiles,
        damaged=picture.damaged,
        rank=rank(file.sha256),
    )


def rank(sha256: str) -> int:
    """Fixed pseudo-random order of reading: keyed, so that nobody can choose a frame's place."""
    digest = hashlib.blake2b(
        sha256.encode(), digest_size=8, key=settings.SECRET_KEY.encode()[:64]
    ).digest()
    return int.from_bytes(digest, "big", signed=True)
