"""Inviting and giving roles: what an administrator may, and every way to get more refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lacs_web import roles, tokens
from lacs_web.accounts import signin_path
from lacs_web.models import AuditEvent, Lake, Membership, Role, User
from tests.cast import person
from tests.factories import make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def lake() -> Lake:
    return make_lake()


@pytest.fixture
def admin(lake: Lake) -> User:
    """Administrator of the park of `lake`."""
    user = User.objects.create_user("park.administrator@example.org")
    Membership.objects.create(user=user, role=Role.ADMINISTRATOR, park=lake.park)
    return user


@pytest.fixture
def lake_admin(lake: Lake) -> User:
    return person(Role.ADMINISTRATOR, lake)


def page(client: Client, user: User, lake: Lake, **sent: str) -> Any:
    client.force_login(user)
    client.cookies["django_language"] = "en"
    address = reverse("people", args=[lake.slug])
    return client.post(address, sent) if sent else client.get(address)


def give(
    by: User, lake: Lake, role: str, email: str = "new@example.org", park: bool = False
) -> Any:
    return roles.invite(email=email, role=role, lake=lake, whole_park=park, by=by)


def test_an_invitation_shows_a_link_once_that_signs_in_once(
    client: Client, lake: Lake, admin: User
) -> None:
    sent = {"email": "Ranger@example.org", "role": "ranger", "scope": "park"}
    answer = page(client, admin, lake, **sent)
    link = answer.context["link"]
    assert link in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    ranger = User.objects.get(email="ranger@example.org")
    assert ranger.memberships.get().park == lake.park
    assert not ranger.has_usable_password()
    assert link not in page(client, admin, lake).content.decode()
    fresh = Client()
    assert fresh.post(urlsplit(link).path).status_code == 302
    assert fresh.session["_auth_user_id"] == str(ranger.pk)
    assert Client().post(urlsplit(link).path).status_code == 410
    events = {event.action: event for event in AuditEvent.objects.all()}
    assert events["role given"].user == events["sign-in link made"].user == admin
    assert events["role given"].lake == lake
    assert events["role given"].detail["role"] == "ranger"


def test_somebody_known_in_the_park_gets_the_role_and_nobody_a_link(
    client: Client, lake: Lake, admin: User
) -> None:
    here = person(Role.OFFICER, make_lake("muzelle"))
    sent = {"email": here.email.upper(), "role": "partner", "scope": "lake"}
    answer = page(client, admin, lake, **sent)
    assert answer.status_code == 302
    assert here.memberships.filter(lake=lake, role=Role.PARTNER).exists()
    assert not AuditEvent.objects.filter(action="sign-in link made").exists()


@pytest.fixture
def taken() -> User:
    """An address whose account another park opened, and whose password that park knows."""
    user = person(Role.RANGER, make_lake("cornu", park="asters"), "expected")
    user.set_password("known to the other park")
    user.save()
    return user


def test_an_account_of_another_park_takes_a_role_up_with_a_new_password(
    client: Client, lake: Lake, admin: User, taken: User
) -> None:
    thief = Client()
    assert thief.login(username=taken.email, password="known to the other park")
    tomorrow = timezone.now() + timedelta(days=1)
    _, secret = tokens.make(user=taken, label="x", scope="frames", expires_at=tomorrow)
    sent = {"email": taken.email, "role": "officer", "scope": "park"}
    answer = page(client, admin, lake, **sent)
    assert "another park opened" in answer.content.decode()
    path = urlsplit(answer.context["link"]).path
    assert not taken.memberships.filter(park=lake.park).exists()
    assert thief.get(reverse("people", args=[lake.slug])).status_code == 404

    # The link alone opens nothing, and to nobody else.
    assert client.get(path).status_code == 409
    assert "/signin/" in Client().get(path)["Location"]
    owner = Client()
    owner.force_login(taken)
    owner.cookies["django_language"] = "en"
    assert lake.park.name in owner.get(path).content.decode()
    weak = {"new_password1": "12345", "new_password2": "12345"}
    assert owner.post(path, weak).status_code == 400
    new = {"new_password1": "mine alone, and long", "new_password2": "mine alone, and long"}
    assert owner.post(path, new)["Location"] == reverse("home")
    assert taken.memberships.filter(park=lake.park, role=Role.OFFICER).exists()

    assert "/signin/" in thief.get("/")["Location"]
    assert tokens.bearer(secret) is None
    assert AuditEvent.objects.filter(action="API token ended").count() == 1
    assert not Client().login(username=taken.email, password="known to the other park")
    assert Client().login(username=taken.email, password="mine alone, and long")
    assert owner.get("/").status_code == 200
    assert owner.get(path).status_code == 410
    given = AuditEvent.objects.get(action="role given")
    assert (given.user, given.detail["taken_up"]) == (admin, "with a new password")


@pytest.mark.parametrize("change", ["role ended", "time", "letters"])
def test_an_invitation_dies(
    client: Client, lake: Lake, admin: User, taken: User, settings: Any, change: str
) -> None:
    other = person(Role.ADMINISTRATOR, lake)
    path = urlsplit(give(other, lake, Role.OFFICER, taken.email).link).path
    client.force_login(taken)
    assert client.get(path).status_code == 200
    match change:
        case "role ended":
            roles.end(membership=other.memberships.get(), lake=lake, by=admin)
        case "time":
            settings.PASSWORD_RESET_TIMEOUT = -1
        case "letters":
            path = path[:-3] + "xx/"
    assert client.get(path).status_code == 410
    new = {"new_password1": "mine alone, and long", "new_password2": "mine alone, and long"}
    assert client.post(path, new).status_code == 410
    assert not taken.memberships.filter(lake=lake).exists()


def test_an_account_that_lost_its_roles_elsewhere_is_not_taken_over(
    lake: Lake, admin: User, taken: User
) -> None:
    """It holds nothing any more; its password is as known as before."""
    taken.memberships.all().delete()
    invited = give(admin, lake, Role.RANGER, taken.email)
    assert invited.membership is None
    assert "/invitation/" in invited.link


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "no address"},
        {"email": ""},
        {"role": "emperor"},
        {"scope": "world"},
    ],
)
def test_a_wrong_field_is_told(
    client: Client, lake: Lake, admin: User, wrong: dict[str, str]
) -> None:
    sent = {"email": "new@example.org", "role": "ranger", "scope": "lake", **wrong}
    answer = page(client, admin, lake, **sent)
    assert set(answer.context["form"].errors) == set(wrong)
    assert not User.objects.filter(email="new@example.org").exists()


def test_a_role_is_given_once_and_not_to_the_deactivated(lake: Lake, admin: User) -> None:
    give(admin, lake, Role.RANGER)
    with pytest.raises(ValidationError, match="already"):
        give(admin, lake, Role.RANGER)
    User.objects.filter(email="new@example.org").update(is_active=False)
    with pytest.raises(ValidationError, match="deactivated"):
        give(admin, lake, Role.PARTNER)


def test_an_administrator_of_one_lake_gives_roles_at_that_lake_only(
    client: Client, lake: Lake, lake_admin: User
) -> None:
    other = make_lake("muzelle")  # same park
    give(lake_admin, lake, Role.OFFICER)
    with pytest.raises(PermissionDenied):
        give(lake_admin, lake, Role.PARTNER, park=True)
    with pytest.raises(PermissionDenied):
        give(lake_admin, other, Role.PARTNER)
    assert page(client, lake_admin, other).status_code == 404
    sent = {"email": "x@example.org", "role": "partner", "scope": "park"}
    assert "scope" in page(client, lake_admin, lake, **sent).context["form"].errors
    assert not User.objects.filter(email="x@example.org").exists()


@pytest.mark.parametrize("role", [each for each in Role if each != Role.ADMINISTRATOR])
def test_others_invite_nobody(client: Client, lake: Lake, role: Role) -> None:
    user = person(role, lake)
    assert page(client, user, lake).status_code == 403
    with pytest.raises(PermissionDenied):
        give(user, lake, Role.PARTNER)


@pytest.mark.parametrize("role", [each for each in Role if each != Role.ADMINISTRATOR])
def test_no_form_raises_its_sender(
    client: Client, lake: Lake, lake_admin: User, role: Role
) -> None:
    user = person(role, lake)
    client.force_login(user)
    mine = user.memberships.get().pk
    more = {"role": "administrator", "is_superuser": "on", "is_staff": "on", "end": "1"}
    before = sorted(Membership.objects.values_list("pk", "user", "role", "park", "lake"))
    for one in (mine, lake_admin.memberships.get().pk):
        for name in ("people-role", "people-link"):
            assert client.post(reverse(name, args=[lake.slug, one]), more).status_code == 403
        admin_page = reverse("admin:lacs_web_membership_change", args=[one])
        assert client.post(admin_page, more).status_code == 302  # to the sign-in
    sent = {"email": user.email, "scope": "park", **more}
    assert client.post(reverse("people", args=[lake.slug]), sent).status_code == 403
    client.post(reverse("account"), {"form": "name", "name": "x", "memberships-0-role": "officer",
                                     "email": "other@example.org", **more})  # fmt: skip
    user.refresh_from_db()
    assert (user.name, user.is_superuser, user.is_staff) == ("x", False, False)
    assert user.email == f"{role}@{lake.slug}.example.org"
    assert sorted(Membership.objects.values_list("pk", "user", "role", "park", "lake")) == before


def test_nobody_gives_more_than_they_hold(
    lake: Lake, lake_admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only administrators give roles today; the rule holds should others ever."""
    from lacs_web import access

    may_invite = access.RIGHTS | {Role.RANGER: access.RIGHTS[Role.RANGER] | {access.Action.PEOPLE}}
    monkeypatch.setattr(roles, "RIGHTS", may_invite)
    ranger = person(Role.RANGER, lake)
    give(ranger, lake, Role.VOLUNTEER)
    for role in (Role.OFFICER, Role.ADMINISTRATOR):
        with pytest.raises(PermissionDenied):
            give(ranger, lake, role)
        with pytest.raises(PermissionDenied):
            roles.change(membership=ranger.memberships.get(), role=role, lake=lake, by=ranger)


