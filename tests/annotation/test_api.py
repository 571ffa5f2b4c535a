"""What the editor talks to: its contract, its rights, its manners towards hostile bodies."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.models import Draft, Hold, Review, ReviewBox, SettledFrame
from annotation.reviewing import submit
from detection import renditions
from detection.models import Frame, Lifting, Zone
from detection.runs import Box
from lacs_web.models import AuditEvent, Lake, Role, User
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

pytestmark = pytest.mark.django_db

# Queries of one request; they do not grow with the frames claimed nor with the boxes sent.
CLAIM, DRAFT, REVIEW = 32, 8, 31

PERSON = {"key": "a", "label": "person", "activity": "bathing", "x": 0.1, "y": 0.2, "w": 0.05,
          "h": 0.1}  # fmt: skip


class Tab:
    """One person's page: what static/annotation/sync.js sends, and the answers."""

    def __init__(self, user: User, lake: Lake) -> None:
        self.lake, self.user, self.client = lake, user, Client()
        self.client.force_login(user)

    def send(self, method: str, where: str, body: Any = None, raw: str | None = None) -> Any:
        data = raw if raw is not None else json.dumps(body)
        call = getattr(self.client, method)
        return call(where, **({} if method == "get" else
                    {"data": data, "content_type": "application/json"}))  # fmt: skip

    def claim(self, want: int = 3, holding: tuple[int, ...] = (), day: str | None = None) -> Any:
        where = reverse("annotation:claim", args=[self.lake.slug])
        return self.send("post", where, {"want": want, "holding": list(holding), "day": day})

    def draft(self, frame: Frame, version: int, *boxes: Any) -> Any:
        where = reverse("annotation:draft", args=[frame.pk])
        return self.send("put", where, {"version": version, "boxes": list(boxes)})

    def review(self, frame: Frame, version: int = 0, *boxes: Any, **fields: Any) -> Any:
        body = {
            "request_id": str(uuid.uuid4()),
            "verdict": "boxes" if boxes else "nobody",
            "boxes": list(boxes),
            "seconds": 4.5,
            "comment": "",
            "version": version,
        }
        return self.send("post", reverse("annotation:reviews", args=[frame.pk]), body | fields)

    def frame(self, frame: Frame) -> Any:
        return self.send("get", reverse("annotation:frame", args=[frame.pk]))

    def unmask(self, frame: Frame) -> Any:
        return self.send("post", reverse("annotation:unmask", args=[frame.pk]), {})


@pytest.fixture
def frame() -> Frame:
    found = make_frame(make_deployment())
    boxes = [
        Box("person", "person", 0.8, 0.1, 0.2, 0.05, 0.1),
        Box("person", "person", 0.9, 0.6, 0.75, 0.05, 0.1),
        Box("person", "person", 0.29, 0.4, 0.2, 0.05, 0.1),  # too doubtful to be suggested
        Box("", "kite", 0.9, 0.5, 0.2, 0.05, 0.1),  # none of our classes
    ]
    examine(found, boxes={found.pk: boxes})
    return found


def settled(frame: Frame) -> bool:
    return SettledFrame.objects.filter(frame=frame).exists()


def tab(frame: Frame, role: Role = Role.VOLUNTEER, name: str = "") -> Tab:
    lake = frame.deployment.lake
    return Tab(person(role, lake, name), lake)


def test_a_claim_gives_the_frame_as_the_editor_wants_it(frame: Frame) -> None:
    Zone.objects.create(
        deployment=frame.deployment, kind="water", polygon=[[0, 0.8], [1, 0.8], [1, 1], [0, 1]]
    )
    answer = tab(frame).claim().json()
    assert (answer["left"], answer["done_today"]) == (1, 0)
    (given,) = answer["frames"]
    assert [(box["label"], box["activity"], box["score"]) for box in given["boxes"]] == [
        ("person", "", 0.8),
        ("person", "bathing", 0.9),
    ]
    assert given["boxes"][0]["key"] == f"d{given['boxes'][0]['detection']}"
    assert given["image"] == f"/frames/{frame.pk}/picture"
    assert (given["masked"], given["unmask_url"]) == (True, "")
    assert (given["version"], given["machine"], given["previous"]) == (0, "done", None)
    assert given["time_label"] == "12:00"  # 10:00 UTC in July at an Alpine lake
    assert (given["width"], given["height"]) == (1600, 1200)


