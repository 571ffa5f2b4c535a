"""The frame view in a real browser: every way to change a box, and nothing lost on any of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Self

import pytest
from django.db import connection
from django.db.models import F
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Locator, Page, Route, expect

from annotation.models import Draft, Hold, Review, ReviewBox, SettledFrame
from detection.models import Detection, Frame, Run
from detection.runs import Box
from lacs_web.models import Lake, Role, User
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

PERSON = Box("person", "person", 0.8, 0.2, 0.5, 0.1, 0.2)
TENT = Box("tent", "tent", 0.6, 0.6, 0.5, 0.2, 0.2)
Enter = Callable[[User], Page]


class Desk:
    """The review page as a person uses it; places are fractions of the picture."""

    def __init__(self, page: Page, lake: Lake, base: str) -> None:
        self.page, self.where = page, base + reverse("annotation:review", args=[lake.slug])
        self.boxes = page.get_by_test_id("box")
        self.viewer = page.locator("[data-part=viewer]")

    def open(self) -> Self:
        self.page.goto(self.where)
        return self.ready()

    def ready(self) -> Self:
        expect(self.viewer).to_have_attribute("data-picture", "ready")
        return self.drawn()

    def drawn(self) -> Self:
        """The picture and its boxes stand where they belong, and nothing glides."""
        expect(self.viewer).to_have_attribute("data-drawn", "")
        return self

    @property
    def frame(self) -> int:
        return int(self.page.locator("#review").get_attribute("data-frame") or 0)

    def on(self, frame: Frame) -> Self:
        expect(self.page.locator("#review")).to_have_attribute("data-frame", str(frame.pk))
        return self.ready()

    def at(self, x: float, y: float) -> tuple[float, float]:
        self.drawn()
        picture = self.page.locator("[data-part=layer] img").bounding_box()
        assert picture
        return picture["x"] + x * picture["width"], picture["y"] + y * picture["height"]

    @property
    def width(self) -> float:
        """Of the picture on the screen, in pixels."""
        return self.at(1, 0)[0] - self.at(0, 0)[0]

    def until(self, true: Callable[[], bool]) -> None:
        for _ in range(400):
            if true():
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("it did not happen within twenty seconds")

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        mouse = self.page.mouse
        mouse.move(*self.at(*start))
        mouse.down()
        mouse.move(*self.at(*end), steps=4)
        mouse.up()

    def click(self, x: float, y: float) -> None:
        self.page.mouse.click(*self.at(x, y))

    def press(self, *keys: str) -> Self:
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def handle(self, corner: str, x: float, y: float) -> tuple[float, float]:
        """The middle of the handle at a corner, as soon as the next painting shows it there."""
        handle, (left, top) = self.page.locator(f"[data-handle={corner}]"), self.at(x, y)
        middle = (0.0, 0.0)

        def stands() -> bool:
            nonlocal middle
            box = handle.bounding_box()
            assert box
            middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            return abs(middle[0] - left) < 20 and abs(middle[1] - top) < 20

        self.until(stands)
        return middle

    def button(self, command: str) -> Locator:
        return self.page.locator(f"button[data-command={command}]:visible")

    def part(self, name: str) -> Locator:
        return self.page.locator(f"[data-part={name}]")

    def saved(self) -> None:
        expect(self.part("state")).to_have_attribute("data-kind", "saved")


@pytest.fixture
def frames() -> list[Frame]:
    """Five frames, in the order in which they are served, each with a person and a tent."""
    deployment = make_deployment()
    made = [make_frame(deployment) for _ in range(5)]
    examine(*made, boxes={each.pk: [PERSON, TENT] for each in made})
    return made


@pytest.fixture
def desk(frames: list[Frame], sign_in: Enter, live_server: Any) -> Iterator[Desk]:
    lake = frames[0].deployment.lake
    given = Desk(sign_in(person(Role.VOLUNTEER, lake)), lake, live_server.url).open()
    yield given
    # A page that goes away still sends its last word: the tables are emptied only after that.
    given.page.goto("about:blank")
    given.until(lambda: not _busy())


def _busy() -> bool:
    """Whether the live server is still at work in the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND state NOT IN ('idle', '')"
        )
        (count,) = cursor.fetchone() or (0,)
        return bool(count)


