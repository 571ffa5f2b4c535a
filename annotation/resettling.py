"""What the reviews of frames amount to, written down: settled frames, disputes, judgements.

Everything here is derived from reviews, machine boxes and the lake's rule, and may be done anew at
any time. One frame costs the same queries whatever comes of it, so that nobody can tell from the
clock what kind of frame they stated on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.db.models import Exists, Func, IntegerField, Model, OuterRef, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from annotation import trust
from annotation.models import Dispute, Judgement, Review, SettledFrame
from annotation.opinions import Opinions, opinions, rule_of
from annotation.settling import (
    DECISIVE,
    Rule,
    Settlement,
    Statement,
    agree,
    disputed,
    settle,
)
from detection import deciding
from detection.labels import Label, Verdict
from detection.models import Frame
from lacs_web.models import Lake

_RULE = 0x4C525545  # of PostgreSQL's advisory locks, with a lake: its rule stays as it is
CHUNK = 1000  # frames in memory at once


@dataclass
class Outcome:
    """What one frame's opinions amount to under a rule."""

    said: Opinions
    settlement: Settlement | None
    judgements: list[Judgement] = field(default_factory=list)

    @property
    def disputed(self) -> bool:
        return self.settlement is None and disputed(self.said.statements)


def outcome(said: Opinions, rule: Rule) -> Outcome:
    """Writes nothing."""
    reached = settle(said.statements, rule, said.machine)
    found = Outcome(said, reached)
    for review, statement in zip(said.reviews, said.statements, strict=True):
        if review.alone or review.reviewer_id is None:
            continue
        machine = said.machine
        found.judgements.append(
            Judgement(
                review=review,
                reviewer_id=review.reviewer_id,
                answers=_answers(statement, said, rule, reached),
                with_machine=agree(statement, machine, rule)
                if machine and statement.verdict in DECISIVE
                else None,
            )
        )
    return found


def _answers(
    statement: Statement, said: Opinions, rule: Rule, reached: Settlement | None
) -> dict[str, str]:
    """How the statement compares with what others here settled without it."""
    if reached is None or reached.statement.source:
        return {}
    if statement.id in reached.voices:
        others = [each for each in said.statements if each.id != statement.id and not each.source]
        reached = settle(others, rule, said.machine)
    return trust.compare(statement, reached.statement, rule) if reached else {}


def locked(pk: int) -> Frame:
    """The frame, to be settled in this transaction: reviews of one frame are settled one after the
    other, so that none misses another, and by a rule that nobody changes meanwhile. One query.
    """
    lake = Cast("deployment__lake", IntegerField())
    shared = Func(_RULE, lake, function="pg_advisory_xact_lock_shared", output_field=TextField())
    rows = Frame.objects.select_for_update(no_key=True, of=("self",)).annotate(rule_held=shared)
    return rows.select_related("deployment__lake").get(pk=pk)


def hold_rule(lake: int) -> None:
    """As `locked` does, before many frames are settled: ahead of the lake's row and of any frame's,
    in the order in which everybody locks them.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s, %s)", [_RULE, lake])


def hold_back(lake: Lake) -> None:
    """Wait for what is being settled at `lake`; nothing more is until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_RULE, lake.pk])


@transaction.atomic(savepoint=False)
def write(outcomes: Sequence[Outcome], rule: Rule) -> None:
    """Replace what was derived of these frames. The number of queries does not grow with theirs."""
    frames = [each.said.frame.pk for each in outcomes]
    now = timezone.now()
    settled = [
        SettledFrame(
            frame_id=each.said.frame.pk,
            review_id=each.settlement.statement.id,
            readable=each.settlement.statement.verdict != Verdict.UNREADABLE,
            rule=_rule(each.settlement, rule),
            voices=list(each.settlement.voices),
            at=now,
        )
        for each in outcomes
        if each.settlement
    ]
    open_ = [each.said.frame.pk for each in outcomes if not each.settlement]
    SettledFrame.objects.filter(frame__in=open_ or [-1]).delete()
    _upsert(SettledFrame, settled, ["review", "readable", "rule", "voices", "at"])
    quiet = [each.said.frame.pk for each in outcomes if not each.disputed]
    Dispute.objects.filter(frame__in=quiet or [-1]).delete()
    disputes = [
        Dispute(frame_id=each.said.frame.pk, weight=_weight(each.said), since=now)
        for each in outcomes
        if each.disputed
    ]
    _upsert(Dispute, disputes, ["weight"])
    Judgement.objects.filter(review__frame__in=frames).delete()
    Judgement.objects.bulk_create([one for each in outcomes for one in each.judgements])
    deciding.hear([_word(each) for each in outcomes])


def _rule(reached: Settlement, rule: Rule) -> dict[str, object]:
    """What the frame is settled by; of what was counted elsewhere, no parameter of ours."""
    if reached.statement.source:
        return {"clause": reached.clause, "source": reached.statement.source}
    return rule.to_dict() | {"clause": reached.clause}


def _word(one: Outcome) -> deciding.Word:
    """What is settled, for whom it tells something of the place."""
    if one.settlement and one.settlement.statement.verdict != Verdict.UNREADABLE:
        for review in one.said.reviews:
            if review.pk == one.settlement.statement.id:
                boxes = [(box.label, box.x, box.y, box.w, box.h) for box in review.boxes.all()]
                return deciding.Word(one.said.frame, review.run_id, boxes)
    return deciding.Word(one.said.frame, None)


def anew(frames: QuerySet[Frame], rule: Rule) -> Iterator[list[Outcome]]:
    """What the rule makes of those of `frames` that have a review, some at a time."""
    read = frames.filter(Exists(Review.objects.filter(frame=OuterRef("pk")))).order_by("pk")
    after = 0
    while chunk := list(read.filter(pk__gt=after).select_related("deployment")[:CHUNK]):
        after = chunk[-1].pk
        yield [outcome(said, rule) for said in opinions(chunk).values()]


def resettle(frame: Frame, rule: Rule | None = None) -> SettledFrame | None:
    """Write what the frame's reviews now amount to; takes back what no longer holds."""
    rule = rule or rule_of(frame.deployment.lake)
    found = outcome(opinions([frame])[frame.pk], rule)
    write([found], rule)
    return SettledFrame.objects.get(frame=frame) if found.settlement else None


def _upsert(model: type[Model], rows: Sequence[Model], fields: list[str]) -> None:
    """Insert or replace by frame; one query also where there is nothing to write."""
    if rows:
        model._default_manager.bulk_create(
            rows, update_conflicts=True, update_fields=fields, unique_fields=["frame"]
        )
    else:
        model._default_manager.filter(frame=-1).exists()


def _weight(said: Opinions) -> float:
    """Person-hours in question: how far the opinions lie apart, one person at least."""
    stated = [each for each in said.statements if each.verdict in DECISIVE]
    stated += [said.machine] if said.machine else []
    counts = [sum(mark.label == Label.PERSON for mark in each.marks) for each in stated] or [0]
    return max(max(counts) - min(counts), 1) * said.frame.deployment.interval_seconds / 3600
