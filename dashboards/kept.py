"""Files of frames that a worker makes and keeps for a while, for who asked and nobody else.

    ask ─▶ KeptExport, pending ─ go_on, piece by piece ─▶ ready ─ check ─▶ parts
Pieces lie in the storage, each a file under a name of its own, and one after the other they are the
export. A worker that is killed costs the piece it was at; whoever goes on reads from the rows what
lies there. Nothing of it is served by address: check and parts are the only way out, and they fail
closed. What shows frames otherwise than they may be shown now, or a frame that went, is withdrawn.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import time
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from dashboards import exporting
from dashboards.exporting import FORMATS
from dashboards.formats import pieces, taking
from dashboards.formats.pieces import Piece
from dashboards.models import KeptExport, KeptPiece
from dashboards.periods import Period
from detection import claims, renditions
from detection.cards import vault
from detection.models import CardFile, Frame, Purge
from lacs_web.access import Action, allows
from lacs_web.models import AuditEvent, Lake, User

log = logging.getLogger(__name__)
State = KeptExport.State
FOLDER = "exports"  # of the storage
KINDS = [kind for kind, each in FORMATS.items() if each.pieces]
MOST = 5  # that one person has being made
AT_A_TIME = 20.0  # seconds that one message works
TOLD_EVERY = 5.0  # seconds after which a long piece says how far it is, and holds on to its claim
CHECKED = 500  # frames whose masks are looked at together
LOOKED_EVERY = 10.0  # seconds after which what leaves is looked at again
_PART = 64 * 1024  # bytes that leave at a time


class NotServed(Exception):
    """No byte of it leaves now: `why` is "pending", "failed", "changed" or "gone"."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def mine(user: User) -> QuerySet[KeptExport]:
    """Nobody gets what somebody else asked for, whatever their role."""
    return KeptExport.objects.filter(asked_by=user).select_related("lake__park")


@transaction.atomic
def ask(*, kind: str, lake: Lake, period: Period, by: User) -> tuple[KeptExport, bool]:
    """Owe `by` a file of `kind`, one of KINDS; whether that is new. While it is being made, asking
    again is harmless; after that, another takes its place. Raises ValidationError.
    """
    exporting.fit(kind, lake)
    owner = User.objects.select_for_update(no_key=True).get(pk=by.pk)
    asked = {"lake": lake, "kind": kind, "first": period.first, "last": period.last}
    same = mine(owner).filter(**asked)
    if found := same.filter(state=State.PENDING).first():
        return found, False
    if mine(owner).filter(state=State.PENDING).count() >= MOST:
        raise ValidationError(
            _("So many files of yours are being made already: wait for one, or cancel one.")
        )
    for older in same:
        older.delete()
    made = KeptExport.objects.create(
        asked_by=owner,
        language=get_language() or settings.LANGUAGE_CODE,
        total=exporting.frames_of(kind, lake, period),
        **asked,
    )
    detail = {"format": kind, "from": str(period.first), "to": str(period.last), "file": made.pk}
    AuditEvent.objects.create(user=by, lake=lake, action="export asked for", detail=detail)
    return made, True


@transaction.atomic
def end(*, kept: KeptExport, by: User) -> None:
    """Stop making it, or keep it no longer: its bytes go. Ending it twice changes nothing."""
    detail = {"format": kept.kind, "from": str(kept.first), "to": str(kept.last), "file": kept.pk}
    if KeptExport.objects.filter(pk=kept.pk).delete()[0]:
        AuditEvent.objects.create(user=by, lake=kept.lake, action="export ended", detail=detail)


def owed() -> QuerySet[KeptExport]:
    return KeptExport.objects.filter(state=State.PENDING).select_related("lake__park")


def go_on(pk: int, seconds: float = AT_A_TIME) -> bool:
    """Make pieces of one export for so long; whether more is owed. Does nothing while somebody else
    is at it.
    """
    token, rows = claims.claim(owed().filter(pk=pk), 1)
    if not rows:
        return False
    (kept,), until = rows, time.monotonic() + seconds
    before = list(kept.pieces.only("entries", "facts", "done"))
    _tell_what_is_there(kept, token, before)
    entries = [entry for each in before for entry in each.entries]
    with override(kept.language):
        for number, piece in enumerate(_pieces(kept, before), len(before)):
            if not _write(kept, token, piece, number, entries) or piece.last:
                return False
            if time.monotonic() > until:
                break
    held = KeptExport.objects.filter(pk=pk, claim=token)
    return bool(held.update(claim=None, lease_until=None, attempts=0))