def stated(frame: Frame) -> list[tuple[str, str, list[float]]]:
    """What the last review of the frame says: (label, activity, [x, y, w, h])."""
    review = Review.objects.filter(frame=frame).latest("pk")
    return [
        (box.label, box.activity, [box.x, box.y, box.w, box.h])
        for box in review.boxes.order_by("x")
    ]


def near(*sides: float) -> Any:
    return pytest.approx(list(sides), abs=0.004)  # a few screen pixels


def test_boxes_are_deleted_drawn_moved_resized_and_reclassed_and_stored_as_shown(
    desk: Desk, frames: list[Frame]
) -> None:
    expect(desk.boxes).to_have_count(2)
    desk.click(0.7, 0.6)  # the tent is wrong
    desk.press("Delete")
    expect(desk.boxes).to_have_count(1)
    desk.press("Escape")
    desk.drag((0.45, 0.3), (0.55, 0.45))  # drawn, then moved
    expect(desk.boxes).to_have_count(2)
    desk.drag((0.5, 0.38), (0.8, 0.28))
    desk.press("2")  # a tent
    desk.click(0.25, 0.6)  # the person: stretched by its handle, then by keys
    middle = desk.handle("se", 0.3, 0.7)
    desk.page.mouse.move(*middle)
    desk.page.mouse.down()
    desk.page.mouse.move(middle[0] + 0.1 * desk.width, middle[1], steps=4)
    desk.page.mouse.up()
    desk.press("Shift+ArrowLeft", "ArrowUp", "Control+Shift+ArrowDown", "Shift+Digit4", "Enter")
    desk.on(frames[1]).saved()
    review = Review.objects.get()
    assert (review.frame, review.verdict, review.alone) == (frames[0], "boxes", False)
    assert review.seconds > 0
    ten, one = 10 / 1600, 1 / 1200  # pixels of the picture shown
    assert stated(frames[0]) == [
        ("person", "walking", near(0.2 - ten, 0.5 - one, 0.2, 0.2 + 10 * one)),
        ("tent", "", near(0.75, 0.2, 0.1, 0.15)),
    ]


def test_a_frame_is_judged_by_one_key_and_undone_across_frames(
    desk: Desk, frames: list[Frame]
) -> None:
    desk.press("Enter")
    desk.on(frames[1]).press("e")
    desk.on(frames[2]).press("u")
    desk.on(frames[3])
    desk.saved()
    verdicts = Review.objects.order_by("pk").values_list("frame", "verdict")
    assert list(verdicts) == [
        (frames[0].pk, "boxes"), (frames[1].pk, "nobody"), (frames[2].pk, "unreadable")
    ]  # fmt: skip
    desk.press("Control+z")
    desk.on(frames[2]).press("Control+z")
    desk.on(frames[1]).press("o", "Tab", "o", "Delete", "Enter")
    desk.on(frames[2]).press("Control+Shift+z")
    desk.on(frames[3]).saved()
    assert [label for label, _, _ in stated(frames[1])] == ["tent"]
    assert Review.objects.filter(frame=frames[1]).latest("pk").verdict == "boxes"
    assert Review.objects.filter(frame=frames[2]).latest("pk").verdict == "unreadable"


def test_nothing_moves_under_the_hand(desk: Desk, frames: list[Frame]) -> None:
    port = desk.viewer.bounding_box()
    desk.page.evaluate("""() => {
      const tag = document.querySelector("[data-part=doubt]");
      Object.assign(tag, { hidden: false, textContent: "perhaps unreadable ".repeat(9) });
    }""")
    assert desk.viewer.bounding_box() == port  # whatever the bar above says
    desk.click(0.25, 0.6)
    desk.drawn().page.evaluate("""() => {  // a glide that would never end
      const [begin, paint] = [performance.now(), requestAnimationFrame.bind(window)];
      performance.now = () => begin;
      window.requestAnimationFrame = (step) => paint(() => step(begin + 80));
    }""")
    desk.press("z")
    expect(desk.viewer).not_to_have_attribute("data-drawn", "")
    assert port
    desk.page.mouse.move(port["x"] + port["width"] / 2, port["y"] + port["height"] / 2)
    desk.page.mouse.down()
    desk.drawn().page.mouse.up()


