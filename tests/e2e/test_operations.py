"""Privacy, health and account in a real browser: usable by all, at a desk and on a tablet."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotation import retention
from detection import renditions
from detection.models import Frame
from lacs_web import roles
from lacs_web.models import Lake, Role, User
from tests.cast import person
from tests.dashboards.survey import make_survey
from tests.factories import make_lake

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
SignIn = Callable[[User], Page]


@pytest.fixture
def lake() -> Lake:
    return make_survey().lake


@pytest.mark.parametrize("width", [1280, 820])
def test_the_pages_of_operations(
    lake: Lake,
    sign_in: SignIn,
    live_server: Any,
    assert_accessible: Callable[[Page], None],
    width: int,
) -> None:
    officer = person(Role.OFFICER, lake)
    renditions.lift(frame=Frame.objects.all()[0], user=officer)
    retention.set_rule(lake=lake, days=30, on=date(2025, 7, 26), user=officer)
    retention.purge(lake=lake, user=officer, limit=1)
    other = person(Role.ADMINISTRATOR, make_lake("cornu", "asters"))
    invited = roles.invite(
        email=officer.email, role=Role.RANGER, lake=other.memberships.get().lake or lake,
        whole_park=False, by=other,
    )  # fmt: skip
    page = sign_in(officer)
    page.set_viewport_size({"width": width, "height": 900})
    for name, path in {
        "privacy": reverse("annotation:privacy", args=[lake.slug]),
        "health": reverse("detection:health"),
        "trail": reverse("trail", args=[lake.slug]),
        "manual": reverse("manual-role", args=[Role.OFFICER]),
        "account": reverse("account"),
        "code": reverse("account-code"),
        "tokens": reverse("account-tokens"),
        "delete": reverse("account-delete"),
        "invitation": urlsplit(invited.link).path,
    }.items():
        page.goto(live_server.url + path)
        expect(page.locator("h1")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, name
        assert_accessible(page)
        if folder := os.environ.get("LACS_LOOK"):
            page.screenshot(path=Path(folder) / f"{name}-{width}.png", full_page=True)
