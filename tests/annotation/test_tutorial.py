"""The practice: ten drawn lessons, answered truly, that count nowhere."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation import lessons
from annotation.models import Draft, Hold, Review
from lacs_web.models import Lake, Role
from tests.annotation.test_checks import say
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
NUMBERS = range(1, len(lessons.LESSONS) + 1)


@pytest.fixture
def client() -> Client:
    given = Client()
    given.force_login(person(Role.VOLUNTEER, make_deployment().lake))
    given.cookies["django_language"] = "en"
    return given


def post(client: Client, name: str, *args: Any, **body: Any) -> Any:
    where = reverse(f"annotation:{name}", args=args)
    return client.post(where, json.dumps(body), content_type="application/json")


def state(client: Client, number: int, verdict: str, boxes: list[Any]) -> Any:
    return post(
        client, "lesson-reviews", number,
        version=0, verdict=verdict, boxes=boxes, request_id=str(uuid.uuid4()), seconds=3,
    ).json()  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS)
def test_a_lesson_shows_what_it_teaches(number: int) -> None:
    lesson, truth = lessons.LESSONS[number - 1], lessons.truth(number)
    suggested = lessons.suggestions(number)
    assert len(truth.marks) == len(lesson.things)
    assert len(suggested) == len(lesson.things) - len(lesson.missed) + bool(lesson.false)
    assert lessons.picture(number)[:2] == b"\xff\xd8"
    right = [
        {"label": m.label, "x": m.x / 1280, "y": m.y / 960, "w": m.w / 1280, "h": m.h / 960}
        for m in truth.marks
    ]
    verdict = truth.verdict if right or truth.verdict == "unreadable" else "nobody"
    assert lessons.answer(number, verdict, right)["right"]
    as_shown = lessons.answer(number, "boxes", suggested)
    wrong = lesson.missed or lesson.false or lesson.called
    good = not wrong and truth.verdict != "unreadable"
    assert as_shown["right"] == good
    assert not lessons.answer(number, "skip", [])["right"]


def test_the_practice_runs_to_its_end_and_counts_nowhere(client: Client) -> None:
    page = client.get(reverse("annotation:tutorial", args=["lauvitel"]))
    assert b"nothing here counts" in page.content
    assert b'data-user="tutorial-' in page.content
    given = post(client, "tutorial-claim", "lauvitel", want=3, holding=[]).json()
    assert [each["id"] for each in given["frames"]] == [1, 2, 3]
    more = post(client, "tutorial-claim", "lauvitel", want=9, holding=[1, 2, 3]).json()
    assert [each["id"] for each in more["frames"]] == [4, 5, 6, 7, 8, 9, 10]
    draft = reverse("annotation:lesson-draft", args=[1])
    kept = client.put(draft, json.dumps({"version": 4, "boxes": []}), "application/json")
    assert kept.json() == {"version": 5}
    for number in NUMBERS:
        answer = state(client, number, "nobody", [])
        assert answer["done_today"] == number
        assert answer["feedback"]["right"] == (number in (2, 4))
    end = post(client, "tutorial-claim", "lauvitel", want=3, holding=[]).json()
    assert (end["frames"], end["left"]) == ([], 0)
    assert end["rest"]["url"] == reverse("annotation:review", args=["lauvitel"])
    assert not Review.objects.exists()
    assert not Draft.objects.exists()
    assert not Hold.objects.exists()


def test_no_lesson_beyond_the_last(client: Client) -> None:
    for number in (0, len(lessons.LESSONS) + 1):
        assert client.get(reverse("annotation:lesson", args=[number])).status_code == 404
        assert client.get(reverse("annotation:lesson-picture", args=[number])).status_code == 404


def test_who_is_new_is_shown_to_the_practice_once(client: Client) -> None:
    frame = make_frame(make_deployment(Lake.objects.get(), "other"))
    examine(frame)
    where = reverse("annotation:review", args=["lauvitel"])
    assert b"New here?" in client.get(where).content
    say(frame, person(Role.VOLUNTEER, frame.deployment.lake))
    assert b"New here?" not in client.get(where).content
