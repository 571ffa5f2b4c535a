"""The checking desk, the end of a round and the practice in a real browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotation.models import Plan, Review, SettledFrame
from detection.models import Frame
from detection.runs import Box
from lacs_web.models import Role, User
from tests.annotation.test_checks import STATED, say
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
PERSON = Box("person", "person", 0.8, 0.2, 0.5, 0.1, 0.2)


@pytest.fixture
def frames() -> list[Frame]:
    deployment = make_deployment()
    made = [make_frame(deployment) for _ in range(26)]
    examine(*made, boxes={each.pk: [PERSON] for each in made[::3]})
    return made


@pytest.fixture
def enter(sign_in: Any, live_server: Any, frames: list[Frame]) -> Any:
    """Sign somebody in, in English, and open a page."""

    def go(user: User, name: str, *args: Any) -> Page:
        page: Page = sign_in(user)
        page.context.add_cookies(
            [{"name": "django_language", "value": "en", "url": live_server.url}]
        )
        page.goto(live_server.url + reverse(name, args=args))
        return page

    return go


def test_a_round_of_twenty_ends_with_what_it_gave(
    enter: Any, frames: list[Frame], assert_accessible: Any
) -> None:
    lake = frames[0].deployment.lake
    Plan.objects.create(lake=lake, total=100, low=80, high=120, more=30)
    page = enter(person(Role.VOLUNTEER, lake), "annotation:review", lake.slug)
    viewer = page.locator("[data-part=viewer]")
    dialog = page.locator("dialog[data-dialog=round]")
    for number in range(20):
        expect(page.locator("#review")).to_have_attribute("data-frame", str(frames[number].pk))
        expect(viewer).to_have_attribute("data-picture", "ready")
        expect(page.locator("[data-part=round]")).to_have_text(f"{number} of 20")
        page.keyboard.press("Enter")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("20 frames")
    expect(dialog).to_contain_text("The total of Lauvitel is known to ±20 %.")
    assert_accessible(page)
    page.keyboard.press("Enter")  # twenty more
    expect(dialog).not_to_be_visible()
    expect(viewer).to_be_focused()
    expect(page.locator("[data-part=round]")).to_have_text("0 of 20")
    assert Review.objects.count() == 20


def test_the_desk_of_a_ranger(enter: Any, frames: list[Frame], assert_accessible: Any) -> None:
    lake = frames[0].deployment.lake
    for name, boxes in (("one", []), ("two", STATED), ("three", STATED * 2)):
        say(frames[0], person(Role.VOLUNTEER, lake, name), boxes, comment=f"seen by {name}")
    page = enter(person(Role.RANGER, lake), "annotation:desk", lake.slug)
    expect(page.get_by_test_id("opinion")).to_have_count(4)
    assert_accessible(page)
    page.get_by_role("link", name="Notes").first.click()
    expect(page.get_by_text("seen by two").first).to_be_visible()
    page.get_by_label("Your word on this frame").fill("two swimmers, I was there")
    page.get_by_role("button", name="Add a note").click()
    expect(page.get_by_text("two swimmers, I was there")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name=re.compile("Opinion 2")).click()
    expect(page.get_by_text("The frame is settled.")).to_be_visible()
    expect(page.get_by_text("No disagreement waits for you.")).to_be_visible()
    assert SettledFrame.objects.get().review.boxes.count() == 1


def test_the_officer_tries_a_rule_and_sees_minutes(
    enter: Any, frames: list[Frame], assert_accessible: Any
) -> None:
    lake = frames[0].deployment.lake
    for each in frames[:3]:
        for name in ("one", "two"):
            say(each, person(Role.VOLUNTEER, lake, name), STATED, seconds=12)
    page = enter(person(Role.OFFICER, lake), "annotation:rule", lake.slug)
    page.get_by_role("button", name="See what would change").click()
    expect(page.get_by_text("No frame would change.")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Change the rule").click()
    expect(page.get_by_text("The rule is changed")).to_be_visible()
    expect(page.get_by_text("Changes so far")).to_be_visible()
    page.get_by_role("link", name="Minutes").click()
    expect(page.get_by_test_id("per-minute")).to_be_visible()
    assert_accessible(page)


def test_the_practice_answers_and_ends(
    enter: Any, frames: list[Frame], assert_accessible: Any
) -> None:
    lake = frames[0].deployment.lake
    page = enter(person(Role.VOLUNTEER, lake), "annotation:review", lake.slug)
    page.get_by_role("link", name="Start with the practice").click()
    viewer = page.locator("[data-part=viewer]")
    said = page.locator("[data-notice=feedback]")
    for number, (key, words) in enumerate(
        [("Enter", "Right."), ("e", "Right."), ("Enter", "Not quite."), ("e", "wrong box"),
         ("Enter", "Right."), ("u", "Right."), *[("Enter", "Not quite.")] * 4], 1,
    ):  # fmt: skip
        expect(page.locator("#review")).to_have_attribute("data-frame", str(number))
        expect(viewer).to_have_attribute("data-picture", "ready")
        page.keyboard.press(key)
        expect(said).to_contain_text(words)
        if number == 1:
            assert_accessible(page)
    expect(page.get_by_text("You know how it goes")).to_be_visible()
    page.get_by_role("link", name="Check real frames").click()
    expect(page.locator("#review")).to_have_attribute("data-frame", str(frames[0].pk))
    assert not Review.objects.exists()