def test_a_refusal_under_a_drag_leaves_the_box_with_the_frame_it_is_drawn_on(
    desk: Desk, frames: list[Frame]
) -> None:
    held: list[Route] = []
    desk.page.route("**/reviews", lambda route: held.append(route))
    desk.press("Enter").on(frames[1])
    desk.page.mouse.move(*desk.at(0.45, 0.3))
    desk.page.mouse.down()
    desk.page.mouse.move(*desk.at(0.55, 0.45), steps=4)
    desk.until(lambda: bool(held))
    held[0].fulfill(status=400, json={"detail": "no"})  # its statement was not taken
    back = desk.page.locator("[role=alert] button").first
    expect(back).to_be_visible()
    before = desk.on(frames[1]).boxes.count()
    desk.page.mouse.up()
    expect(desk.boxes).to_have_count(before + 1)
    desk.page.unroute("**/reviews")
    back.click()
    desk.on(frames[0])
    expect(desk.boxes).to_have_count(2)


def test_a_reload_finds_the_boxes_as_they_were(desk: Desk, frames: list[Frame]) -> None:
    desk.part("comment").fill("by the rock")
    desk.drag((0.45, 0.3), (0.55, 0.45))
    desk.page.reload()  # before the hand has rested: the page sends it as it goes
    desk.on(frames[0])
    expect(desk.boxes).to_have_count(3)
    expect(desk.part("comment")).to_have_value("by the rock")
    desk.saved()
    assert len(Draft.objects.get(frame=frames[0]).boxes or []) == 3


def test_a_line_that_drops_in_the_middle_loses_nothing(desk: Desk, frames: list[Frame]) -> None:
    desk.page.wait_for_load_state("networkidle")  # the next pictures are there
    desk.page.context.set_offline(True)
    desk.drag((0.45, 0.3), (0.55, 0.45))
    desk.press("Enter")
    desk.on(frames[1]).press("u")
    desk.on(frames[2])
    expect(desk.part("state")).to_have_attribute("data-kind", "waiting")
    assert not Review.objects.exists()
    desk.press("Control+z")  # one of them is taken back before it ever left
    desk.on(frames[1])
    desk.page.context.set_offline(False)
    desk.saved()
    assert len(stated(frames[0])) == 3
    assert Review.objects.count() == 1


def test_a_picture_that_failed_comes_by_itself_when_the_line_is_back(
    desk: Desk, frames: list[Frame]
) -> None:
    pictures = "**/picture"
    desk.page.route(pictures, lambda route: route.abort())
    desk.page.goto(desk.where)
    expect(desk.viewer).to_have_attribute("data-picture", "failed")
    desk.press("Enter")  # what was not seen cannot be judged
    assert desk.frame == frames[0].pk
    desk.page.unroute(pictures)
    desk.button("addCentre").click()  # any word from the server says that the line is back
    desk.ready()


def test_a_page_closed_while_the_line_is_down_is_found_again(
    desk: Desk, frames: list[Frame]
) -> None:
    desk.page.route("**/frames/*/**", lambda route: route.abort())  # pictures are here already
    desk.press("1")
    desk.drag((0.45, 0.3), (0.55, 0.45))
    desk.press("Enter")
    expect(desk.part("state")).to_have_attribute("data-kind", "waiting")
    desk.page.reload()
    desk.page.unroute("**/frames/*/**")
    desk.page.reload()
    desk.on(frames[1])
    desk.saved()
    assert len(stated(frames[0])) == 3


