"""Hidden check frames, hidden boxes, and what comes of them; nobody can tell which they are."""

from __future__ import annotations

import random
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from annotation import checks, queue, serving
from annotation.models import Check, Dispute, Draft, Hold, Judgement, Review, SettledFrame
from annotation.queue import Desk
from annotation.reviewing import StatedBox, submit, trust_in
from detection.models import Frame
from detection.runs import Box
from lacs_web.models import Role, User
from tests.annotation.test_api import Tab
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

pytestmark = pytest.mark.django_db

SEEN = [Box("person", "person", 0.9, 0.2, 0.2, 0.1, 0.2)]
STATED = [StatedBox("person", "", 0.2, 0.2, 0.1, 0.2)]


@pytest.fixture
def frames() -> list[Frame]:
    """Twelve frames, each with a person that the machine sees; a ranger settled the first six."""
    deployment = make_deployment()
    made = [make_frame(deployment) for _ in range(12)]
    examine(*made, boxes={each.pk: SEEN for each in made})
    for each in made[:6]:
        say(each, person(Role.RANGER, deployment.lake), STATED)
    return made


def say(
    frame: Frame, user: User, boxes: Sequence[StatedBox] = (), verdict: str = "", **fields: Any
) -> Review:
    return submit(
        frame=frame,
        reviewer=user,
        request_id=uuid.uuid4(),
        verdict=verdict or ("boxes" if boxes else "nobody"),
        boxes=boxes,
        **fields,
    )


def volunteer(frames: list[Frame], name: str = "") -> Tab:
    lake = frames[0].deployment.lake
    return Tab(person(Role.VOLUNTEER, lake, name), lake)


def lay_up(tab: Tab, *frames: Frame) -> None:
    Check.objects.bulk_create(Check(frame=frame, reviewer=tab.user) for frame in frames)


def trust(user: User, frames: list[Frame], number: int = 20) -> None:
    """Make `user` somebody who was right about persons and about nobody that often."""
    more = [make_frame(frames[0].deployment) for _ in range(2 * number)]
    examine(*more, boxes={each.pk: SEEN for each in more})
    ranger = person(Role.RANGER, frames[0].deployment.lake)
    for place, each in enumerate(more):
        boxes = STATED if place % 2 else []
        say(each, ranger, boxes)
        say(each, user, boxes)


def test_a_check_looks_like_any_other_frame(frames: list[Frame], monkeypatch: Any) -> None:
    one, two = volunteer(frames), volunteer(frames, "two")
    lay_up(one, frames[0])
    monkeypatch.setattr(checks, "RATE", 1.0)
    with CaptureQueriesContext(connection) as with_check:
        given = one.claim(want=4).json()["frames"]
    assert len(given) == 4
    with CaptureQueriesContext(connection) as without:
        assert len(two.claim(want=2).json()["frames"]) == 2
    assert len(with_check) == len(without)
    hidden = next(each for each in given if each["id"] == frames[0].pk)
    other = next(each for each in given if each["id"] != frames[0].pk)
    assert hidden.keys() == other.keys()
    for key in ("version", "machine", "masked", "unmask_url", "doubt", "deployment"):
        assert hidden[key] == other[key]
    assert [box.keys() for box in hidden["boxes"]] == [box.keys() for box in other["boxes"]]
    open_frame = Frame.objects.get(pk=other["id"])
    # The same answers, at the price of the same queries; also for what is taken back.
    prices, answers = [], []
    for frame in (open_frame, frames[0]):
        for step in range(2):
            with CaptureQueriesContext(connection) as asked:
                answer = one.review(frame, 2 * step)
            if step == 0:
                assert one.draft(frame, 1).json() == {"version": 2}
            prices.append(len(asked))
            answers.append((answer.status_code, set(answer.json()), answer.json()["version"]))
    assert answers[:2] == answers[2:]
    assert prices[0] == prices[2]
    assert one.frame(frames[0]).status_code == one.frame(open_frame).status_code == 200