def test_the_picture_before_is_the_same_cameras_last(frame: Frame) -> None:
    later = make_frame(frame.deployment, datetime(2025, 7, 26, 10, 5, tzinfo=UTC))
    make_frame(make_deployment(frame.deployment.lake, "elsewhere"), frame.captured_at)
    examine(later)
    given = {each["id"]: each for each in tab(frame).claim().json()["frames"]}
    assert given[later.pk]["previous"]["image"] == f"/frames/{frame.pk}/picture"
    assert given[later.pk]["previous"]["time_label"].endswith("12:00")


def test_drafts_are_versioned_and_come_back(frame: Frame) -> None:
    one = tab(frame)
    one.claim()
    assert one.draft(frame, 0, PERSON).json() == {"version": 1}
    assert one.draft(frame, 1).json() == {"version": 2}
    assert one.draft(frame, 2, PERSON).json() == {"version": 3}
    again = one.claim().json()["frames"][0]
    assert (again["version"], again["boxes"][0]["key"], again["boxes"][0]["score"]) == (
        3,
        "a",
        None,
    )
    stale = one.draft(frame, 1)
    assert stale.status_code == 409
    assert stale.json()["version"] == 3
    assert [box["key"] for box in stale.json()["boxes"]] == ["a"]


def test_drafts_are_blind(frame: Frame) -> None:
    one, two = tab(frame, name="one"), tab(frame, name="two")
    one.claim()
    one.draft(frame, 0, PERSON)
    one.review(frame, 1, PERSON)
    (given,) = two.claim().json()["frames"]
    assert given["version"] == 0
    assert all(box["detection"] for box in given["boxes"])


def test_a_review_is_stored_as_stated(frame: Frame) -> None:
    one = tab(frame)
    one.claim()
    answer = one.review(frame, 0, PERSON, comment="by the rock", seconds=7.25)
    assert answer.json() == {"version": 1, "done_today": 1}
    review = Review.objects.get()
    assert (review.verdict, review.seconds, review.comment) == ("boxes", 7.25, "by the rock")
    assert review.run == frame.run_frames.get().run
    box = review.boxes.get()
    assert (box.label, box.activity, box.x, box.y, box.w, box.h) == (
        "person", "bathing", 0.1, 0.2, 0.05, 0.1
    )  # fmt: skip
    assert not Hold.objects.exists()  # free for a second opinion
    empty = one.claim().json()
    assert (empty["frames"], empty["left"], empty["done_today"]) == ([], 0, 1)


def test_the_same_request_twice_is_one_review(frame: Frame) -> None:
    one = tab(frame)
    one.claim()
    request = str(uuid.uuid4())
    first = one.review(frame, 0, PERSON, request_id=request)
    again = one.review(frame, 0, PERSON, request_id=request)
    assert first.json() == again.json()
    assert Review.objects.count() == 1


def test_a_request_number_of_somebody_else_tells_nothing_and_changes_nothing(frame: Frame) -> None:
    other = make_frame(frame.deployment)
    examine(other)
    request = str(uuid.uuid4())
    one, two = tab(frame, name="one"), tab(frame, name="two")
    one.claim()
    one.review(frame, 0, PERSON, request_id=request)
    two.claim()
    for thief, where in ((two, frame), (one, other)):
        answer = thief.review(where, 0, request_id=request)
        assert answer.status_code == 400
        assert set(answer.json()) == {"type", "title", "status", "detail"}
    assert Review.objects.get().boxes.count() == 1
    assert Draft.objects.exclude(version=0).count() == 1  # nothing half done


def test_a_decision_is_taken_back_by_a_new_one_until_another_settles(frame: Frame) -> None:
    one, two = tab(frame, name="one"), tab(frame, name="two")
    one.claim()
    one.review(frame, 0, PERSON)
    assert one.draft(frame, 1).json() == {"version": 2}  # undone
    assert [each["id"] for each in one.claim().json()["frames"]] == [frame.pk]  # after a reload
    one.review(frame, 2)
    assert not settled(frame)
    two.claim()
    two.review(frame, 0)
    assert settled(frame)
    two.review(frame, 1, PERSON)
    assert not settled(frame)  # two's own vote settled it
    two.review(frame, 2)
    assert settled(frame)
    late = one.review(frame, 3, PERSON)
    assert (late.status_code, late.json()["code"]) == (410, "settled")
    assert one.draft(frame, 3, PERSON).status_code == 410
    assert SettledFrame.objects.get().rule["clause"] == "two agree"