def test_two_tabs_conflict_and_a_person_chooses(desk: Desk, frames: list[Frame]) -> None:
    other = Desk(desk.page.context.new_page(), frames[0].deployment.lake, "")
    other.where = desk.where
    other.open()
    other.click(0.7, 0.6)
    other.press("Delete")
    other.saved()
    desk.page.bring_to_front()
    desk.drag((0.45, 0.3), (0.55, 0.45))
    notice = desk.page.get_by_test_id("notice")
    expect(notice).to_be_visible()
    expect(desk.part("state")).to_have_attribute("data-kind", "attention")
    notice.get_by_role("button").click()
    sides = desk.page.locator("dialog[data-dialog=conflict] .side")
    expect(sides.nth(0).locator("svg rect")).to_have_count(3)
    expect(sides.nth(1).locator("svg rect")).to_have_count(1)
    sides.nth(0).get_by_role("button").click()
    desk.saved()
    assert len(Draft.objects.get(frame=frames[0]).boxes or []) == 3
    other.page.close()


def test_a_lease_that_lapsed_keeps_the_work_until_it_is_let_go(
    desk: Desk, frames: list[Frame]
) -> None:
    thief = person(Role.VOLUNTEER, frames[0].deployment.lake, "faster")
    later = timezone.now() + timedelta(minutes=5)
    Hold.objects.filter(frame=frames[0]).update(reviewer=thief, until=later)
    desk.drag((0.45, 0.3), (0.55, 0.45))
    notice = desk.page.get_by_test_id("notice")
    expect(notice).to_be_visible()
    expect(desk.boxes).to_have_count(3)
    notice.get_by_role("button").first.click()  # still with the other
    expect(notice).to_be_visible()
    Hold.objects.filter(frame=frames[0]).delete()
    notice.get_by_role("button").first.click()
    expect(notice).to_have_count(0)
    desk.saved()
    assert Hold.objects.get(frame=frames[0]).reviewer.email.startswith("volunteer")
    assert len(Draft.objects.get(frame=frames[0]).boxes or []) == 3


def test_another_vote_that_settled_the_frame_ends_the_way_back(
    desk: Desk, frames: list[Frame]
) -> None:
    desk.press("Enter")
    desk.on(frames[1]).saved()
    review = Review.objects.create(
        frame=frames[0],
        reviewer=person(Role.RANGER, frames[0].deployment.lake),
        request_id="0b9c4a52-6d2c-4f8e-9d3d-8d6a4be0a001",
        verdict="nobody",
        alone=True,
    )
    SettledFrame.objects.create(frame=frames[0], review=review, readable=True, rule={})
    desk.press("Control+z")
    notice = desk.page.get_by_test_id("notice")
    expect(notice).to_be_visible()
    notice.get_by_role("button").click()
    desk.on(frames[1]).saved()


def test_frames_are_reached_by_keys_and_by_their_time(desk: Desk, frames: list[Frame]) -> None:
    desk.page.wait_for_load_state("networkidle")  # all five are held
    for there, back in (("End", "Home"), ("v", "c"), ("PageDown", "PageUp")):
        desk.press(there).on(frames[4]).press(back).on(frames[0])
    desk.press("e")
    desk.on(frames[1]).press("Home")
    desk.on(frames[0]).press("Shift+f")
    desk.on(frames[1]).press("f", "Shift+d")
    desk.on(frames[1]).press("Shift+d")  # the first is decided on
    desk.on(frames[1]).press("g")
    rows = desk.page.locator(".time-row")
    expect(rows).to_have_count(5)
    time = desk.part("time").text_content() or ""
    desk.page.keyboard.type(time.replace(":", ""))
    expect(rows).to_have_count(1)
    desk.press("Escape", "g")
    rows.nth(3).click()
    desk.on(frames[3])
    expect(desk.viewer).to_be_focused()


def test_boxes_go_onto_the_next_frames_and_one_undo_takes_them_back(
    desk: Desk, frames: list[Frame]
) -> None:
    desk.drag((0.45, 0.3), (0.55, 0.45))
    desk.press("Shift+p")
    desk.page.locator("dialog[data-dialog=spread] input").fill("2")
    desk.press("Enter")
    expect(desk.viewer).to_be_focused()
    desk.saved()
    desk.until(lambda: Draft.objects.filter(boxes__isnull=False).count() == 3)
    assert len(Draft.objects.get(frame=frames[2]).boxes or []) == 3
    desk.press("Control+z")
    desk.until(lambda: len(Draft.objects.get(frame=frames[2]).boxes or []) == 2)
    assert len(Draft.objects.get(frame=frames[0]).boxes or []) == 3
    desk.press("Control+z")
    expect(desk.boxes).to_have_count(2)


