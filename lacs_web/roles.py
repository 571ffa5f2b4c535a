"""Who may give which role where: the verbs behind the page of people, and their refusals.

An administrator answers for the places where they hold that role: a park with all its lakes, or
one lake. They give and end roles there and nowhere else, and never more than they hold. A link
lets its bearer in as somebody else, so it is made only for people who hold nothing outside those
places. Somebody whose account another park opened must take up an invitation with two things at
once, neither of which that park nor this one holds both of: the account, and the link that this
administrator handed to them; and with a new password, which the other park cannot know.
Sends no mail.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from lacs_web import accounts, leaving, tokens
from lacs_web.access import RIGHTS, Action
from lacs_web.models import AuditEvent, Lake, Membership, Park, Role, User

_SALT = "lacs_web.roles.invitation"


@dataclass(frozen=True)
class Places:
    """What somebody answers for: ids of parks (with all their lakes) and of single lakes."""

    everywhere: bool
    parks: frozenset[int]
    lakes: frozenset[int]

    def hold(self, park: Park | None, lake: Lake | None) -> bool:
        """Whether the scope of a role (one of both) lies within these places."""
        if lake is not None:
            return self.everywhere or lake.pk in self.lakes or lake.park_id in self.parks
        return park is not None and (self.everywhere or park.pk in self.parks)


def places(user: User) -> Places:
    """Where `user` may invite people and give roles. One query."""
    roles = [role for role, actions in RIGHTS.items() if Action.PEOPLE in actions]
    mine = list(user.memberships.filter(role__in=roles).values_list("park", "lake"))
    return Places(
        user.is_superuser,
        frozenset(park for park, _lake in mine if park),
        frozenset(lake for _park, lake in mine if lake),
    )


def members(lake: Lake) -> QuerySet[Membership]:
    """The roles held at `lake` or through its park, with all that their holders hold elsewhere.

    Two queries.
    """
    return (
        Membership.objects.filter(Q(lake=lake) | Q(park=lake.park_id))
        .select_related("user", "park", "lake")
        .prefetch_related("user__memberships__park", "user__memberships__lake")
        .order_by("user__name", "user__email", "pk")
    )


def may_link(theirs: Places, user: User) -> bool:
    """Whether somebody who answers for `theirs` may have a link made that signs in as `user`."""
    held = list(user.memberships.all())
    return (
        user.is_active
        and not user.is_staff
        and not user.is_superuser
        and bool(held)
        and all(theirs.hold(each.park, each.lake) for each in held)
    )


@dataclass(frozen=True)
class Invited:
    """`membership` is None while the person has still to take the invitation up by `link`; with a
    membership, `link` signs a new account in for the first time, or is "".
    """

    user: User
    membership: Membership | None
    link: str


@transaction.atomic
def invite(*, email: str, role: str, lake: Lake, whole_park: bool, by: User) -> Invited:
    """Give `role` to the person with that address, or a link to take it up with.

    Raises PermissionDenied for a place that `by` does not answer for, ValidationError otherwise.
    """
    park = Park.objects.get(pk=lake.park_id)
    leaving.lock([park.pk])
    scope: dict[str, Park | Lake] = {"park": park} if whole_park else {"lake": lake}
    if not places(by).hold(park if whole_park else None, None if whole_park else lake):
        raise PermissionDenied
    _check_role(role, by, lake, whole_park=whole_park)
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = User.objects.create_user(email)
    elif not user.is_active:
        raise ValidationError(
            _("%(email)s was deactivated. The site's administration can open the account again."),
            params={"email": email},
        )
    if Membership.objects.filter(user=user, role=role, **scope).exists():
        raise ValidationError(_("This person holds this role here already."))
    held = user.memberships.filter(Q(park=park) | Q(lake__park=park)).exists()
    unopened = user.last_login is None and not user.has_usable_password()
    if not held and not (unopened and not user.memberships.exists()):
        detail = {"person": user.pk, "role": role}
        AuditEvent.objects.create(user=by, lake=lake, action="invitation made", detail=detail)
        return Invited(user, None, _invitation(user, role, lake, by, whole_park=whole_park))
    given = Membership.objects.create(user=user, role=role, **scope)
    _record("role given", given, lake, by)
    link = accounts.make_link(user=user, by=by, lake=lake) if unopened and not held else ""
    return Invited(user, given, link)


def _invitation(user: User, role: str, lake: Lake, by: User, *, whole_park: bool) -> str:
    said = {
        "user": user.pk,
        "role": role,
        "lake": lake.pk,
        "whole_park": whole_park,
        "by": by.pk,
        "seal": _seal(user),
    }
    path = reverse("invitation", args=[signing.dumps(said, salt=_SALT)])
    return f"{settings.PUBLIC_URL}{path}"


def _seal(user: User) -> str:
    """Changes when an invitation is taken up, so that each is good once."""
    held = sorted(user.memberships.values_list("pk", "role"))
    return salted_hmac(_SALT, f"{user.password} {held}", algorithm="sha256").hexdigest()[:32]


class DeadInvitation(ValueError):
    """Used, too old, made up, or made by somebody who may no longer give that role."""


class ForAnother(ValueError):
    """The invitation is for another account than the one that is signed in."""


def invitation(*, text: str, user: User) -> dict[str, Any]:
    """What an invitation says: {"role", "lake", "whole_park", "by"}. Raises both errors above."""
    try:
        said = signing.loads(text, salt=_SALT, max_age=settings.PASSWORD_RESET_TIMEOUT)
        lake = Lake.objects.select_related("park").get(pk=said["lake"])
        by = User.objects.get(pk=said["by"], is_active=True)
    except (signing.BadSignature, Lake.DoesNotExist, User.DoesNotExist):
        raise DeadInvitation from None
    if said["user"] != user.pk:
        raise ForAnother
    place = (lake.park, None) if said["whole_park"] else (None, lake)
    if said["seal"] != _seal(user) or not places(by).hold(*place):
        raise DeadInvitation
    return {"role": said["role"], "lake": lake, "whole_park": said["whole_park"], "by": by}


@transaction.atomic
def accept(*, text: str, user: User, password: str) -> Membership:
    """Take up an invitation: the role, and a new password, which ends all that the old one opened:
    browsers, and API tokens, which whoever knew it may have made to act with the new role.

    Raises as `invitation` does.
    """
    lake: Lake = invitation(text=text, user=user)["lake"]
    leaving.lock([lake.park_id])
    user = User.objects.select_for_update().get(pk=user.pk)
    said = invitation(text=text, user=user)
    try:
        _check_role(said["role"], said["by"], lake, whole_park=said["whole_park"])
    except PermissionDenied:
        raise DeadInvitation from None
    scope: dict[str, Park | Lake] = {"park": lake.park} if said["whole_park"] else {"lake": lake}
    given = Membership.objects.create(user=user, role=said["role"], **scope)
    user.set_password(password)
    user.save(update_fields=["password"])
    user.sessions.all().delete()
    for token in tokens.of(user):
        tokens.end(token=token)
    _record("role given", given, lake, said["by"], taken_up="with a new password")
    return given


@transaction.atomic
def change(*, membership: Membership, role: str, lake: Lake, by: User) -> None:
    """Give the holder another role in the same scope. Raises as `invite` does."""
    standing = _lock(membership, lake, by)
    _check_role(role, by, lake, whole_park=standing.park_id is not None)
    if role == standing.role:
        return
    twins = Membership.objects.filter(
        user=standing.user_id, role=role, park=standing.park_id, lake=standing.lake_id
    )
    if twins.exists():
        raise ValidationError(_("This person holds this role here already."))
    leaving.keep_an_administrator(standing)
    before, standing.role = standing.role, role
    standing.save(update_fields=["role"])
    _record("role changed", standing, lake, by, before=before)
    tokens.end_unfit(user=standing.user)


@transaction.atomic
def end(*, membership: Membership, lake: Lake, by: User) -> None:
    """Take the role away. Raises as `invite` does."""
    standing = _lock(membership, lake, by)
    leaving.keep_an_administrator(standing)
    _record("role ended", standing, lake, by)
    standing.delete()
    tokens.end_unfit(user=standing.user)


@transaction.atomic
def renew_link(*, membership: Membership, lake: Lake, by: User) -> str:
    """A new one-time link for the holder. Raises PermissionDenied where `may_link` says no."""
    standing = _lock(membership, lake, by)
    if not may_link(places(by), standing.user):
        raise PermissionDenied
    return accounts.make_link(user=standing.user, by=by, lake=lake)


def _lock(membership: Membership, lake: Lake, by: User) -> Membership:
    """`membership` as it stands, while nobody else changes roles of its park."""
    leaving.lock([lake.park_id])
    standing = (
        Membership.objects.select_related("user", "park", "lake").filter(pk=membership.pk).first()
    )
    if standing is None:
        raise ValidationError(_("This role was ended meanwhile."))
    if not places(by).hold(standing.park, standing.lake):
        raise PermissionDenied
    return standing


def _check_role(role: str, by: User, lake: Lake, *, whole_park: bool) -> None:
    """Nobody gives more than they hold in that scope."""
    if role not in Role.values:
        raise ValidationError(_("Choose a role."))
    if by.is_superuser:
        return
    scope = Q(park=lake.park_id) if whole_park else Q(park=lake.park_id) | Q(lake=lake)
    held = by.memberships.filter(scope).values_list("role", flat=True)
    if not RIGHTS[role] <= frozenset(action for each in held for action in RIGHTS[each]):
        raise PermissionDenied


def _record(action: str, membership: Membership, lake: Lake, by: User, **more: str) -> None:
    scope = "park" if membership.park_id else "lake"
    detail = {"person": membership.user_id, "role": membership.role, "scope": scope, **more}
    AuditEvent.objects.create(user=by, lake=lake, action=action, detail=detail)
