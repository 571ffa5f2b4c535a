"""Getting in: by password, once by a link, and not otherwise."""

from __future__ import annotations

import io
import json
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from detection.cards.receive import close_batch
from detection.models import Batch
from lacs_web.accounts import signin_path
from lacs_web.models import AuditEvent, Membership, Role, User
from tests.factories import make_deployment, make_lake

pytestmark = pytest.mark.django_db


def test_everything_is_behind_a_login(client: Client) -> None:
    answer = client.get(reverse("home"))
    assert (answer.status_code, urlsplit(answer["Location"]).path) == (302, reverse("signin"))
    assert client.get("/healthz").content == b"ok\n"


def test_a_link_signs_in_once_and_only_when_the_button_is_pressed(client: Client) -> None:
    user = User.objects.create_user("ranger@example.org")
    link = signin_path(user)
    assert client.get(link).status_code == 200
    assert "_auth_user_id" not in client.session  # a preview of the link uses nothing up
    assert client.post(link)["Location"] == reverse("home")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert AuditEvent.objects.get().action == "signed in by link"
    assert Client().post(link).status_code == 410


@pytest.mark.parametrize("key", ["", "!!!", "MQ", "Zm9v", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_made_up_link_is_refused(client: Client, key: str) -> None:
    assert client.post(f"/signin/{key or 'x'}/abc-def/").status_code == 410


def test_a_deactivated_person_stays_out(client: Client) -> None:
    user = User.objects.create_user("left@example.org", is_active=False)
    assert client.post(signin_path(user)).status_code == 410


def test_a_password_signs_in_and_a_wrong_one_is_told(client: Client) -> None:
    User.objects.create_user("one@example.org", "a long pass phrase")
    wrong = client.post(reverse("signin"), {"username": "one@example.org", "password": "no"})
    assert b'role="alert"' in wrong.content
    right = {"username": "one@example.org", "password": "a long pass phrase"}
    assert client.post(reverse("signin"), right)["Location"] == reverse("home")


def test_home_lists_what_is_visible_and_nothing_else(client: Client) -> None:
    mine = make_lake()
    make_lake("cornu", park="asters")
    user = User.objects.create_user("partner@example.org")
    client.force_login(user)
    assert "Lauvitel" not in client.get(reverse("home")).content.decode()
    Membership.objects.create(user=user, role=Role.PARTNER, lake=mine)
    page = client.get(reverse("home")).content.decode()
    assert "Lauvitel" in page
    assert "Cornu" not in page


def test_pages_run_nothing_that_was_not_served(client: Client) -> None:
    policy = client.get(reverse("signin"))["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_language_can_be_chosen_before_signing_in(client: Client) -> None:
    assert b"Fran\xc3\xa7ais" in client.get(reverse("signin")).content
    chosen = {"language": "it", "next": reverse("signin")}
    assert client.post(reverse("set_language"), chosen)["Location"] == reverse("signin")
    assert client.get(reverse("signin"))["Content-Language"] == "it"


def test_the_demo_is_wanted_until_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def wanted() -> bool:
        out = io.StringIO()
        call_command("first_start", "--json", stdout=out)
        return bool(json.loads(out.getvalue())["demo_wanted"])

    deployment = make_deployment(make_lake("demo", park="demo"))
    batch = Batch.objects.create(deployment=deployment)
    assert wanted()  # stopped half-way
    monkeypatch.setenv("LACS_DEMO", "0")
    assert not wanted()
    monkeypatch.delenv("LACS_DEMO")
    close_batch(batch=batch, user=None)
    assert not wanted()
    Batch.objects.all().delete()
    make_lake()
    assert not wanted()  # never beside a lake of one's own


def test_a_first_start_may_be_repeated(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LACS_DETECTOR", raising=False)
    for _ in range(2):
        out = io.StringIO()
        call_command("first_start", "--json", stdout=out)
        said = json.loads(out.getvalue())
    assert User.objects.filter(is_superuser=True).count() == 1
    assert said["demo_wanted"] is True
    assert "waits for a model" in said["messages"][0]
    assert client.post(urlsplit(said["signin_url"]).path).status_code == 302
