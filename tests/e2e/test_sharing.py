"""Sharing, calendars, the overview and exports in a real browser, at both widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from lacs_web.models import Lake, Membership, Role, User
from tests.cast import person
from tests.dashboards.survey import make_survey
from tests.factories import make_lake

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
SignIn = Callable[[User], Page]
WIDTHS = [1280, 820]


@pytest.fixture
def lake() -> Lake:
    return make_survey().lake


def fits(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", WIDTHS)
def test_a_link_is_made_opened_and_ended(
    lake: Lake, sign_in: SignIn, live_server: Any, assert_accessible: Callable[[Page], None],
    width: int, settings: Any,
) -> None:  # fmt: skip
    settings.PUBLIC_URL = live_server.url
    page = sign_in(person(Role.OFFICER, lake))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_server.url + reverse("dashboards:links", args=[lake.slug]))
    assert_accessible(page)
    page.fill('input[name="label"]', "GIS Lacs Sentinelles")
    page.press('input[name="label"]', "Enter")
    address = page.locator(".one-time-link").input_value()
    fits(page, width)
    assert_accessible(page)
    page.context.clear_cookies()
    page.goto(address)
    expect(page.locator(".key-figures .is-validated .figure-value")).to_have_text("1,5")
    expect(page.locator('[data-chart="daily"] .bars .point path')).to_have_count(7)
    assert page.context.cookies() == []
    fits(page, width)
    assert_accessible(page)
    page.click('.languages a[lang="it"]')
    expect(page.locator("html")).to_have_attribute("lang", "it")
    sign_in(person(Role.OFFICER, lake))
    page.goto(live_server.url + reverse("dashboards:links", args=[lake.slug]))
    page.click(".people .btn-outline-danger")
    answer = page.goto(address)
    assert answer
    assert answer.status == 404
    assert_accessible(page)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_calendar_is_filled_in_and_corrected(
    lake: Lake, sign_in: SignIn, live_server: Any, assert_accessible: Callable[[Page], None],
    width: int,
) -> None:  # fmt: skip
    page = sign_in(person(Role.OFFICER, lake))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_server.url + reverse("dashboards:calendar", args=[lake.slug]))
    assert_accessible(page)
    page.focus(".fill-form button")
    page.keyboard.press("Enter")
    expect(page.locator(".people tbody tr")).to_have_count(18)
    fits(page, width)
    assert_accessible(page)
    page.locator(".people tbody a").first.click()
    page.fill('input[name="last"]', "2000-01-01")
    page.press('input[name="last"]', "Enter")
    expect(page.locator("[role=alert]")).to_have_count(1)
    assert_accessible(page)
    page.locator('button[name="remove"]').click()
    expect(page.locator(".people tbody tr")).to_have_count(17)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_map_asks_no_other_site_and_the_list_says_the_same(
    lake: Lake, sign_in: SignIn, live_server: Any, assert_accessible: Callable[[Page], None],
    width: int,
) -> None:  # fmt: skip
    other = make_survey(make_lake("muzelle")).lake
    other.name = "<b>Muzelle"
    for place, north in ((lake, 44.97), (other, 44.95)):
        place.latitude, place.longitude = north, 6.05
        place.save()
    user = person(Role.OFFICER, lake)
    Membership.objects.create(user=user, role=Role.PARTNER, lake=other)
    page = sign_in(user)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_server.url + reverse("dashboards:overview"))
    expect(page.locator(".lake-point")).to_have_count(2)
    expect(page.locator(".ranking tbody tr")).to_have_count(2)
    assert not [url for url in asked if not url.startswith(live_server.url)]
    fits(page, width)
    assert_accessible(page)
    page.locator(f'[data-lake="{other.pk}"] a').focus()
    expect(page.locator(".leaflet-tooltip")).to_contain_text("<b>Muzelle")
    expect(page.locator(".lake-point.is-marked")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("<b>Muzelle")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_workbook_is_taken_out(
    lake: Lake, sign_in: SignIn, live_server: Any, assert_accessible: Callable[[Page], None],
    width: int,
) -> None:  # fmt: skip
    page = sign_in(person(Role.OFFICER, lake))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_server.url + reverse("dashboards:exports", args=[lake.slug]))
    fits(page, width)
    assert_accessible(page)
    page.focus('button[aria-describedby="what-xlsx"]')
    with page.expect_download() as coming:
        page.keyboard.press("Enter")
    assert coming.value.suggested_filename == f"{lake.slug}-2025-07-25-2025-07-30.xlsx"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_link_leads_from_lake_to_lake(
    lake: Lake, sign_in: SignIn, live_server: Any, assert_accessible: Callable[[Page], None],
    width: int, settings: Any,
) -> None:  # fmt: skip
    settings.PUBLIC_URL = live_server.url
    officer = person(Role.OFFICER, lake)
    second = make_survey(make_lake("second")).lake
    Membership.objects.create(user=officer, role=Role.OFFICER, lake=second)
    page = sign_in(officer)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_server.url + reverse("dashboards:links", args=[lake.slug]))
    page.fill('input[name="label"]', "GIS Lacs Sentinelles")
    page.fill('input[name="framed_by"]', "https://www.gis.example")
    page.check('input[name="beside"]')
    assert_accessible(page)
    page.press('input[name="label"]', "Enter")
    expect(page.locator(".one-time-link")).to_have_count(2)
    assert_accessible(page)
    fits(page, width)
    address = page.locator(".one-time-link").first.input_value()
    page.context.clear_cookies()
    page.goto(address)
    page.get_by_role("link", name="Second", exact=True).click()
    expect(page.locator("h1")).to_have_text("Second")
    page.click('.presets a[href*="period=week"]')
    expect(page.locator("h1")).to_have_text("Second")  # another period, the same lake
    expect(page.locator('[data-chart="daily"] .bars .point path').first).to_be_attached()
    assert_accessible(page)
    fits(page, width)
