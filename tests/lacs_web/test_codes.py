"""The code at sign-in: nobody who set one up gets in without it, by whichever door."""

from __future__ import annotations

import base64
import re
import time
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from lacs_web import accounts, brake, codes, second
from lacs_web.models import AuditEvent, Role, SecondFactor, User
from tests.cast import person
from tests.factories import make_lake

pytestmark = pytest.mark.django_db
PASSWORD = "eight marmots whistle"
RFC = base64.b32encode(b"12345678901234567890").decode()


# The vectors of RFC 6238, appendix B; ours are the last six of their eight digits.
@pytest.mark.parametrize(
    ("second", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"),
     (2000000000, "279037"), (20000000000, "353130")],
)  # fmt: skip
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    assert codes.code_at(RFC, second // 30) == code


@pytest.fixture
def officer() -> User:
    user = person(Role.OFFICER, make_lake())
    user.set_password(PASSWORD)
    user.save()
    return user


def now(user: User, steps: int = 0) -> str:
    secret = SecondFactor.objects.get(user=user).secret
    return codes.code_at(secret, int(time.time()) // codes.STEP + steps)


def set_up(user: User) -> list[str]:
    secret = codes.new_secret()
    first = codes.code_at(secret, int(time.time()) // codes.STEP)
    recovery = codes.confirm(user=user, secret=secret, said=first)
    SecondFactor.objects.update(last_step=0)  # as if time had passed
    return recovery


def english(user: User | None = None) -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    if user:
        client.force_login(user)
    return client


def signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def password(client: Client, user: User) -> Any:
    return client.post(reverse("signin"), {"username": user.email, "password": PASSWORD})


def test_setting_up_shows_the_key_and_once_the_recovery_codes(officer: User) -> None:
    client, where = english(officer), reverse("account-code")
    page = client.get(where).content.decode()
    assert not SecondFactor.objects.exists()  # nor in a backup
    (key,) = re.findall(r'data-testid="key">([A-Z2-7 ]+)<', page)
    assert key in client.get(where).content.decode()  # a page that is loaded again
    assert key not in english(officer).get(where).content.decode()  # another browser
    assert "data:image/png;base64," in page
    assert client.post(where, {"code": "000000"}).status_code == 400
    assert codes.of(officer) is None
    first = codes.code_at(key.replace(" ", ""), int(time.time()) // codes.STEP)
    page = client.post(where, {"code": first}).content.decode()
    assert key.replace(" ", "") not in str(client.session.items())
    assert page.count("<li>") == codes.RECOVERY
    assert "<li>" not in client.get(where).content.decode()
    assert AuditEvent.objects.filter(action="sign-in code set up", user=officer).exists()
    with pytest.raises(ValidationError):  # from another tab
        set_up(officer)


@pytest.mark.parametrize("door", ["password", "link"])
def test_the_first_step_alone_lets_nobody_in(officer: User, door: str) -> None:
    set_up(officer)
    client = english()
    if door == "password":
        answer = password(client, officer)
    else:
        answer = client.post(accounts.signin_path(officer))
    assert answer["Location"] == reverse("signin-code")
    assert not signed_in(client)
    assert client.get(reverse("account"))["Location"].startswith(reverse("signin"))
    assert client.post(answer["Location"], {"code": "000000"}).status_code == 400
    assert not signed_in(client)
    assert client.post(answer["Location"], {"code": now(officer)}).status_code == 302
    assert signed_in(client)


def test_without_a_first_step_there_is_no_second(officer: User) -> None:
    set_up(officer)
    client = english()
    answer = client.post(reverse("signin-code"), {"code": now(officer)})
    assert answer["Location"] == reverse("signin")
    assert not signed_in(client)


def test_a_first_step_of_long_ago_is_none(officer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(officer)
    client = english()
    monkeypatch.setattr(second, "PATIENCE", -1)
    password(client, officer)
    answer = client.post(reverse("signin-code"), {"code": now(officer)})
    assert answer["Location"] == reverse("signin")
    assert not signed_in(client)


def test_a_code_counts_once(officer: User) -> None:
    recovery = set_up(officer)
    code = now(officer)
    assert codes.check(user=officer, said=code)
    assert not codes.check(user=officer, said=code)
    assert codes.check(user=officer, said=f" {recovery[0]} ")
    assert not codes.check(user=officer, said=recovery[0])
    assert recovery[1] not in str(SecondFactor.objects.values().get())


def test_a_code_of_long_ago_or_far_ahead_is_none(officer: User) -> None:
    set_up(officer)
    assert not codes.check(user=officer, said=now(officer, -3))
    assert not codes.check(user=officer, said=now(officer, 3))
    assert codes.check(user=officer, said=now(officer, -1))


def test_guessing_codes_is_slowed_down(officer: User) -> None:
    set_up(officer)
    client = english()
    password(client, officer)
    for _ in range(brake.MOST_TOGETHER):
        assert client.post(reverse("signin-code"), {"code": "000000"}).status_code == 400
    assert client.post(reverse("signin-code"), {"code": now(officer)}).status_code == 429
    assert not signed_in(client)


def test_it_is_removed_by_a_code_and_at_the_console(officer: User) -> None:
    recovery = set_up(officer)
    client = english(officer)
    client.post(reverse("account-code"), {"code": "000000"})
    assert codes.of(officer)
    client.post(reverse("account-code"), {"code": recovery[0]})
    assert codes.of(officer) is None
    set_up(officer)
    call_command("signin_link", officer.email, "--without-code", stdout=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    assert codes.of(officer) is None
    assert AuditEvent.objects.filter(action="sign-in code removed").count() == 2


@pytest.mark.parametrize(
    ("role", "led"),
    [(Role.OFFICER, True), (Role.ADMINISTRATOR, True), (Role.RANGER, False)],
)
def test_officers_and_administrators_must_where_the_setting_says_so(
    settings: Any, role: Role, led: bool
) -> None:
    user = person(role, make_lake())
    home = reverse("home")
    assert english(user).get(home).status_code == 200
    settings.REQUIRE_CODE = True
    client = english(user)
    assert (client.get(home).status_code == 302) is led
    told = client.get(reverse("dashboards:api-lakes"))
    assert (told.status_code, told.json().get("status")) == ((403, 403) if led else (200, None))
    if led:
        assert client.get(home)["Location"] == reverse("account-code")
        assert client.get(reverse("account-code")).status_code == 200
        set_up(user)
        assert client.get(home).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_secrets_that_nobody_confirmed_do_not_stay() -> None:
    users = [person(Role.OFFICER, make_lake(), "kept"), User.objects.create_user("x@example.org")]
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        MigrationExecutor(connection).migrate([("lacs_web", "0008_few_persons")])
        with connection.cursor() as cursor:
            for user, confirmed in zip(users, (timezone.now(), None), strict=True):
                cursor.execute(
                    "INSERT INTO lacs_web_secondfactor (user_id, secret, confirmed_at, last_step,"
                    " recovery) VALUES (%s, 'S', %s, 0, '[]')",
                    [user.pk, confirmed],
                )
    finally:
        MigrationExecutor(connection).migrate(latest)
    assert SecondFactor.objects.get().user == users[0]
