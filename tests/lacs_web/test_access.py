"""Rights: one table, tried for every role and action; invisible is 404, refused is 403."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404

from detection.models import Deployment
from lacs_web.access import RIGHTS, Action, allows, at_park, fetch, lake_for, lakes, may
from lacs_web.models import ApiToken, Membership, Role, User
from lacs_web.tokens import SCOPES
from tests.factories import make_deployment, make_lake

pytestmark = pytest.mark.django_db

# Written out once more on purpose: a slip in the table must not pass unseen.
EXPECTED = {
    Role.PARTNER: "read figures",
    Role.VOLUNTEER: "read figures; read figures of few persons; review frames; see masked pictures",
    Role.RANGER: "hand over a card; lift the mask; read figures; read figures of few persons; "
    "read receipts and progress; review frames; see masked pictures; settle a frame alone",
    Role.OFFICER: "; ".join(sorted(set(Action) - {Action.PEOPLE})),
    Role.ADMINISTRATOR: "; ".join(sorted(Action)),
}


@pytest.mark.parametrize("role", Role)
def test_the_table_is_what_was_agreed(role: Role) -> None:
    assert "; ".join(sorted(RIGHTS[role])) == EXPECTED[role]


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_each_role_may_do_what_the_table_says_and_no_more(role: Role, action: Action) -> None:
    mine, others = make_lake(), make_lake("cornu", park="asters")
    user = User.objects.create_user("someone@example.org")
    Membership.objects.create(user=user, role=role, lake=mine)
    assert allows(user, action, mine) == (action in RIGHTS[role])
    assert not allows(user, action, others)
    assert may(user, mine).get(action.name.lower(), False) == allows(user, action, mine)
    assert may(user, others) == {}
    if action in RIGHTS[role]:
        assert lake_for(user, action, mine.slug) == mine
    else:
        with pytest.raises(PermissionDenied):
            lake_for(user, action, mine.slug)
    with pytest.raises(Http404):
        lake_for(user, action, others.slug)


@pytest.mark.parametrize("superuser", [False, True])
@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_may_what_its_scope_says_by_every_question(scope: str, superuser: bool) -> None:
    lake = make_lake()
    user = User.objects.create_user("someone@example.org", is_superuser=superuser)
    Membership.objects.create(user=user, role=Role.ADMINISTRATOR, park=lake.park)
    assert at_park(user, Action.MANAGE, lake)
    user.scope = SCOPES[ApiToken.Scope(scope)]
    for action in Action:
        allowed = action in user.scope
        assert allows(user, action, lake) is allowed
        assert at_park(user, action, lake) is allowed
        assert may(user, lake).get(action.name.lower(), False) is allowed


def test_a_park_role_reaches_all_its_lakes_and_what_hangs_on_them() -> None:
    lake = make_lake()
    make_lake("muzelle")
    make_lake("cornu", park="asters")
    deployment = make_deployment(lake)
    user = User.objects.create_user("officer@example.org")
    Membership.objects.create(user=user, role=Role.OFFICER, park=lake.park)
    assert {each.slug for each in lakes(user)} == {"lauvitel", "muzelle"}
    found = fetch(Deployment.objects.all(), user=user, action=Action.DETECT, slug=deployment.slug)
    assert found == deployment


def test_strangers_and_the_deactivated_see_nothing() -> None:
    lake = make_lake()
    user = User.objects.create_user("left@example.org", is_active=False)
    Membership.objects.create(user=user, role=Role.RANGER, lake=lake)
    assert not lakes(user).exists()
    assert not lakes(AnonymousUser()).exists()


def test_a_membership_is_of_one_park_or_one_lake() -> None:
    lake = make_lake()
    user = User.objects.create_user("someone@example.org")
    for where in ({}, {"park": lake.park, "lake": lake}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Membership.objects.create(user=user, role=Role.RANGER, **where)
