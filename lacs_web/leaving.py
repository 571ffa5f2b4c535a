"""Who leaves: an account that is deleted, and that no place is left without an administrator.

Roles of a park and its lakes are given and taken by one hand at a time (`lock`), so that two
administrators who demote each other, or leave, at the same moment cannot both go.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from lacs_web.models import AuditEvent, Membership, Park, Role, User


def lock(parks: Iterable[int]) -> None:
    """Until the transaction ends, nobody else changes roles at the parks of these ids."""
    # Without the key, for cards that come in meanwhile name their park.
    held = Park.objects.select_for_update(no_key=True).filter(pk__in=parks).order_by("pk")
    list(held.values_list("pk"))


def is_last(membership: Membership) -> bool:
    """Whether nobody else would administer the place of `membership`, which `lock` holds."""
    if membership.role != Role.ADMINISTRATOR:
        return False
    scope = Q(park=membership.park_id)
    if membership.lake is not None:
        scope = Q(lake=membership.lake) | Q(park=membership.lake.park_id)
    others = Membership.objects.filter(scope, role=Role.ADMINISTRATOR, user__is_active=True)
    return not others.exclude(user=membership.user_id).exists()


def keep_an_administrator(membership: Membership) -> None:
    """Raise ValidationError if `membership`, which is to end, is the last of its kind."""
    if is_last(membership):
        raise ValidationError(
            _("This is the last administrator here: give somebody else that role first.")
        )


@transaction.atomic
def forget(*, user: User) -> None:
    """Delete a person. Their reviews stay, nobody's any more; names leave the audit trail.

    Raises ValidationError for the last administrator of a place, or of the site.
    """
    last = _("You are the last administrator of %(place)s: give somebody else that role first.")
    held = user.memberships.select_related("park", "lake").order_by("pk")
    lock([one.lake.park_id for one in held if one.lake] + [one.park.pk for one in held if one.park])
    for mine in held.all():  # as they stand now
        if is_last(mine):
            raise ValidationError(last % {"place": mine.park or mine.lake})
    if user.is_superuser:
        bosses = User.objects.select_for_update().filter(is_superuser=True, is_active=True)
        if list(bosses.order_by("pk").values_list("pk", flat=True)) == [user.pk]:
            raise ValidationError(last % {"place": "LACS"})
    AuditEvent.objects.create(action="account deleted", detail={"person": user.pk})
    user.delete()
