"""Changing the rule of a lake: what it would do, and doing it. Re-settles every frame ever read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from django.db import transaction

from annotation import resettling
from annotation.models import Dispute, LakeRule, SettledFrame
from annotation.settling import Rule
from detection.labels import Label
from detection.models import Frame
from lacs_web.models import AuditEvent, Lake, User


@dataclass
class Effect:
    """What a rule makes of the frames that somebody has stated on, beside what holds now."""

    frames: int = 0
    settled_before: int = 0
    settled: int = 0
    newly: int = 0  # settled that were not
    lost: int = 0  # no longer settled
    other: int = 0  # settled with another statement
    persons_before: int = 0  # on the settled frames
    persons: int = 0
    disputed_before: int = 0
    disputed: int = 0

    @property
    def changes(self) -> bool:
        return bool(self.newly or self.lost or self.other or self.disputed != self.disputed_before)


def preview(lake: Lake, rule: Rule) -> Effect:
    """Writes nothing."""
    effect = Effect()
    for outcomes in _outcomes(lake, rule):
        _add(effect, outcomes)
    return effect


@transaction.atomic
def change(*, lake: Lake, rule: Rule, by: User) -> Effect:
    """Make `rule` the lake's, and settle by it all that was read; written to the audit trail."""
    resettling.hold_back(lake)
    LakeRule.objects.update_or_create(lake=lake, defaults=rule.to_dict())
    effect = Effect()
    for outcomes in _outcomes(lake, rule):
        _add(effect, outcomes)
        resettling.write(outcomes, rule)
    AuditEvent.objects.create(
        user=by, lake=lake, action="rule changed", detail={**rule.to_dict(), **asdict(effect)}
    )
    return effect


def _outcomes(lake: Lake, rule: Rule) -> Iterator[list[resettling.Outcome]]:
    return resettling.anew(Frame.objects.filter(deployment__lake=lake), rule)


def _add(effect: Effect, outcomes: list[resettling.Outcome]) -> None:
    ids = [each.said.frame.pk for each in outcomes]
    before = dict(SettledFrame.objects.filter(frame__in=ids).values_list("frame", "review"))
    effect.disputed_before += Dispute.objects.filter(frame__in=ids).count()
    for each in outcomes:
        had = before.get(each.said.frame.pk)
        got = each.settlement.statement.id if each.settlement else None
        effect.frames += 1
        effect.settled_before += had is not None
        effect.settled += got is not None
        effect.newly += had is None and got is not None
        effect.lost += had is not None and got is None
        effect.other += had is not None and got is not None and had != got
        effect.disputed += each.disputed
        for statement in each.said.statements:
            persons = sum(mark.label == Label.PERSON for mark in statement.marks)
            effect.persons_before += persons * (statement.id == had)
            effect.persons += persons * (statement.id == got)
