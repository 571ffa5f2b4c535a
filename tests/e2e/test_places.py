"""Deployments and their zones, people and the administration, in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from detection.models import Deployment, Zone
from lacs_web.models import Lake, Role, User
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
SIZES = [(1280, 900), (820, 1180)]


@pytest.fixture
def lake() -> Lake:
    return make_lake()


@pytest.fixture
def deployment(lake: Lake) -> Deployment:
    one = make_deployment(lake)
    examine(make_frame(one))
    return one


@pytest.fixture
def go(page: Page, live_server: Any) -> Callable[..., None]:
    def visit(name: str, *arguments: Any) -> None:
        page.context.add_cookies(
            [{"name": "django_language", "value": "en", "url": live_server.url}]
        )
        page.goto(live_server.url + reverse(name, args=arguments))

    return visit


def click_at(page: Page, x: float, y: float) -> None:
    overlay = page.locator("[data-part=overlay]")
    overlay.scroll_into_view_if_needed()
    box = overlay.bounding_box()
    assert box
    overlay.click(position={"x": x * box["width"], "y": y * box["height"]})


def corners(deployment: Deployment) -> list[list[list[float]]]:
    polygons = deployment.zones.order_by("pk").values_list("polygon", flat=True)
    return [[[round(axis, 2) for axis in corner] for corner in each] for each in polygons]


def test_a_zone_is_drawn_with_the_pointer(
    sign_in: Any, go: Any, deployment: Deployment, lake: Lake
) -> None:
    page: Page = sign_in(person(Role.OFFICER, lake))
    go("detection:deployment", deployment.slug)
    page.get_by_role("button", name="Add a zone").click()
    for x, y in ((0.2, 0.2), (0.8, 0.2), (0.8, 0.8)):
        click_at(page, x, y)
    expect(page.locator(".corner")).to_have_count(3)
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    handle = page.locator(".corner").nth(2).bounding_box()
    overlay = page.locator("[data-part=overlay]").bounding_box()
    assert handle
    assert overlay
    page.mouse.move(handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2)
    page.mouse.down()
    page.mouse.move(
        overlay["x"] + 0.5 * overlay["width"], overlay["y"] + 0.9 * overlay["height"], steps=4
    )
    page.mouse.up()
    expect(page.locator(".corner")).to_have_count(3)  # a drag is no click
    page.get_by_role("button", name="Save zones").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert corners(deployment) == [[[0.2, 0.2], [0.8, 0.2], [0.5, 0.9]]]
    page.reload()
    expect(page.locator("svg .zone-water")).to_have_count(1)
    page.get_by_role("button", name="Zone 1: Water").click()
    page.get_by_role("button", name="Delete this zone").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("svg .zone-water")).to_have_count(1)
    page.get_by_role("button", name="Delete this zone").click()
    page.get_by_role("button", name="Save zones").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert not deployment.zones.exists()


def test_a_zone_is_drawn_with_the_keyboard_alone(
    sign_in: Any, go: Any, deployment: Deployment, lake: Lake
) -> None:
    page: Page = sign_in(person(Role.OFFICER, lake))
    go("detection:deployment", deployment.slug)
    page.locator("[data-part=new-kind]").focus()
    page.keyboard.press("ArrowDown")  # shore
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    for _ in range(3):
        page.locator("[data-command=corner]").focus()
        page.keyboard.press("Enter")
    expect(page.locator(".corner").nth(2)).to_be_focused()
    for _ in range(4):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Shift+ArrowRight")
    assert page.locator("input[data-corner='2'][data-axis='1']").input_value() == "61"
    page.locator("input[data-corner='0'][data-axis='0']").fill("12.5")
    page.keyboard.press("Tab")
    expect(page.locator("input[data-corner='0'][data-axis='1']")).to_be_focused()
    page.locator("[data-command=save]").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert corners(deployment) == [[[0.12, 0.4], [0.6, 0.4], [0.62, 0.61]]]
    assert deployment.zones.get().kind == Zone.Kind.SHORE


def test_what_was_drawn_survives_a_refusal(
    sign_in: Any, go: Any, deployment: Deployment, lake: Lake
) -> None:
    page: Page = sign_in(person(Role.OFFICER, lake))
    go("detection:deployment", deployment.slug)
    page.get_by_role("button", name="Add a zone").click()
    for x, y in ((0.2, 0.2), (0.8, 0.8), (0.8, 0.2), (0.2, 0.8)):
        click_at(page, x, y)
    page.get_by_role("button", name="Save zones").click()
    expect(page.get_by_role("alert")).to_contain_text("crosses itself")
    expect(page.locator(".corner")).to_have_count(4)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Save zones").click()
    expect(page.get_by_text("Saved", exact=True)).to_be_visible()
    assert deployment.zones.count() == 1


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_rooms_are_accessible(
    sign_in: Any, go: Any, deployment: Deployment, lake: Lake, width: int, height: int,
    assert_accessible: Callable[[Page], None],
) -> None:  # fmt: skip
    Zone.objects.create(
        deployment=deployment, kind="water", polygon=[[0.1, 0.5], [0.9, 0.5], [0.9, 0.9]]
    )
    page: Page = sign_in(person(Role.OFFICER, lake))
    page.set_viewport_size({"width": width, "height": height})
    for name, argument in (
        ("detection:deployments", lake.slug),
        ("detection:deployment-new", lake.slug),
        ("detection:deployment-edit", deployment.slug),
        ("detection:deployment", deployment.slug),
    ):
        go(name, argument)
        assert_accessible(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
    page.get_by_role("button", name="Zone 1: Water").click()
    assert_accessible(page)


def test_a_ranger_sees_zones_and_draws_none(
    sign_in: Any, go: Any, deployment: Deployment, lake: Lake
) -> None:
    Zone.objects.create(deployment=deployment, kind="path", polygon=[[0, 0], [1, 0], [1, 1]])
    page: Page = sign_in(person(Role.RANGER, lake))
    go("detection:deployment", deployment.slug)
    expect(page.locator("svg .zone-path")).to_have_count(1)
    expect(page.get_by_role("button", name="Add a zone")).to_have_count(0)


def test_a_camera_is_placed(sign_in: Any, go: Any, lake: Lake) -> None:
    page: Page = sign_in(person(Role.OFFICER, lake))
    go("detection:deployments", lake.slug)
    page.get_by_role("link", name="Place a camera").click()
    page.get_by_label("Viewpoint").fill("Above the outlet")
    page.get_by_label("Make").fill("Trail")
    page.get_by_label("Serial number").fill("H500")
    page.get_by_label("From", exact=True).fill("2025-06-14T10:30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Above the outlet")).to_be_visible()
    expect(page.get_by_text("14 June 2025 10:30")).to_be_visible()
    expect(page.get_by_text("No card of this camera came in yet")).to_be_visible()


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_people_are_invited(
    sign_in: Any, go: Any, lake: Lake, width: int, height: int,
    assert_accessible: Callable[[Page], None],
) -> None:  # fmt: skip
    person(Role.VOLUNTEER, lake)
    page: Page = sign_in(person(Role.ADMINISTRATOR, lake))
    page.set_viewport_size({"width": width, "height": height})
    go("people", lake.slug)
    assert_accessible(page)
    page.get_by_label("E-mail address").fill("ranger@example.org")
    page.get_by_label("Role", exact=True).select_option("ranger")
    page.get_by_role("button", name="Invite").click()
    link = page.get_by_label("One-time link").input_value()
    assert "/signin/" in link
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    row = page.get_by_role("row", name="ranger@example.org")
    row.get_by_role("combobox").select_option("officer")
    row.get_by_role("button", name="Change").click()
    expect(page.get_by_text("The role is changed.")).to_be_visible()
    assert User.objects.get(email="ranger@example.org").memberships.get().role == Role.OFFICER


def test_the_administration_keeps_to_the_policy(
    sign_in: Any, go: Any, deployment: Deployment, lake: Lake
) -> None:
    """Each page with a calendar, a filter, an inline or a script; refusals fail the test."""
    volunteer = person(Role.VOLUNTEER, lake)
    page: Page = sign_in(User.objects.create_superuser("boss@example.org"))
    for name, *arguments in (
        ("admin:index",),
        ("admin:lacs_web_user_changelist",),
        ("admin:lacs_web_user_add",),
        ("admin:lacs_web_user_change", volunteer.pk),
        ("admin:lacs_web_user_link", volunteer.pk),
        ("admin:lacs_web_lake_change", lake.pk),
        ("admin:lacs_web_auditevent_changelist",),
        ("admin:detection_deployment_change", deployment.pk),
        ("admin:detection_detector_changelist",),
        ("admin:detection_detector_add",),
        ("admin:detection_run_changelist",),
    ):
        go(name, *arguments)
        expect(page.locator("#site-name")).to_contain_text("LACS")
    go("admin:lacs_web_user_change", volunteer.pk)
    page.get_by_text("Add another Membership").click()
    expect(page.locator("#memberships-1")).to_be_visible()
    go("admin:lacs_web_lake_add")
    page.get_by_label("Name:", exact=True).press_sequentially("Lac de la Muzelle")
    assert page.locator("#id_slug").input_value() == "lac-de-la-muzelle"
