"""API tokens: less than their owner may, at few addresses, until they end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from detection.models import Batch
from lacs_web import tokens
from lacs_web.models import ApiToken, AuditEvent, Lake, Role, User
from tests.cast import person
from tests.factories import make_deployment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def lake() -> Lake:
    return make_deployment().lake


@pytest.fixture
def officer(lake: Lake) -> User:
    return person(Role.OFFICER, lake)


def made(user: User, scope: str) -> Client:
    """A program that shows a token; it checks CSRF as a server does."""
    _token, secret = tokens.make(
        user=user, label="script", scope=scope, expires_at=timezone.now() + timedelta(days=1)
    )
    return Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {secret}"})


def csv(client: Client, lake: Lake) -> int:
    return client.get(reverse("dashboards:attendance-csv", args=[lake.slug])).status_code


def open_card(client: Client, lake: Lake) -> int:
    body = {"deployment": "shore", "source": "DCIM", "fingerprint": "a" * 64, "files": 1}
    where = reverse("detection:api-cards", args=[lake.slug])
    return client.post(where, json.dumps(body), content_type="application/json").status_code


def frames(client: Client, lake: Lake) -> int:
    return client.get(reverse("dashboards:export-frames", args=[lake.slug, "coco"])).status_code


@pytest.mark.parametrize(
    ("scope", "reads", "hands_over", "takes_out"),
    [("figures", True, False, False), ("frames", True, False, True), ("cards", False, True, False)],
)
def test_a_token_may_what_its_scope_says(
    lake: Lake, officer: User, scope: str, reads: bool, hands_over: bool, takes_out: bool
) -> None:
    client = made(officer, scope)
    assert csv(client, lake) == (200 if reads else 403)
    assert open_card(client, lake) == (200 if hands_over else 403)
    assert (frames(client, lake) != 403) is takes_out
    assert Batch.objects.exists() is hands_over
    assert ApiToken.objects.get().used_at


def test_a_token_may_no_more_than_its_owner(lake: Lake) -> None:
    partner = person(Role.PARTNER, lake)
    client = made(partner, "cards")
    assert open_card(client, lake) == 403
    partner.memberships.all().delete()
    assert open_card(client, lake) == 404


@pytest.mark.parametrize(
    "name", ["home", "account", "account-tokens", "account-delete", "detection:health"]
)
def test_a_token_opens_no_page(officer: User, name: str) -> None:
    assert made(officer, "frames").get(reverse(name)).status_code == 302


def test_a_token_shows_no_picture(lake: Lake, officer: User) -> None:
    assert made(officer, "frames").get(reverse("detection:picture", args=[1])).status_code == 302


@pytest.mark.parametrize("how", ["ended", "expired", "inactive", "wrong"])
def test_what_is_over_opens_nothing(lake: Lake, officer: User, how: str) -> None:
    client = made(officer, "figures")
    client.cookies["django_language"] = "en"
    assert csv(client, lake) == 200
    match how:
        case "ended":
            tokens.end(token=ApiToken.objects.get())
        case "expired":
            ApiToken.objects.update(expires_at=timezone.now())
        case "inactive":
            User.objects.update(is_active=False)
        case "wrong":
            ApiToken.objects.update(secret_sha256="0" * 64)
    answer = client.get(reverse("dashboards:attendance-csv", args=[lake.slug]))
    assert answer.status_code == 401
    assert "token" in answer.json()["detail"]


def test_a_year_is_the_longest(officer: User) -> None:
    for days in (-1, 400):
        with pytest.raises(ValidationError):
            tokens.make(
                user=officer, label="x", scope="figures",
                expires_at=timezone.now() + timedelta(days=days),
            )  # fmt: skip


def test_the_page_makes_shows_once_and_ends(officer: User, lake: Lake) -> None:
    client = Client()
    client.force_login(officer)
    client.cookies["django_language"] = "en"
    where = reverse("account-tokens")
    assert reverse("api-guide") in client.get(where).content.decode()
    assert b"curl" in client.get(reverse("api-guide")).content
    day = timezone.localdate() + timedelta(days=30)
    page = client.post(where, {"label": "card reader", "scope": "cards", "expires": day})
    secret = page.context["secret"]
    assert secret in page.content.decode()
    assert secret not in client.get(where).content.decode()
    assert secret not in str(list(ApiToken.objects.values())) + str(
        list(AuditEvent.objects.values("detail"))
    )
    token = ApiToken.objects.get()
    stranger = Client()
    stranger.force_login(person(Role.ADMINISTRATOR, lake))
    end = reverse("account-token-end", args=[token.pk])
    stranger.post(end)
    assert tokens.of(officer).exists()
    client.post(end)
    assert not tokens.of(officer).exists()
    actions = AuditEvent.objects.values_list("action", flat=True)
    assert {"API token made", "API token ended"} <= set(actions)
    late: dict[str, Any] = {"label": "x", "scope": "cards", "expires": "2001-01-01"}
    assert client.post(where, late).status_code == 400
