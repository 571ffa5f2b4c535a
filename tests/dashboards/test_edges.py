"""Lakes at the edge of what figures know: their pages are right, and say what to do next."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation.reviewing import StatedBox, submit
from dashboards import school
from dashboards.attendance import attendance
from detection.models import Frame
from lacs_web.models import AuditEvent, Lake, Role, SchoolHoliday
from tests.cast import person
from tests.dashboards.survey import seen
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


def page(client: Client, lake: Lake, role: Role = Role.OFFICER, **query: str) -> Any:
    client.force_login(person(role, lake))
    client.cookies["django_language"] = "en"
    answer = client.get(reverse("dashboards:lake", args=[lake.slug]), query)
    assert answer.status_code == 200
    return answer


def tents(frame: Frame, number: int) -> None:
    submit(
        frame=frame, reviewer=person(Role.RANGER, frame.deployment.lake), request_id=uuid.uuid4(),
        verdict="boxes" if number else "nobody",
        boxes=[StatedBox("tent", "", 0.1 * n, 0.5, 0.05, 0.05) for n in range(number)],
    )  # fmt: skip


def test_a_lake_without_a_frame(client: Client) -> None:
    lake = make_lake()
    assert "Hand over a card" in page(client, lake).content.decode()
    assert attendance(lake, date(2025, 7, 1), date(2025, 7, 2))["basis"] is None
    for place in ("home", "dashboards:overview"):
        assert client.get(reverse(place)).status_code == 200


def test_a_deployment_that_is_still_to_come(client: Client) -> None:
    lake = make_lake()
    make_deployment(lake, starts_at=timezone.now() + timedelta(days=90))
    assert "Hand over a card" in page(client, lake).content.decode()
    # Beside one with pictures it takes no part in what was to be watched.
    frame = make_frame(make_deployment(lake, slug="now", interval_seconds=3600),
                       datetime(2025, 7, 26, 10, tzinfo=UTC))  # fmt: skip
    examine(frame, boxes={frame.pk: seen(2)})
    tents(frame, 0)
    found = attendance(lake, date(2025, 7, 26), date(2025, 7, 26))
    assert found["season"] is None
    assert found["watched_hours"] == 1.0


@pytest.mark.parametrize("examined", [True, False])
def test_a_lake_where_nothing_is_settled(client: Client, examined: bool) -> None:
    place = make_deployment(interval_seconds=900)
    frames = [make_frame(place, datetime(2025, 7, 26, 10, 15 * n, tzinfo=UTC)) for n in range(4)]
    if examined:
        examine(*frames, boxes={frames[0].pk: seen(3)})
    answer = page(client, place.lake)
    figures, text = answer.context["figures"], answer.content.decode()
    assert figures["units"]["person_hours"] is None
    assert figures["present"] is None
    assert "no frame is read yet: nothing is validated" in text
    assert text.count("Check frames") > 1  # the way to the first figure
    assert figures["basis"] == ("machine only" if examined else "not looked at")
    assert figures["machine_only_person_hours"] == (0.75 if examined else None)
    if examined:
        assert "Verify about 4 more frames before an interval can be given" in text
    else:
        assert "no detector has examined them" in text
    # A partner cannot check frames, and is not told to.
    assert "Check frames" not in page(client, place.lake, Role.PARTNER).content.decode()
    overview = client.get(reverse("dashboards:overview")).content.decode()
    assert ("machine only, not validated" if examined else "watched, not counted yet") in overview


def test_the_days_when_clocks_change(client: Client) -> None:
    """A frame every half-hour round the clock: 23 hours of 30 March, 25 hours of 26 October."""
    place = make_deployment(interval_seconds=1800)
    for day, hours in ((date(2025, 3, 30), 23), (date(2025, 10, 26), 25)):
        midnight = datetime.combine(day, time(), place.lake.zone).astimezone(UTC)
        frames = [make_frame(place, midnight + timedelta(minutes=30 * n)) for n in range(2 * hours)]
        for frame in frames:
            tents(frame, 1)
        found = attendance(place.lake, day, day)
        assert found["watched_hours"] == hours
        assert len(found["hours"]) == (23 if hours == 23 else 24)
        if hours == 25:  # two o'clock comes twice
            assert found["hours"][2]["watched_hours"] == 2.0
        # Midnight to nine belongs to the night before; from 19:00 on a second night begins.
        assert found["tent_nights"] == found["nights_read"] == 2
        assert found["tents_outside_hours"] == 1
        answer = page(client, place.lake, Role.OFFICER, **{"from": str(day), "to": str(day)})
        assert f"{hours}.0" in answer.content.decode()


def test_a_lake_in_italy(client: Client) -> None:
    """Its own holidays and regions: 2 June and Easter are no days of France, 14 July none here."""
    lake = make_lake("malciaussia", "alpi")
    Lake.objects.update(country="IT", time_zone="Europe/Rome")
    lake.refresh_from_db()
    SchoolHoliday.objects.create(
        lake=lake, region=SchoolHoliday.Region.PIEMONTE, name="Vacanze estive",
        first=date(2025, 6, 9), last=date(2025, 9, 9),
    )  # fmt: skip
    place = make_deployment(lake, interval_seconds=3600)
    persons = {date(2025, 6, 2): 4, date(2025, 6, 3): 1, date(2025, 7, 14): 2}
    for day, number in persons.items():
        frame = make_frame(place, datetime.combine(day, time(12), lake.zone).astimezone(UTC))
        submit(
            frame=frame, reviewer=person(Role.RANGER, lake), request_id=uuid.uuid4(),
            verdict="boxes",
            boxes=[StatedBox("person", "walking", 0.1 * n, 0.5, 0.05, 0.1) for n in range(number)],
        )  # fmt: skip
    found = attendance(lake, date(2025, 6, 1), date(2025, 7, 31))
    assert {kind["kind"]: kind["present"]["value"] for kind in found["day_types"]} == {
        "week": 1.5, "holiday": 4.0,
    }  # fmt: skip
    (piemonte,) = found["school"]
    assert piemonte["region"] == "IT-21"
    assert piemonte["holidays"]["present"]["value"] == 2.0
    assert piemonte["term"]["present"]["value"] == 2.5  # (4 + 1) / 2
    client.force_login(person(Role.PARTNER, lake))
    client.cookies["django_language"] = "it"
    text = client.get(reverse("dashboards:lake", args=[lake.slug])).content.decode()
    assert "Piemonte" in text
    assert "Festa della Repubblica" in text
    assert "7,0" in text


def test_a_lakes_own_night() -> None:
    """Tents at 18:30, 20:00 and 8:30: by the park's rule from 18:00 to 8:00 the last is outside."""
    place = make_deployment(interval_seconds=1800)
    for hour, minute, number in ((16, 30, 3), (18, 0, 2), (30, 30, 5)):  # UTC
        midnight = datetime(2025, 7, 26, tzinfo=UTC)
        tents(make_frame(place, midnight + timedelta(hours=hour, minutes=minute)), number)
    period = (date(2025, 7, 26), date(2025, 7, 27))
    usual = attendance(place.lake, *period)
    assert (usual["tent_nights"], usual["tents_outside_hours"]) == (5, 3)
    officer = person(Role.OFFICER, place.lake)
    school.set_days(
        lake=place.lake, country="FR", night_begins=time(18), night_ends=time(8), by=officer
    )
    found = attendance(Lake.objects.get(), *period)
    assert (found["tent_nights"], found["tents_outside_hours"]) == (3, 5)
    assert found["nights"] == [{"night": period[0], "tents": 3}]
    event = AuditEvent.objects.get(action="calendar changed")
    assert event.detail["night"] == ["18:00", "08:00"]
    with pytest.raises(ValidationError):
        school.set_days(
            lake=place.lake, country="FR", night_begins=time(8), night_ends=time(8), by=officer
        )


def test_the_form_of_a_lakes_days(client: Client) -> None:
    lake = make_lake()
    client.force_login(person(Role.OFFICER, lake))
    client.cookies["django_language"] = "en"
    where = reverse("dashboards:days", args=[lake.slug])
    same = {"country": "IT", "night_begins": "09:00", "night_ends": "09:00"}
    answer = client.post(where, same)
    assert answer.status_code == 200
    assert "another time than it begins" in answer.content.decode()
    assert Lake.objects.get().country == "FR"
    client.post(where, same | {"night_begins": "20:30"})
    lake.refresh_from_db()
    assert (lake.country, lake.night_begins, lake.night_ends) == ("IT", time(20, 30), time(9))
    shown = client.get(reverse("dashboards:calendar", args=[lake.slug])).content.decode()
    assert 'value="20:30"' in shown
    assert "of Italy" in shown
