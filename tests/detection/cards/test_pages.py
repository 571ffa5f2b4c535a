"""The room of cards and the page of one card, as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from detection.cards.receipt import receipt
from detection.models import Batch, CardFile, Deployment, Frame
from lacs_web.models import Membership, Role, User
from tests.cast import person
from tests.factories import examine, make_deployment, make_detector, make_frame, make_lake

pytestmark = pytest.mark.django_db
State = CardFile.State


@pytest.fixture
def deployment() -> Deployment:
    return make_deployment()


def ranger(deployment: Deployment, role: Role = Role.RANGER) -> Client:
    client = Client()
    client.force_login(person(role, deployment.lake))
    return client


def make_card(deployment: Deployment, *states: State, closed: bool = True) -> Batch:
    """A card with a file in each of `states`."""
    batch = Batch.objects.create(
        deployment=deployment, source="DCIM", closed_at=timezone.now() if closed else None
    )
    for number, state in enumerate(states):
        known = "" if state == State.AWAITED else f"{number:064x}"
        CardFile.objects.create(
            batch=batch, path=f"{number}.jpg", size=1, state=state, sha256=known, reason="video"
        )
    return batch


def page(client: Client, batch: Batch) -> str:
    answer = client.get(reverse("detection:batch", args=[batch.pk]))
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_room_says_what_to_do(deployment: Deployment) -> None:
    where = reverse("detection:cards", args=[deployment.lake.slug])
    new = reverse("detection:hand-over", args=[deployment.lake.slug])
    assert new in ranger(deployment).get(where).content.decode()
    Deployment.objects.all().delete()
    setting_up = reverse("detection:deployments", args=[deployment.lake.slug])
    assert setting_up in ranger(deployment).get(new).content.decode()


@pytest.mark.parametrize("cards", [1, 30])
def test_the_room_asks_the_database_as_often_for_many_cards_as_for_one(
    deployment: Deployment, cards: int, django_assert_num_queries: Any
) -> None:
    for _ in range(cards):
        make_card(deployment, State.NEW, State.QUARANTINED)
    client = ranger(deployment)
    where = reverse("detection:cards", args=[deployment.lake.slug])
    client.get(where)
    with django_assert_num_queries(6):  # session, person, lake, rights, how many, which
        answer = client.get(where)
    assert len(answer.context["page"]) == min(cards, 25)


def test_the_newest_card_comes_first_and_pages_go_on(deployment: Deployment) -> None:
    cards = [make_card(deployment) for _ in range(26)]
    where = reverse("detection:cards", args=[deployment.lake.slug])
    first = ranger(deployment).get(where).context["page"]
    assert first[0] == cards[-1]
    second = ranger(deployment).get(where, {"page": 2}).context["page"]
    assert list(second) == [cards[0]]


def test_a_card_that_is_coming_in_asks_again_and_never_speaks_of_erasing(
    deployment: Deployment,
) -> None:
    client = ranger(deployment)
    for batch in (
        make_card(deployment, State.STORED, State.AWAITED, closed=False),
        make_card(deployment, State.STORED, State.NEW),
    ):
        assert "every 2s" in page(client, batch)
        assert 'id="receipt-title"' not in page(client, batch)


def test_only_a_whole_card_may_be_erased(deployment: Deployment) -> None:
    client = ranger(deployment)
    whole = make_card(deployment, State.NEW, State.SET_ASIDE, State.UNREADABLE)
    lacking = make_card(deployment, State.NEW, State.AWAITED)
    assert "receipt-safe" in page(client, whole)
    assert "receipt-safe" not in page(client, lacking)
    short = make_card(deployment, State.NEW)
    Batch.objects.filter(pk=short.pk).update(expected_files=2)
    assert "receipt-safe" not in page(client, short)


def test_damaged_pictures_are_counted_and_named_apart(deployment: Deployment) -> None:
    frame = make_frame(deployment, damaged=True)
    Batch.objects.update(closed_at=timezone.now())
    said = page(ranger(deployment), frame.batch)
    assert frame.path in said
    assert 'id="damaged-title"' in said
    assert 'id="special-title"' not in said


def test_duplicates_name_the_card_that_they_came_with(deployment: Deployment) -> None:
    other = make_deployment(make_lake("other"), "other", viewpoint="By the hut")
    closed = timezone.now()
    for earlier in (make_frame(deployment), make_frame(other)):
        Batch.objects.filter(pk=earlier.batch_id).update(closed_at=closed)
    again = Batch.objects.create(deployment=deployment, closed_at=closed)
    for frame in Frame.objects.all():
        CardFile.objects.create(
            batch=again, path=frame.path, size=1, sha256=frame.sha256, frame=frame,
            state=State.DUPLICATE,
        )  # fmt: skip
    client = ranger(deployment)
    here, there = (
        reverse("detection:batch", args=[one.batches.get(pk__lt=again.pk).pk])
        for one in (deployment, other)
    )
    said = page(client, again)
    assert here in said
    assert "North shore" in said
    assert there not in said  # of that lake this person reads nothing
    assert "By the hut" not in said
    user = User.objects.get(pk=client.session["_auth_user_id"])
    Membership.objects.create(user=user, lake=other.lake, role=Role.RANGER)
    said = page(client, again)
    assert there in said
    assert "Other, By the hut" in said


def test_a_page_of_a_card_asks_few_questions(
    deployment: Deployment, django_assert_num_queries: Any
) -> None:
    make_detector()
    frames = [make_frame(deployment) for _ in range(20)]
    examine(*frames)
    batch = Batch.objects.get()
    Batch.objects.update(closed_at=timezone.now())
    client = ranger(deployment)
    page(client, batch)
    # session, person, card, rights · counts · receipt: files, frames, counts ·
    # runs, progress
    with django_assert_num_queries(11):
        page(client, batch)


def test_gaps_follow_the_schedule_that_the_frames_show(deployment: Deployment) -> None:
    start = datetime(2025, 7, 1, 4, tzinfo=UTC)
    for day in range(4):
        for step in range(17):
            if (day, step) not in {(1, 5), (1, 6), (2, 9)}:
                make_frame(deployment, start + timedelta(days=day, hours=step))
    Batch.objects.update(closed_at=timezone.now())
    result = receipt(Batch.objects.get())
    assert result["interval_seconds"] == 3600
    assert result["schedule_differs"]  # the deployment says five minutes
    # 4:00 UTC is 5:00 on a camera that stays on winter time.
    assert (str(result["window_start"]), str(result["window_end"])) == ("05:00:00", "21:00:00")
    assert [gap["missing"] for gap in result["gaps"]] == [2, 1]
    assert result["gaps"][0]["after"] == start + timedelta(days=1, hours=4)
    assert result["missing_frames"] == 3
    assert Frame.objects.count() == 4 * 17 - 3


def test_detection_waits_for_a_model(deployment: Deployment) -> None:
    batch = make_card(deployment, State.NEW)
    context = ranger(deployment).get(reverse("detection:batch", args=[batch.pk])).context
    assert context["detection"]["waits_for_model"]
    make_detector()
    context = ranger(deployment).get(reverse("detection:batch", args=[batch.pk])).context
    assert not context["detection"]["waits_for_model"]
