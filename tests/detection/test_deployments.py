"""The deployments room: list, page, form and zones, as the web server answers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client
from django.urls import reverse

from detection.models import Camera, Deployment, Zone
from lacs_web.models import AuditEvent, Lake, Role
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def lake() -> Lake:
    return make_lake()


@pytest.fixture
def officer(client: Client, lake: Lake) -> Client:
    client.force_login(person(Role.OFFICER, lake))
    client.cookies["django_language"] = "en"
    return client


def form(**fields: Any) -> dict[str, Any]:
    return {
        "viewpoint": "North shore",
        "slug": "",
        "camera": "",
        "make": "Trail",
        "model": "X1",
        "serial": "17",
        "starts_at": "2025-07-01T12:00",
        "ends_at": "2025-09-01T12:00",
        "interval_seconds": "300",
        "window_start": "05:00",
        "window_end": "21:00",
        "clock": "60",
        "clock_offset_minutes": "",
        "clock_correction_seconds": "",
        **fields,
    }


def new(client: Client, lake: Lake, **fields: Any) -> Any:
    return client.post(reverse("detection:deployment-new", args=[lake.slug]), form(**fields))


def errors(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200
    found: dict[str, Any] = answer.context["form"].errors
    return found


def test_the_list_takes_as_many_queries_for_many(
    officer: Client, lake: Lake, django_assert_num_queries: Any
) -> None:
    address = reverse("detection:deployments", args=[lake.slug])
    for count in (1, 6):
        while lake.deployments.count() < count:
            one = make_deployment(lake, f"view-{lake.deployments.count()}")
            frame = make_frame(one)
            Zone.objects.create(deployment=one, kind="water", polygon=[[0, 0], [1, 0], [1, 1]])
        with django_assert_num_queries(5):  # session, person, lake, rights, deployments
            page = officer.get(address).content.decode()
        assert page.count("winter time, UTC+1") == count
    assert frame.captured_at is not None
    assert "26 July 2025" in page


def test_a_page_takes_as_many_queries_for_many_batches(
    officer: Client, lake: Lake, django_assert_num_queries: Any
) -> None:
    one = make_deployment(lake)
    address = reverse("detection:deployment", args=[one.slug])
    for _ in range(2):
        for _ in range(3):
            batch = one.batches.create(source="DCIM")
            examine(make_frame(one, batch=batch))
        with django_assert_num_queries(18):
            page = officer.get(address).content.decode()
    assert page.count("1 of 1 frame examined") == 6


def test_an_empty_room_says_what_to_do(officer: Client, client: Client, lake: Lake) -> None:
    address = reverse("detection:deployments", args=[lake.slug])
    assert "Place a camera" in officer.get(address).content.decode()
    client.force_login(person(Role.RANGER, lake))
    page = client.get(address).content.decode()
    assert "Place a camera" not in page
    assert "officer or an administrator" in page


def test_a_camera_is_placed_in_local_time(officer: Client, lake: Lake) -> None:
    answer = new(officer, lake)
    one = Deployment.objects.get()
    assert answer["Location"] == reverse("detection:deployment", args=[one.slug])
    assert one.starts_at == datetime(2025, 7, 1, 10, tzinfo=UTC)  # summer time at the lake
    assert (one.slug, str(one.camera), one.camera.park) == (
        "lauvitel-north-shore", "Trail X1 17", lake.park,
    )  # fmt: skip
    assert one.clock_offset_minutes == 60
    assert AuditEvent.objects.get().action == "deployment placed"
    page = officer.get(answer["Location"]).content.decode()
    assert "1 July 2025 12:00" in page
    assert "winter time, UTC+1" in page


@pytest.mark.parametrize(
    ("clock", "minutes", "kept"),
    [("60", "", 60), ("120", "", 120), ("0", "", 0), ("other", "330", 330), ("60", "330", 60)],
)
def test_clocks_go_by_name(
    officer: Client, lake: Lake, clock: str, minutes: str, kept: int
) -> None:
    new(officer, lake, clock=clock, clock_offset_minutes=minutes)
    one = Deployment.objects.get()
    assert one.clock_offset_minutes == kept
    again = officer.get(reverse("detection:deployment-edit", args=[one.slug])).context["form"]
    assert again["clock"].value() == ("other" if kept == 330 else str(kept))


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("ends_at", {"ends_at": "2025-06-01T12:00"}),
        ("ends_at", {"ends_at": "2025-07-01T12:00"}),
        ("starts_at", {"starts_at": ""}),
        ("starts_at", {"starts_at": "2025-03-30T02:30"}),  # skipped by summer time
        ("starts_at", {"starts_at": "yesterday"}),
        ("window_end", {"window_end": ""}),
        ("window_end", {"window_start": ""}),
        ("__all__", {"window_end": "04:00"}),
        ("interval_seconds", {"interval_seconds": "0"}),
        ("interval_seconds", {"interval_seconds": "9999999999999"}),
        ("clock", {"clock": "61"}),
        ("starts_at", {"starts_at": "0001-01-01T00:00"}),
        ("starts_at", {"starts_at": "1800-01-01T00:00"}),
        ("starts_at", {"starts_at": "9999-12-31T23:59"}),
        ("ends_at", {"ends_at": "9999-12-31T23:59"}),
        ("clock_offset_minutes", {"clock": "other"}),
        ("clock_offset_minutes", {"clock": "other", "clock_offset_minutes": "900"}),
        ("clock_correction_seconds", {"clock_correction_seconds": "99999999999"}),
        ("make", {"make": ""}),
        ("serial", {"serial": ""}),
        ("camera", {"camera": "999"}),
        ("viewpoint", {"viewpoint": ""}),
        ("slug", {"slug": "no spaces, please"}),
        ("viewpoint", {"viewpoint": "a\x00b"}),
    ],
)
def test_what_cannot_be_is_told_at_its_field(
    officer: Client, lake: Lake, field: str, wrong: dict[str, str]
) -> None:
    assert field in errors(new(officer, lake, **wrong))
    assert not Deployment.objects.exists()
    assert not Camera.objects.exists()


def test_the_database_holds_no_deployment_before_1990(lake: Lake) -> None:
    one = make_deployment(lake)
    with pytest.raises(IntegrityError, match="deployment_since_1990"):
        Deployment.objects.filter(pk=one.pk).update(starts_at=datetime(1800, 1, 1, tzinfo=UTC))


def test_a_camera_stands_at_one_place_at_a_time(officer: Client, lake: Lake) -> None:
    new(officer, lake)
    camera = Camera.objects.get()
    same = {"camera": camera.pk, "make": "", "model": "", "serial": ""}
    told = errors(new(officer, lake, **same, viewpoint="South shore", starts_at="2025-08-01T12:00"))
    assert told == {"__all__": ["This camera stands elsewhere at that time."]}
    after = {"starts_at": "2025-09-01T12:00", "ends_at": "", "viewpoint": "South shore"}
    assert new(officer, lake, **same, **after).status_code == 302
    first = Deployment.objects.order_by("starts_at")[0]
    answer = officer.post(
        reverse("detection:deployment-edit", args=[first.slug]), form(**same, ends_at="")
    )
    assert errors(answer) == {"__all__": ["This camera stands elsewhere at that time."]}


def test_taken_names_and_numbers_are_told(officer: Client, lake: Lake) -> None:
    new(officer, lake, slug="mine")
    assert "slug" in errors(new(officer, lake, slug="mine", serial="18"))
    assert "serial" in errors(new(officer, lake, slug="other"))
    new(officer, lake, serial="19")
    new(officer, lake, serial="20")
    assert Deployment.objects.filter(slug="lauvitel-north-shore-2").exists()


def test_only_cameras_of_the_park_are_offered(officer: Client, lake: Lake) -> None:
    theirs = make_deployment(make_lake("cornu", park="asters"))
    assert "camera" in errors(new(officer, lake, camera=theirs.camera_id))


def test_a_changed_clock_dates_frames_anew(officer: Client, lake: Lake) -> None:
    new(officer, lake)
    one = Deployment.objects.get()
    clock_at = datetime(2025, 7, 10, 12, tzinfo=UTC)
    frame = make_frame(one, captured_at=datetime(2025, 7, 10, 11, tzinfo=UTC), clock_at=clock_at)
    edit = reverse("detection:deployment-edit", args=[one.slug])
    same = {"camera": one.camera_id, "make": "", "model": "", "serial": ""}
    page = officer.post(edit, form(**same, clock="120"), follow=True).content.decode()
    assert "1 frame is dated anew." in page
    frame.refresh_from_db()
    assert frame.captured_at == datetime(2025, 7, 10, 10, tzinfo=UTC)
    event = AuditEvent.objects.get(action="deployment changed")
    assert event.detail["before"] == {"clock_offset_minutes": 60}
    page = officer.post(edit, form(**same, clock="120"), follow=True).content.decode()
    assert "anew" not in page


def draw(client: Client, one: Deployment, zones: Any, seen: str = "") -> Any:
    address = reverse("detection:zones", args=[one.slug])
    page = client.get(reverse("detection:deployment", args=[one.slug]))
    seen = seen or page.context["editor"]["seen"]
    body = json.dumps({"seen": seen, "zones": zones})
    return client.post(address, body, content_type="application/json")


def test_zones_are_drawn_and_drawn_anew(officer: Client, lake: Lake) -> None:
    one = make_deployment(lake)
    frame = make_frame(one)
    examine(frame)
    water = {"kind": "water", "polygon": [[0, 0], [1, 0], [1, 0.5]]}
    path = {"kind": "path", "polygon": [[0, 1], [1, 1], [1, 0.75]]}
    stale = officer.get(reverse("detection:deployment", args=[one.slug])).context["editor"]["seen"]
    assert draw(officer, one, [water, path]).status_code == 200
    assert [(each.kind, each.polygon) for each in one.zones.order_by("pk")] == [
        ("water", water["polygon"]), ("path", path["polygon"]),
    ]  # fmt: skip
    page = officer.get(reverse("detection:deployment", args=[one.slug])).content.decode()
    assert '<polygon points="0.0,0.0 1600.0,0.0 1600.0,600.0"/>' in page
    answer = draw(officer, one, [], seen=stale)
    assert answer.status_code == 409
    assert "Load this page again" in answer.json()["message"]
    assert one.zones.count() == 2
    assert draw(officer, one, []).status_code == 200
    assert not one.zones.exists()
    kinds = [event.detail["kinds"] for event in AuditEvent.objects.filter(action="zones drawn")]
    assert sorted(kinds) == [[], ["water", "path"]]


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b"\xff", b'{"zones": null}', b"[" * 200_000])
def test_bytes_that_are_no_zones_are_refused(officer: Client, lake: Lake, body: bytes) -> None:
    one = make_deployment(lake)
    address = reverse("detection:zones", args=[one.slug])
    answer = officer.post(address, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_a_wrong_zone_is_named_and_nothing_is_lost(officer: Client, lake: Lake) -> None:
    one = make_deployment(lake)
    good = {"kind": "water", "polygon": [[0, 0], [1, 0], [1, 1]]}
    draw(officer, one, [good])
    crossed = {"kind": "shore", "polygon": [[0, 0], [1, 1], [1, 0], [0, 1]]}
    answer = draw(officer, one, [good, crossed])
    assert (answer.status_code, one.zones.count()) == (400, 1)
    assert "zone 2 crosses itself" in answer.json()["message"]


def test_cameras_of_lakes_that_one_does_not_see_are_not_listed(client: Client) -> None:
    here, there = make_deployment(), make_deployment(make_lake("muzelle"), slug="far")
    client.force_login(person(Role.OFFICER, here.lake))
    client.cookies["django_language"] = "en"
    address = reverse("detection:deployment-new", args=[here.lake.slug])
    page = client.get(address).content.decode()
    assert here.camera.serial in page
    assert there.camera.serial not in page
    sent = {"make": "Trail", "serial": there.camera.serial, "viewpoint": "x"}
    page = client.post(address, sent).content.decode()
    assert "ask an administrator of your park" in page