def _tell_what_is_there(kept: KeptExport, token: uuid.UUID, before: Sequence[KeptPiece]) -> None:
    """Take back what a killed worker told of the piece that it did not finish."""
    parts = [each.done for each in before if each.done is not None]
    if len(parts) == len(before) and kept.done != sum(parts):
        kept.done = sum(parts)
        KeptExport.objects.filter(pk=kept.pk, claim=token).update(done=kept.done)


def _pieces(kept: KeptExport, before: Sequence[KeptPiece]) -> Iterator[Piece]:
    wanted = FORMATS[kept.kind].pieces
    assert wanted is not None  # noqa: S101 - ask takes KINDS alone
    period = Period(kept.first, kept.last)
    return wanted(kept.lake, period, kept.asked_at, [each.facts for each in before])


def _write(
    kept: KeptExport, token: uuid.UUID, piece: Piece, number: int, entries: list[Any]
) -> bool:
    """Store a piece and its row; False, with nothing left, if the claim was lost meanwhile."""
    began, known = time.monotonic(), len(entries)
    name = f"{FOLDER}/{kept.pk}/{number:05}-{token.hex[:12]}"
    parts = pieces.written(piece, made=kept.asked_at, offset=kept.size, entries=entries)
    sha256, size = vault.put(_telling(parts, kept, token, piece, began), name=name)
    kept.done, kept.size = kept.done + piece.frames, kept.size + size
    kept.seconds += time.monotonic() - began
    said: dict[str, Any] = {"lease_until": claims.lease_end()}
    if piece.last:
        now = timezone.now()
        said = {"state": State.READY, "ready_at": now, "ends_at": now + kept_for(),
                "lease_until": None, "claim": None}  # fmt: skip
    with transaction.atomic():
        held = KeptExport.objects.filter(pk=kept.pk, claim=token, state=State.PENDING)
        if held.update(done=kept.done, size=kept.size, seconds=kept.seconds, attempts=0, **said):
            KeptPiece.objects.create(
                export=kept, number=number, name=name, size=size, sha256=sha256,
                entries=entries[known:], facts=piece.facts, frames=sorted(piece.masks),
                masks=digest(piece.masks), done=piece.frames,
            )  # fmt: skip
            return True
    default_storage.delete(name)
    return False


def _telling(
    parts: Iterable[bytes], kept: KeptExport, token: uuid.UUID, piece: Piece, began: float
) -> Iterator[bytes]:
    """`parts`; meanwhile the row says how far they are, and is held."""
    told = began
    for part in parts:
        if (now := time.monotonic()) - told > TOLD_EVERY:
            told = now
            KeptExport.objects.filter(pk=kept.pk, claim=token).update(
                done=kept.done + piece.frames, seconds=kept.seconds + now - began,
                lease_until=claims.lease_end(),
            )  # fmt: skip
        yield part


def kept_for() -> timedelta:
    return timedelta(hours=settings.EXPORT_KEPT_HOURS)


