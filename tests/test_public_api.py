"""What programs read: lists by cursor, the figures of the page, and errors as problem details."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from dashboards import api_forms, exporting
from dashboards.attendance import attendance
from detection.api import forms
from detection.models import Batch
from lacs_web.models import AuditEvent, Lake, Role
from tests.cast import person
from tests.dashboards.survey import at
from tests.dashboards.test_estimates import state
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def lake() -> Lake:
    return make_deployment(interval_seconds=900).lake


def signed_in(role: Role, lake: Lake) -> Client:
    client = Client()
    client.force_login(person(role, lake))
    client.cookies["django_language"] = "en"
    return client


def walk(client: Client, where: str) -> list[dict[str, Any]]:
    """All rows, page after page."""
    found: list[dict[str, Any]] = []
    while where:
        page = client.get(where).json()
        found += page["results"]
        where = page["next"]
    return found


def test_lists_are_read_to_their_end(lake: Lake, django_assert_num_queries: Any) -> None:
    shore = lake.deployments.get()
    since = datetime(2012, 1, 1, tzinfo=UTC)
    places = [shore.slug] + [
        make_deployment(lake, f"p{n}", starts_at=since + timedelta(days=n)).slug for n in range(4)
    ]
    make_frame(shore)
    cards = [Batch.objects.create(deployment=shore, source=str(n)).pk for n in range(4)]
    other = Batch.objects.create(deployment=lake.deployments.get(slug="p1")).pk
    Batch.objects.create(deployment=make_deployment(make_lake("elsewhere"), "far"))
    client = signed_in(Role.RANGER, lake)

    where = reverse("detection:api-deployments", args=[lake.slug])
    assert [row["deployment"] for row in walk(client, f"{where}?page_size=2")] == [
        "p3", "p2", "p1", "p0", "shore",
    ]  # fmt: skip
    rows = walk(client, where)
    assert len(rows) == len(places)
    assert (rows[-1]["frames"], rows[-1]["cards"]) == (1, 5)

    where = reverse("detection:api-cards", args=[lake.slug])
    assert [row["batch"] for row in walk(client, f"{where}?page_size=2")][:2] == [other, cards[-1]]
    assert [row["batch"] for row in walk(client, f"{where}?deployment=p1")] == [other]
    told = client.get(reverse("detection:api-receipt", args=[other])).json()
    assert set(told) == set(forms.Receipt().fields)
    with django_assert_num_queries(4):  # session, person, lake, cards
        assert len(client.get(where).json()["results"]) == 6
    with django_assert_num_queries(4):
        client.get(reverse("detection:api-deployments", args=[lake.slug]))


def test_a_lake_says_what_may_be_done_there(lake: Lake, django_assert_num_queries: Any) -> None:
    make_lake("elsewhere")
    make_frame(lake.deployments.get())
    client = signed_in(Role.PARTNER, lake)
    with django_assert_num_queries(5):
        (row,) = client.get(reverse("dashboards:api-lakes")).json()["results"]
    assert row == {
        "lake": lake.slug, "name": lake.name, "park": "ecrins", "time_zone": "Europe/Paris",
        "may": ["read figures"], "observed": {"from": "2025-07-26", "to": "2025-07-26"},
    }  # fmt: skip


@pytest.mark.parametrize("position", ["x", "\0", "99999-01-01", "2025-01-01T00:00:00+99:00"])
@pytest.mark.parametrize("name", ["detection:api-cards", "detection:api-deployments"])
def test_a_cursor_that_nobody_was_given(lake: Lake, name: str, position: str) -> None:
    cursor = b64encode(f"p={position}".encode()).decode()
    answer = signed_in(Role.RANGER, lake).get(reverse(name, args=[lake.slug]), {"cursor": cursor})
    assert answer.status_code in (200, 404), answer.content
    if answer.status_code == 404:
        assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("role", [Role.PARTNER, Role.OFFICER])
def test_figures_are_those_of_the_page(lake: Lake, role: Role) -> None:
    lake.discreet_below = 5
    lake.save()
    frames = [make_frame(lake.deployments.get(), at(26, hour)) for hour in (10, 11, 12)]
    examine(*frames)
    state(frames[0], ("person", "bathing"))
    client = signed_in(role, lake)
    where = reverse("dashboards:api-attendance", args=[lake.slug])
    page = client.get(reverse("dashboards:lake", args=[lake.slug]), {"period": "week"})
    told = client.get(where, {"period": "week"}).json()
    event = AuditEvent.objects.get(action="exported")
    assert event.detail == {"format": "json", "from": "2025-07-26", "to": "2025-07-26"}
    shown = page.context["figures"]
    assert told["units"] == shown["units"]
    for said, form in (
        (told, api_forms.Figures),
        (told["days"][0], api_forms.Day),
        (told["months"][0], api_forms.Group),
        (told["hours"][0], api_forms.Hour),
        (told["season"], api_forms.Season),  # of one day: without an interval
    ):
        fields = form().fields
        assert set(said) == set(fields)  # nothing is told that is not described
        assert all(fields[name].allow_null for name, value in said.items() if value is None)
    assert told["days"][0]["validated_person_hours"] == shown["days"][0]["validated_person_hours"]
    assert (told["units"]["bather_hours"] is None) == (role == Role.PARTNER)
    asked = {"from": "2025-07-26", "to": "2025-07-26"}
    if role == Role.OFFICER:
        out = io.StringIO()
        call_command("attendance", lake.slug, "--from=2025-07-26", "--to=2025-07-26", "--json",
                     stdout=out)  # fmt: skip
        assert client.get(where, asked).json() == json.loads(out.getvalue())
    period = exporting.period(lake, asked)
    assert attendance(lake, period.first, period.last)["frames"] == told["frames"]


def test_an_error_is_a_problem_with_its_fields(lake: Lake) -> None:
    client = signed_in(Role.OFFICER, lake)
    figures = reverse("dashboards:api-attendance", args=[lake.slug])
    wrong = client.get(figures, {"from": "2025-07-02", "to": "2025-07-01"})
    assert (wrong.status_code, wrong["Content-Type"]) == (400, "application/problem+json")
    said = wrong.json()
    assert (said["type"], said["title"], said["status"]) == ("about:blank", "Bad Request", 400)
    assert said["errors"]["from"] == [said["detail"]]
    cards = reverse("detection:api-cards", args=[lake.slug])
    said = client.post(cards, {}, content_type="application/json").json()
    assert set(said["errors"]) == {"deployment", "fingerprint", "files"}
    assert client.get(cards, {"page_size": "0"}).json()["errors"].keys() == {"page_size"}
    dp = reverse("dashboards:api-export-frames", args=[lake.slug, "camtrap-dp"])
    said = client.get(dp, {"from": "2025-07-01", "to": "2025-07-02"}).json()
    assert "latitude" in said["errors"]["kind"][0]
    for nowhere in ("/api/v1/nothing", "/api/v1/lakes/nowhere/cards", f"{figures}\0"):
        answer = client.get(nowhere)
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert client.get("/nothing")["Content-Type"].startswith("text/html")


def test_a_file_may_be_asked_for_by_its_kind(lake: Lake) -> None:
    client = signed_in(Role.PARTNER, lake)
    where = reverse("dashboards:api-export-figures", args=[lake.slug, "csv"])
    answer = client.get(
        where, {"from": "2025-07-01", "to": "2025-07-02"}, headers={"Accept": "text/csv"}
    )
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