def test_nothing_that_is_counted_moves_when_a_check_is_served(
    frames: list[Frame], monkeypatch: Any
) -> None:
    one = volunteer(frames)
    lay_up(one, frames[0], frames[1])
    assert one.claim(want=1).json()["left"] == 8  # six open ones and the two
    monkeypatch.setattr(checks, "RATE", 1.0)
    served = one.claim(want=3).json()
    assert served["left"] == 8
    assert {frames[0].pk, frames[1].pk} < {each["id"] for each in served["frames"]}
    lefts = []
    for each in served["frames"]:
        answer = one.review(Frame.objects.get(pk=each["id"]), 0)
        lefts.append((answer.json()["done_today"], one.claim(want=0).json()["left"]))
    assert lefts == [(1, 7), (2, 6), (3, 5)]


def test_a_check_comes_back_after_a_reload_and_after_it_was_taken_back(
    frames: list[Frame], monkeypatch: Any
) -> None:
    one = volunteer(frames)
    lay_up(one, frames[0])
    monkeypatch.setattr(checks, "RATE", 1.0)
    served = {each["id"] for each in one.claim(want=2).json()["frames"]}
    assert frames[0].pk in served
    assert {each["id"] for each in one.claim(want=2).json()["frames"]} == served
    one.review(frames[0], 0)
    assert frames[0].pk not in {each["id"] for each in one.claim(want=3).json()["frames"]}
    one.draft(frames[0], 1)
    assert frames[0].pk in {each["id"] for each in one.claim(want=9).json()["frames"]}


def test_checks_come_only_beside_other_frames_and_never_by_hand_nor_to_rangers(
    frames: list[Frame], monkeypatch: Any
) -> None:
    monkeypatch.setattr(checks, "RATE", 1.0)
    one = volunteer(frames)
    lay_up(one, frames[0])
    assert len(one.claim(want=2, day="2025-07-26").json()["frames"]) == 2
    assert Check.objects.exists()
    ranger = person(Role.RANGER, one.lake)
    for each in frames[6:]:
        say(each, ranger)
    assert one.claim(want=4).json() == {"frames": [], "left": 0, "done_today": 0} | {
        key: value for key, value in one.claim(want=4).json().items() if key == "rest"
    }
    Check.objects.create(frame=frames[0], reviewer=ranger)
    assert serving.serve(Desk.of(ranger, one.lake), want=3)[0] == []


def test_what_is_laid_up_was_settled_by_a_ranger_and_never_seen_by_who_checks(
    frames: list[Frame], monkeypatch: Any
) -> None:
    monkeypatch.setattr(checks, "REFILL", 1.0)
    one = volunteer(frames)
    say(frames[0], one.user, STATED)
    two, three = (volunteer(frames, name).user for name in ("two", "three"))
    for user in (two, three):
        say(frames[7], user)  # settled by two who agree: no check
    laid_up = checks.laid_up(one.user, one.lake)
    assert len(set(laid_up)) == checks.POOL
    assert set(laid_up) <= {each.pk for each in frames[1:6]}
    assert set(checks.laid_up(one.user, one.lake)) == set(laid_up)
    one.claim(want=3)
    assert set(Check.objects.values_list("frame", flat=True)) == set(laid_up)


def test_one_in_twenty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "RATE", 0.05)
    monkeypatch.setattr(checks, "_chance", random.Random(1))
    served = [len(checks.draw([1, 2, 3, 4], 4)) for _ in range(10_000)]
    assert 0.045 < sum(served) / 40_000 < 0.055
    places = [checks.mix([1, 2, 3], [9]).index(9) for _ in range(4000)]
    assert all(900 < places.count(place) < 1100 for place in range(4))


