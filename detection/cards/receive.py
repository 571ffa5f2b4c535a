"""Taking in the files of a card: open a batch, store each file, close the batch."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from detection.cards import vault, words
from detection.cards.manifest import LeftOut, is_left_by_a_computer, is_picture, label
from detection.models import Batch, CardFile, Deployment, Frame
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import AuditEvent, Park, User

State = CardFile.State


def open_batch(
    *,
    deployment: Deployment,
    source: str,
    user: User | None,
    fingerprint: str = "",
    expected_files: int = 0,
    left_out: LeftOut | None = None,
) -> Batch:
    """The batch of a card, ready to be told its files: a new one, or the one to be continued.

    A card is known again by its `fingerprint`, which the browser makes of all paths and sizes and
    of some files' bytes; "" says nothing and always opens a new batch.
    """
    if fingerprint:
        same = Batch.objects.filter(deployment=deployment, fingerprint=fingerprint)
        earlier = same.to_be_continued().first()
        if earlier is not None and (earlier.closed_at is None or _reopen(earlier, user)):
            _note_left_out(earlier, left_out)
            return earlier
    new = {"source": label(source)[:255], "uploaded_by": user, "expected_files": expected_files}
    if fingerprint:
        # Somebody else may hand over the same card at this moment: then both fill one batch.
        batch = Batch.objects.get_or_create(
            deployment=deployment, fingerprint=fingerprint, closed_at=None, defaults=new
        )[0]
    else:
        batch = Batch.objects.create(deployment=deployment, **new)
    _note_left_out(batch, left_out)
    return batch


def _note_left_out(batch: Batch, left_out: LeftOut | None) -> None:
    if left_out is not None:
        batch.left_out = [label(name) for name in left_out.names]
        batch.left_out_count = left_out.count
        batch.save(update_fields=["left_out", "left_out_count"])


def _reopen(batch: Batch, user: User | None) -> bool:
    try:
        with transaction.atomic():
            Batch.objects.filter(pk=batch.pk).update(closed_at=None)
            AuditEvent.objects.create(
                user=user,
                lake=batch.deployment.lake,
                action="batch reopened",
                detail={"batch": batch.pk},
            )
    except IntegrityError:  # another hand was quicker
        return False
    batch.refresh_from_db()
    return True


@dataclass(frozen=True)
class OnDisk:
    """A file of a folder, as it was when the folder was listed."""

    at: Path
    size: int  # bytes
    modified_ns: int  # what the file says of itself; copying keeps it
    changed_ns: int  # what the disk says; nothing keeps it


def listing(folder: Path) -> tuple[dict[str, OnDisk], LeftOut]:
    """Every file below `folder` by the path that the manifest gives it; and what is not taken.

    Raises OSError where a part of it cannot be seen: such a card must not be called safe.
    """
    found: dict[str, OnDisk] = {}
    left_out: list[str] = []
    for at, folders, names in os.walk(folder, onerror=_refuse):
        # What a computer left is not even opened: its own bin may be closed to us. Nor are links
        # followed: they lead out of the card.
        closed = {f for f in folders if is_left_by_a_computer(f) or Path(at, f).is_symlink()}
        left_out += [spelt(Path(at, f).relative_to(folder).as_posix()) for f in closed]
        folders[:] = sorted(set(folders) - closed)
        for path in sorted(Path(at, name) for name in names):
            below = path.relative_to(folder).as_posix()
            name = spelt(below)
            # is_file() would hide what cannot be read
            if is_left_by_a_computer(path.name) or not stat.S_ISREG((seen := path.lstat()).st_mode):
                left_out.append(name)
                continue
            if name in found:  # one spells out what the other holds as a byte
                name = label(f"{name}…{hashlib.sha256(os.fsencode(below)).hexdigest()[:16]}")
            found[name] = OnDisk(path, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)
    return dict(sorted(found.items())), LeftOut.of(left_out)


def spelt(name: str) -> str:
    """A name on this machine's disk as it can be stored.

    Cards written by old cameras hold names that are no UTF-8; those bytes are spelt out.
    """
    return label(os.fsencode(name).decode("utf-8", "backslashreplace"))


def _refuse(error: OSError) -> None:
    raise error


def announced(files: Mapping[str, OnDisk]) -> list[Announced]:
    """The manifest of a listing. Raises TooMany."""
    if len(files) > settings.CARD_MAX_FILES:
        raise TooMany
    return [
        Announced(path, one.size, datetime.fromtimestamp(one.modified_ns / 10**9, UTC))
        for path, one in files.items()
    ]


def fingerprint_of(files: Mapping[str, OnDisk]) -> str:
    """The same for the same folder: over all paths, sizes and times of change.

    Not the browser's: on this machine times are true, and bytes need not be read.
    """
    lines = [
        f"{path}\t{one.size}\t{one.modified_ns}\t{one.changed_ns}\n"
        for path, one in sorted(files.items())
    ]
    return hashlib.sha256("".join(lines).encode("utf-8", "backslashreplace")).hexdigest()


def batch_of_folder(
    *,
    deployment: Deployment,
    source: str,
    files: Mapping[str, OnDisk],
    left_out: LeftOut | None = None,
) -> Batch:
    """The open batch that an interrupted import of the same files left, else a new one.

    Cameras give every card the same names, so bytes are compared: another card that happens to
    be called the same must never be taken for files that are already here.
    """
    for batch in Batch.objects.filter(
        deployment=deployment, source=source[:255], closed_at__isnull=True, uploaded_by=None
    ):
        rows = batch.files.values_list("path", "size", "sha256")
        if all(_is(files.get(path), size, known) for path, size, known in rows):
            _note_left_out(batch, left_out)
            return batch
    return open_batch(deployment=deployment, source=source, user=None, left_out=left_out)


def _is(file: OnDisk | None, size: int, known: str) -> bool:
    """Whether this is the file that was announced; what never came is told by its size alone."""
    if file is None or file.size != size:
        return False
    return not known or vault.digest_of(file.at) == known


@dataclass(frozen=True)
class Announced:
    """One line of a manifest; `size` in bytes."""

    path: str
    size: int
    modified_at: datetime | None = None


class NotTaken(ValueError):
    """A card that cannot be taken as it is. Says to who works at the server why, and what to do."""


class TooMany(NotTaken):
    """More files were announced than a card may have (CARD_MAX_FILES)."""

    def __init__(self) -> None:
        super().__init__(
            f"a card may hold {settings.CARD_MAX_FILES} files, and this one holds more; import "
            "one folder of it at a time"
        )


class OverQuota(NotTaken):
    """With these files the park would keep more than its quota; `gb` is that."""

    def __init__(self, gb: int) -> None:
        super().__init__(
            f"the park has room for {gb} GB of cards, and this one does not fit; have originals "
            "purged, or give the park more room in the administration"
        )
        self.gb = gb


class Closed(ValueError):
    """The card is closed: of it comes only what was announced and is still missing."""


class Conflict(ValueError):
    """Other bytes came under this path before."""


class WrongSize(ValueError):
    """More or fewer bytes came than were announced."""


class Changed(ValueError):
    """A file was written to since its folder was listed: it may be half of what it will be."""


def announce(*, batch: Batch, files: Sequence[Announced]) -> list[CardFile]:
    """Add files to the manifest; returns their rows in the same order, those known before too.

    A file that is too large to be taken is named all the same, and never counts as safe. Raises
    Closed, TooMany or OverQuota, and then adds nothing.
    """
    with transaction.atomic():
        # Held, so that nobody closes the card in between.
        if Batch.objects.select_for_update(no_key=True).get(pk=batch.pk).closed_at is not None:
            raise Closed
        named = _named(batch, files)
        before = batch.files.count()
        CardFile.objects.bulk_create(
            (
                CardFile(
                    batch=batch,
                    path=path,
                    size=file.size,
                    modified_at=file.modified_at,
                    reason=words.TOO_LARGE if file.size > settings.FILE_MAX_BYTES else "",
                )
                for path, file in zip(named, files, strict=True)
            ),
            ignore_conflicts=True,
            batch_size=1000,
        )
        now = batch.files.count()
        if now > settings.CARD_MAX_FILES:
            raise TooMany
        if now > before:  # what was announced may come, whatever the quota is now
            _check_quota(batch.deployment.lake.park)
    rows = {file.path: file for file in batch.files.filter(path__in=named)}
    return [rows[path] for path in named]


def is_here(row: CardFile, line: Announced) -> bool:
    """Whether what a manifest names came already, as far as that can be told without its bytes.

    Memory cards keep times to two seconds; a copy on a computer may be more exact.
    """
    if row.state == State.AWAITED:
        return False
    if row.modified_at is None or line.modified_at is None:
        return True
    return abs(row.modified_at - line.modified_at) <= timedelta(seconds=2)


def _check_quota(park: Park) -> None:
    """Raises OverQuota. Counts what is announced and kept, a picture that came twice twice."""
    if park.quota_gb is None:
        return
    kept = CardFile.objects.filter(batch__deployment__lake__park=park, purge=None)
    kept = kept.filter(frame__purge=None)
    if (kept.aggregate(size=Sum("size"))["size"] or 0) > park.quota_gb * 10**9:
        raise OverQuota(park.quota_gb)


def _named(batch: Batch, files: Sequence[Announced]) -> list[str]:
    """A path for each of `files`: two files with one name are two, the same two at every try."""
    wanted = [label(file.path) for file in files]
    taken = dict(batch.files.filter(path__in=wanted).values_list("path", "size"))
    given: set[str] = set()
    again: Counter[str] = Counter()  # path → how often it was given
    named = []
    for path, file in zip(wanted, files, strict=True):
        if taken.setdefault(path, file.size) != file.size:
            path = f"{path} [{file.size}]"
        again[path] += 1
        while (name := _again(path, again[path])) in given:
            again[path] += 1
        named.append(name)
        given.add(name)
    return named


def _again(path: str, times: int) -> str:
    return path if times == 1 else f"{path} [{times}]"


def store(*, file: CardFile, chunks: Iterable[bytes], expected: str = "") -> bool:
    """Store the bytes of one announced file; returns whether they were still awaited.

    Safe to repeat; other bytes are not taken once the card is closed. Where the file has come
    before with other bytes, both are kept. Raises what vault.put raises, OSError, Closed,
    WrongSize, and Conflict when somebody closes the card meanwhile.
    """
    here = file.state != State.AWAITED
    if here and file.batch.closed_at is not None and expected != file.sha256:
        raise Closed
    sha256, _ = vault.put(_of_size(file.size, chunks), expected)
    try:
        return _stored(file, sha256)
    except Conflict:
        return _stored(_changed(file, sha256), sha256)


@transaction.atomic
def _changed(file: CardFile, sha256: str) -> CardFile:
    """The row of other bytes under the name of `file`: it was changed while the card came."""
    if Batch.objects.select_for_update(no_key=True).get(pk=file.batch_id).closed_at is not None:
        raise Conflict
    path = label(f"{file.path} [{sha256[:12]}]")
    return CardFile.objects.get_or_create(
        batch=file.batch, path=path, defaults={"size": file.size}
    )[0]


def _of_size(size: int, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """`chunks`, as long as they are `size` bytes in all: half a file is not the one announced."""
    came = 0
    for chunk in chunks:
        came += len(chunk)
        if came > size:
            raise WrongSize
        yield chunk
    if came != size:
        raise WrongSize


def _stored(file: CardFile, sha256: str) -> bool:
    taken = CardFile.objects.filter(pk=file.pk, state=State.AWAITED).update(
        sha256=sha256, state=State.STORED, reason="", attempts=0, lease_until=None
    )
    if not taken and CardFile.objects.values_list("sha256", flat=True).get(pk=file.pk) != sha256:
        raise Conflict
    return bool(taken)


def recognise(*, batch: Batch, hashes: Mapping[int, str], user: User) -> set[int]:
    """Those of the awaited files (id → SHA-256) whose bytes are here already; they are stored.

    Only what came to this park, and to lakes whose cards `user` may read, is recognised: what
    another holds is nobody else's to learn. Whoever has the bytes themselves sends them.
    """
    lakes = access.lakes(user, Action.READ_CARDS).filter(park=batch.deployment.lake.park_id)
    same = {"sha256__in": set(hashes.values())}
    frames = Frame.objects.filter(deployment__lake__in=lakes, **same)
    others = CardFile.objects.filter(batch__deployment__lake__in=lakes, **same)
    came = set(frames.values_list("sha256", flat=True))
    came |= set(others.exclude(state=State.AWAITED).values_list("sha256", flat=True))
    sizes = {sha256: vault.size(sha256) for sha256 in came}
    here = set()
    known = [pk for pk, sha256 in hashes.items() if sizes.get(sha256) is not None]
    asked = batch.files.filter(pk__in=known)
    # What this disk could not give back must be sent, even where a file of its name still lies.
    for file in asked.exclude(reason=words.DAMAGED_HERE):
        if file.size != sizes[hashes[file.pk]]:
            continue  # it changed since it was announced: sending it says so
        with contextlib.suppress(Conflict):
            _stored(file, hashes[file.pk])
            here.add(file.pk)
    return here


def store_from_disk(*, batch: Batch, files: Mapping[str, OnDisk]) -> list[tuple[str, str]]:
    """Store every awaited file of `files`; returns (path, problem) of those that failed."""
    failed = []
    for file in batch.files.filter(state=State.AWAITED):
        try:
            store(file=file, chunks=_unchanged(files[file.path]))
        except KeyError:
            failed.append((file.path, "no longer in the folder"))
        except vault.TooLarge:
            failed.append((file.path, words.TOO_LARGE))
        except WrongSize:
            failed.append((file.path, words.RESIZED))
        except Changed:
            failed.append((file.path, words.CHANGED))
        except OSError as problem:
            full = problem.errno in (errno.ENOSPC, errno.EDQUOT)
            why = "the server's disk is full" if full else problem.strerror or str(problem)
            failed.append((file.path, why))
    return failed


def _unchanged(file: OnDisk) -> Iterator[bytes]:
    """The bytes of a file that is what it was when it was listed. Raises Changed, OSError."""
    with file.at.open("rb") as stream:
        yield from vault.chunks_of(stream)
        if os.fstat(stream.fileno()).st_ctime_ns != file.changed_ns:
            raise Changed


class Unfinished(ValueError):
    """The manifest names fewer files than it was to have: part of it is still to come."""


@transaction.atomic
def close_batch(
    *, batch: Batch, user: User | None, problems: Mapping[int, str] | None = None
) -> None:
    """The manifest is complete. Closing twice is harmless.

    `problems`: file id → why a file that is still awaited could not be sent; the receipt names it.
    Raises Unfinished.
    """
    Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    if batch.files.count() < batch.expected_files:
        raise Unfinished
    for pk, why in (problems or {}).items():
        batch.files.filter(pk=pk, state=State.AWAITED).update(reason=label(why)[:300])
    if Batch.objects.filter(pk=batch.pk, closed_at__isnull=True).update(
        closed_at=timezone.now(), judged_at=None
    ):
        AuditEvent.objects.create(
            user=user,
            lake=batch.deployment.lake,
            action="batch closed",
            detail={"batch": batch.pk, "files": batch.files.count()},
        )
    _finish_earlier(batch, user)
    batch.refresh_from_db()


def _finish_earlier(batch: Batch, user: User | None) -> None:
    """Close what was begun of the same card and can never be whole, for files of it have changed.

    Only where a picture proves that it is this card, and all that was named of it has come with
    `batch`: its receipt is then the one that counts.
    """
    others = Batch.objects.filter(deployment=batch.deployment_id).to_be_continued()
    others = others.exclude(pk=batch.pk)
    if batch.files.filter(state=State.AWAITED).exists() or not others.exists():
        return
    came = {file.path: file for file in batch.files.all()}
    for other in others.select_for_update(of=("self",), no_key=True, skip_locked=True):
        pairs = [(file, came.get(file.path)) for file in other.files.all()]
        if all(_stands_for(now, file) for file, now in pairs) and any(
            now and _is_the_same(now, file) for file, now in pairs
        ):
            Batch.objects.filter(pk=other.pk).update(
                continued_by=batch, closed_at=Coalesce("closed_at", timezone.now())
            )
            AuditEvent.objects.create(
                user=user,
                lake=batch.deployment.lake,
                action="batch continued by another",
                detail={"batch": other.pk, "by": batch.pk},
            )


def _stands_for(now: CardFile | None, before: CardFile) -> bool:
    """Whether what was named `before` has come: as it came then, or in whatever form it has now."""
    return now is not None and (before.state == State.AWAITED or before.sha256 == now.sha256)


def _is_the_same(now: CardFile, before: CardFile) -> bool:
    """Cameras give every card the same names, but no two pictures the same bytes or instant.

    Anything else, such as a camera's settings, may be the same on every card.
    """
    if now.size == 0 or not is_picture(now.path):
        return False
    if before.sha256:
        return before.sha256 == now.sha256
    same = (now.size, now.modified_at) == (before.size, before.modified_at)
    return now.modified_at is not None and same
