"""Serving frames to a reviewer: from the queue, with checks mixed in unseen for volunteers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from django.db import transaction

from annotation import checks, drafts, queue
from annotation.models import Check, Draft
from annotation.queue import Desk
from detection.models import Frame


def serve(
    desk: Desk, *, want: int, holding: Sequence[int] = (), day: date | None = None
) -> tuple[list[Frame], dict[int, Draft]]:
    """Up to `want` frames more, and the drafts that they are served as. Arguments as `queue.claim`.

    Checks take the place of others, and come only beside others: a day by hand has none, nor has
    who may settle alone.
    """
    if desk.settles or day is not None:
        frames = queue.claim(desk, want=want, holding=holding, day=day)
        given = drafts.serve(frames=frames, reviewer=desk.reviewer, picked=day is not None)
        return frames, given
    drawn = checks.draw(checks.laid_up(desk.reviewer, desk.lake), want)
    picked = queue.pick(desk, want=want - len(drawn), holding=holding)
    with transaction.atomic():
        # No frame has the id −1: a claim without a check costs what one with a check does.
        taken = queue.take(desk, (drawn if picked else []) or [-1])
        checks.served(desk.reviewer, list(taken) or [-1])
        order = checks.mix(picked, [pk for pk in drawn if pk in taken])
        rows = queue.rows_of(order)
        mixed = [rows[pk] for pk in order]
        given = drafts.serve(
            frames=mixed,
            reviewer=desk.reviewer,
            picked=False,
            checks=taken,
            bare={pk for pk in order if checks.bare()},
        )
    return mixed, given


def left(desk: Desk, day: date | None = None) -> int:
    """Frames that wait for the reviewer, those laid up for them included."""
    waiting = queue.waiting(desk, day).count()
    if desk.settles or day is not None or not waiting:
        return waiting
    laid_up = Check.objects.filter(reviewer=desk.reviewer, frame__deployment__lake=desk.lake)
    return waiting + laid_up.count()