def test_roles_of_the_whole_park_are_out_of_a_lake_s_reach(
    client: Client, lake: Lake, lake_admin: User, admin: User
) -> None:
    theirs = admin.memberships.get()
    acts: tuple[Callable[[], Any], ...] = (
        lambda: roles.end(membership=theirs, lake=lake, by=lake_admin),
        lambda: roles.change(membership=theirs, role=Role.RANGER, lake=lake, by=lake_admin),
        lambda: roles.renew_link(membership=theirs, lake=lake, by=lake_admin),
    )
    for act in acts:
        with pytest.raises(PermissionDenied):
            act()
    client.force_login(lake_admin)
    for name in ("people-role", "people-link"):
        address = reverse(name, args=[lake.slug, theirs.pk])
        assert client.post(address, {"end": "1"}).status_code == 403
    assert admin.memberships.exists()


def test_roles_at_another_lake_cannot_be_named(client: Client, lake: Lake, admin: User) -> None:
    far = person(Role.RANGER, make_lake("cornu", park="asters")).memberships.get()
    near = person(Role.RANGER, make_lake("muzelle")).memberships.get()
    client.force_login(admin)
    for one in (far, near):
        for name in ("people-role", "people-link"):
            address = reverse(name, args=[lake.slug, one.pk])
            assert client.post(address, {"end": "1"}).status_code == 404


