"""Getting in: by password, once by a link, and not otherwise."""

from __future__ import annotations

import io
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
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


@pytest.mark.parametrize("strict", [False, True])
def test_the_probe_says_that_the_database_is_away_whatever_comes_with_it(
    client: Client, settings: Any, strict: bool
) -> None:
    settings.REQUIRE_CODE = strict
    settings.METRICS_TOKEN = "prometheus"
    client.force_login(User.objects.create_user("officer@example.org"))
    client.cookies["django_language"] = "it"
    made_up = Client()
    made_up.cookies["sessionid"] = "x" * 32

    def away(*_args: object) -> None:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(away):
        for each in (client, made_up, Client()):
            for more in ({}, {"Authorization": "Bearer lacs_x"}):
                answer = each.get("/healthz", headers=more)
                assert (answer.status_code, answer.content) == (503, b"database unreachable\n")
        answer = Client().get("/metrics", headers={"Authorization": "Bearer prometheus"})
        assert "lacs_database_up 0" in answer.content.decode()
    assert client.get("/healthz").status_code == 200


def test_a_link_signs_in_once_and_only_when_the_button_is_pressed(client: Client) -> None:
    user = User.objects.create_user("ranger@example.org")
    link = signin_path(user)
    assert client.get(link).status_code == 200
    assert "_auth_user_id" not in client.session  # a preview of the link uses nothing up
    # Without a password one would be locked out tomorrow: the account page asks for one.
    assert client.post(link)["Location"] == reverse("account")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert AuditEvent.objects.get().action == "signed in by link"
    assert Client().post(link).status_code == 410


@pytest.mark.parametrize("key", ["", "!!!", "MQ", "Zm9v", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"])
def test_a_made_up_link_is_refused(client: Client, key: str) -> None:
    assert client.post(f"/signin/{key or 'x'}/abc-def/").status_code == 410


def test_a_link_that_is_over_says_what_to_do(client: Client, settings: Any) -> None:
    client.cookies["django_language"] = "en"
    used, late = (signin_path(User.objects.create_user(f"{n}@example.org")) for n in range(2))
    Client().post(used)
    settings.PASSWORD_RESET_TIMEOUT = -1
    for link in (used, late):
        for answer in (client.get(link), client.post(link)):
            assert answer.status_code == 410
            assert "Ask for a new one" in answer.content.decode()
    assert "_auth_user_id" not in client.session


def test_a_deactivated_person_stays_out(client: Client) -> None:
    user = User.objects.create_user("left@example.org", is_active=False)
    assert client.post(signin_path(user)).status_code == 410


def test_a_password_signs_in_and_a_wrong_one_is_told(client: Client) -> None:
    User.objects.create_user("one@example.org", "a long pass phrase")
    wrong = client.post(reverse("signin"), {"username": "one@example.org", "password": "no"})
    assert b'role="alert"' in wrong.content
    right = {"username": "one@example.org", "password": "a long pass phrase"}
    assert client.post(reverse("signin"), right)["Location"] == reverse("home")


def test_a_first_password_is_set_and_ends_other_sessions(client: Client) -> None:
    user = User.objects.create_user("one@example.org")
    other = Client()
    for each in (client, other):
        each.force_login(user)
    weak = {"form": "password", "new_password1": "12345", "new_password2": "12345"}
    assert client.post(reverse("account"), weak).status_code == 400
    good = {
        "form": "password",
        "new_password1": "nine calm lakes",
        "new_password2": "nine calm lakes",
    }
    assert client.post(reverse("account"), good)["Location"] == reverse("home")
    assert client.get(reverse("account")).status_code == 200
    assert other.get(reverse("account")).status_code == 302
    assert AuditEvent.objects.get().action == "password changed"
    # From now on the old one is asked for.
    assert client.post(reverse("account"), good).status_code == 400


def test_a_name_is_saved_without_touching_the_password(client: Client) -> None:
    user = User.objects.create_user("one@example.org", "a long pass phrase")
    client.force_login(user)
    client.post(reverse("account"), {"form": "name", "name": "Ranger of the north shore"})
    user.refresh_from_db()
    assert user.name == "Ranger of the north shore"
    assert user.check_password("a long pass phrase")


def test_what_is_not_there_is_said_in_our_words(client: Client) -> None:
    client.force_login(User.objects.create_user("one@example.org"))
    answer = client.get("/lakes/nowhere/at-all/")
    assert answer.status_code == 404
    assert 'href="/"' in answer.content.decode()
    strict = Client(enforce_csrf_checks=True)
    refused = strict.post(reverse("signin"), {"username": "x", "password": "y"})
    assert refused.status_code == 403
    assert 'class="door"' in refused.content.decode()


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


def first_start() -> dict[str, Any]:
    out = io.StringIO()
    call_command("first_start", "--json", stdout=out)
    said: dict[str, Any] = json.loads(out.getvalue())
    return said


def test_a_first_start_may_be_repeated(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LACS_DETECTOR", raising=False)
    first_start()
    said = first_start()
    assert User.objects.filter(is_superuser=True).count() == 1
    assert said["demo_wanted"] is True
    assert said["messages"][0] == f"Detector: {settings.SHIPPED_DETECTOR.stem}"
    assert client.post(urlsplit(said["signin_url"]).path).status_code == 302


def test_the_drawn_lakes_detector_is_no_servers_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LACS_DETECTOR", raising=False)
    monkeypatch.setenv("LACS_DEMO", "0")
    assert "waits for a model" in first_start()["messages"][0]


@pytest.mark.parametrize("way_in", ["has signed in", "has a password"])
def test_no_start_prints_a_way_in_to_an_account_in_use(client: Client, way_in: str) -> None:
    link = urlsplit(first_start()["signin_url"]).path
    administrator = User.objects.get()
    if way_in == "has signed in":
        client.post(link)
    else:
        administrator.set_password("a long pass phrase")
        administrator.save()
    made = AuditEvent.objects.filter(action="sign-in link made").count()
    said = first_start()
    assert urlsplit(said["signin_url"]).path == reverse("signin")
    assert f"signin_link {administrator.email}" in said["messages"][-1]
    assert AuditEvent.objects.filter(action="sign-in link made").count() == made


def test_a_link_is_made_at_the_console_and_on_record(client: Client) -> None:
    user = User.objects.create_user("ranger@example.org")
    out = io.StringIO()
    call_command("signin_link", "Ranger@example.org", stdout=out)
    assert client.post(urlsplit(out.getvalue().strip()).path).status_code == 302
    event = AuditEvent.objects.get(action="sign-in link made")
    assert (event.user, event.detail) == (None, {"person": user.pk})
    with pytest.raises(CommandError, match="Nobody is known"):
        call_command("signin_link", "nobody@example.org")
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="deactivated"):
        call_command("signin_link", "ranger@example.org")
