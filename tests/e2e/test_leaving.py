"""The page of a card that was sent waits for its receipt before it leaves for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from lacs_web.models import Role, User
from tests.cast import person
from tests.factories import make_deployment

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]


def test_over_a_dead_line_the_page_stays_and_names_the_receipt(
    tmp_path: Path,
    live_server: Any,
    sign_in: Callable[[User], Page],
    assert_accessible: Callable[[Page], None],
) -> None:
    deployment = make_deployment()
    (tmp_path / "DCIM").mkdir()
    (tmp_path / "DCIM/1.JPG").write_bytes(b"a picture")
    page = sign_in(person(Role.RANGER, deployment.lake))
    dead = True

    def receipt(route: Route) -> None:
        if dead:
            route.abort()
        else:
            route.continue_()

    page.route(re.compile(r"/cards/\d+/$"), receipt)
    page.goto(live_server.url + reverse("detection:hand-over", args=[deployment.lake.slug]))
    page.locator("#folder").set_input_files(tmp_path / "DCIM")
    page.locator("#deployment").select_option(deployment.slug)
    expect(page.locator("[data-part=receipt]")).to_be_hidden()
    page.locator("[data-part=form] button").click()
    link = page.locator("[data-part=receipt]")
    expect(link).to_be_visible()
    expect(page.locator("[data-part=wait-words]")).to_be_visible()
    assert_accessible(page)
    address = live_server.url + str(link.get_attribute("href"))
    dead, cookies = False, page.context.cookies()
    page.context.clear_cookies()
    page.locator("[data-part=try-now]").click()
    expect(page.locator("[data-part=signin]")).to_be_visible()  # no page for signing in instead
    page.context.add_cookies(cookies)  # type: ignore[arg-type]
    page.locator("[data-part=try-now]").click()
    page.wait_for_url(address)
    expect(page.locator("#card-state")).to_be_visible()
