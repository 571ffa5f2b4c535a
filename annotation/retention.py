"""How long originals are kept: the rule of a lake, what is due by it, the hold, and erasure.

A rule counts days since a frame was settled, or since its card was handed over for what nobody
settled, or names a day from which all that was taken before it goes, read or not. It reaches every
original: also of frames without a date and of files that are no picture. A hold stops it, also in
the middle. What goes is the original and the unmasked preview; boxes, reviews, figures and a
masked picture stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Max, Min, Q, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from annotation.models import Check
from detection.cards import purging
from detection.models import CardFile, Deployment, Frame, Purge, Retention
from lacs_web.models import AuditEvent, Lake, User

ERASED_AT_MOST = 2000  # originals of one request: an instant, not a season
_CAME = Coalesce("batch__closed_at", "batch__opened_at")


@dataclass(frozen=True)
class Preview:
    """What a purge would take now: frames, files that are none, the bytes of both, first and last
    instant of the frames.
    """

    frames: int
    files: int
    size: int
    first: datetime | None
    last: datetime | None


def of(lake: Lake) -> Retention:
    """The rule of `lake`, unsaved where there is none."""
    return Retention.objects.filter(lake=lake).first() or Retention(lake=lake)


def kept_files(lake: int) -> QuerySet[CardFile]:
    """Files of a lake that became no frame and whose bytes are kept."""
    files = CardFile.objects.filter(batch__deployment__lake=lake, purge=None)
    return files.filter(state__in=purging.NO_FRAME)


def due(rule: Retention) -> QuerySet[Frame]:
    """Frames whose original is to go by `rule` today; none while it is held."""
    frames = Frame.objects.filter(deployment__lake=rule.lake_id, purge=None).alias(came=_CAME)
    now, before = timezone.now(), _before(rule)
    which = Q(pk__in=[])
    if rule.days is not None:
        which |= Q(settled__since__lte=now - timedelta(days=rule.days))
    if rule.unsettled_days is not None:
        which |= Q(settled=None, came__lte=now - timedelta(days=rule.unsettled_days))
    if before is not None:
        undated = Q(captured_at=None, batch__opened_at__lt=before)
        which |= Q(captured_at__lt=before) | undated
    return frames.none() if rule.hold else frames.filter(which)


def due_files(rule: Retention) -> QuerySet[CardFile]:
    """Files that became no frame and whose bytes are to go by `rule` today."""
    files = kept_files(rule.lake_id).alias(came=_CAME)
    which, before = Q(pk__in=[]), _before(rule)
    if rule.unsettled_days is not None:
        which |= Q(came__lte=timezone.now() - timedelta(days=rule.unsettled_days))
    if before is not None:
        which |= Q(batch__opened_at__lt=before)
    return files.none() if rule.hold else files.filter(which)


def _before(rule: Retention) -> datetime | None:
    """The first instant that the rule of a day spares; None before that day, and without one."""
    if rule.on is None or rule.on > timezone.now().astimezone(rule.lake.zone).date():
        return None
    return datetime.combine(rule.on, time(), rule.lake.zone)


def preview(rule: Retention) -> Preview:
    """Three queries."""
    frames = due(rule)
    ends = frames.aggregate(n=Count("pk"), first=Min("captured_at"), last=Max("captured_at"))
    pictures = CardFile.objects.filter(state__in=["new", "quarantined"], frame__in=frames)
    size = pictures.aggregate(size=Sum("size"))["size"] or 0
    others = due_files(rule).aggregate(n=Count("pk"), size=Sum("size"))
    size += others["size"] or 0
    return Preview(ends["n"], others["n"], size, ends["first"], ends["last"])


@transaction.atomic
def set_rule(
    *, lake: Lake, days: int | None, unsettled_days: int | None = None, on: date | None, user: User
) -> None:
    rule, _new = Retention.objects.select_for_update().get_or_create(lake=lake)
    rule.days, rule.unsettled_days, rule.on = days, unsettled_days, on
    rule.save()
    detail = {"days": days, "unsettled": unsettled_days, "on": on and on.isoformat()}
    AuditEvent.objects.create(user=user, lake=lake, action="retention changed", detail=detail)


@transaction.atomic
def hold(*, lake: Lake, why: str, user: User) -> None:
    """Let nothing be purged or erased at `lake`; with an empty `why`, again as the rule says."""
    rule, _new = Retention.objects.select_for_update().get_or_create(lake=lake)
    rule.hold = why
    rule.save()
    action = "purge held" if why else "purge let go"
    AuditEvent.objects.create(user=user, lake=lake, action=action, detail={"why": why})


def purge(*, lake: Lake, user: User | None = None, limit: int = 200) -> int:
    """Take up what was cut off and purge up to `limit` originals that are due; returns how many.

    One by one under the lake's rule: a hold that comes meanwhile stops it after the next.
    """
    begun = Purge.objects.filter(done_at=None)
    here = Q(frame__deployment__lake=lake) | Q(file__batch__deployment__lake=lake)
    owed: list[Frame | CardFile] = [
        one.what for one in begun.filter(here).select_related("frame", "file")[:limit]
    ]
    rule = of(lake)
    for rows in (due(rule), due_files(rule)):
        owed += rows.order_by("pk")[: max(0, limit - len(owed))]
    count = sum(_purge(lake, one, user) for one in owed)
    if count:
        AuditEvent.objects.create(
            user=user, lake=lake, action="originals purged", detail={"originals": count}
        )
    return count


def _purge(lake: Lake, what: Frame | CardFile, user: User | None) -> bool:
    with transaction.atomic():
        rule = Retention.objects.select_for_update().filter(lake=lake).first()
        if rule is not None and rule.hold:
            return False
        begun = Purge.objects.filter(_row(what)).first()
        if begun is None:
            if rule is None or (why := _why(rule, what)) is None:
                return False
            begun = purging.begin(of=what, rule=why, by=user)
    purging.finish(begun)
    return True


def _row(what: Frame | CardFile) -> Q:
    return Q(frame=what) if isinstance(what, Frame) else Q(file=what)


def _why(rule: Retention, what: Frame | CardFile) -> dict[str, Any] | None:
    """Which part of `rule` takes an original today, as the ledger says it; None where none does."""
    lake, which = rule.lake, due if isinstance(what, Frame) else due_files
    parts = (
        (Retention(lake=lake, days=rule.days), {"days": rule.days}),
        (Retention(lake=lake, unsettled_days=rule.unsettled_days),
         {"unsettled": rule.unsettled_days}),
        (Retention(lake=lake, on=rule.on), {"on": rule.on and rule.on.isoformat()}),
    )  # fmt: skip
    return next((said for part, said in parts if which(part).filter(pk=what.pk).exists()), None)


def erase(
    *, lake: Lake, first: datetime, last: datetime, why: str, user: User, undated: bool = False
) -> int:
    """Take the pictures of one span of time at `lake` away, whole; returns how many went.

    Files that are no frames go by their own time; `undated` takes all besides whose time nobody
    knows, of the cameras that stood there then. What a detector or a reviewer counted stays: it
    names nobody. Raises ValidationError while a hold stands, when nothing was taken then, and for
    more than ERASED_AT_MOST.
    """
    with transaction.atomic():
        rule, _new = Retention.objects.select_for_update().get_or_create(lake=lake)
        if rule.hold:
            raise ValidationError(_("A hold stands at this lake: end it before you erase."))
        found = list(_taken(lake, first, last, undated=undated))
        if not found:
            raise ValidationError(_("No picture was taken here in that time."))
        if len(found) > ERASED_AT_MOST:
            raise ValidationError(_("These are too many pictures at once: choose a shorter time."))
        rows = [purging.begin(of=one, rule={"erased": why}, by=user) for one in found]
        Purge.objects.filter(pk__in=[one.pk for one in rows]).update(
            rule={"erased": why}, by=user, done_at=None
        )
        # Nobody can read them any more: what is unread leaves the sample, or it would never end.
        frames = [one.pk for one in found if isinstance(one, Frame)]
        Frame.objects.filter(pk__in=frames).update(flag=Frame.Flag.ERASED)
        Check.objects.filter(frame__in=frames).delete()
        detail = {"from": first.isoformat(), "to": last.isoformat(), "originals": len(found)}
        AuditEvent.objects.create(user=user, lake=lake, action="instant erased", detail=detail)
    for one in Purge.objects.filter(pk__in=[one.pk for one in rows]).select_related(
        "frame__deployment__lake", "file"
    ):
        purging.finish(one)
    return len(found)


def _taken(
    lake: Lake, first: datetime, last: datetime, *, undated: bool
) -> Iterator[Frame | CardFile]:
    """What may show that span of time; of each kind one more than may be erased at most."""
    frames = Frame.objects.filter(deployment__lake=lake)
    # Without an instant a frame has its camera's word alone, which was written as though UTC.
    clock = [when.astimezone(lake.zone).replace(tzinfo=UTC) for when in (first, last)]
    of_frames = Q(captured_at__range=(first, last)) | Q(captured_at=None, clock_at__range=clock)
    of_files = Q(modified_at__range=(first, last))
    if undated:
        standing = Deployment.objects.filter(lake=lake, starts_at__lte=last)
        standing = standing.filter(Q(ends_at=None) | Q(ends_at__gte=first))
        of_frames |= Q(captured_at=None, deployment__in=standing)
        of_files |= Q(batch__deployment__in=standing)
    yield from frames.filter(of_frames).order_by("captured_at")[: ERASED_AT_MOST + 1]
    files = CardFile.objects.filter(batch__deployment__lake=lake, state__in=purging.NO_FRAME)
    yield from files.filter(of_files).order_by("pk")[: ERASED_AT_MOST + 1]
