"""Figures against cases worked by hand, through the real verbs and the real database."""

from __future__ import annotations

import io
import json
import uuid
from datetime import UTC, date, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from annotation.models import Review, SettledFrame
from annotation.reviewing import ContradictoryReview, StatedBox, submit
from dashboards.attendance import attendance
from detection import runs
from detection.models import Batch, Deployment, Detector, Frame
from lacs_web.models import Membership, Role, User
from tests.factories import make_deployment

pytestmark = pytest.mark.django_db
SATURDAY = date(2025, 7, 26)


def person(role: Role, deployment: Deployment, name: str) -> User:
    user = User.objects.create_user(f"{name}@example.org")
    Membership.objects.create(user=user, role=role, park=deployment.lake.park)
    return user


def add_frames(deployment: Deployment, *instants: datetime) -> list[Frame]:
    batch, _ = Batch.objects.get_or_create(deployment=deployment)
    first = Frame.objects.count()
    return [
        Frame.objects.create(
            park=deployment.lake.park,
            deployment=deployment,
            batch=batch,
            sha256=f"{first + n:064x}",
            path=f"{n}.jpg",
            width=1600,
            height=1200,
            captured_at=instant,
            brightness=100,
            sharpness=100,
            rank=n,
        )
        for n, instant in enumerate(instants)
    ]


def at(hour: int, minute: int = 0, second: int = 0, day: int = 26) -> datetime:
    return datetime(2025, 7, day, hour, minute, second, tzinfo=UTC)


def bathers(n: int) -> list[StatedBox]:
    return [StatedBox("person", "bathing", 0.1 * k, 0.5, 0.02, 0.05) for k in range(n)]


def test_a_day_worked_by_hand() -> None:
    deployment = make_deployment(interval_seconds=900)
    ranger = person(Role.RANGER, deployment, "ranger")
    # Four slots of a quarter of an hour; the third holds a burst of three frames.
    frames = add_frames(
        deployment, at(10), at(10, 15), at(10, 30), at(10, 30, 1), at(10, 30, 2), at(10, 45)
    )
    submit(
        frame=frames[0], reviewer=ranger, request_id=uuid.uuid4(), verdict="boxes", boxes=bathers(4)
    )
    submit(
        frame=frames[2], reviewer=ranger, request_id=uuid.uuid4(), verdict="boxes", boxes=bathers(6)
    )
    submit(frame=frames[5], reviewer=ranger, request_id=uuid.uuid4(), verdict="unreadable")
    detector = Detector.objects.create(name="d", sha256="0" * 64, layout="yolox")
    run = runs.start_run(batch=Batch.objects.get(), detector=detector, options={}, user=ranger)
    token, rows = runs.take(run, 10)
    seen = runs.Box("person", "person", 0.8, 0.1, 0.1, 0.1, 0.1)
    weak = runs.Box("person", "person", 0.1, 0.3, 0.3, 0.1, 0.1)
    for row in rows:
        runs.store(token=token, outcomes=[(row, runs.Outcome([seen, weak]))])

    result = attendance(deployment.lake, date(2025, 7, 25), SATURDAY)

    assert result["not_observed"] == [date(2025, 7, 25)]
    (day,) = result["days"]
    assert day["watched_hours"] == pytest.approx(0.75)  # the unreadable slot is no effort
    assert day["validated_person_hours"] == pytest.approx(4 * 0.25 + 6 * 0.25 / 3)
    assert day["share_read"] == pytest.approx((0.25 + 0.25 / 3) / 0.75)
    assert day["machine_only_person_hours"] == pytest.approx(0.25 + 2 * 0.25 / 3)
    assert (day["peak_persons"], day["basis"], day["frames"]) == (6, "partly read", 5)


def test_the_day_is_that_of_the_lake() -> None:
    deployment = make_deployment()
    add_frames(deployment, at(22, 30, day=25))  # half past midnight on the 26th in France
    assert [day["day"] for day in attendance(deployment.lake, SATURDAY, SATURDAY)["days"]] == [
        SATURDAY
    ]


def test_what_nobody_read_is_no_zero() -> None:
    deployment = make_deployment()
    add_frames(deployment, at(10))
    result = attendance(deployment.lake, SATURDAY, SATURDAY)
    assert result["validated_person_hours"] is None
    (day,) = result["days"]
    assert day["basis"] == "not looked at"
    assert day["validated_person_hours"] is day["machine_only_person_hours"] is None
    nothing = attendance(deployment.lake, date(2024, 1, 1), date(2024, 1, 1))
    assert (nothing["share_read"], nothing["watched_hours"]) == (None, 0)


