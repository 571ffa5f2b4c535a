"""Whom to serve which frame next, and who holds it. Does not state reviews nor settle frames.

The estimates ask for frames in turn (`Turn`), each stratum in its fixed pseudo-random order
(`Frame.rank`), so that what has been read at any moment is a fair sample; after those come all
others by rank. A day by hand is read by the clock: what somebody chose must not depend on ranks,
for it leaves the sampled population. A frame is held by one reviewer at a time, for
REVIEW_LEASE_SECONDS since they last gave a sign, by the database's clock, for web servers' may be
apart; reviews are blind, so who disagreed over it is
nobody's to see.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When
from django.db.models.functions import Now
from django.utils import timezone

from annotation.models import Dispute, Draft, Hold, Review, SettledFrame, VerdictChoice
from annotation.settling import DECISIVE
from detection.models import Frame, RunFrame
from lacs_web.access import Action, may
from lacs_web.models import Lake, User

# A frame that somebody skipped is not served to them again before that; others get it at once.
SKIP_RESTS = timedelta(hours=12)
MOST_HELD = 20  # frames that one reviewer holds at once
_TRIES = 3  # rounds of claiming, when others were faster on some frames

# One statement decides who has the frame, whoever asks at the same moment.
_TAKE = """
INSERT INTO annotation_hold AS hold (frame_id, reviewer_id, until)
SELECT unnest(%(frames)s::bigint[]), %(reviewer)s,
    statement_timestamp() + make_interval(secs => %(lease)s)
ON CONFLICT (frame_id) DO UPDATE SET reviewer_id = %(reviewer)s, until = excluded.until
WHERE hold.reviewer_id = %(reviewer)s OR hold.until < statement_timestamp()
RETURNING frame_id
"""


class NotServed(Exception):
    """The queue never gave this frame to this reviewer."""


class HeldByAnother(Exception):
    """The hold lapsed, and somebody else took the frame."""


class SettledByOthers(Exception):
    """The frame was settled by another's vote: too late to take one's own back."""


@dataclass(frozen=True)
class Desk:
    """A reviewer at a lake, and what their roles there let them be served."""

    reviewer: User
    lake: Lake
    settles: bool  # may settle a frame alone: is asked about what others flagged
    unmasks: bool  # may lift masks: a frame no detector has read is a mosaic to all others

    @property
    def lifts(self) -> bool:
        """Whether masks may be lifted here by this reviewer, on frames that they hold at least."""
        return self.unmasks or self.lake.reviewers_may_unmask

    @classmethod
    def of(cls, reviewer: User, lake: Lake) -> Desk:
        """One query."""
        allowed = may(reviewer, lake)
        return cls(
            reviewer,
            lake,
            settles=allowed.get(Action.SETTLE.name.lower(), False),
            unmasks=allowed.get(Action.UNMASK.name.lower(), False),
        )


def waiting(desk: Desk, day: date | None = None) -> QuerySet[Frame]:
    """Frames that wait for this reviewer, those held by others included; unordered.

    Left out: undated frames; frames settled, unless this reviewer took their own decision back;
    frames they decided on, or skipped or flagged lately; frames in dispute, unless they may settle;
    frames that no detector has read, unless they may lift the mask and it can be lifted still; what
    was erased on request.
    """
    frames = Frame.objects.filter(deployment__lake=desk.lake, quarantine="")
    frames = frames.exclude(flag=Frame.Flag.ERASED)
    if day is not None:
        midnight = datetime.combine(day, time(), desk.lake.zone)
        after = datetime.combine(day + timedelta(days=1), time(), desk.lake.zone)
        frames = frames.filter(captured_at__gte=midnight, captured_at__lt=after)
    lately = timezone.now() - SKIP_RESTS
    words = Review.objects.latest_words()
    said = words.filter(Q(verdict__in=DECISIVE) | Q(at__gte=lately), reviewer=desk.reviewer)
    owed = [~Exists(_settled()), ~Exists(said.filter(frame=OuterRef("pk")))]
    if not desk.settles:
        owed.append(~Exists(Dispute.objects.filter(frame=OuterRef("pk"))))
    seen = Q(Exists(_read()))
    frames = frames.filter(seen | Q(purge=None) if desk.unmasks else seen)
    back = _taken_back(desk)
    return frames.filter(Q(*owed) | Q(pk__in=back)) if back else frames.filter(*owed)


def _settled() -> QuerySet[SettledFrame]:
    return SettledFrame.objects.filter(frame=OuterRef("pk"))


def _read() -> QuerySet[RunFrame]:
    return RunFrame.objects.showing().filter(frame=OuterRef("pk"))


def _taken_back(desk: Desk) -> list[int]:
    """Ids of frames of which the reviewer undid their decision, and nobody else settled.

    And of check frames that they were served and have not decided on: waiting like all others.
    """
    mine = Review.objects.filter(frame=OuterRef("frame"), reviewer=desk.reviewer)
    others = SettledFrame.objects.filter(frame=OuterRef("frame"))
    drafts = Draft.objects.filter(
        (Exists(mine) & ~Exists(others.exclude(review__reviewer=desk.reviewer)))
        | Q(check_frame=True),
        frame__deployment__lake=desk.lake,
        reviewer=desk.reviewer,
        open=True,
    )
    return list(drafts.values_list("frame", flat=True))


def claim(
    desk: Desk, *, want: int, holding: Sequence[int] = (), day: date | None = None
) -> list[Frame]:
    """The frames that `pick` picks."""
    picked = pick(desk, want=want, holding=holding, day=day)
    rows = rows_of(picked)
    return [rows[pk] for pk in picked]


def rows_of(frames: Sequence[int]) -> dict[int, Frame]:
    """Id → frame, with its deployment and lake. One query."""
    return Frame.objects.select_related("deployment__lake", "purge").in_bulk(frames or [-1])


def pick(
    desk: Desk, *, want: int, holding: Sequence[int] = (), day: date | None = None
) -> list[int]:
    """Hold up to `want` frames more and renew `holding` as far as nobody took those over; ids.

    In this order: frames held already (a reload goes on where it stopped), those in dispute, the
    most person-hours first, those that a detector has read, then by turn and rank, or
    by the clock if a `day` was asked for; frames skipped long ago come last.
    """
    # Only what this reviewer was served can be held on to: nobody chooses frames, and nobody
    # keeps a whole lake from the others.
    mine_once = Q(hold__reviewer=desk.reviewer) | Q(drafts__reviewer=desk.reviewer)
    served = Frame.objects.filter(mine_once, pk__in=holding, deployment__lake=desk.lake).distinct()
    kept = _hold(desk, served.values_list("pk", flat=True))
    want = min(want, MOST_HELD - len(kept))
    if want <= 0:
        return []
    live = Hold.objects.filter(until__gt=Now(), frame__deployment__lake=desk.lake)
    mine = list(live.filter(reviewer=desk.reviewer).values_list("frame", flat=True))
    others = live.exclude(reviewer=desk.reviewer)
    words = Review.objects.latest_words().filter(frame__deployment__lake=desk.lake)
    skips = words.filter(reviewer=desk.reviewer)
    skipped = list(skips.exclude(verdict__in=DECISIVE).values_list("frame", flat=True))
    turns = [When(pk__in=ids, then=turn) for turn, ids in ((0, mine), (2, skipped)) if ids]
    order: list[Any] = [Case(*turns, default=1)] if turns else []
    if desk.settles:
        order.append(F("dispute__weight").desc(nulls_last=True))
    if desk.unmasks:
        order.append(Case(When(Exists(_read()), then=0), default=1))
    order += ["captured_at"] if day else [F("turn__place").asc(nulls_last=True), "rank"]
    ordered = waiting(desk, day).exclude(pk__in=others.values("frame")).order_by(*order, "pk")
    got: list[int] = []
    tried = set(holding)
    for _ in range(_TRIES):
        with transaction.atomic():
            # Rows that somebody is claiming at this moment are passed over, not waited for.
            locked = ordered.exclude(pk__in=tried).select_for_update(
                skip_locked=True, no_key=True, of=("self",)
            )
            found = list(locked.values_list("pk", flat=True)[: want - len(got)])
            taken = _hold(desk, found)
            got += [pk for pk in found if pk in taken]
        tried.update(found)
        if len(got) == want or not found:
            break
    return got


def take(desk: Desk, frames: Sequence[int]) -> set[int]:
    """Hold those of `frames` of this lake that nobody else holds; returns their ids."""
    if not frames:
        return set()
    known = Frame.objects.filter(pk__in=frames, deployment__lake=desk.lake)
    return _hold(desk, known.values_list("pk", flat=True))


def _hold(desk: Desk, frames: Iterable[int]) -> set[int]:
    """As `take`, of frames that are known to be of the lake. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE,
            {
                "frames": sorted(frames),  # one order, so that two never deadlock
                "reviewer": desk.reviewer.pk,
                "lease": settings.REVIEW_LEASE_SECONDS,
            },
        )
        return {pk for (pk,) in cursor.fetchall()}