def test_a_thing_is_left_out_and_a_tent_follows_once_somebody_said_so(
    desk: Desk, frames: list[Frame]
) -> None:
    Detection.objects.filter(label="person").delete()
    still = {**vars(PERSON), "evidence": 0.0}  # nothing changed there
    run = Run.objects.get()
    Frame.objects.update(captured_at=F("captured_at") + timedelta(hours=10))  # by night
    Detection.objects.bulk_create(Detection(run=run, frame=each, **still) for each in frames)
    desk.open()
    desk.click(0.25, 0.6)  # it is a stone
    desk.press("Delete", "Escape", "2")
    desk.drag((0.45, 0.3), (0.55, 0.45))  # a tent that the machine does not see
    desk.press("Enter")
    desk.on(frames[1])
    expect(desk.boxes).to_have_count(2)
    labels = [box.get_attribute("data-label") for box in desk.boxes.all()]
    assert sorted(labels, key=str) == ["tent", "tent"]
    expect(desk.part("left-out")).to_be_visible()
    expect(desk.part("followed")).to_be_visible()
    desk.press("Enter").on(frames[2]).press("Shift+o")
    expect(desk.boxes).to_have_count(3)
    expect(desk.part("left-out")).to_be_hidden()
    desk.press("Control+z", "Control+z")  # the tent that followed goes too, and the stone is back
    expect(desk.boxes).to_have_count(2)
    expect(desk.part("followed")).to_be_hidden()
    desk.press("Enter").on(frames[3]).saved()
    assert [label for label, _, _ in stated(frames[1])] == ["tent", "tent"]
    assert [label for label, _, _ in stated(frames[2])] == ["person", "tent"]


def test_the_difference_from_the_picture_before_is_shown(desk: Desk, frames: list[Frame]) -> None:
    desk.press("f")
    desk.on(frames[1]).press("Shift+i")
    expect(desk.part("layer")).to_have_class(re.compile("difference"))
    expect(desk.part("layer").locator("img")).to_have_count(2)
    expect(desk.part("blinking")).to_be_visible()
    desk.press("Shift+i")
    expect(desk.part("layer").locator("img")).to_have_count(1)
    desk.press("Shift+i", "d")
    desk.on(frames[0])
    expect(desk.part("layer").locator("img")).to_have_count(1)


def test_a_zoom_into_a_large_picture_brings_its_pixels_and_not_the_whole(
    desk: Desk, frames: list[Frame]
) -> None:
    Frame.objects.update(width=3200, height=2400)
    desk.open()
    with desk.page.expect_response(lambda answer: "region=" in answer.url) as got:
        desk.page.mouse.move(*desk.at(0.3, 0.6))
        desk.page.mouse.wheel(0, -800)
    assert got.value.ok
    expect(desk.part("layer").locator("img")).to_have_count(2)

    def covers() -> bool:  # a wheel turns in steps, and each asks for pixels of its own
        sharp = desk.part("layer").locator("img").nth(1).bounding_box()
        port = desk.viewer.bounding_box()
        assert sharp
        assert port
        return (
            sharp["x"] <= port["x"] + 2
            and sharp["x"] + sharp["width"] >= port["x"] + port["width"] - 2
        )

    desk.until(covers)
    desk.press("f")
    desk.on(frames[1])
    expect(desk.part("layer").locator("img")).to_have_count(1)


def test_tab_leaves_the_picture_and_single_keys_can_be_switched_off(
    desk: Desk, frames: list[Frame]
) -> None:
    desk.press("Tab", "Tab", "Tab")
    expect(desk.viewer).not_to_be_focused()
    desk.press("e")  # outside the picture no single key means anything
    desk.press("Escape")
    expect(desk.viewer).to_be_focused()
    desk.press("?")
    desk.part("characters").uncheck()
    desk.press("Escape", "e", "u", "1")
    assert desk.frame == frames[0].pk
    desk.press("Enter")
    desk.on(frames[1]).saved()
    assert Review.objects.get().verdict == "boxes"


