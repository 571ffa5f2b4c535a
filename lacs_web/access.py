"""Rights: the only place where they are written, and the one way to fetch what is protected.

Fetching and authorising are one call. What a person has no role at is invisible (404); what they
see but may not do is refused (403). Anything that belongs to a lake is reached through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import Http404

from lacs_web.models import Lake, Membership, Role, User

M = TypeVar("M", bound=Model)


class Action(StrEnum):
    READ_FIGURES = "read figures"
    READ_FEW = "read figures of few persons"
    UPLOAD = "hand over a card"
    READ_CARDS = "read receipts and progress"
    DETECT = "start and stop detection"
    SEE_PICTURES = "see masked pictures"
    UNMASK = "lift the mask"
    REVIEW = "review frames"
    SETTLE = "settle a frame alone"
    MANAGE = "set up lakes and deployments"
    SHARE = "share figures by a link"
    EXPORT = "take frames and boxes out"
    PRIVACY = "answer for what is kept of people"
    PEOPLE = "invite people and give roles"


_FIELD = {
    Action.READ_FIGURES,
    Action.READ_FEW,
    Action.READ_CARDS,
    Action.SEE_PICTURES,
    Action.REVIEW,
}
RIGHTS: dict[str, frozenset[Action]] = {
    Role.PARTNER: frozenset({Action.READ_FIGURES}),
    Role.VOLUNTEER: frozenset(
        {Action.READ_FIGURES, Action.READ_FEW, Action.SEE_PICTURES, Action.REVIEW}
    ),
    Role.RANGER: frozenset(_FIELD | {Action.UPLOAD, Action.SETTLE, Action.UNMASK}),
    Role.OFFICER: frozenset(Action) - {Action.PEOPLE},
    Role.ADMINISTRATOR: frozenset(Action),
}


def lakes(user: User | AnonymousUser, action: Action | None = None) -> QuerySet[Lake]:
    """Lakes where `user` holds any role or, given `action`, a role that may do it."""
    if not isinstance(user, User) or not user.is_active:
        return Lake.objects.none()
    if action is not None and not _in_scope(user, action):
        return Lake.objects.none()
    if user.is_superuser:
        return Lake.objects.all()
    roles = [role for role, actions in RIGHTS.items() if action is None or action in actions]
    mine = Membership.objects.filter(user=user, role__in=roles)
    return Lake.objects.filter(
        Exists(mine.filter(lake=OuterRef("pk"))) | Exists(mine.filter(park=OuterRef("park")))
    )


def allows(user: User | AnonymousUser, action: Action, lake: Lake) -> bool:
    return lakes(user, action).filter(pk=lake.pk).exists()


def at_park(user: User | AnonymousUser, action: Action, lake: Lake) -> bool:
    """Whether `user` may do `action` at every lake of the park of `lake`, by a role at the park."""
    if not isinstance(user, User) or not user.is_active or not _in_scope(user, action):
        return False
    roles = [role for role, actions in RIGHTS.items() if action in actions]
    held = Membership.objects.filter(user=user, role__in=roles, park=lake.park_id)
    return user.is_superuser or held.exists()


def may(user: User | AnonymousUser, lake: Lake) -> dict[str, bool]:
    """What `user` may do at `lake`, for templates: {"upload": True, …}. One query."""
    return may_each(user, [lake])[lake.pk]


def may_each(user: User | AnonymousUser, lakes: Sequence[Lake]) -> dict[int, dict[str, bool]]:
    """Lake id → what `user` may do there, as `may` says it. One query for all."""
    if not isinstance(user, User) or not user.is_active:
        return {lake.pk: {} for lake in lakes}
    if user.is_superuser:
        mine = {action.name.lower(): True for action in Action if _in_scope(user, action)}
        return {lake.pk: dict(mine) for lake in lakes}
    roles = list(Membership.objects.filter(user=user).values_list("role", "lake_id", "park_id"))
    return {
        lake.pk: {
            action.name.lower(): True
            for role, at_lake, at_park in roles
            if at_lake == lake.pk or at_park == lake.park_id
            for action in RIGHTS[role]
            if _in_scope(user, action)
        }
        for lake in lakes
    }


def _in_scope(user: User, action: Action) -> bool:
    """Whether the token that acts for `user`, if one does, may do `action`."""
    return user.scope is None or action in user.scope


def fetch(
    queryset: QuerySet[M],
    *,
    user: User | AnonymousUser,
    action: Action,
    lake: str = "lake",
    **lookup: Any,
) -> M:
    """The one row that `lookup` names, if `user` may do `action` at its lake.

    `lake` is the path from the row to its lake ("pk" for a lake itself). Raises Http404 when the
    row does not exist or lies at a lake that is invisible to `user`, PermissionDenied when it is
    visible but the action is not allowed.
    """
    visible = queryset.filter(Q(**{f"{lake}__in": lakes(user)}), **lookup)
    row = visible.filter(Q(**{f"{lake}__in": lakes(user, action)})).first()
    if row is not None:
        return row
    if visible.exists():
        raise PermissionDenied
    raise Http404


def lake_for(user: User | AnonymousUser, action: Action, slug: str) -> Lake:
    """The lake of that short name, under the rules of `fetch`."""
    return fetch(
        Lake.objects.select_related("park"), user=user, action=action, lake="pk", slug=slug
    )
