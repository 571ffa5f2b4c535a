"""From how many persons on partners are told what people do at a lake: setting it."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from annotation.models import ActivityChoice
from lacs_web.models import AuditEvent, Lake, User

# The few of the others are counted among these two (dashboards/discretion.py).
CHOICES = [
    (choice.value, choice.label)
    for choice in ActivityChoice
    if choice not in (ActivityChoice.RESTING, ActivityChoice.UNKNOWN)
]


@transaction.atomic
def set_discretion(*, lake: Lake, below: int, activities: Sequence[str], user: User) -> None:
    """Below that many persons at once partners are not told of `activities`; 0: of all."""
    lake.discreet_below, lake.discreet_activities = below, sorted(activities)
    lake.save(update_fields=["discreet_below", "discreet_activities"])
    detail = {"below": below, "activities": lake.discreet_activities}
    AuditEvent.objects.create(user=user, lake=lake, action="discretion changed", detail=detail)