def digest(masks: Mapping[int, str]) -> str:
    lines = "".join(f"{pk} {tag}\n" for pk, tag in sorted(masks.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def masks_now(frames: Sequence[int], lake: Lake | int) -> dict[int, str]:
    """Frame → the tag of what may be shown of it now; of those still at `lake`. Seven queries."""
    found = list(
        Frame.objects.filter(pk__in=frames, deployment__lake=lake).select_related(
            "deployment__lake"
        )
    )
    shown = renditions.renditions(found)
    return {frame.pk: what.tag for frame, what in zip(found, shown, strict=True)}


def changed(kept: KeptExport, those: Sequence[KeptPiece]) -> bool:
    """Whether what `those` pieces show may be shown otherwise now, or not at all."""
    few = max(1, CHECKED // max([1, *(len(each.frames) for each in those)]))
    for some in (those[n : n + few] for n in range(0, len(those), few)):
        frames = [pk for each in some for pk in each.frames]
        now = masks_now(frames, kept.lake_id) if frames else {}
        for each in some:
            if digest({pk: now[pk] for pk in each.frames if pk in now}) != each.masks:
                return True
    of = taking.of(kept.lake, Period(kept.first, kept.last))
    return Purge.objects.filter(frame__in=of, at__gte=kept.asked_at).exists()


def check(kept: KeptExport) -> None:
    """Raise NotServed unless all of it may leave now; what may not is withdrawn."""
    if kept.state == State.PENDING:
        raise NotServed("pending")
    if kept.state != State.READY:
        raise NotServed("failed" if kept.state == State.FAILED else "changed")
    if kept.ends_at is None or kept.ends_at <= timezone.now():
        raise NotServed("gone")
    those = list(kept.pieces.defer("entries", "facts"))
    if changed(kept, those):
        withdraw(KeptExport.objects.filter(pk=kept.pk))
        raise NotServed("changed")
    if not those or sum(each.size for each in those) != kept.size:
        raise NotServed("gone")
    if not all(default_storage.exists(each.name) for each in those[:1]):
        raise NotServed("gone")  # brought back from a backup, which has no such files


def tag(kept: KeptExport) -> str:
    """Of the bytes, which never change once it is ready."""
    every = kept.pieces.values_list("sha256", flat=True)
    return hashlib.sha256("".join(every).encode()).hexdigest()[:32]


def parts(kept: KeptExport, first: int, last: int, by: User) -> Iterator[bytes]:
    """Bytes `first` to `last`, both included, after `check`. What changes while they leave cuts
    them off: each piece is looked at again. Raises NotServed, OSError.
    """
    at = 0
    for piece in list(kept.pieces.defer("entries", "facts")):
        begins, at = at, at + piece.size
        if at <= first or begins > last:
            continue
        looked = _look(kept, piece, by)
        with default_storage.open(piece.name) as file:
            file.seek(max(0, first - begins))
            left = min(at, last + 1) - max(begins, first)
            while left:
                if time.monotonic() > looked + LOOKED_EVERY:  # a slow line takes hours for a piece
                    looked = _look(kept, piece, by)
                part = file.read(min(left, _PART))
                if not part:
                    raise OSError(f"{piece.name} is cut off")
                left -= len(part)
                yield part


def _look(kept: KeptExport, piece: KeptPiece, by: User) -> float:
    """When it was last seen that `piece` may leave. Raises NotServed."""
    still = KeptExport.objects.filter(pk=kept.pk, state=State.READY).exists()
    if not still or not allows(by, Action.EXPORT, kept.lake) or changed(kept, [piece]):
        raise NotServed("changed")
    return time.monotonic()


def withdraw(found: QuerySet[KeptExport]) -> None:
    """From now on nobody gets these; their bytes go."""
    _stop(found.filter(state__in=[State.PENDING, State.READY]), State.WITHDRAWN)


def _stop(found: QuerySet[KeptExport], state: KeptExport.State) -> None:
    ids = list(found.values_list("pk", flat=True))
    KeptExport.objects.filter(pk__in=ids).update(
        state=state, claim=None, lease_until=None, ends_at=timezone.now() + kept_for()
    )
    KeptPiece.objects.filter(export__in=ids).delete()
    for pk in ids:
        transaction.on_commit(partial(_discard, pk))


def forget(what: Frame | CardFile) -> None:
    """What was made of a frame whose original goes is withdrawn; of other files nothing was."""
    if isinstance(what, Frame) and what.captured_at is not None:
        day, near = what.captured_at.date(), timedelta(days=1)  # in any time zone
        there = KeptExport.objects.filter(lake__deployments=what.deployment_id)
        withdraw(there.filter(first__lte=day + near, last__gte=day - near))
    if isinstance(what, Frame):  # dated anew, or moved to another lake, since it was taken
        showing = KeptPiece.objects.filter(frames__contains=[what.pk]).values("export")
        withdraw(KeptExport.objects.filter(pk__in=showing))


def discard(instance: KeptExport, **_signal: Any) -> None:
    """The bytes of a row that was deleted."""
    transaction.on_commit(partial(_discard, instance.pk))


def _discard(pk: int, spare: Iterable[str] = ()) -> None:
    """Bytes of one export, but for names to `spare`; what cannot go now goes with the next tidy."""
    folder, spared = f"{FOLDER}/{pk}", set(spare)
    try:
        for name in _listed(folder)[1]:
            if f"{folder}/{name}" not in spared:
                default_storage.delete(f"{folder}/{name}")
        if not spared:
            default_storage.delete(folder)
    except OSError:
        log.exception("bytes of export %s are still there", pk)


def _listed(folder: str) -> tuple[list[str], list[str]]:
    with contextlib.suppress(FileNotFoundError):
        return default_storage.listdir(folder)
    return [], []


def give_up_on_poison() -> None:
    """What stopped a worker again and again at the same piece is no longer tried."""
    _stop(claims.poisoned(owed()), State.FAILED)


def tidy() -> None:
    """What has been kept for long enough goes, and bytes that no row speaks of."""
    for kept in KeptExport.objects.filter(ends_at__lte=timezone.now()):
        kept.delete()
    for folder in _listed(FOLDER)[0]:
        if not folder.isdigit():
            continue
        if (row := KeptExport.objects.filter(pk=int(folder)).first()) is None:
            _discard(int(folder))
        elif row.state != State.PENDING:
            _discard(row.pk, spare=row.pieces.values_list("name", flat=True))