def test_a_role_is_changed_and_ended(client: Client, lake: Lake, admin: User) -> None:
    one = person(Role.VOLUNTEER, lake).memberships.get()
    client.force_login(admin)
    address = reverse("people-role", args=[lake.slug, one.pk])
    assert client.post(address, {"role": "ranger"})["Location"] == reverse(
        "people", args=[lake.slug]
    )
    one.refresh_from_db()
    assert one.role == Role.RANGER
    client.post(address, {"role": "emperor"})
    one.refresh_from_db()
    assert one.role == Role.RANGER
    client.post(address, {"end": "1"})
    assert not Membership.objects.filter(pk=one.pk).exists()
    changed, ended = AuditEvent.objects.order_by("pk")
    assert (changed.action, changed.detail["before"]) == ("role changed", "volunteer")
    assert (ended.action, ended.user) == ("role ended", admin)


@pytest.mark.parametrize(
    ("role", "kept"),
    [("ranger", ["figures", "cards"]), ("partner", ["figures"]), ("", [])],
)
def test_tokens_end_for_what_their_owner_may_no_longer_do(
    lake: Lake, admin: User, role: str, kept: list[str]
) -> None:
    """Else a token that somebody forgot, or lost, would wake up with their next role."""
    user = person(Role.OFFICER, lake)
    tomorrow = timezone.now() + timedelta(days=1)
    for scope in ("figures", "frames", "cards"):
        tokens.make(user=user, label="x", scope=scope, expires_at=tomorrow)
    one = user.memberships.get()
    if role:
        roles.change(membership=one, role=role, lake=lake, by=admin)
    else:
        roles.end(membership=one, lake=lake, by=admin)
    assert sorted(tokens.of(user).values_list("scope", flat=True)) == sorted(kept)


def test_a_role_is_not_changed_into_one_held_already(lake: Lake, admin: User) -> None:
    user = person(Role.VOLUNTEER, lake)
    Membership.objects.create(user=user, role=Role.RANGER, lake=lake)
    volunteer = user.memberships.get(role=Role.VOLUNTEER)
    with pytest.raises(ValidationError, match="already"):
        roles.change(membership=volunteer, role=Role.RANGER, lake=lake, by=admin)


def test_the_last_administrator_stays(lake: Lake, admin: User) -> None:
    mine = admin.memberships.get()
    at_lake = person(Role.ADMINISTRATOR, lake)  # does not answer for the park
    gone = User.objects.create_user("gone@example.org", is_active=False)
    Membership.objects.create(user=gone, role=Role.ADMINISTRATOR, park=lake.park)
    acts: tuple[Callable[[], Any], ...] = (
        lambda: roles.end(membership=mine, lake=lake, by=admin),
        lambda: roles.change(membership=mine, role=Role.OFFICER, lake=lake, by=admin),
    )
    for act in acts:
        with pytest.raises(ValidationError, match="last administrator"):
            act()
    roles.end(membership=at_lake.memberships.get(), lake=lake, by=admin)  # the park's remains
    give(admin, lake, Role.ADMINISTRATOR, park=True)
    roles.end(membership=mine, lake=lake, by=admin)
    assert not admin.memberships.exists()