def test_nobody_is_asked_again_where_boxes_were_stated(desk: Desk, frames: list[Frame]) -> None:
    desk.drag((0.45, 0.3), (0.55, 0.45))
    desk.press("e")
    assert desk.frame == frames[0].pk
    desk.press("e")
    desk.on(frames[1]).saved()
    assert Review.objects.get().verdict == "nobody"
    assert not ReviewBox.objects.exists()


def test_the_list_does_all_of_it_without_a_pointer(desk: Desk, frames: list[Frame]) -> None:
    row = desk.page.get_by_test_id("box-row").first
    row.locator(".row-main").press("Enter")
    row.locator("[data-field=label]").select_option("boat")
    row.locator("[data-field=x]").fill("160")
    row.locator("[data-field=x]").press("Tab")
    desk.page.locator("[data-part=comment]").fill("Two of them row")
    desk.press("Control+Enter")
    desk.on(frames[1]).saved()
    assert stated(frames[0])[0] == ("boat", "", near(0.1, 0.5, 0.1, 0.2))
    assert Review.objects.get().comment == "Two of them row"
    expect(desk.part("list")).not_to_have_class(re.compile("stale"))
    row.locator(".row-main").press("Enter")
    row.locator("[data-field=x]").fill("480")
    desk.button("validate").click()  # the number typed last counts
    desk.on(frames[2]).saved()
    assert stated(frames[1])[0] == ("person", "", near(0.3, 0.5, 0.1, 0.2))


def test_the_page_is_accessible_in_each_of_its_states(
    desk: Desk, frames: list[Frame], assert_accessible: Callable[[Page], None]
) -> None:
    desk.press("Tab")
    assert_accessible(desk.page)
    desk.press("?")
    assert_accessible(desk.page)
    desk.press("Escape", "Escape")
    for frame in frames:
        desk.on(frame).press("Enter")
    expect(desk.part("rest")).to_have_attribute("data-why", "empty")
    assert_accessible(desk.page)


def test_nothing_is_left_only_when_that_is_true(desk: Desk, frames: list[Frame]) -> None:
    other = person(Role.VOLUNTEER, frames[0].deployment.lake, "other")
    later = timezone.now() + timedelta(minutes=5)
    desk.page.wait_for_load_state("networkidle")
    Hold.objects.update_or_create(frame=frames[4], defaults={"reviewer": other, "until": later})
    desk.open()
    for frame in frames[:4]:
        desk.on(frame).press("e")
    expect(desk.part("rest")).to_have_attribute("data-why", "others")
    Hold.objects.filter(reviewer=other).delete()
    desk.part("again").click()
    desk.on(frames[4])


class Tablet(Desk):
    """… under fingers."""

    def __init__(self, page: Page, lake: Lake, base: str) -> None:
        super().__init__(page, lake, base)
        self._touch = page.context.new_cdp_session(page)

    def fingers(self, kind: str, *places: tuple[float, float]) -> None:
        """Touch events at places on the screen, in pixels."""
        points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
        self._touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def slide(self, *ways: tuple[tuple[float, float], tuple[float, float]]) -> None:
        """One finger each, from here to there; fractions of the picture as it stands."""
        pixels = [(self.at(*start), self.at(*end)) for start, end in ways]
        self.fingers("touchStart", *(start for start, _ in pixels))
        for share in (0.5, 0.9, 1.0):
            now = [(a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])) for a, b in pixels]
            self.fingers("touchMove", *now)
        self.fingers("touchEnd")

    def tap(self, x: float, y: float) -> None:
        self.fingers("touchStart", self.at(x, y))
        self.fingers("touchEnd")


@pytest.fixture
def tablet(frames: list[Frame], desk: Desk, browser: Browser, live_server: Any) -> Iterator[Tablet]:
    context = browser.new_context(
        viewport={"width": 820, "height": 1180}, has_touch=True, locale="fr-FR"
    )
    context.add_cookies(desk.page.context.cookies())  # type: ignore[arg-type]
    desk.page.goto("about:blank")
    yield Tablet(context.new_page(), frames[0].deployment.lake, live_server.url).open()
    context.close()