def test_volunteers_settle_by_agreement_and_repeats_are_harmless() -> None:
    deployment = make_deployment()
    one, two = (person(Role.VOLUNTEER, deployment, name) for name in ("one", "two"))
    (frame,) = add_frames(deployment, at(10))
    request = uuid.uuid4()
    for _ in range(2):
        submit(frame=frame, reviewer=one, request_id=request, verdict="boxes", boxes=bathers(2))
    assert Review.objects.count() == 1
    assert not SettledFrame.objects.exists()
    submit(frame=frame, reviewer=two, request_id=uuid.uuid4(), verdict="boxes", boxes=bathers(2))
    assert SettledFrame.objects.get().rule["clause"] == "two agree"
    # A change of mind takes the settlement back: the figures never outlive the agreement.
    submit(frame=frame, reviewer=two, request_id=uuid.uuid4(), verdict="nobody")
    assert not SettledFrame.objects.exists()


def test_reviews_cannot_be_rewritten_but_their_author_can_be_forgotten() -> None:
    deployment = make_deployment()
    ranger = person(Role.RANGER, deployment, "ranger")
    (frame,) = add_frames(deployment, at(10))
    submit(frame=frame, reviewer=ranger, request_id=uuid.uuid4(), verdict="nobody")
    with pytest.raises(IntegrityError, match="never changed"), transaction.atomic():
        Review.objects.update(verdict="boxes")
    ranger.delete()
    assert Review.objects.get().reviewer is None


def test_a_verdict_that_its_boxes_deny_is_refused() -> None:
    deployment = make_deployment()
    ranger = person(Role.RANGER, deployment, "ranger")
    (frame,) = add_frames(deployment, at(10))
    with pytest.raises(ContradictoryReview):
        submit(
            frame=frame,
            reviewer=ranger,
            request_id=uuid.uuid4(),
            verdict="nobody",
            boxes=bathers(1),
        )


def test_the_command_prints_the_same_figures() -> None:
    deployment = make_deployment()
    add_frames(deployment, at(10))
    out = io.StringIO()
    period = ("--from", "2025-07-26", "--to", "2025-07-27")
    call_command("attendance", deployment.lake.slug, *period, "--json", stdout=out)
    assert json.loads(out.getvalue())["not_observed"] == ["2025-07-27"]
    with pytest.raises(CommandError, match="No lake"):
        call_command("attendance", "nowhere", *period)
    for first, last, words in (
        ("9999-12-30", "9999-12-31", "1990 to 2200"),
        ("2025-07-27", "2025-07-26", "exchange the two dates"),
        ("tomorrow", "2025-07-26", "year-month-day"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("attendance", deployment.lake.slug, "--from", first, "--to", last)


def test_the_figures_take_few_queries(django_assert_num_queries: object) -> None:
    deployment = make_deployment()
    add_frames(deployment, at(10), at(11), at(10, day=27))
    attendance(deployment.lake, SATURDAY, date(2025, 7, 31))  # what changed is worked off
    with django_assert_num_queries(5):  # type: ignore[operator]
        attendance(deployment.lake, SATURDAY, date(2025, 7, 31))


def test_a_frame_that_looks_fogged_is_not_observed_until_somebody_read_it() -> None:
    deployment = make_deployment(interval_seconds=900)
    ranger = person(Role.RANGER, deployment, "ranger")
    clear, fogged = add_frames(deployment, at(10), at(10, 15))
    Frame.objects.filter(pk=fogged.pk).update(flag=Frame.Flag.FOGGED)
    assert attendance(deployment.lake, SATURDAY, SATURDAY)["watched_hours"] == pytest.approx(0.25)
    submit(frame=fogged, reviewer=ranger, request_id=uuid.uuid4(), verdict="nobody")
    seen = attendance(deployment.lake, SATURDAY, SATURDAY)
    assert seen["watched_hours"] == pytest.approx(0.5)
    assert seen["validated_person_hours"] == 0
    submit(frame=clear, reviewer=ranger, request_id=uuid.uuid4(), verdict="unreadable")
    assert attendance(deployment.lake, SATURDAY, SATURDAY)["frames"] == 1
