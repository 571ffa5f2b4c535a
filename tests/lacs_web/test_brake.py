"""The brake on guessing: who is slowed down, for how long, and who is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lacs_web import brake
from lacs_web.accounts import signin_path
from lacs_web.models import AuditEvent, SigninAttempt, User

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
RIGHT = "a long and secret word"


@pytest.fixture
def user() -> User:
    return User.objects.create_user("ranger@example.org", RIGHT)


def sign_in(password: str, address: str = "192.0.2.1", where: str = "", **more: Any) -> Any:
    client = Client(REMOTE_ADDR=address)
    client.cookies["django_language"] = "en"
    sent = {"username": "Ranger@example.org", "password": password}
    return client.post(where or reverse("signin"), sent, **more)


def test_the_administration_has_no_way_in_of_its_own(user: User) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    answer = sign_in(RIGHT, where="/administration/login/?next=/administration/")
    assert answer["Location"] == "/signin/?next=/administration/"
    assert "_auth_user_id" not in answer.client.session


def test_guesses_are_slowed_down_and_the_pause_ends(user: User) -> None:
    for _ in range(brake.MOST_TOGETHER):
        assert "Too many" not in sign_in("wrong").content.decode()
    refused = sign_in(RIGHT)
    until = SigninAttempt.objects.order_by("at")[0].at + brake.WINDOW
    assert "Too many attempts" in refused.content.decode()
    assert f"{timezone.localtime(until):%H:%M:%S}" in refused.content.decode()
    assert sign_in(RIGHT, "198.51.100.7").status_code == 302  # somebody elsewhere
    SigninAttempt.objects.update(at=timezone.now() - brake.WINDOW - timedelta(seconds=1))
    assert sign_in(RIGHT).status_code == 302


def test_a_refusal_is_429_on_record_once_and_does_not_prolong_the_pause(user: User) -> None:
    for _ in range(brake.MOST_TOGETHER):
        sign_in("wrong")
    assert [sign_in("wrong").status_code for _ in range(3)] == [429] * 3
    assert SigninAttempt.objects.count() == brake.MOST_TOGETHER
    event = AuditEvent.objects.get(action="sign-in paused")
    assert event.detail == {"person": user.pk, "address": "192.0.2.1"}
    assert "wrong" not in str(event.detail)


def test_success_forgets_what_failed_before(user: User) -> None:
    for _ in range(3):
        for _ in range(brake.MOST_TOGETHER - 1):
            assert sign_in("wrong").status_code == 200
        assert sign_in(RIGHT).status_code == 302
    assert AuditEvent.objects.filter(action="signed in", user=user).count() == 3


def test_one_account_from_many_addresses_and_one_address_at_many_accounts(user: User) -> None:
    for n in range(brake.MOST_OF_ACCOUNT):
        assert sign_in("wrong", f"192.0.2.{n}").status_code == 200
    assert sign_in(RIGHT, "198.51.100.7").status_code == 429
    SigninAttempt.objects.all().delete()
    for n in range(brake.MOST_OF_ADDRESS):
        failed(f"{n}@example.org")
    with pytest.raises(brake.TooMany), brake.guess(account="one.more@x.org", address="192.0.2.1"):
        pytest.fail("looked at in spite of the pause")


def failed(account: str) -> None:
    with pytest.raises(KeyError), brake.guess(account=account, address="192.0.2.1"):
        raise KeyError


def test_made_up_links_are_guesses_too() -> None:
    client = Client()
    for _ in range(brake.MOST_TOGETHER):
        assert client.get("/signin/MQ/abc-def/").status_code == 410
    assert client.get("/signin/MQ/abc-def/").status_code == 429


def test_a_link_of_ones_own_does_not_pay_for_guesses(user: User) -> None:
    client = Client()
    for _ in range(brake.MOST_TOGETHER - 1):
        client.get("/signin/MQ/abc-def/")
    assert client.get(signin_path(user)).status_code == 200
    assert client.get("/signin/MQ/abc-def/").status_code == 410
    assert client.get(signin_path(user)).status_code == 429


def test_the_old_password_is_a_guess_too(client: Client, user: User) -> None:
    client.force_login(user)
    client.cookies["django_language"] = "en"
    sent = {"form": "password", "old_password": "wrong", "new_password1": "x" * 20}
    for _ in range(brake.MOST_TOGETHER + 1):
        answer = client.post(reverse("account"), sent | {"new_password2": "x" * 20})
    assert "Too many attempts" in str(answer.context["password_form"].errors)


@pytest.mark.parametrize(
    ("proxies", "said", "address"),
    [
        (0, "203.0.113.9", "127.0.0.1"),  # anybody may write that header
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (1, "", "127.0.0.1"),
    ],
)
def test_an_address_is_what_our_own_proxies_say(
    rf: Any, settings: Any, proxies: int, said: str, address: str
) -> None:
    settings.PROXIES = proxies
    request = rf.get("/", headers={"X-Forwarded-For": said} if said else {})
    assert brake.address_of(request) == address
