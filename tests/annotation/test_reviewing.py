"""Reviews and what they settle, over rows: who is forgotten still counts once."""

from __future__ import annotations

import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from annotation.models import Review, SettledFrame
from annotation.resettling import resettle
from annotation.reviewing import submit
from detection.models import Frame
from lacs_web.models import Role, User
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

pytestmark = pytest.mark.django_db


def say(frame: Frame, user: User, verdict: str = "nobody") -> Review:
    return submit(frame=frame, reviewer=user, request_id=uuid.uuid4(), verdict=verdict)


def seen() -> Frame:
    frame = make_frame(make_deployment())
    examine(frame)
    return frame


def test_one_forgotten_person_is_one_voice_and_not_two() -> None:
    frame = seen()
    one = person(Role.VOLUNTEER, frame.deployment.lake)
    say(frame, one, "unreadable")
    say(frame, one, "unreadable")
    one.delete()
    assert Review.objects.filter(reviewer=None).count() == 2
    assert resettle(frame) is None


def test_two_forgotten_people_still_agree() -> None:
    frame = seen()
    people = [person(Role.VOLUNTEER, frame.deployment.lake, name) for name in ("one", "two")]
    for each in people:
        say(frame, each, "skip")
        say(frame, each)
        each.delete()
    settled = resettle(frame)
    assert settled is not None
    assert settled.rule["clause"] == "two agree"


def test_an_author_says_nothing_beyond_the_frame() -> None:
    first = seen()
    second = make_frame(first.deployment)
    one = person(Role.VOLUNTEER, first.deployment.lake)
    authors = {say(frame, one).author for frame in (first, second)}
    assert len(authors) == 2
    assert say(first, one).author in authors


def test_a_review_is_never_changed_but_for_its_reviewer() -> None:
    frame = seen()
    review = say(frame, person(Role.RANGER, frame.deployment.lake))
    assert SettledFrame.objects.get().review == review
    for change in ({"comment": "x"}, {"author": uuid.uuid4()}, {"verdict": "skip"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Review.objects.filter(pk=review.pk).update(**change)


@pytest.mark.django_db(transaction=True)
def test_reviews_made_before_authors_were_kept_get_them() -> None:
    frame = seen()
    lake = frame.deployment.lake
    one, two = (person(Role.VOLUNTEER, lake, name) for name in ("one", "two"))
    for user in (one, one, two):
        say(frame, user)
    forgotten = say(frame, person(Role.VOLUNTEER, lake, "gone"))
    Review.objects.filter(pk=forgotten.pk).update(reviewer=None)
    latest = MigrationExecutor(connection).loader.graph.leaf_nodes()  # others rest on it
    try:
        MigrationExecutor(connection).migrate([("annotation", "0002_reviews_are_append_only")])
    finally:
        MigrationExecutor(connection).migrate(latest)
    authors = list(Review.objects.order_by("pk").values_list("author", flat=True))
    assert authors[0] == authors[1]
    assert len(set(authors)) == 3
    with pytest.raises(IntegrityError), transaction.atomic():
        Review.objects.update(seconds=9)  # the trigger is back in force
