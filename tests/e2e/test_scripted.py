"""A reviewer who knows the truth checks a drawn lake through the real pages; what settles is it."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from annotation.models import SettledFrame
from annotation.opinions import marks
from annotation.settling import Mark, Rule, Statement, agree, match
from detection.models import Deployment, Detection, Frame, RunFrame
from detection.runs import Box
from lacs_web.models import Role, User
from tests.cast import person
from tests.e2e.test_review import Desk
from tests.factories import examine, make_deployment

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

Enter = Callable[[User], Page]
_SHOWN = """() => [...document.querySelectorAll("[data-testid=box]")].map((box) => {
  const { x, y, width, height } = box.querySelector(".line").getBBox();
  const out = 2.5;  // between a box and its line
  return [box.dataset.key, box.dataset.label, x + out, y + out, width - 2 * out, height - 2 * out];
})"""


@pytest.fixture
def card(tmp_path: Path) -> dict[str, Any]:
    """A day at a drawn lake, a picture every 90 minutes, and its truth."""
    folder = tmp_path / "card"
    options: dict[str, Any] = {"days": 1, "interval": 90, "size": (1280, 960)}
    with open(os.devnull, "w") as silent:  # noqa: PTH123
        call_command("render_demo", str(folder), stdout=silent, **options)
        truth: dict[str, Any] = json.loads((folder / "truth.json").read_text())
        make_deployment(
            slug="drawn",
            interval_seconds=truth["interval_seconds"],
            clock_offset_minutes=truth["clock_offset_minutes"],
        )
        call_command("import_batch", str(folder / "DCIM"), deployment="drawn", stdout=silent)
    return truth


def _machine(boxes: list[dict[str, Any]], dice: random.Random) -> list[Box]:
    """What a middling detector says of them: some missed, some of the wrong class, some of none."""
    found = []
    for box in boxes:
        if dice.random() < 0.25:
            continue
        label = "dog" if dice.random() < 0.2 else box["label"]
        sides = [box[side] for side in "xywh"]
        found.append(Box(label, label, dice.uniform(0.3, 1), *sides))
    for _ in range(dice.choice([0, 0, 1, 2])):
        found.append(Box("person", "person", 0.4, dice.uniform(0, 0.9), 0.05, 0.02, 0.04))
    return found


def _marks(boxes: list[dict[str, Any]], width: float, height: float) -> list[Mark]:
    return [
        Mark(b["label"], b["x"] * width, b["y"] * height, b["w"] * width, b["h"] * height)
        for b in boxes
    ]


def test_a_scripted_reviewer_settles_the_truth(
    card: dict[str, Any], sign_in: Enter, live_server: Any
) -> None:
    known = {each["path"].removeprefix("DCIM/"): each for each in card["frames"]}
    deployment, dice = Deployment.objects.get(), random.Random(3)
    frames = {each.pk: each for each in Frame.objects.filter(quarantine="")}
    truth = {pk: known[frame.path] for pk, frame in frames.items()}
    found = {pk: _machine(truth[pk]["boxes"], dice) for pk in frames}
    examine(*frames.values(), boxes=found)
    assert RunFrame.objects.count() == len(frames) >= 10
    assert Detection.objects.filter(label="person").exists()
    page = sign_in(person(Role.RANGER, deployment.lake))
    desk = Desk(page, deployment.lake, live_server.url).open()
    done: set[int] = set()
    while len(done) < len(frames):
        pk = desk.frame
        assert pk not in done
        done.add(pk)
        _state(desk.ready(), truth[pk])
        if len(done) < len(frames):  # the next one may have to be fetched
            expect(desk.page.locator("#review")).not_to_have_attribute("data-frame", str(pk))
    expect(desk.part("rest")).to_have_attribute("data-why", "empty")
    desk.saved()
    rule = Rule()
    for pk, frame in frames.items():
        settled = SettledFrame.objects.select_related("review").get(frame=pk)
        assert settled.readable == truth[pk]["readable"]
        real = Statement(1, "boxes", marks=tuple(_marks(truth[pk]["boxes"], 1280, 960)))
        stated = marks(frame, settled.review.boxes.all())
        said = Statement(2, settled.review.verdict, marks=stated)
        assert not settled.readable or agree(said, real, rule), frame.path


def _state(desk: Desk, truth: dict[str, Any]) -> None:
    """Make the page say what is true, by what a person has: list, digits and the mouse."""
    if not truth["readable"]:
        desk.press("u")
        return
    picture = desk.page.locator("[data-part=layer] img").bounding_box()
    port = desk.viewer.bounding_box()
    assert picture
    assert port
    left, top = picture["x"] - port["x"], picture["y"] - port["y"]
    shown = desk.page.evaluate(_SHOWN)
    width, height = picture["width"], picture["height"]
    there = [Mark("", x - left, y - top, w, h) for _, _, x, y, w, h in shown]
    real = _marks(truth["boxes"], width, height)
    pairs = dict(match(there, [Mark("", m.x, m.y, m.w, m.h) for m in real], Rule(tiny_px=40)))
    for at, (key, label, *_) in enumerate(shown):
        row = desk.page.locator(f".box-row[data-key='{key}']")
        if at not in pairs:
            row.locator(".row-action").last.click()
        elif label != real[pairs[at]].label:
            field = row.locator("[data-field=label]")
            if not field.is_visible():
                row.locator(".row-main").click()
            field.select_option(real[pairs[at]].label)
    desk.press("Escape", "Escape", "0")
    for at, mark in enumerate(real):
        if at in pairs.values():
            continue
        desk.button("label").and_(desk.page.locator(f"[data-value={mark.label}]")).click()
        desk.press("n")
        box = truth["boxes"][at]
        desk.drag((box["x"], box["y"]), (box["x"] + box["w"], box["y"] + box["h"]))
        desk.press("Escape")
    expect(desk.boxes).to_have_count(len(real))
    desk.press("Enter")