def test_the_last_administrator_of_a_lake_stays(lake: Lake, lake_admin: User) -> None:
    mine = lake_admin.memberships.get()
    with pytest.raises(ValidationError, match="last administrator"):
        roles.end(membership=mine, lake=lake, by=lake_admin)
    # Held twice by one person is still held by one.
    Membership.objects.create(user=lake_admin, role=Role.ADMINISTRATOR, park=lake.park)
    with pytest.raises(ValidationError, match="last administrator"):
        roles.end(membership=mine, lake=lake, by=lake_admin)


def test_whoever_ends_their_own_role_is_led_out(
    client: Client, lake: Lake, admin: User, lake_admin: User
) -> None:
    client.force_login(lake_admin)
    own = reverse("people-role", args=[lake.slug, lake_admin.memberships.get().pk])
    assert client.post(own, {"end": "1"})["Location"] == reverse("home")


def test_a_new_link_for_those_wholly_within_reach(client: Client, lake: Lake, admin: User) -> None:
    user = person(Role.VOLUNTEER, lake)
    Membership.objects.create(user=user, role=Role.RANGER, park=lake.park)
    client.force_login(admin)
    address = reverse("people-link", args=[lake.slug, user.memberships.all()[0].pk])
    link = client.post(address).context["link"]
    fresh = Client()
    fresh.post(urlsplit(link).path)
    assert fresh.session["_auth_user_id"] == str(user.pk)
    assert AuditEvent.objects.get(action="sign-in link made").user == admin


@pytest.mark.parametrize("reach", ["superuser", "staff", "elsewhere", "park", "inactive"])
def test_no_link_into_more_than_one_answers_for(
    client: Client, lake: Lake, lake_admin: User, reach: str
) -> None:
    user = person(Role.VOLUNTEER, lake)
    at_lake = user.memberships.get()
    match reach:
        case "superuser":
            user.is_superuser = True
        case "staff":
            user.is_staff = True
        case "inactive":
            user.is_active = False
        case "park":
            Membership.objects.create(user=user, role=Role.PARTNER, park=lake.park)
        case "elsewhere":
            other = make_lake("cornu", park="asters")
            Membership.objects.create(user=user, role=Role.PARTNER, lake=other)
    user.save()
    client.force_login(lake_admin)
    address = reverse("people-link", args=[lake.slug, at_lake.pk])
    assert client.post(address).status_code == 403
    assert not AuditEvent.objects.filter(action="sign-in link made").exists()
    shown = client.get(reverse("people", args=[lake.slug])).context["rows"]
    assert [row["may_link"] for row in shown if row["membership"] == at_lake] == [False]


def test_superusers_make_no_link_for_superusers_here_either(client: Client, lake: Lake) -> None:
    boss = User.objects.create_superuser("boss@example.org")
    other = User.objects.create_superuser("other@example.org")
    one = Membership.objects.create(user=other, role=Role.OFFICER, lake=lake)
    client.force_login(boss)
    assert client.post(reverse("people-link", args=[lake.slug, one.pk])).status_code == 403


def test_a_link_dies_when_what_it_opens_grows(lake: Lake, admin: User) -> None:
    """Else a link to a volunteer, kept for some hours, would open what they were given since."""
    user = person(Role.VOLUNTEER, lake)
    before = signin_path(user)
    other = make_lake("cornu", park="asters")
    Membership.objects.create(user=user, role=Role.OFFICER, lake=other)
    assert Client().post(before).status_code == 410
    before = signin_path(user)
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    assert Client().post(before).status_code == 410


def test_the_page_takes_as_many_queries_for_many_people(
    client: Client, lake: Lake, admin: User, django_assert_num_queries: Any
) -> None:
    for count in (3, 9):
        for n in range(count):
            user = User.objects.get_or_create(email=f"{n}@example.org")[0]
            Membership.objects.get_or_create(user=user, role=Role.VOLUNTEER, lake=lake)
        client.force_login(admin)
        with django_assert_num_queries(10):
            answer = client.get(reverse("people", args=[lake.slug]))
        assert len(answer.context["rows"]) == count + 1


def test_one_tab_leads_there(client: Client, lake: Lake, admin: User) -> None:
    address = reverse("people", args=[lake.slug])
    assert f'href="{address}" aria-current="page"' in page(client, admin, lake).content.decode()
    client.force_login(person(Role.OFFICER, lake))
    rooms = client.get(reverse("detection:deployments", args=[lake.slug])).content.decode()
    assert address not in rooms
