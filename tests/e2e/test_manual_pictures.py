"""The manual's pictures: what its readers will see, in each language, from the pages themselves.

They are made anew by `make pictures` (LACS_PICTURES), of the drawn demo lake. Every run takes them
in one language, of fewer frames, and holds what is in the repository to what the manual shows.
"""

from __future__ import annotations

import io
import json
import os
import random
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse
from PIL import Image
from playwright.sync_api import Page, expect

from annotation.models import SettledFrame
from annotation.reviewing import submit
from detection.models import Batch, Deployment, Frame
from lacs_web import manual
from lacs_web.models import Role, User
from tests.cast import person
from tests.e2e.test_scripted import _machine
from tests.factories import examine

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]
SignIn = Callable[[User], Page]
FOLDER = settings.BASE_DIR / "lacs_web/static/lacs_web/manual"
LANGUAGES = [code for code, _ in settings.LANGUAGES]
MAKE = bool(os.environ.get("LACS_PICTURES"))
VIEW, WIDE = {"width": 1200, "height": 760}, 960  # px of the browser's window, and of a picture


@pytest.fixture
def demo(settings: Any) -> Deployment:
    """The demo lake as `make up` has it, seen by a middling detector; a part of it is read."""
    with open(os.devnull, "w") as silent:  # noqa: PTH123
        card, interval = settings.DEMO_CARD, 30 if MAKE else 120
        call_command("render_demo", str(card), days=4, interval=interval, stdout=silent)
        truth = json.loads((card / "truth.json").read_text())
        call_command("load_demo", wait=0, stdout=silent)
    known = {each["path"].removeprefix("DCIM/"): each["boxes"] for each in truth["frames"]}
    dice, frames = random.Random(3), list(Frame.objects.filter(quarantine=""))
    examine(*frames, boxes={each.pk: _machine(known[each.path], dice) for each in frames})
    deployment = Deployment.objects.get()
    ranger = person(Role.RANGER, deployment.lake)
    for each in frames if MAKE else []:  # by day there is more to see
        hour = each.captured_at.astimezone(deployment.lake.zone).hour if each.captured_at else 0
        if not 10 <= hour < 19 and not SettledFrame.objects.filter(frame=each).exists():
            submit(
                frame=each, reviewer=ranger, request_id=uuid.uuid4(), verdict="unreadable",
                boxes=[], seconds=5.0,
            )  # fmt: skip
    return deployment


def test_each_page_of_the_manual_is_in_the_picture(
    demo: Deployment, sign_in: SignIn, live_server: Any, tmp_path: Path
) -> None:
    lake, card = demo.lake, Batch.objects.get()
    pages = {
        "check": (Role.VOLUNTEER, reverse("annotation:review", args=[lake.slug]), _check),
        "sheet": (Role.VOLUNTEER, reverse("annotation:review", args=[lake.slug]), _sheet),
        "crops": (Role.VOLUNTEER, reverse("annotation:review", args=[lake.slug]), _crops),
        "receipt": (Role.RANGER, reverse("detection:batch", args=[card.pk]), _as_it_is),
        "deployment": (
            Role.OFFICER, reverse("detection:deployment", args=[demo.slug]), _as_it_is
        ),
        "attendance": (Role.PARTNER, reverse("dashboards:lake", args=[lake.slug]), _charts),
        "people": (Role.ADMINISTRATOR, reverse("people", args=[lake.slug]), _as_it_is),
    }  # fmt: skip
    assert MAKE or set(pages) == shown()
    for language in LANGUAGES if MAKE else LANGUAGES[:1]:
        for name, (role, address, act) in pages.items():
            page = sign_in(person(role, lake))
            page.set_viewport_size(VIEW)  # type: ignore[arg-type]
            page.context.add_cookies(
                [{"name": "django_language", "value": language, "url": live_server.url}]
            )
            page.goto(live_server.url + address)
            expect(page.locator("html")).to_have_attribute("lang", language)
            act(page)
            folder = FOLDER / language if MAKE else tmp_path
            size = _keep(page.screenshot(), folder / f"{name}.webp")
            assert size == _size(FOLDER / language / f"{name}.webp"), name


def shown() -> set[str]:
    """Names of the pictures on the manual's pages: the same in each language, all of them there."""
    found = []
    for language in LANGUAGES:
        text = "".join(manual.text(role, language) for role in Role.values)
        images = re.findall(r"<img [^>]+>", text)
        assert all(re.search(r' alt="[^"]{20,}"', image) for image in images)
        found.append(set(re.findall(rf"/manual/{language}/(\w+)\.webp", text)))
        assert len(images) == text.count(f"/manual/{language}/")
        assert {each.stem for each in (FOLDER / language).iterdir()} == found[-1]
    assert all(each == found[0] for each in found)
    return found[0]


def _keep(png: bytes, at: Path) -> tuple[int, int]:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture = picture.resize((WIDE, round(picture.height * WIDE / picture.width)))
    at.parent.mkdir(parents=True, exist_ok=True)
    picture.save(at, quality=72, method=6)
    return picture.size


def _size(at: Path) -> tuple[int, int]:
    with Image.open(at) as picture:
        return picture.size


def _ready(page: Page) -> None:
    expect(page.locator("[data-part=viewer]")).to_have_attribute("data-picture", "ready")
    expect(page.locator("[data-part=viewer]")).to_have_attribute("data-drawn", "")


def _check(page: Page) -> None:
    _ready(page)
    for _ in range(8 if MAKE else 0):  # a frame with people on it says more
        if page.get_by_test_id("box").count() > 2:
            break
        before = page.locator("#review").get_attribute("data-frame")
        page.keyboard.press("s")
        expect(page.locator("#review")).not_to_have_attribute("data-frame", before or "")
        _ready(page)


def _sheet(page: Page) -> None:
    _ready(page)
    page.locator("button[data-command=sheet]:visible").click()
    expect(page.locator("[data-testid=tile][data-picture=ready]").first).to_be_visible()
    expect(page.locator("[data-testid=tile]:not([data-picture=ready])")).to_have_count(0)


def _crops(page: Page) -> None:
    _ready(page)
    page.locator("button[data-command=crops]:visible").click()
    expect(page.locator("[data-testid=crop][data-seen]").nth(11 if MAKE else 0)).to_be_visible()


def _charts(page: Page) -> None:
    expect(page.locator('[data-chart="daily"] .bars .point path').first).to_be_attached()


def _as_it_is(page: Page) -> None:
    page.evaluate("window.scrollTo(0, 0)")