def test_every_gesture_of_fingers(tablet: Tablet, frames: list[Frame]) -> None:
    bar = tablet.page.locator(".bar").bounding_box()
    assert bar
    assert bar["height"] < 60, "the bar is one row"
    assert tablet.page.evaluate("document.querySelector('.bar').scrollWidth") <= 820
    chosen = tablet.page.locator("[data-testid=box].selected")
    tablet.tap(0.25, 0.6)
    expect(chosen).to_have_count(1)
    tablet.slide(((0.25, 0.6), (0.4, 0.6)))  # the selected box follows
    tablet.saved()  # the move has arrived, and nothing glides any more
    tablet.button("draw").tap()
    expect(tablet.button("draw")).to_have_attribute("aria-pressed", "true")
    tablet.slide(((0.45, 0.2), (0.55, 0.35)))
    expect(tablet.boxes).to_have_count(3)
    expect(tablet.button("draw")).to_have_attribute("aria-pressed", "false")  # "+" draws one

    handle = tablet.page.locator("[data-handle=se]").bounding_box()
    assert handle
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    before = chosen.locator(".line").bounding_box()
    tablet.fingers("touchStart", (x, y))
    tablet.fingers("touchMove", (x + 20, y))
    tablet.fingers("touchMove", (x + 40, y))
    tablet.fingers("touchEnd")
    after = chosen.locator(".line").bounding_box()
    assert before
    assert after
    assert after["width"] == pytest.approx(before["width"] + 40, abs=3)
    assert after["height"] == pytest.approx(before["height"], abs=3)

    left, top = tablet.at(0, 0)
    width = tablet.width
    tablet.slide(((0.4, 0.85), (0.3, 0.85)), ((0.6, 0.85), (0.7, 0.85)))  # two fingers zoom
    tablet.until(lambda: tablet.width > 1.5 * width)
    left, top = tablet.at(0, 0)
    tablet.slide(((0.45, 0.88), (0.4, 0.85)))  # one finger beside the boxes moves the picture
    tablet.until(lambda: tablet.at(0, 0)[0] < left - 10)
    left, top = tablet.at(0, 0)
    tablet.slide(((0.4, 0.8), (0.42, 0.82)), ((0.6, 0.8), (0.62, 0.82)))  # and two do
    tablet.until(lambda: tablet.at(0, 0)[0] > left + 10 and tablet.at(0, 0)[1] > top + 5)
    tablet.page.wait_for_timeout(400)  # else the tap is taken for the end of that gesture
    tablet.button("fit").tap()
    tablet.until(lambda: abs(tablet.width - width) < 1)

    for button in tablet.page.locator("button:visible").all():
        size = button.bounding_box()
        assert size
        assert min(size["width"], size["height"]) >= 44, button.get_attribute("title")
    tablet.button("validate").tap()
    tablet.on(frames[1]).button("skip").tap()
    tablet.on(frames[2]).button("nobody").tap()
    tablet.on(frames[3]).saved()
    assert [label for label, _, _ in stated(frames[0])] == ["person", "person", "tent"]
    assert stated(frames[0])[0][2][0] == pytest.approx(0.35, abs=0.01)
    given = Review.objects.order_by("pk").values_list("verdict", flat=True)
    assert list(given) == ["boxes", "skip", "nobody"]


def test_a_second_tap_reaches_the_box_below(tablet: Tablet, frames: list[Frame]) -> None:
    chosen = tablet.page.locator("[data-testid=box].selected")
    tablet.button("draw").tap()
    tablet.slide(((0.18, 0.45), (0.32, 0.72)))  # around the person
    tablet.tap(0.9, 0.9)
    expect(chosen).to_have_count(0)
    tablet.tap(0.25, 0.6)
    first = chosen.get_attribute("data-key")
    tablet.tap(0.25, 0.6)
    expect(chosen).not_to_have_attribute("data-key", first or "")
    tablet.tap(0.25, 0.6)
    expect(chosen).to_have_attribute("data-key", first or "")
