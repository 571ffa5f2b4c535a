"""Figures in a real browser, in French: charts drawn under the strict policy, and usable by all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from dashboards import sharing
from lacs_web.models import Lake, Role, User
from tests.cast import person
from tests.dashboards.survey import FIRST, LAST, make_survey
from tests.e2e import paper
from tests.factories import make_lake

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
SignIn = Callable[[User], Page]
WIDTHS = [1280, 820]


@pytest.fixture
def lake() -> Lake:
    return make_survey().lake


def bars(page: Page, chart: str) -> Any:
    return page.locator(f'[data-chart="{chart}"] .bars .point path')


@pytest.mark.parametrize("width", WIDTHS)
def test_the_lakes_page_draws_what_it_says(
    lake: Lake, sign_in: SignIn, live_server: Any, assert_accessible: Callable[[Page], None],
    width: int,
) -> None:  # fmt: skip
    page = sign_in(person(Role.OFFICER, lake))
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_server.url + reverse("dashboards:lake", args=[lake.slug]))
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator(".key-figures .is-validated .figure-value")).to_have_text("1,5")
    expect(page.locator(".key-figures .is-machine .figure-value")).to_have_text("2,0")
    # Fully read, partly read, machine only twice, not looked at, not observed twice.
    expect(bars(page, "daily")).to_have_count(7)
    expect(bars(page, "hours")).to_have_count(3)
    expect(page.locator('[data-chart="daily"] .xtick text').nth(1)).to_have_text("26 juil.")
    drawn = page.locator('[data-chart="daily"] .main-svg').first.bounding_box()
    room = page.locator('[data-chart="daily"]').bounding_box()
    assert drawn
    assert room
    assert drawn["width"] == pytest.approx(room["width"], abs=2)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for summary in page.locator("details summary").all():
        summary.focus()
        page.keyboard.press("Enter")
    gap = page.locator("tr.gap").first
    expect(gap).to_be_visible()
    assert "0" not in gap.locator("td").all_inner_texts()[1:]
    assert_accessible(page)


def test_charts_are_drawn_in_every_language(lake: Lake, sign_in: SignIn, live_server: Any) -> None:
    page = sign_in(person(Role.PARTNER, lake))
    for language, day in (("fr", "26 juil."), ("it", "26 lug"), ("en", "26 Jul")):
        cookie = {"name": "django_language", "value": language, "url": live_server.url}
        page.context.add_cookies([cookie])  # type: ignore[list-item]
        page.goto(live_server.url + reverse("dashboards:lake", args=[lake.slug]))
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(bars(page, "daily")).to_have_count(7)
        expect(page.locator('[data-chart="daily"] .xtick text').nth(1)).to_have_text(day)


def test_a_chart_is_saved_and_its_table_too(
    lake: Lake, sign_in: SignIn, live_server: Any, tmp_path: Path
) -> None:
    page = sign_in(person(Role.PARTNER, lake))
    page.goto(live_server.url + reverse("dashboards:lake", args=[lake.slug]))
    expect(bars(page, "day_types").first).to_be_attached()
    expect(page.locator(".heat tbody tr")).to_have_count(7)
    expect(page.locator(".heat td.heat-gap").first).to_have_text("–")
    for button, begins in (
        ('[data-save="day_types"][data-format="svg"]', b"<svg"),
        ('[data-save="day_types"][data-format="png"]', b"\x89PNG"),
        ('[data-save-table="week"]', b"<svg"),
        (".chart-panel a[href*=xlsx]", b"PK"),
    ):
        with page.expect_download() as coming:
            page.locator(button).first.click()
        saved = tmp_path / coming.value.suggested_filename
        coming.value.save_as(saved)
        assert saved.read_bytes().startswith(begins), button
        assert saved.stat().st_size > 1000, button
    with page.expect_download() as coming:
        page.click('a[href*="table=week"]')
    assert coming.value.suggested_filename.startswith("attendance-week-")
    page.click('a[href*="by=months"]')
    expect(page.locator('a[href*="by=months"]')).to_have_attribute("aria-current", "true")


def test_a_pointer_on_a_bar_says_what_it_rests_on(
    lake: Lake, sign_in: SignIn, live_server: Any
) -> None:
    page = sign_in(person(Role.PARTNER, lake))
    page.goto(live_server.url + reverse("dashboards:lake", args=[lake.slug]))
    bars(page, "daily").first.scroll_into_view_if_needed()
    place = bars(page, "daily").first.bounding_box()
    assert place
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2, steps=4)
    expect(page.locator('[data-chart="daily"] .hoverlayer')).to_contain_text("25 juillet 2025")


def test_another_period_and_its_file(
    lake: Lake, sign_in: SignIn, live_server: Any, tmp_path: Path
) -> None:
    page = sign_in(person(Role.PARTNER, lake))
    page.goto(live_server.url + reverse("dashboards:lake", args=[lake.slug]))
    page.fill('input[name="from"]', "2025-07-25")
    page.fill('input[name="to"]', "2025-07-25")
    page.press('input[name="to"]', "Enter")
    page.wait_for_url("**/?from=2025-07-25&to=2025-07-25")
    expect(bars(page, "daily")).to_have_count(1)
    with page.expect_download() as coming:
        page.click('a[href*="attendance.csv"]')
    saved = tmp_path / coming.value.suggested_filename
    coming.value.save_as(saved)
    lines = saved.read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 2
    assert f"{lake.slug};2025-07-25;fully read;2;2;0,5;0,5;1;1,5;" in lines[1]


def test_a_period_without_pictures_leads_back(
    lake: Lake, sign_in: SignIn, live_server: Any, assert_accessible: Callable[[Page], None]
) -> None:
    page = sign_in(person(Role.PARTNER, lake))
    where = live_server.url + reverse("dashboards:lake", args=[lake.slug])
    page.goto(f"{where}?from=2024-01-01&to=2024-01-31")
    expect(page.locator(".empty-state")).to_be_visible()
    assert_accessible(page)
    page.click(".empty-state a")
    expect(bars(page, "daily")).to_have_count(7)
    expect(page.locator('input[name="from"]')).to_have_value(FIRST.isoformat())
    expect(page.locator('input[name="to"]')).to_have_value(LAST.isoformat())


@pytest.mark.parametrize("width", WIDTHS)
def test_the_first_page_leads_to_the_lakes(
    lake: Lake, sign_in: SignIn, live_server: Any, assert_accessible: Callable[[Page], None],
    width: int,
) -> None:  # fmt: skip
    user = person(Role.RANGER, lake)
    bare = make_lake("bare", "bare")
    bare.park.memberships.create(user=user, role=Role.RANGER)
    page = sign_in(user)
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(live_server.url + reverse("home"))
    expect(page.locator(".lake-card")).to_have_count(2)
    expect(page.locator("progress")).to_have_js_property("position", 0.5)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert_accessible(page)
    page.get_by_role("link", name=lake.name, exact=True).click()
    expect(page.locator(".key-figures")).to_be_visible()


def test_somebody_without_a_role_learns_what_to_do(
    sign_in: SignIn, live_server: Any, db: None, assert_accessible: Callable[[Page], None]
) -> None:
    page = sign_in(User.objects.create_user("stranger@example.org"))
    page.goto(live_server.url + reverse("home"))
    expect(page.locator(".empty-state")).to_contain_text("stranger@example.org")
    assert_accessible(page)


def test_a_partners_site_shows_the_figures_in_a_frame(
    lake: Lake, page: Page, live_server: Any
) -> None:
    """Two sites in one browser: a page of the one that the link names, and ours within it."""
    theirs, ours = "https://gis.example", "https://lacs.example"
    _, address = sharing.make(
        lake=lake, label="GIS", by=person(Role.OFFICER, lake), framed_by=theirs
    )
    where = ours + address[address.index("/shared/") :]
    body = f'<iframe title="figures" src="{where}?language=it" width="900" height="900"></iframe>'
    page.route(f"{theirs}/**", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.route(
        f"{ours}/**",
        lambda route: route.fulfill(
            response=route.fetch(
                url=route.request.url.replace(ours, live_server.url),
                headers={**route.request.headers, "Sec-Fetch-Dest": "iframe"},
            )
        ),
    )
    page.goto(f"{theirs}/lakes.html")
    inside = page.frame_locator("iframe")
    expect(inside.locator("html")).to_have_attribute("lang", "it")
    expect(inside.locator('[data-chart="daily"] .bars .point path').first).to_be_attached()


@pytest.mark.parametrize("shared", [False, True], ids=["with an account", "by a shared link"])
def test_the_page_is_printed_on_sheets_of_a4_with_its_figures(
    lake: Lake, sign_in: SignIn, page: Page, live_server: Any, shared: bool
) -> None:
    _, address = sharing.make(lake=lake, label="GIS", by=person(Role.OFFICER, lake))
    where = reverse("dashboards:lake", args=[lake.slug])
    if shared:
        where = address[address.index("/shared/") :]
    else:
        sign_in(person(Role.PARTNER, lake))
    page.goto(live_server.url + where)
    expect(bars(page, "daily").first).to_be_attached()
    page.evaluate("window.print = () => { document.title = 'printed' }")
    page.click("[data-print]")
    expect(page).to_have_title("printed")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 690, "height": 970})
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    expect(page.locator(".period")).to_be_hidden()
    expect(page.locator("[data-save]").first).to_be_hidden()
    expect(page.locator('[data-chart="daily"] .main-svg').first).to_have_attribute("width", "620")
    assert page.evaluate("document.documentElement.scrollWidth") <= 690
    pdf = page.pdf(prefer_css_page_size=True)
    for sheet in paper.sheets(pdf):
        assert sheet == pytest.approx((210 / 25.4 * 72, 297 / 25.4 * 72), abs=0.5)
    assert 2 <= len(paper.sheets(pdf)) <= 8
    said = paper.words(pdf)
    key = page.locator(".key-figures > div")
    assert key.count() == 6
    for figure in [lake.name, "25 juillet 2025", *key.locator("dt, dd").all_inner_texts()]:
        assert paper.plain(figure) in said, figure
    assert page.locator("[data-print]").inner_text() not in said