def test_a_ranger_may_always_correct(frame: Frame) -> None:
    ranger = tab(frame, Role.RANGER)
    assert ranger.review(frame, 0).status_code == 200
    tab(frame, Role.OFFICER).review(frame, 0, PERSON)
    assert ranger.review(frame, 1).status_code == 200
    assert SettledFrame.objects.get().review.reviewer == ranger.user


def test_a_frame_with_somebody_else_is_gone(frame: Frame) -> None:
    one, two = tab(frame, name="one"), tab(frame, name="two")

    def refusals(who: Tab) -> set[tuple[int, str]]:
        answers = (who.frame(frame), who.draft(frame, 0), who.review(frame, 0))
        return {(answer.status_code, answer.json()["code"]) for answer in answers}

    one.claim()
    assert refusals(two) == {(410, "unserved")}
    Hold.objects.update(until=timezone.now() - timedelta(seconds=1))
    two.claim()
    assert refusals(one) == {(410, "taken")}  # lapsed, and taken
    assert not Review.objects.exists()
    Hold.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert one.draft(frame, 0, PERSON).status_code == 200  # nobody was faster this time


def test_volunteers_choose_no_frames_nor_lift_the_mask_of_one_that_they_chose(
    frame: Frame,
) -> None:
    Lake.objects.update(reviewers_may_unmask=True)
    one = tab(frame)
    assert one.frame(frame).status_code == 410
    assert one.unmask(frame).status_code == 403
    assert not Hold.objects.exists()


def test_who_was_served_a_frame_before_it_settled_may_still_say_what_they_saw(
    frame: Frame,
) -> None:
    one = tab(frame)
    one.claim()
    tab(frame, Role.RANGER)
    SettledFrame.objects.create(
        frame=frame,
        review=Review.objects.create(
            frame=frame,
            reviewer=person(Role.OFFICER, frame.deployment.lake),
            request_id=uuid.uuid4(),
            verdict="nobody",
            alone=True,
        ),
        readable=True,
        rule={},
    )
    assert one.review(frame, 0).status_code == 200
    assert tab(frame, name="unserved").review(frame, 0).json()["code"] == "unserved"


def test_what_no_detector_read_cannot_be_judged_through_its_mosaic() -> None:
    frame = make_frame(make_deployment())
    ranger, volunteer = tab(frame, Role.RANGER), tab(frame)
    assert volunteer.claim().json()["frames"] == []
    assert volunteer.review(frame, 0).status_code == 400
    assert ranger.claim().json()["frames"][0]["machine"] == "waiting"
    ranger.client.cookies["django_language"] = "en"
    assert "lift the mask" in ranger.review(frame, 0).json()["detail"]
    assert ranger.review(frame, 0, verdict="skip").status_code == 200
    ranger.unmask(frame)
    assert ranger.review(frame, 1).status_code == 200


def test_who_may_lift_a_mask(frame: Frame) -> None:
    volunteer, ranger = tab(frame), tab(frame, Role.RANGER)
    volunteer.claim()
    assert volunteer.unmask(frame).status_code == 403
    Lake.objects.update(reviewers_may_unmask=True)
    assert volunteer.unmask(frame).json() == {"image": f"/frames/{frame.pk}/picture?lifted=1"}
    assert volunteer.client.get(f"/frames/{frame.pk}/picture?lifted=1").status_code == 200
    given = volunteer.frame(frame).json()
    assert (given["masked"], given["image"]) == (False, f"/frames/{frame.pk}/picture?lifted=1")
    assert tab(frame, name="holds nothing").unmask(frame).status_code == 403
    assert ranger.unmask(frame).status_code == 200
    assert AuditEvent.objects.filter(action="mask lifted").count() == Lifting.objects.count() == 2
    # Where the lake takes the right away, nobody is sent to a door that would refuse them.
    Lake.objects.update(reviewers_may_unmask=False)
    assert volunteer.client.get(f"/frames/{frame.pk}/picture?lifted=1").status_code == 403
    given = volunteer.frame(frame).json()
    assert (given["masked"], given["image"]) == (True, f"/frames/{frame.pk}/picture")