def test_an_answer_to_a_check_is_judged_and_grows_into_trust(frames: list[Frame]) -> None:
    one = volunteer(frames).user
    lake = frames[0].deployment.lake
    say(frames[0], one, STATED)
    Draft.objects.create(frame=frames[1], reviewer=one, check_frame=True)
    say(frames[1], one)  # misses the person
    say(frames[2], one, [*STATED, StatedBox("tent", "", 0.6, 0.6, 0.1, 0.1)])
    assert list(Judgement.objects.order_by("pk").values_list("answers", "with_machine")) == [
        ({"person": "right"}, True),
        ({"person": "missed", "nobody": "missed"}, False),
        ({"person": "right", "tent": "extra"}, False),
    ]
    found = trust_in(one, lake)
    assert (found["person"].right, found["person"].missed) == (2, 1)
    assert SettledFrame.objects.filter(frame__in=frames[:6], rule__clause="alone").count() == 6
    kept = say(frames[3], one, STATED).trust
    assert kept == {kind: round(each.bound, 4) for kind, each in found.items()}
    say(frames[1], one, STATED)  # thought better of it: the last word counts
    assert trust_in(one, lake)["person"].missed == 0


def test_who_helped_to_settle_a_frame_is_not_judged_by_it(frames: list[Frame]) -> None:
    one, two, three = (volunteer(frames, name).user for name in ("one", "two", "three"))
    say(frames[6], one, STATED)
    say(frames[6], two, STATED)
    assert list(Judgement.objects.values_list("answers", flat=True)) == [{}, {}]
    say(frames[6], three, [])
    assert Judgement.objects.get(reviewer=three).answers == {"person": "missed", "nobody": "missed"}
    say(frames[6], person(Role.RANGER, frames[0].deployment.lake), STATED)
    assert Judgement.objects.get(reviewer=one).answers == {"person": "right"}


def test_one_trusted_volunteer_who_agrees_with_the_machine_settles(frames: list[Frame]) -> None:
    one = volunteer(frames).user
    say(frames[6], one, STATED)
    assert not SettledFrame.objects.filter(frame=frames[6]).exists()
    trust(one, frames)
    say(frames[7], one, STATED)
    settled = SettledFrame.objects.get(frame=frames[7])
    assert settled.rule["clause"] == "trusted and machine"
    assert settled.voices == [settled.review_id]
    say(frames[8], one)  # trusted with "nobody" too, but the machine saw somebody
    assert not SettledFrame.objects.filter(frame=frames[8]).exists()


def test_a_third_is_asked_and_then_the_ranger_by_weight(frames: list[Frame]) -> None:
    lake = frames[0].deployment.lake
    crowd = [StatedBox("person", "", 0.05 * n, 0.7, 0.04, 0.1) for n in range(9)]
    opinions: list[list[StatedBox]] = [[], crowd, [StatedBox("tent", "", 0.6, 0.6, 0.1, 0.1)]]
    names = ("one", "two", "three")
    for name, boxes in zip(names, opinions, strict=True):
        assert not Dispute.objects.exists()
        say(frames[8], volunteer(frames, name).user, boxes)
    for name in names:
        say(frames[7], volunteer(frames, name).user, verdict="flag")
    hours = frames[0].deployment.interval_seconds / 3600
    assert list(Dispute.objects.values_list("frame", "weight")) == [
        (frames[8].pk, 9 * hours),
        (frames[7].pk, 1 * hours),
    ]
    four = volunteer(frames, "four")
    assert not {frames[7].pk, frames[8].pk} & {e["id"] for e in four.claim(want=9).json()["frames"]}
    ranger = Desk.of(person(Role.RANGER, lake), lake)
    Draft.objects.all().delete()
    Hold.objects.all().delete()
    assert queue.claim(ranger, want=2) == [frames[8], frames[7]]
    say(frames[8], ranger.reviewer, crowd)
    assert Dispute.objects.count() == 1


def test_hidden_boxes_are_told_apart_from_shown_ones(frames: list[Frame], monkeypatch: Any) -> None:
    one = volunteer(frames)
    assert one.claim(want=1).json()["frames"][0]["boxes"]
    monkeypatch.setattr(checks, "BARE", 1.0)
    first, second = one.claim(want=2, holding=()).json()["frames"]
    assert (first["id"], len(first["boxes"])) == (frames[6].pk, 1)  # served with them before
    assert (second["boxes"], second["machine"]) == ([], "done")
    for each in (first, second):
        one.review(Frame.objects.get(pk=each["id"]), 0)
    assert list(Review.objects.filter(reviewer=one.user).values_list("bare", flat=True)) == [
        False,
        True,
    ]
