"""The checking desk: disputes with all opinions, notes that stay blind, a rule changed openly."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation import ruling
from annotation.models import Comment, Dispute, Draft, LakeRule, SettledFrame
from annotation.settling import Rule
from detection.models import Frame
from lacs_web.models import AuditEvent, Role, User
from tests.annotation.test_checks import STATED, say, trust
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

pytestmark = pytest.mark.django_db
NEAR = [type(STATED[0])("person", "", 0.235, 0.2, 0.1, 0.2)]  # IoU with STATED: 0.48


@pytest.fixture
def frames() -> list[Frame]:
    deployment = make_deployment()
    made = [make_frame(deployment) for _ in range(4)]
    examine(*made)
    return made


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return client


def cast(frames: list[Frame], role: Role = Role.VOLUNTEER, name: str = "") -> User:
    return person(role, frames[0].deployment.lake, name)


def dispute(frame: Frame) -> None:
    for name, boxes in (("one", []), ("two", STATED), ("three", STATED * 2)):
        say(frame, person(Role.VOLUNTEER, frame.deployment.lake, name), boxes)


def test_the_ranger_sees_every_opinion_and_settles_with_one(
    frames: list[Frame], django_assert_max_num_queries: Any
) -> None:
    for each in frames[:3]:
        dispute(each)
    ranger = as_(cast(frames, Role.RANGER))
    where = reverse("annotation:desk", args=["lauvitel"])
    with django_assert_max_num_queries(35):
        page = ranger.get(where).content.decode()
    assert page.count('data-testid="dispute"') == 3
    assert page.count('data-testid="opinion"') == 12  # three people and the machine
    assert page.count('<rect class="mark"') == 9
    assert "one@" not in page  # opinions bear no names
    second = frames[0].reviews.order_by("pk")[1]
    for wrong in ("", "machines", "0", str(frames[1].reviews.first())):
        bad = ranger.post(reverse("annotation:agree", args=[frames[0].pk]), {"opinion": wrong})
        assert bad.status_code == 400
    ranger.post(reverse("annotation:agree", args=[frames[0].pk]), {"opinion": str(second.pk)})
    settled = SettledFrame.objects.get(frame=frames[0])
    assert settled.rule["clause"] == "alone"
    assert settled.review.boxes.get().label == "person"
    ranger.post(reverse("annotation:agree", args=[frames[1].pk]), {"opinion": "machine"})
    assert SettledFrame.objects.get(frame=frames[1]).review.verdict == "nobody"
    assert Dispute.objects.get().frame == frames[2]


def test_a_volunteer_sees_no_dispute(frames: list[Frame]) -> None:
    dispute(frames[0])
    page = as_(cast(frames)).get(reverse("annotation:desk", args=["lauvitel"])).content.decode()
    assert "opinion" not in page
    assert "Disagreements" not in page


def test_notes_are_read_once_a_frame_is_settled_and_never_of_a_check(frames: list[Frame]) -> None:
    one, two = cast(frames, name="one"), cast(frames, name="two")
    where = reverse("annotation:thread", args=[frames[0].pk])
    say(frames[0], one, comment="by the rock")
    assert "Check this frame first" in as_(two).get(where).content.decode()
    as_(two).post(where, {"text": "unasked"})
    assert not Comment.objects.exists()
    say(frames[0], two, STATED)
    assert "by the rock" not in as_(two).get(where).content.decode()
    assert "by the rock" in as_(one).get(where).content.decode()
    assert as_(two).post(where, {"text": "<b>a swimmer</b>"}).status_code == 302
    assert "a swimmer" not in as_(one).get(where).content.decode()
    ranger = cast(frames, Role.RANGER)
    assert "by the rock" in as_(ranger).get(where).content.decode()
    say(frames[0], ranger)
    page = as_(one).get(where).content.decode()
    assert "&lt;b&gt;a swimmer" in page
    assert "two@" not in page
    assert where in as_(one).get(reverse("annotation:desk", args=["lauvitel"])).content.decode()
    Draft.objects.create(frame=frames[0], reviewer=one, check_frame=True)
    assert "a swimmer" not in as_(one).get(where).content.decode()
    assert where not in as_(one).get(reverse("annotation:desk", args=["lauvitel"])).content.decode()


def test_an_empty_note_is_refused_with_words(frames: list[Frame]) -> None:
    ranger = as_(cast(frames, Role.RANGER))
    page = ranger.post(reverse("annotation:thread", args=[frames[0].pk]), {"text": " "})
    assert page.status_code == 200
    assert b"aria-invalid" in page.content


def test_a_rule_is_tried_before_it_is_made_and_settles_anew(
    frames: list[Frame], django_assert_num_queries: Any
) -> None:
    lake = frames[0].deployment.lake
    one, two = cast(frames, name="one"), cast(frames, name="two")
    say(frames[0], one, STATED)
    say(frames[0], two, NEAR)
    say(frames[1], one)
    say(frames[1], two)
    assert SettledFrame.objects.count() == 1
    lax = Rule(least_iou=0.4)
    with django_assert_num_queries(8):
        effect = ruling.preview(lake, lax)
    assert (effect.frames, effect.settled_before, effect.settled, effect.newly) == (2, 1, 2, 1)
    assert (effect.persons_before, effect.persons) == (0, 1)
    assert SettledFrame.objects.count() == 1
    assert not LakeRule.objects.exists()
    officer = cast(frames, Role.OFFICER)
    assert ruling.change(lake=lake, rule=lax, by=officer) == effect
    settled = SettledFrame.objects.get(frame=frames[0])
    assert settled.rule["least_iou"] == 0.4
    assert AuditEvent.objects.get(action="rule changed").detail["newly"] == 1
    say(frames[2], one, STATED)
    say(frames[2], two, NEAR)  # from now on the lake's own rule holds
    assert SettledFrame.objects.filter(frame=frames[2]).exists()
    back = ruling.change(lake=lake, rule=Rule(), by=officer)
    assert (back.lost, back.settled) == (2, 1)


def test_trust_that_was_earned_meets_another_threshold(frames: list[Frame]) -> None:
    lake = frames[0].deployment.lake
    one = cast(frames, name="one")
    trust(one, frames, 10)  # right ten times of each kind: 0.76
    say(frames[0], one)
    assert not SettledFrame.objects.filter(frame=frames[0]).exists()
    assert ruling.preview(lake, Rule(least_trust=0.75)).newly == 1
    assert ruling.preview(lake, Rule(least_trust=0.78)).newly == 0


def test_the_page_of_the_rule(frames: list[Frame]) -> None:
    say(frames[0], cast(frames, name="one"), STATED)
    say(frames[0], cast(frames, name="two"), NEAR)
    officer = as_(cast(frames, Role.OFFICER))
    where = reverse("annotation:rule", args=["lauvitel"])
    given = {"least_iou": "0.4", "tiny_px": "24", "tiny_distance": "1", "least_trust": "0.8"}
    assert b'name="do" value="apply"' not in officer.get(where).content
    page = officer.post(where, given | {"do": "preview"})
    assert b"Newly settled: 1." in page.content
    assert not SettledFrame.objects.exists()
    wrong = officer.post(where, given | {"do": "apply", "least_trust": "7"})
    assert b"Choose a number from 0.5 to 1" in wrong.content
    assert not LakeRule.objects.exists()
    assert officer.post(where, given | {"do": "apply"}).status_code == 302
    assert SettledFrame.objects.exists()
    assert b"overlap 0.4" in officer.get(where).content