def test_what_people_draw_is_masked(frame: Frame) -> None:
    before = renditions.rendition(frame).people or ()
    one = tab(frame)
    one.claim()
    one.draft(frame, 0, PERSON, PERSON | {"key": "b", "label": "tent", "activity": ""})
    during = renditions.rendition(frame).people or ()
    assert len(during) == len(before) + 1
    assert (during[-1].x, during[-1].h) == (0.1, 0.1)
    one.review(frame, 1, verdict="flag")  # states no box, and takes none back
    assert len(renditions.rendition(frame).people or ()) == len(before) + 1
    one.review(frame, 2, PERSON)
    assert len(renditions.rendition(frame).people or ()) == len(before) + 1
    one.review(frame, 3)
    assert len(renditions.rendition(frame).people or ()) == len(before)


def test_a_wrong_box_hides_a_frame_until_a_ranger_has_spoken(frame: Frame) -> None:
    before = renditions.rendition(frame).people or ()
    one = tab(frame)
    one.claim()
    one.review(frame, 0, PERSON | {"x": 0.0, "y": 0.0, "w": 1.0, "h": 1.0})
    assert len(renditions.rendition(frame).people or ()) == len(before) + 1
    ranger = person(Role.RANGER, frame.deployment.lake)
    submit(frame=frame, reviewer=ranger, request_id=uuid.uuid4(), verdict="nobody")
    assert (renditions.rendition(frame).people or ()) == before


HOSTILE: list[tuple[str, str]] = [
    ("", "an empty body"),
    ("null", "no object"),
    ("[]", "a list"),
    ("{", "half an object"),
    ("[" * 100_000, "a deep list"),
    ('{"version": 0, "boxes": ' + "[" * 50_000, "deep boxes"),
    ('{"version": 0, "boxes": [' + "{}," * 400_000 + "{}]}", "a megabyte"),
    ('{"version": 0, "boxes": null}', "no boxes"),
    ('{"version": 0, "boxes": {"a": 1}}', "boxes as an object"),
    ('{"version": 0, "boxes": [7]}', "a number for a box"),
    ('{"version": -1, "boxes": []}', "a version before the first"),
    ('{"version": 1e400, "boxes": []}', "an infinite version"),
    ('{"version": ' + "9" * 4000 + ', "boxes": []}', "a version of 4,000 digits"),
    ('{"version": "x", "boxes": []}', "a version in words"),
    ('{"version": 99999999999999, "boxes": []}', "a version too large for the column"),
    ('{"boxes": []}', "no version"),
]
BAD_BOXES: list[tuple[dict[str, Any], str]] = [
    ({"x": float("nan")}, "not a number"),
    ({"x": float("inf")}, "infinite"),
    ({"x": 10**400}, "larger than a float"),
    ({"x": "0.1"}, "a number in words"),
    ({"x": True}, "a truth for a number"),
    ({"x": None}, "nothing"),
    ({"x": -0.1}, "left of the picture"),
    ({"x": 0.99}, "over the right edge"),
    ({"w": 0}, "without width"),
    ({"h": 1.5}, "higher than the picture"),
    ({"label": "unicorn"}, "a class that is none"),
    ({"label": ["person"]}, "a list for a class"),
    ({"label": "tent"}, "a tent that bathes"),
    ({"activity": "flying"}, "an activity that is none"),
    ({"key": ""}, "no key"),
    ({"key": "a b"}, "a key with a blank"),
    ({"key": "x" * 65}, "a long key"),
    ({"score": 2}, "a score over one"),
    ({"detection": 2**70}, "an id that no row can have"),
    ({"source_class": "\x00"}, "a zero byte"),
]


@pytest.mark.parametrize(("body", "what"), HOSTILE, ids=[what for _, what in HOSTILE])
def test_hostile_bodies_are_refused_in_words(frame: Frame, body: str, what: str) -> None:
    one = tab(frame)
    for method, name in (("put", "draft"), ("post", "reviews")):
        answer = one.send(method, reverse(f"annotation:{name}", args=[frame.pk]), raw=body)
        assert answer.status_code == 400, what
        assert isinstance(answer.json()["detail"], str)
    assert not Review.objects.exists()


