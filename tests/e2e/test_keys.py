"""Every key of the table in a real browser, in each view where it is heard; none is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation.models import Hold, Review
from detection.models import Frame
from lacs_web.models import Role, User
from tests.cast import person
from tests.e2e.test_review import PERSON, TENT, _busy
from tests.e2e.test_sheets import Crops
from tests.factories import examine, make_deployment, make_frame

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

Enter = Callable[[User], Page]
_TABLE = """async (view) => {
  const boot = document.querySelector('script[src*="annotation/boot.js"]').src;
  const { KEYS } = await import(new URL("keys.js", boot).href);
  return KEYS.filter(({ views = ["frame"] }) => views.includes(view)).flatMap(({ keys }) => keys);
}"""


class Hand(Crops):
    """The review page, and which keys of the table were pressed on it."""

    pressed: set[str]

    def press(self, *keys: str) -> Hand:
        for key in keys:
            self.note(key)
            self.page.keyboard.press(key)
        return self

    @contextmanager
    def held(self, key: str) -> Iterator[None]:
        self.note(key)
        self.page.keyboard.down(key)
        yield
        self.page.keyboard.up(key)

    def note(self, key: str) -> None:
        name = key.replace("Control+", "Ctrl+")
        self.pressed.add(re.sub(r"Digit[1-9]$", "Digit", name))

    def left(self, view: str) -> set[str]:
        """Keys of the table that are heard in `view` and were never pressed."""
        return set(self.page.evaluate(_TABLE, view)) - self.pressed

    def side(self, name: str) -> float:
        """A field of the selected box, in pixels of the picture."""
        return float(self.page.locator(f".box-row.selected [data-field={name}]").input_value())


@pytest.fixture
def frames() -> list[Frame]:
    """Twelve frames in the order in which they are served, each with a person and a tent."""
    deployment = make_deployment()
    made = [make_frame(deployment) for _ in range(12)]
    examine(*made, boxes={each.pk: [PERSON, TENT] for each in made})
    return made


@pytest.fixture
def desk(frames: list[Frame], sign_in: Enter, live_server: Any) -> Iterator[Hand]:
    lake = frames[0].deployment.lake
    given = Hand(sign_in(person(Role.VOLUNTEER, lake)), lake, live_server.url)
    given.pressed = set()
    given.open()
    given.until(lambda: Hold.objects.count() == 7)
    yield given
    given.page.goto("about:blank")
    given.until(lambda: not _busy())


def test_every_key_of_the_frame_view(desk: Hand, frames: list[Frame]) -> None:
    _look(desk)
    _change_boxes(desk)
    _move(desk)
    _go(desk, frames)
    _decide(desk, frames)
    assert desk.left("frame") == set()


def _look(desk: Hand) -> None:
    overlay, viewer, whole = desk.part("overlay"), desk.viewer, desk.width
    desk.press("+")
    desk.until(lambda: desk.width > whole * 1.4)
    desk.press("-")
    desk.until(lambda: abs(desk.width - whole) < 1)
    desk.press("z")
    desk.until(lambda: desk.width > whole * 1.05)
    desk.press("Digit0")
    desk.pressed.add("Digit0")
    desk.until(lambda: abs(desk.width - whole) < 1)
    with desk.held("h"):
        expect(overlay).to_have_class(re.compile("hidden-boxes"))
    expect(overlay).not_to_have_class(re.compile("hidden-boxes"))
    for key, command in (("l", "names"), ("x", "crosshair")):
        before = desk.button(command).get_attribute("aria-pressed")
        desk.press(key)
        expect(desk.button(command)).not_to_have_attribute("aria-pressed", before or "")
    desk.press("b")
    expect(desk.part("brightness")).to_be_focused()
    desk.press("ArrowRight", "Escape")
    expect(viewer).to_be_focused()
    expect(desk.part("brightness-value")).to_contain_text("110")
    desk.press("Shift+b")
    expect(desk.part("brightness-value")).to_contain_text("100")
    for key in ("?", "F1"):
        desk.press(key)
        expect(desk.page.locator("dialog[data-dialog=help]")).to_be_visible()
        desk.press("Escape")
        expect(viewer).to_be_focused()
    with desk.held("Space"):
        expect(viewer).to_have_class(re.compile("grab"))
    expect(viewer).not_to_have_class(re.compile("grab"))
    desk.press("Control+s")
    expect(desk.part("toast")).to_have_class(re.compile("shown"))
    desk.press("Escape")


def _change_boxes(desk: Hand) -> None:
    chosen = desk.page.locator("[data-testid=box].selected")
    desk.press("Tab")
    expect(chosen).to_have_attribute("data-label", "person")
    desk.press("Tab")
    expect(chosen).to_have_attribute("data-label", "tent")
    desk.press("Shift+Tab")
    expect(chosen).to_have_attribute("data-label", "person")
    desk.press("o")
    expect(chosen).not_to_have_class(re.compile("suggested"))
    desk.press("Digit3")
    expect(chosen).to_have_attribute("data-label", "boat")
    desk.press("Digit1", "Shift+Digit3")
    expect(chosen).to_have_attribute("data-activity", "fishing")
    desk.press("Control+z", "Control+z")
    expect(chosen).to_have_attribute("data-label", "boat")
    desk.press("Control+y", "Control+z", "Control+Shift+z")
    expect(chosen).to_have_attribute("data-label", "person")
    desk.press("Control+a")
    expect(chosen).to_have_count(2)
    desk.press("Control+c", "Control+v")
    expect(desk.boxes).to_have_count(4)
    desk.press("Backspace")
    expect(desk.boxes).to_have_count(2)
    desk.press("Shift+n")
    expect(desk.boxes).to_have_count(3)
    desk.press("Delete")
    expect(desk.boxes).to_have_count(2)
    desk.press("Shift+o")  # nothing was left out here
    expect(desk.part("toast")).to_have_class(re.compile("shown"))
    desk.press("n")
    expect(desk.viewer).to_have_class(re.compile("armed"))
    desk.press("Escape")
    expect(desk.viewer).not_to_have_class(re.compile("armed"))


def _move(desk: Hand) -> None:
    """Each arrow with each modifier, by the pixel; all of a run is one step of undo."""
    desk.press("Escape", "Digit0", "Tab")
    for prefix, pixels, fields in (
        ("", 1, "xy"), ("Shift+", 10, "xy"), ("Control+", 1, "wh"), ("Control+Shift+", 10, "wh"),
        ("Alt+", 1, "wh"), ("Alt+Shift+", 10, "wh"),
    ):  # fmt: skip
        for arrow, field, sign in (("Right", 0, 1), ("Left", 0, -1), ("Down", 1, 1), ("Up", 1, -1)):
            before = desk.side(fields[field])
            desk.press(f"{prefix}Arrow{arrow}")
            assert desk.side(fields[field]) == pytest.approx(before + sign * pixels, abs=0.2)
    x = desk.side("x")
    desk.press("ArrowRight", "ArrowRight", "ArrowRight")
    assert desk.side("x") == pytest.approx(x + 3, abs=0.2)
    desk.press("Control+z")
    assert desk.side("x") == pytest.approx(x, abs=0.2)
    desk.press("Escape")


def _go(desk: Hand, frames: list[Frame]) -> None:
    desk.press("f").on(frames[1]).press("d").on(frames[0])
    desk.press("ArrowRight").on(frames[1]).press("ArrowLeft").on(frames[0])
    last = frames[6]  # seven are held
    for there, back in (("End", "Home"), ("v", "c"), ("PageDown", "PageUp")):
        desk.press(there).on(last).press(back).on(frames[0])
    desk.press("Shift+f").on(frames[1]).press("Shift+d").on(frames[0]).press("f").on(frames[1])
    with desk.held("i"):
        expect(desk.part("blinking")).to_be_visible()
    expect(desk.part("blinking")).to_be_hidden()
    desk.press("Shift+i")
    expect(desk.part("layer")).to_have_class(re.compile("difference"))
    desk.press("Shift+i", "d").on(frames[0])
    desk.press("g")
    expect(desk.part("times-typed")).to_be_focused()
    desk.press("Escape")
    expect(desk.viewer).to_be_focused()


def _decide(desk: Hand, frames: list[Frame]) -> None:
    desk.press("Control+a", "Shift+p")
    desk.page.locator("dialog[data-dialog=spread] input").fill("1")
    desk.press("Enter")
    expect(desk.viewer).to_be_focused()
    desk.press("Escape", "Shift+n", "Enter").on(frames[1])
    desk.press("p")
    expect(desk.boxes).to_have_count(3)  # the one that this frame has not yet
    desk.press("s").on(frames[2]).press("r").on(frames[3]).press("u").on(frames[4])
    desk.press("e").on(frames[5])
    desk.part("comment").fill("By the path")
    desk.press("Control+Enter").on(frames[6])
    desk.press("Escape", "Shift+v").cursor(frames[6]).press("Shift+v").on(frames[6])
    desk.press("Shift+c")
    expect(desk.crops.first).to_be_visible()
    desk.press("Shift+c").on(frames[6])
    desk.saved()
    verdicts = Review.objects.order_by("pk").values_list("frame", "verdict")
    assert dict(verdicts) == {
        each.pk: said
        for each, said in zip(
            frames, ["boxes", "skip", "flag", "unreadable", "nobody", "boxes"], strict=False
        )
    }


def test_every_key_of_the_contact_sheet(desk: Hand, frames: list[Frame]) -> None:
    with desk.page.expect_response("**/claim"):  # for more frames than a single one needs
        desk.press("Shift+v")
    desk.laid(6).seen(6)
    desk.cursor(frames[0]).press("ArrowRight").cursor(frames[1]).press("ArrowLeft")
    desk.cursor(frames[0]).press("ArrowDown").cursor(frames[3]).press("ArrowUp").cursor(frames[0])
    for there, back in (("v", "c"), ("PageDown", "PageUp")):
        desk.press(there).cursor(frames[10]).press(back).cursor(frames[0])
    desk.laid(6).seen(6).press("z")
    expect(desk.part("tiles")).to_have_class(re.compile("closer"))
    desk.press("Escape")
    expect(desk.part("tiles")).not_to_have_class(re.compile("closer"))
    for key in ("m", "Space"):
        desk.press(key)
        expect(desk.tile(frames[0])).to_have_attribute("aria-selected", str(key == "m").lower())
    for key in ("?", "F1"):
        desk.press(key)
        expect(desk.page.locator("dialog[data-dialog=help]")).to_be_visible()
        desk.press("Escape")
    for number, key in enumerate(("Enter", "e", "u", "s", "r")):
        desk.cursor(frames[number]).press(key)
    desk.cursor(frames[5]).press("Control+s", "Control+z").cursor(frames[4])
    desk.press("Control+Shift+z").cursor(frames[5]).press("Control+z").cursor(frames[4])
    desk.press("Control+y").cursor(frames[5]).press("Shift+Enter").cursor(frames[6]).laid(6)
    desk.press("Shift+c")
    expect(desk.crops.first).to_be_visible()
    desk.press("Shift+v").cursor(frames[6]).saved()
    said = Review.objects.order_by("pk").values_list("frame", "verdict")
    wanted = ["boxes", "nobody", "unreadable", "skip", "flag", "boxes"]
    assert dict(said) == {each.pk: verdict for each, verdict in zip(frames, wanted, strict=False)}
    assert desk.left("sheet") == set()


def test_every_key_of_the_crop_sheet(desk: Hand, frames: list[Frame]) -> None:
    desk.press("Shift+c").at_crop(0)
    expect(desk.crops).to_have_count(12)
    desk.press("ArrowRight").at_crop(1).press("ArrowLeft").at_crop(0)
    desk.press("ArrowDown")
    expect(desk.crops.nth(0)).not_to_have_class("crop current")
    desk.press("ArrowUp").at_crop(0).press("z")
    expect(desk.part("crop-tiles")).to_have_class(re.compile("closer"))
    desk.press("Escape")
    expect(desk.part("crop-tiles")).not_to_have_class(re.compile("closer"))
    desk.press("f")
    expect(desk.crops.first).to_have_attribute("data-label", "tent")
    desk.press("d").at_crop(0)
    keys = ("o", "Enter", "Delete", "Backspace", "Digit3", "Shift+Digit4")
    for number, key in enumerate(keys):
        desk.at_crop(number).press(key)
    desk.at_crop(6)
    said = ("kept", "kept", "refused", "refused", "changed", "changed")
    for number, words in enumerate(said):
        expect(desk.crops.nth(number)).to_have_attribute("data-said", words)
    for back, again in (("Control+z", "Control+y"), ("Control+z", "Control+Shift+z")):
        desk.press(back).at_crop(5)
        expect(desk.crops.nth(5)).to_have_attribute("data-said", "open")
        desk.press(again)
        expect(desk.crops.nth(5)).to_have_attribute("data-said", "changed")
    for key in ("?", "F1"):
        desk.press(key)
        expect(desk.page.locator("dialog[data-dialog=help]")).to_be_visible()
        desk.press("Escape")
    desk.press("Control+s", "Shift+Enter")
    expect(desk.crops.first).to_have_attribute("data-label", "tent")
    desk.press("Shift+v").laid(6).press("Shift+c")
    expect(desk.crops.first).to_be_visible()
    desk.saved()
    assert not Review.objects.exists()
    assert desk.left("crops") == set()
