"""The page of a lake's calendar: who keeps which rows, and what is refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from dashboards import school
from lacs_web.models import AuditEvent, Lake, Membership, Role, SchoolHoliday, User
from tests.cast import person
from tests.factories import make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
SUMMER = {"region": "IT-21", "name": "Estate", "first": "2025-06-08", "last": "2025-09-09"}


@pytest.fixture
def lake() -> Lake:
    return make_lake()


@pytest.fixture
def officer(lake: Lake) -> User:
    """Scientific officer of the whole park."""
    user = User.objects.create_user("officer@example.org")
    Membership.objects.create(user=user, role=Role.OFFICER, park=lake.park)
    return user


def test_a_row_of_the_park_holds_at_each_of_its_lakes(
    client: Client, lake: Lake, officer: User
) -> None:
    second, elsewhere = make_lake("second"), make_lake("cornu", "asters")
    client.force_login(officer)
    client.post(reverse("dashboards:calendar", args=[lake.slug]), SUMMER | {"scope": "park"})
    client.post(
        reverse("dashboards:calendar", args=[lake.slug]),
        SUMMER | {"scope": "lake", "region": "FR-A"},
    )
    assert [band.region for band in school.bands(lake)] == ["FR-A", "IT-21"]
    assert [band.region for band in school.bands(second)] == ["IT-21"]
    assert school.bands(elsewhere) == []
    assert school.bands(lake)[1].last == date(2025, 9, 9)


def test_rows_are_changed_and_removed_on_record(client: Client, lake: Lake, officer: User) -> None:
    client.force_login(officer)
    client.post(reverse("dashboards:calendar", args=[lake.slug]), SUMMER | {"scope": "park"})
    row = SchoolHoliday.objects.get()
    where = reverse("dashboards:holiday", args=[lake.slug, row.pk])
    assert b'value="2025-06-08"' in client.get(where).content
    client.post(where, SUMMER | {"scope": "lake", "last": "2025-09-10"})
    row.refresh_from_db()
    assert (row.lake, row.park, row.last) == (lake, None, date(2025, 9, 10))
    client.post(where, {"remove": "1"})
    assert not SchoolHoliday.objects.exists()
    assert [event.action for event in AuditEvent.objects.order_by("pk")] == [
        "school holiday added", "school holiday changed", "school holiday removed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [{"last": "2025-06-07"}, {"first": ""}, {"region": "FR-D"}, {"scope": "world"}, {"name": ""}],
)
def test_what_is_wrong_is_said_and_the_rest_stays_in_the_form(
    client: Client, lake: Lake, officer: User, wrong: dict[str, str]
) -> None:
    client.force_login(officer)
    where = reverse("dashboards:calendar", args=[lake.slug])
    answer = client.post(where, SUMMER | {"scope": "park"} | wrong)
    assert answer.context["form"].errors
    assert "2025-09-09" in answer.content.decode() or "last" in wrong
    assert not SchoolHoliday.objects.exists()


def test_the_same_row_twice_is_refused(client: Client, lake: Lake, officer: User) -> None:
    client.force_login(officer)
    client.cookies["django_language"] = "en"
    where = reverse("dashboards:calendar", args=[lake.slug])
    client.post(where, SUMMER | {"scope": "park"})
    answer = client.post(where, SUMMER | {"scope": "park"})
    assert answer.context["form"].non_field_errors() == [
        "This region has a holiday from that day already."
    ]
    assert SchoolHoliday.objects.count() == 1


def test_an_officer_of_one_lake_leaves_the_parks_rows_alone(
    client: Client, lake: Lake, officer: User
) -> None:
    row = SchoolHoliday.objects.create(park=lake.park, **SUMMER)
    client.force_login(person(Role.OFFICER, lake))
    where = reverse("dashboards:holiday", args=[lake.slug, row.pk])
    assert client.get(where).status_code == 403
    assert client.post(where, {"remove": "1"}).status_code == 403
    answer = client.post(
        reverse("dashboards:calendar", args=[lake.slug]), SUMMER | {"scope": "park"}
    )
    assert "scope" in answer.context["form"].errors
    other = SchoolHoliday.objects.create(lake=make_lake("cornu", "asters"), **SUMMER)
    strange = reverse("dashboards:holiday", args=[lake.slug, other.pk])
    assert client.post(strange, {"remove": "1"}).status_code == 404
    assert SchoolHoliday.objects.count() == 2


def test_the_french_zones_are_filled_in_once(client: Client, lake: Lake, officer: User) -> None:
    mine = SchoolHoliday.objects.create(
        lake=lake, region="FR-A", name="ours", first=date(2025, 2, 22), last=date(2025, 3, 1)
    )
    client.force_login(officer)
    where = reverse("dashboards:school-year", args=[lake.slug])
    client.post(where, {"year": "2024"})
    assert SchoolHoliday.objects.filter(park=lake.park).count() == 17
    mine.refresh_from_db()
    assert mine.name == "ours"
    client.post(where, {"year": "2024"})
    assert SchoolHoliday.objects.count() == 18
    for wrong in ("2099", "x", "", "²024"):
        answer = client.post(where, {"year": wrong}, follow=True)
        assert b"alert-warning" in answer.content, wrong
    assert SchoolHoliday.objects.count() == 18


def test_the_queries_do_not_grow_with_the_rows(
    client: Client, lake: Lake, officer: User, django_assert_num_queries: Any
) -> None:
    client.force_login(officer)
    where = reverse("dashboards:calendar", args=[lake.slug])
    assert "empty-state" in client.get(where).content.decode()
    for year in (2024, 2023):
        school.fill(year=year, lake=lake, whole_park=True, by=officer)
        with django_assert_num_queries(7):
            client.get(where)