@pytest.mark.parametrize(("change", "what"), BAD_BOXES, ids=[what for _, what in BAD_BOXES])
def test_bad_boxes_are_refused_in_words(frame: Frame, change: Any, what: str) -> None:
    one = tab(frame)
    for answer in (
        one.draft(frame, 0, PERSON, PERSON | {"key": "b"} | change),
        one.review(frame, 0, PERSON | change),
    ):
        assert answer.status_code == 400, what
        assert isinstance(answer.json()["detail"], str)
    assert not ReviewBox.objects.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"request_id": "7"},
        {"verdict": "perhaps"},
        {"seconds": float("nan")},
        {"seconds": -1},
        {"seconds": 1e9},
        {"comment": "x" * 1001},
        {"comment": "a\x00b"},
        {"comment": 5 * ["x"]},
        {"boxes": [PERSON]},  # with the verdict "nobody"
        {"verdict": "boxes", "boxes": [PERSON, PERSON]},  # one key twice
        {"verdict": "boxes", "boxes": [PERSON | {"key": f"k{n}"} for n in range(1001)]},
    ],
    ids=str,
)
def test_bad_reviews_are_refused_in_words(frame: Frame, fields: Any) -> None:
    answer = tab(frame).review(frame, 0, **fields)
    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    "body",
    [
        {"want": 11, "holding": []},
        {"want": -1, "holding": []},
        {"want": 1, "holding": [2**70]},
        {"want": 1, "holding": list(range(1, 60))},
        {"want": 1, "holding": "all"},
        {"want": 1, "holding": [], "day": "yesterday"},
        {"want": 1, "holding": [], "day": "9999-12-31T00:00"},
        {"want": 1},
    ],
    ids=str,
)
def test_bad_claims_are_refused_in_words(frame: Frame, body: Any) -> None:
    one = tab(frame)
    answer = one.send("post", reverse("annotation:claim", args=[one.lake.slug]), body)
    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)
    assert not Hold.objects.exists()


def test_the_last_day_of_the_calendar_breaks_nothing(frame: Frame) -> None:
    for day in ("9999-12-31", "0001-01-01"):
        assert tab(frame).claim(day=day).status_code == 400


def test_the_signed_out_are_told_so_and_the_token_is_asked_for(frame: Frame) -> None:
    where = reverse("annotation:draft", args=[frame.pk])
    assert Client().put(where, "{}", content_type="application/json").status_code == 401
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(tab(frame).user)
    assert strict.put(where, "{}", content_type="application/json").status_code == 401


def test_what_waits_on_a_page_is_not_stated_by_who_signed_in_after(frame: Frame) -> None:
    two = tab(frame, Role.RANGER)
    two.client.defaults["HTTP_X_PERSON"] = str(tab(frame, name="one").user.pk)
    assert two.review(frame, 0).status_code == two.claim().status_code == 401
    assert not Review.objects.exists()
    two.client.defaults["HTTP_X_PERSON"] = str(two.user.pk)
    assert two.review(frame, 0).status_code == 200


@pytest.mark.parametrize("number", [2, 4])
def test_queries_do_not_grow_with_the_frames(
    frame: Frame, number: int, django_assert_num_queries: Any
) -> None:
    frames = [frame, *(make_frame(frame.deployment) for _ in range(3))]
    examine(*frames[1:], boxes={each.pk: [Box("boat", "boat", 0.9, 0.1, 0.1, 0.1, 0.1)]
                                for each in frames[1:]})  # fmt: skip
    one = tab(frame)
    with django_assert_num_queries(CLAIM):
        assert len(one.claim(want=number).json()["frames"]) == number


def test_queries_of_a_draft_and_of_a_review(frame: Frame, django_assert_num_queries: Any) -> None:
    one = tab(frame)
    one.claim()
    boxes = [PERSON | {"key": f"k{n}"} for n in range(300)]
    with django_assert_num_queries(DRAFT):
        one.draft(frame, 0, *boxes)
    with django_assert_num_queries(REVIEW):
        one.review(frame, 1, *boxes)


def test_the_page(frame: Frame) -> None:
    one = tab(frame)
    where = reverse("annotation:review", args=[one.lake.slug])
    page = one.client.get(where, {"day": "2025-07-26"}).content.decode()
    assert 'data-day="2025-07-26"' in page
    assert 'data-frame-url-template="/frames/{id}"' in page
    assert page.count("<main") == 1
    assert one.client.get(where, {"day": "yesterday"}).status_code == 404
    assert one.client.get(where, {"day": "2025-02-31"}).status_code == 404
