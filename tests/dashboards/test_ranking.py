"""The overview: ranks by what is known of each lake, and the state of the machinery."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from dashboards.attendance import attendance
from dashboards.machinery import machinery
from dashboards.ranking import ranking
from detection.models import Batch, CardFile, Frame, Run, RunFrame
from lacs_web.models import Lake, Membership, Role, User
from tests.cast import person
from tests.dashboards.survey import FIRST, at, make_survey, read
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def lake() -> Lake:
    return make_survey().lake


def full(slug: str, persons: int, hours: int = 6) -> Lake:
    """A lake of which every frame is read, and shows `persons`."""
    deployment = make_deployment(make_lake(slug), slug=slug, interval_seconds=900)
    for hour in range(hours):
        read(make_frame(deployment, at(25, 10 + hour)), persons)
    return deployment.lake


def test_the_surest_stand_first_and_the_busiest_of_them(lake: Lake) -> None:
    quiet, busy = full("quiet", 1), full("busy", 3)
    deployment = make_deployment(make_lake("machine"), slug="machine")
    examine(make_frame(deployment, at(25, 10)))
    make_frame(make_deployment(make_lake("unseen"), slug="unseen"), at(25, 10))
    every = list(Lake.objects.all())
    rows = ranking([*every, make_lake("empty")]).rows
    assert [(row.lake.slug, row.basis) for row in rows][:2] == [
        ("busy", "fully read"), ("quiet", "fully read"),
    ]  # fmt: skip
    assert [row.basis for row in rows][-2:] == ["machine only", "not looked at"]
    assert rows[0].value == rows[0].low == rows[0].high == pytest.approx(3)
    assert rows[0].watched_hours == pytest.approx(1.5)
    assert rows[0].share_read == 1
    assert {row.lake.slug for row in rows} == {"quiet", "busy", "lauvitel", "machine", "unseen"}
    assert (quiet, busy) == (rows[1].lake, rows[0].lake)


def test_it_says_what_the_lakes_own_page_says(lake: Lake) -> None:
    deployment = make_deployment(make_lake("partly"), slug="partly", interval_seconds=900)
    frames = [make_frame(deployment, at(25, 6) + timedelta(minutes=15 * n)) for n in range(40)]
    examine(*frames)
    for frame in sorted(frames, key=lambda each: each.rank)[:30]:
        read(frame, frame.pk % 3)
    (row,) = ranking([deployment.lake]).rows
    whole = attendance(deployment.lake, FIRST.replace(month=1), FIRST.replace(month=12))
    present = whole["present"]
    assert row.basis == "corrected"
    assert (row.value, row.low, row.high) == (present["value"], present["low"], present["high"])
    assert row.low is not None
    assert row.value is not None
    assert row.high is not None
    assert row.low < row.value < row.high
    (mine,) = ranking([lake]).rows
    assert mine.basis == "partly read"
    assert mine.value == pytest.approx(1.5 / 0.75)
    assert mine.low is None


def test_what_is_remembered_is_forgotten_when_a_reading_comes(lake: Lake) -> None:
    busy = full("busy", 3)
    assert ranking([busy]).rows[0].value == pytest.approx(3)
    deployment = busy.deployments.get()
    read(make_frame(deployment, at(26, 10)), 10)
    assert ranking([busy]).rows[0].value == pytest.approx((6 * 3 + 10) / 7)


def test_years_are_those_with_pictures(lake: Lake) -> None:
    assert ranking([make_lake("empty")]).year is None
    make_frame(lake.deployments.get(), at(25, 10).replace(year=2023))
    assert ranking([lake]).years == [2025, 2023]  # no button for a year without a figure
    assert ranking([lake], "2023").rows[0].frames == 1
    assert ranking([lake], "2024").year == 2025
    assert ranking([lake], "1789").year == 2025


def test_the_queries_do_not_grow_with_the_lakes(
    client: Client, lake: Lake, django_assert_num_queries: Any
) -> None:
    user = User.objects.create_user("officer@example.org")
    Membership.objects.create(user=user, role=Role.OFFICER, park=lake.park)
    client.force_login(user)
    where = reverse("dashboards:overview")
    for count in (1, 4):
        while lake.park.lakes.count() < count:
            full(f"lake-{lake.park.lakes.count()}", 2)
        client.get(where)
        client.get(where)  # what changed is worked off, and rates are remembered
        with django_assert_num_queries(12):
            answer = client.get(where)
        assert len(answer.context["rows"]) == count


def test_only_those_who_set_up_lakes_see_the_machinery(client: Client, lake: Lake) -> None:
    for role, sees in ((Role.PARTNER, False), (Role.RANGER, False), (Role.OFFICER, True)):
        client.force_login(person(role, lake))
        answer = client.get(reverse("dashboards:overview"))
        assert bool(answer.context["machinery"]) == sees, role


def test_owed_work_without_a_worker_is_stuck(lake: Lake, settings: Any) -> None:
    batch = Batch.objects.get(deployment__lake=lake)
    for n in range(3):
        CardFile.objects.create(
            batch=batch, path=f"{n}.jpg", size=1000, sha256=f"{n:064}", state="stored"
        )
    CardFile.objects.create(batch=batch, path="later.jpg", size=1000)
    state = machinery([lake])
    assert (state.cards, state.ingest.owed, state.ingest.stuck) == (3000, 3, True)
    CardFile.objects.filter(path="1.jpg").update(lease_until=timezone.now() + timedelta(minutes=1))
    assert machinery([lake]).ingest.at_work
    run = Run.objects.get(batch=batch)
    frame = Frame.objects.filter(run_frames=None)[0]
    RunFrame.objects.create(run=run, frame=frame)
    assert machinery([lake]).inference.owed == 0  # a finished run owes nothing
    Run.objects.update(finished_at=None)
    assert machinery([lake]).inference.stuck
    assert machinery([make_lake("other")]).ingest.owed == 0
    settings.DISK_RESERVE_BYTES = state.total + 1
    assert machinery([lake]).full
