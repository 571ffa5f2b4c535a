"""Hidden check frames: settled by a ranger, mixed unseen into what a volunteer is served.

One in twenty frames served is such a frame, and on one in twenty the machine's boxes are not shown.
Which ones is drawn at the moment of serving. A few frames are laid up beforehand (`Check`) at
moments of chance and count among those that are left, so that no number on the page moves when one
of them is served. Compares nothing: resettling.py does, as for every frame that others settled.
"""

from __future__ import annotations

import secrets

from django.db.models import Exists, OuterRef, Q

from annotation.models import Check, Draft, Review, SettledFrame
from detection.models import Frame, RunFrame
from lacs_web.models import Lake, User

RATE = 0.05  # of the frames served to a volunteer
BARE = 0.05  # of the frames served to a volunteer, without the machine's boxes
POOL = 4  # laid up for each volunteer at a lake
REFILL = 0.1  # chance that a claim lays up new ones
_chance = secrets.SystemRandom()


def laid_up(reviewer: User, lake: Lake) -> list[int]:
    """Frames laid up for the reviewer at the lake, after laying up more now and then.

    Two to four queries, whatever is served next.
    """
    mine = Check.objects.filter(reviewer=reviewer, frame__deployment__lake=lake)
    had = list(mine.values_list("frame", flat=True))
    if len(had) < POOL and _chance.random() < REFILL:
        fresh = _fresh(reviewer, lake, POOL - len(had))
        Check.objects.bulk_create(
            (Check(frame_id=pk, reviewer=reviewer) for pk in fresh), ignore_conflicts=True
        )
        had += fresh
    return had


def draw(had: list[int], want: int) -> list[int]:
    """Which of `had` to serve among the next `want` frames."""
    number = sum(_chance.random() < RATE for _ in range(want))
    return _chance.sample(had, min(number, len(had)))


def mix(frames: list[int], checks: list[int]) -> list[int]:
    """`checks` at places of chance among `frames`, whose order stays."""
    mixed = list(frames)
    for each in checks:
        mixed.insert(_chance.randint(0, len(mixed)), each)
    return mixed


def bare() -> bool:
    """Whether to hide the machine's boxes on the next frame served to a volunteer."""
    return _chance.random() < BARE


def served(reviewer: User, frames: list[int]) -> None:
    Check.objects.filter(reviewer=reviewer, frame__in=frames).delete()


def _fresh(reviewer: User, lake: Lake, number: int) -> list[int]:
    """Frames a ranger settled that the reviewer never had before them; half show something.

    Most frames are empty: by chance alone, trust in boxes would take a season to grow.
    """
    settled = SettledFrame.objects.filter(frame=OuterRef("pk"), rule__clause="alone")
    seen = RunFrame.objects.showing().filter(frame=OuterRef("pk"))
    before = Draft.objects.filter(frame=OuterRef("pk"), reviewer=reviewer)
    said = Review.objects.filter(frame=OuterRef("pk"), reviewer=reviewer)
    frames = Frame.objects.filter(
        ~Exists(before), ~Exists(said), Exists(seen), deployment__lake=lake, quarantine=""
    ).exclude(flag=Frame.Flag.ERASED)  # nobody could say anything of it
    boxes = Q(settled__review__boxes__isnull=False)
    shows = frames.filter(Exists(settled), boxes).distinct().values("pk")
    some = Frame.objects.filter(pk__in=shows).order_by("?")[: (number + 1) // 2]
    found = list(some.values_list("pk", flat=True))
    rest = frames.filter(Exists(settled)).exclude(pk__in=found).order_by("?")
    return found + list(rest.values_list("pk", flat=True)[: number - len(found)])
