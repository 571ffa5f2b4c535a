"""The demo lake: read in part by its own truth, through the same door as everybody."""

from __future__ import annotations

import io
from datetime import date, time
from typing import Any

import pytest
from django.core.management import call_command

from annotation.models import Review
from dashboards import rollups
from dashboards.attendance import attendance
from dashboards.management.commands.load_demo import Command
from detection.models import Batch, Deployment, Frame
from detection.runs import Box
from detection.scenes.valley import zones
from lacs_web.access import Action, allows
from lacs_web.models import User
from tests.factories import examine

pytestmark = pytest.mark.django_db


def test_the_demo_shows_days_of_every_kind() -> None:
    out = io.StringIO()
    call_command("load_demo", "--interval=60", "--size=320x240", stdout=out)
    deployment = Deployment.objects.get()
    figures = attendance(deployment.lake, date(2025, 7, 25), date(2025, 7, 28))
    assert [day["basis"] for day in figures["days"]] == [
        "fully read", "fully read", "partly read", "partly read",
    ]  # fmt: skip
    assert figures["validated_person_hours"] > 10
    assert "Detection waits for a model." in out.getvalue()
    # The schedule is the camera's own, by its clock, which stays on winter time.
    assert deployment.interval_seconds == 3600
    assert (deployment.window_start, deployment.window_end) == (time(4, 30), time(21, 30))
    assert {zone.kind for zone in deployment.zones.all()} == {"water", "shore"}
    # Its reader settles nothing more, and nobody can be it.
    reader = User.objects.get()
    assert not reader.is_active
    assert not reader.has_usable_password()
    assert not allows(reader, Action.SETTLE, deployment.lake)
    assert set(Review.objects.values_list("reviewer", "alone")) == {(reader.pk, True)}
    reviews = Review.objects.count()
    call_command("load_demo", stdout=out)
    assert "already there" in out.getvalue()
    assert Review.objects.count() == reviews


def test_a_demo_that_was_stopped_while_it_was_read_is_taken_up_again(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    class Stopped(Exception):
        pass

    stated: list[int] = []

    def stop(command: Command, frame: Frame, *rest: Any) -> None:
        if len(stated) == 3:
            raise Stopped
        stated.append(frame.pk)
        plain(command, frame, *rest)

    plain = Command._state
    small = ("--interval=120", "--size=320x240")
    monkeypatch.setattr(Command, "_state", stop)
    with pytest.raises(Stopped):
        call_command("load_demo", *small, stdout=io.StringIO())
    assert not User.objects.get().is_active
    monkeypatch.setattr(Command, "_state", plain)
    assert settings.DEMO_CARD.exists()
    call_command("load_demo", *small, stdout=io.StringIO())
    assert not settings.DEMO_CARD.exists()
    assert Batch.objects.count() == 1
    assert Review.objects.count() == Review.objects.values("frame").distinct().count() > 3


def test_the_true_zones_lie_within_the_frame_and_apart() -> None:
    outlines = zones()
    for outline in outlines.values():
        assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in outline)
    water = dict(outlines["water"][:-1])
    shore = outlines["shore"]
    behind = dict(shore[len(shore) // 2 :])
    assert all(behind[x] > y for x, y in water.items())  # the shore lies on the camera's side


def test_the_demo_read_in_part_holds_its_truth(
    monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    """The drawing knows who is there; a stand-in for the detector misses every third person.

    One order of reading, for of all orders one in twenty may miss the truth: of twelve, 46 of the
    48 intervals held it. Most of its time goes into drawing the card.
    """
    settings.SECRET_KEY = "order 0"
    drawn: dict[str, Any] = {}

    def examined(command: Command, deployment: Deployment, seconds: int) -> None:
        frames = list(deployment.frames.filter(quarantine="").order_by("captured_at"))
        boxes = {}
        for turn, frame in enumerate(frames):
            persons = [box for box in drawn[frame.path]["boxes"] if box["label"] == "person"]
            boxes[frame.pk] = [
                Box("person", "person", 0.8, 0.02 * n, 0.5, 0.01, 0.05)
                for n in range(len(persons))
                if (turn + n) % 3
            ]
        examine(*frames, boxes=boxes)

    def read(command: Command, deployment: Deployment, truth: dict[str, Any]) -> int:
        drawn.update({each["path"].removeprefix("DCIM/"): each for each in truth["frames"]})
        command._watch(deployment, 0)
        return plain(command, deployment, truth)

    plain = Command._read
    monkeypatch.setattr(Command, "_watch", examined)
    monkeypatch.setattr(Command, "_read", read)
    call_command("load_demo", "--interval=15", "--size=160x120", stdout=io.StringIO())
    lake = Deployment.objects.get().lake
    assert rollups.catch_up([lake], at_once=False)
    first, last = date(2025, 7, 25), date(2025, 7, 28)
    found = attendance(lake, first, last)
    assert found["basis"] == "corrected"
    assert found["sampled"]["read"] < 0.8 * found["sampled"]["frames"]

    hour = 0.25
    # A frame that looks unreadable is not observed as long as nobody has read it.
    unseen = Frame.objects.exclude(flag="", quarantine="").filter(settled=None)
    left_out = set(unseen.values_list("path", flat=True))
    there = [each for path, each in drawn.items() if each["readable"] and path not in left_out]
    kinds = {
        "person_hours": ("label", "person"),
        "bather_hours": ("activity", "bathing"),
        "angler_hours": ("activity", "fishing"),
        "boat_hours": ("label", "boat"),
    }
    for unit, (of, kind) in kinds.items():
        truth = hour * sum(box[of] == kind for each in there for box in each["boxes"])
        figure = found["units"][unit]
        assert figure["low"] - 1e-9 <= truth <= figure["high"] + 1e-9, (unit, truth, figure)
    persons = hour * sum(box["label"] == "person" for each in there for box in each["boxes"])
    assert found["units"]["person_hours"]["low"] < found["units"]["person_hours"]["high"]
    rate, watched = found["present"], found["watched"]
    assert watched["low"] <= hour * len(there) <= watched["high"]
    assert rate["low"] <= persons / (hour * len(there)) <= rate["high"]
