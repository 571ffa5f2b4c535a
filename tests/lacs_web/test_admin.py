"""The administration: for those who run the site, on record, and no way up for anybody else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from lacs_web.models import AuditEvent, Lake, Membership, Role, User
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def boss(client: Client) -> User:
    user = User.objects.create_superuser("boss@example.org")
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return user


@pytest.fixture
def staff() -> User:
    """May open the administration and change people, but runs nothing."""
    user = User.objects.create_user("staff@example.org", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="lacs_web"))
    return user


def test_every_page_opens(client: Client, boss: User) -> None:
    examine(make_frame(make_deployment()))
    person(Role.RANGER, Lake.objects.get())
    AuditEvent.objects.create(user=boss, action="tried")
    for model, pages in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"{name}_changelist"), {"q": "x"}).status_code == 200, name
        one = model._default_manager.first()
        if one is not None:
            assert client.get(reverse(f"{name}_change", args=[one.pk])).status_code == 200, name
        may_add = pages.has_add_permission(client.get("/").wsgi_request)
        added = client.get(reverse(f"{name}_add")).status_code
        assert added == (200 if may_add else 403), name


@pytest.mark.parametrize("role", Role)
def test_roles_at_lakes_do_not_open_it(client: Client, role: Role) -> None:
    client.force_login(person(role, make_lake()))
    answer = client.get(reverse("admin:index"))
    assert answer["Location"].startswith(reverse("admin:login"))


def test_a_link_is_made_on_record_and_shown_once(client: Client, boss: User) -> None:
    user = person(Role.VOLUNTEER, make_lake())
    address = reverse("admin:lacs_web_user_link", args=[user.pk])
    page = client.get(reverse("admin:lacs_web_user_change", args=[user.pk])).content.decode()
    assert address in page
    assert "http" not in client.get(address).context["link"]
    assert not AuditEvent.objects.filter(action="sign-in link made").exists()
    answer = client.post(address)
    assert "no-store" in answer["Cache-Control"]
    fresh = Client()
    fresh.post(urlsplit(answer.context["link"]).path)
    assert fresh.session["_auth_user_id"] == str(user.pk)
    assert AuditEvent.objects.get(action="sign-in link made").user == boss
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.post(address).status_code == 404


def test_passwords_are_not_guessed_there(client: Client, boss: User) -> None:
    """Its own page for it knows no brake and writes nothing down."""
    boss.set_password("eight marmots whistle")
    boss.save()
    client.force_login(boss)
    new = {"new_password1": "mine alone, and long", "new_password2": "mine alone, and long"}
    sent = {"old_password": "eight marmots whistle", **new}
    answer = client.post(reverse("admin:password_change"), sent)
    assert answer["Location"] == reverse("account")
    boss.refresh_from_db()
    assert boss.check_password("eight marmots whistle")


def test_a_person_is_added_with_a_role_without_a_password(client: Client, boss: User) -> None:
    lake = make_lake()
    sent = {
        "email": "New@Example.org",
        "is_active": "on",
        "memberships-TOTAL_FORMS": "1",
        "memberships-INITIAL_FORMS": "0",
        "memberships-0-role": "ranger",
        "memberships-0-lake": str(lake.pk),
    }
    both = {**sent, "memberships-0-park": str(lake.park_id)}
    refused = client.post(reverse("admin:lacs_web_user_add"), both)
    assert b"Choose a park or a lake, not both." in refused.content
    assert client.post(reverse("admin:lacs_web_user_add"), sent).status_code == 302
    user = User.objects.get(email="new@example.org")
    assert not user.has_usable_password()
    assert user.memberships.get().lake == lake
    event = AuditEvent.objects.get(action="added in the administration")
    assert (event.user, event.detail["model"], event.detail["id"]) == (
        boss, "lacs_web.User", user.pk,
    )  # fmt: skip


def test_what_is_deleted_is_on_record(client: Client, boss: User) -> None:
    one = person(Role.RANGER, make_lake()).memberships.get()
    client.post(reverse("admin:lacs_web_membership_delete", args=[one.pk]), {"post": "yes"})
    assert not Membership.objects.filter(pk=one.pk).exists()
    assert AuditEvent.objects.get().action == "deleted in the administration"


def test_staff_do_not_raise_themselves(client: Client, boss: User, staff: User) -> None:
    client.force_login(staff)
    own = reverse("admin:lacs_web_user_change", args=[staff.pk])
    none = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
    sent = {"email": staff.email, "is_active": "on", "is_superuser": "on", **none}
    assert client.post(own, sent).status_code == 302
    staff.refresh_from_db()
    assert not staff.is_superuser
    theirs = reverse("admin:lacs_web_user_change", args=[boss.pk])
    assert client.post(theirs, {"email": "mine@example.org", **none}).status_code == 403
    gone = reverse("admin:lacs_web_user_delete", args=[boss.pk])
    assert client.post(gone, {"post": "yes"}).status_code == 403
    for user in (boss, staff, person(Role.VOLUNTEER, make_lake())):
        link = reverse("admin:lacs_web_user_link", args=[user.pk])
        assert client.post(link).status_code == 403


def test_nobody_edits_the_trail(client: Client, boss: User) -> None:
    event = AuditEvent.objects.create(user=boss, action="tried")
    for name in ("change", "delete"):
        address = reverse(f"admin:lacs_web_auditevent_{name}", args=[event.pk])
        assert client.post(address, {"post": "yes", "action": "x"}).status_code == 403
    assert client.post(reverse("admin:lacs_web_auditevent_add")).status_code == 403


@pytest.mark.parametrize("who", ["nobody", "volunteer"])
def test_files_of_others_are_never_taken(
    client: Client, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django reads a form's files before any view is asked: sign-in must fill no disk."""
    taken: list[Any] = []
    monkeypatch.setattr(
        "lacs_web.uploads.TemporaryFileUploadHandler.receive_data_chunk",
        lambda *sent: taken.append(sent),
    )
    if who == "volunteer":
        client.force_login(person(Role.VOLUNTEER, make_lake()))
    file = SimpleUploadedFile("big.onnx", b"x" * 100_000)
    client.post(reverse("signin"), {"username": "x", "password": "y", "file": file})
    assert taken == []
