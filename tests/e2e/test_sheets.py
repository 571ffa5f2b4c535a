"""The contact sheet and the crops in a real browser: many at once, and never more than was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, expect

from annotation.models import Draft, Review
from detection.models import Frame
from lacs_web.models import Role, User
from tests.cast import person
from tests.e2e.test_review import PERSON, TENT, Desk, _busy
from tests.factories import examine, make_deployment, make_frame

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

Enter = Callable[[User], Page]


class Sheets(Desk):
    """The review page with its contact sheet."""

    @property
    def tiles(self) -> Locator:
        return self.page.get_by_test_id("tile")

    def tile(self, frame: Frame) -> Locator:
        return self.page.locator(f"[data-testid=tile][data-frame='{frame.pk}']")

    def sheet(self, tiles: int) -> Self:
        """The contact sheet, with all its pictures."""
        self.press("Shift+v")
        return self.laid(tiles)

    def laid(self, tiles: int) -> Self:
        expect(self.tiles).to_have_count(tiles)
        expect(self.page.locator("[data-testid=tile][data-picture=ready]")).to_have_count(tiles)
        return self

    def seen(self, tiles: int) -> Self:
        """… each of which was in sight."""
        expect(self.page.locator("[data-testid=tile][data-seen]")).to_have_count(tiles)
        return self

    def cursor(self, frame: Frame) -> Self:
        expect(self.page.locator(".tile.current")).to_have_attribute("data-frame", str(frame.pk))
        return self


@pytest.fixture
def frames() -> list[Frame]:
    """Twelve frames in the order in which they are served; a person and a tent in every third."""
    deployment = make_deployment()
    made = [make_frame(deployment) for _ in range(12)]
    examine(*made, boxes={each.pk: [PERSON, TENT] for each in made[::3]})
    return made


@pytest.fixture
def desk(frames: list[Frame], sign_in: Enter, live_server: Any) -> Iterator[Sheets]:
    lake = frames[0].deployment.lake
    given = Sheets(sign_in(person(Role.VOLUNTEER, lake)), lake, live_server.url)
    given.open()
    yield given
    given.page.goto("about:blank")
    given.until(lambda: not _busy())


def verdicts() -> dict[int, str]:
    return dict(Review.objects.order_by("pk").values_list("frame", "verdict"))


def test_one_key_confirms_what_was_seen_and_opens_what_was_marked(
    desk: Sheets, frames: list[Frame]
) -> None:
    desk.sheet(6).seen(6).cursor(frames[0])
    expect(desk.tile(frames[0]).locator("svg rect")).to_have_count(2)
    desk.press("ArrowRight", "m", "ArrowDown").cursor(frames[4])
    desk.tile(frames[5]).click()
    expect(desk.tile(frames[5])).to_have_attribute("aria-selected", "true")
    desk.press("Shift+Enter")
    expect(desk.page.locator("#review")).to_have_attribute("data-view", "frame")
    desk.on(frames[1]).press("u")
    desk.on(frames[5]).press("e")
    desk.laid(6).cursor(frames[6]).saved()  # back on the sheet, at the page after
    given = verdicts()
    assert {frame.pk for frame in frames[:6]} == set(given)
    assert [given[each.pk] for each in frames[:6]] == [
        "boxes", "unreadable", "nobody", "boxes", "nobody", "nobody",
    ]  # fmt: skip


def test_one_undo_takes_back_what_one_key_said(desk: Sheets, frames: list[Frame]) -> None:
    desk.sheet(6).seen(6).press("Shift+Enter")
    desk.cursor(frames[6]).laid(6).saved()
    desk.press("Control+z").cursor(frames[0]).laid(6)
    expect(desk.page.locator("[data-testid=tile][data-verdict='']")).to_have_count(6)
    desk.seen(6).press("Shift+Enter")
    desk.cursor(frames[6]).laid(6).saved()
    assert len(verdicts()) == 6


def test_each_tile_is_decided_by_one_key_and_opened_and_left_again(
    desk: Sheets, frames: list[Frame]
) -> None:
    desk.sheet(6).press("Enter").cursor(frames[1]).press("e").cursor(frames[2]).press("s")
    desk.cursor(frames[3]).press("Shift+v")
    desk.on(frames[3]).press("Tab", "Delete", "Escape", "Shift+v")
    desk.cursor(frames[3])
    expect(desk.tile(frames[3]).locator("svg rect")).to_have_count(1)
    desk.press("Enter").cursor(frames[4])
    desk.button("frame").first.click()
    desk.on(frames[4]).press("e")
    desk.cursor(frames[5]).saved()  # a frame opened from the sheet leads back to it
    given = verdicts()
    assert [given[each.pk] for each in frames[:5]] == ["boxes", "nobody", "skip", "boxes", "nobody"]
    assert Review.objects.get(frame=frames[3]).boxes.count() == 1


def test_what_was_not_seen_is_not_confirmed(desk: Sheets, frames: list[Frame]) -> None:
    desk.page.set_viewport_size({"width": 1280, "height": 420})
    desk.sheet(6)
    expect(desk.tile(frames[0])).to_have_attribute("data-seen", "")
    desk.press("Shift+Enter")
    desk.saved()
    some = verdicts()
    assert 0 < len(some) < 6
    assert frames[5].pk not in some


def test_a_sheet_goes_on_while_the_line_is_down(desk: Sheets, frames: list[Frame]) -> None:
    desk.sheet(6).seen(6)
    desk.page.wait_for_load_state("networkidle")
    desk.page.context.set_offline(True)
    desk.press("Shift+Enter")
    desk.cursor(frames[6]).laid(6)
    expect(desk.part("state")).to_have_attribute("data-kind", "waiting")
    assert not Review.objects.exists()
    desk.page.context.set_offline(False)
    desk.saved()
    assert len(verdicts()) == 6


def test_the_sheet_is_accessible_and_enlarges(
    desk: Sheets, frames: list[Frame], assert_accessible: Callable[[Page], None]
) -> None:
    desk.sheet(6).press("ArrowRight", "m")
    expect(desk.part("tiles")).to_have_attribute("aria-activedescendant", f"tile-{frames[1].pk}")
    assert_accessible(desk.page)
    small = desk.tile(frames[1]).bounding_box()
    desk.press("z")
    large = desk.tile(frames[1]).bounding_box()
    assert small
    assert large
    assert large["width"] > 2.5 * small["width"]
    assert_accessible(desk.page)
    desk.press("Escape")
    desk.tile(frames[4]).hover()
    expect(desk.part("lens")).to_be_visible()
    desk.press("Tab")
    expect(desk.part("tiles")).not_to_be_focused()


def test_fingers_mark_look_closer_and_confirm(
    frames: list[Frame], desk: Sheets, browser: Browser, live_server: Any
) -> None:
    context = browser.new_context(viewport={"width": 820, "height": 1180}, has_touch=True)
    context.add_cookies(desk.page.context.cookies())  # type: ignore[arg-type]
    desk.page.goto("about:blank")
    tablet = Sheets(context.new_page(), frames[0].deployment.lake, live_server.url)
    tablet.open()
    tablet.button("sheet").tap()
    tablet.laid(6).seen(6)
    tablet.tile(frames[1]).tap()
    expect(tablet.tile(frames[1])).to_have_attribute("aria-selected", "true")
    touch = context.new_cdp_session(tablet.page)
    spot = tablet.tile(frames[2]).bounding_box()
    assert spot
    point = {"x": spot["x"] + spot["width"] / 2, "y": spot["y"] + spot["height"] / 2}
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [point]})
    expect(tablet.part("lens")).to_be_visible()
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(tablet.part("lens")).to_be_hidden()
    expect(tablet.tile(frames[2])).to_have_attribute("aria-selected", "false")
    for button in tablet.page.locator("button:visible").all():
        size = button.bounding_box()
        assert size
        assert min(size["width"], size["height"]) >= 44, button.get_attribute("title")
    tablet.button("confirmAll").tap()
    tablet.on(frames[1])
    tablet.button("nobody").tap()
    tablet.laid(6).saved()
    assert len(verdicts()) == 6
    context.close()


class Crops(Sheets):
    """… and the crops."""

    @property
    def crops(self) -> Locator:
        return self.page.get_by_test_id("crop")

    def at_crop(self, number: int) -> Self:
        expect(self.crops.nth(number)).to_have_class("crop current")
        return self

    def keep(self, label: str, crops: int) -> None:
        """The rest of a page that was seen."""
        page = self.page.locator(f"[data-testid=crop][data-seen][data-label={label}]")
        expect(page).to_have_count(crops)
        self.press("Shift+Enter")


@pytest.fixture
def cutting(desk: Sheets, frames: list[Frame]) -> Crops:
    """Four frames with a person and a tent each, on the crop sheet; all twelve frames are held."""
    desk.sheet(6)
    desk.page.wait_for_load_state("networkidle")
    crops = Crops(desk.page, frames[0].deployment.lake, "")
    crops.press("Shift+c")
    expect(crops.crops).to_have_count(4)
    return crops


def drafts(frame: Frame) -> list[str] | None:
    draft = Draft.objects.filter(frame=frame).first()
    return None if draft is None or draft.boxes is None else [box["label"] for box in draft.boxes]


def test_crops_are_kept_refused_and_reclassed_and_no_frame_is_stated_by_it(
    cutting: Crops, frames: list[Frame]
) -> None:
    cutting.at_crop(0).press("o").at_crop(1).press("Delete").at_crop(2).press("3").at_crop(3)
    for number, said in enumerate(["kept", "refused", "changed", "open"]):
        expect(cutting.crops.nth(number)).to_have_attribute("data-said", said)
    cutting.press("Control+z").at_crop(2)
    expect(cutting.crops.nth(2)).to_have_attribute("data-said", "open")
    cutting.press("Control+y").at_crop(2)
    expect(cutting.crops.nth(2)).to_have_attribute("data-said", "changed")
    cutting.button("undo").click()
    expect(cutting.crops.nth(2)).to_have_attribute("data-said", "open")
    cutting.button("redo").click()
    expect(cutting.crops.nth(2)).to_have_attribute("data-said", "changed")
    cutting.keep("person", 3)  # one of them refused, one open; the third is a boat now
    cutting.keep("tent", 4)
    expect(cutting.part("crops-done")).to_be_focused()
    cutting.saved()
    assert not Review.objects.exists()  # nobody has looked for people whom the machine missed
    assert [sorted(drafts(each) or []) for each in frames[:12:3]] == [
        ["person", "tent"], ["tent"], ["boat", "tent"], ["person", "tent"],
    ]  # fmt: skip
    cutting.press("Shift+v").laid(6).seen(6)
    cutting.press("Shift+Enter")
    cutting.cursor(frames[6]).saved()
    assert sorted(Review.objects.get(frame=frames[3]).boxes.values_list("label", flat=True)) == [
        "tent"
    ]


def test_a_crop_is_opened_in_its_frame_and_left_again(cutting: Crops, frames: list[Frame]) -> None:
    cutting.press("ArrowRight").at_crop(1).press("Shift+c")
    cutting.on(frames[3])
    expect(cutting.page.locator("[data-testid=box].selected")).to_have_attribute(
        "data-label", "person"
    )
    cutting.press("2", "Shift+c").at_crop(1)
    expect(cutting.crops.nth(1)).to_have_attribute("data-said", "changed")
    cutting.press("f")
    expect(cutting.crops.first).to_have_attribute("data-label", "tent")
    cutting.press("d")
    expect(cutting.crops.first).to_have_attribute("data-label", "person")


def test_the_crops_are_accessible(
    cutting: Crops, assert_accessible: Callable[[Page], None]
) -> None:
    cutting.press("o")
    assert_accessible(cutting.page)
    cutting.crops.nth(2).click()
    cutting.crops.nth(2).click()
    expect(cutting.crops.nth(2)).to_have_attribute("data-said", "refused")
    cutting.keep("person", 4)
    cutting.keep("tent", 4)
    expect(cutting.part("crops-done")).to_be_visible()
    assert_accessible(cutting.page)


def test_a_crop_of_a_large_picture_becomes_as_sharp_as_the_original(
    desk: Sheets, frames: list[Frame]
) -> None:
    Frame.objects.update(width=3200, height=2400)
    asked: list[str] = []

    def note(sent: Request) -> None:
        if "region=" in sent.url:
            asked.append(sent.url)

    desk.page.on("request", note)
    desk.open().press("Shift+c")
    expect(desk.page.locator("[data-testid=crop][data-drawn=sharp]")).to_have_count(4)
    assert len(asked) == len(set(asked))
