"""The cast: one signed-in person for each role at a lake, and those who must see nothing of it."""

from __future__ import annotations

from django.conf import settings
from django.test import Client

from lacs_web.models import Lake, Membership, Role, User
from tests.factories import make_lake

ANONYMOUS, STRANGER, OTHER_RANGER = "anonymous", "stranger", "other park's ranger"
CAST = [*Role.values, STRANGER, OTHER_RANGER, ANONYMOUS]


def person(role: Role | str, lake: Lake, name: str = "") -> User:
    """Somebody who holds `role` at `lake` alone; made at the first call, found at the next."""
    email = f"{name or role}@{lake.slug}.example.org"
    user = User.objects.filter(email=email).first() or User.objects.create_user(email)
    Membership.objects.get_or_create(user=user, role=role, lake=lake)
    return user


def member(who: str, lake: Lake) -> User | None:
    """The member of the cast called `who`, seen from `lake`; None is somebody not signed in."""
    if who == ANONYMOUS:
        return None
    if who == STRANGER:
        return User.objects.get_or_create(email="stranger@example.org")[0]
    if who == OTHER_RANGER:
        other = Lake.objects.filter(slug="elsewhere").first() or make_lake("elsewhere", "other")
        return person(Role.RANGER, other)
    return person(who, lake)


def signed_in(who: str, lake: Lake) -> str:
    """The session of the member of the cast called `who`; empty for somebody not signed in."""
    user = member(who, lake)
    if user is None:
        return ""
    client = Client()
    client.force_login(user)
    return client.cookies[settings.SESSION_COOKIE_NAME].value