class Kept(NamedTuple):
    """What a reviewer had of a frame: as what they were served it, and what they last stated."""

    draft: Draft | None
    before: Review | None


def keep(desk: Desk, frame: Frame) -> Kept:
    """Go on with a frame of the lake: renew the hold, or take it back after it lapsed if it is
    still free.

    Who stated on the frame already needs no hold to take that back; who was served it before it
    settled may still say what they saw. Raises NotServed, SettledByOthers or HeldByAnother.
    """
    draft = Draft.objects.filter(frame=frame, reviewer=desk.reviewer).first()
    before = frame.reviews.filter(reviewer=desk.reviewer).order_by("-pk").first()
    if not desk.settles:
        # Volunteers choose no frames: the sample would no longer be fair, nor the mask lifted
        # only on what the queue gave.
        if draft is None:
            raise NotServed
        if before and settled_by_others(frame, desk.reviewer):
            raise SettledByOthers
    if frame.pk not in _hold(desk, [frame.pk]) and not before:
        raise HeldByAnother
    return Kept(draft, before)


def settled_by_others(frame: Frame, reviewer: User) -> bool:
    """Too late to take one's word back. Of a check frame it never is, as though it were open."""
    check = Draft.objects.filter(frame=frame, reviewer=reviewer, check_frame=True)
    settled = SettledFrame.objects.filter(~Exists(check), frame=frame)
    return settled.exclude(review__reviewer=reviewer).exists()


def holds(frame: Frame, reviewer: User) -> bool:
    return Hold.objects.filter(frame=frame, reviewer=reviewer, until__gt=Now()).exists()


def let_go(*, frame: Frame, reviewer: User) -> None:
    """The frame is for others to take."""
    Hold.objects.filter(frame=frame, reviewer=reviewer).delete()


def done_today(desk: Desk) -> int:
    """Frames this reviewer stated on since midnight at the lake, skipped ones left out."""
    today = timezone.now().astimezone(desk.lake.zone).date()
    midnight = datetime.combine(today, time(), desk.lake.zone)
    return (
        Review.objects.filter(
            reviewer=desk.reviewer, frame__deployment__lake=desk.lake, at__gte=midnight
        )
        .exclude(verdict=VerdictChoice.SKIP)
        .values("frame")
        .distinct()
        .count()
    )
