"""Figures with intervals, end to end: settled boxes in the database → the page."""

from __future__ import annotations

import io
import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation

from annotation.models import Plan, Review, ReviewBox, SettledFrame
from annotation.reviewing import StatedBox, submit
from dashboards import rollups, seasons, sentences
from dashboards.attendance import attendance, watched_years
from dashboards.calendar import kind_of_day
from dashboards.exporting import export
from dashboards.figures import Part, scheduled_hours
from dashboards.periods import Period
from dashboards.sheets import sheet
from dashboards.tasks import plan
from detection.models import Batch, Deployment, Detection, Frame, Run, RunFrame
from lacs_web.models import Role
from tests.cast import person
from tests.dashboards.survey import at, seen
from tests.factories import examine, make_deployment, make_detector, make_frame, make_lake

pytestmark = pytest.mark.django_db
SATURDAY = date(2025, 7, 26)


def state(frame: Frame, *boxes: tuple[str, str], seconds: float = 6.0) -> None:
    """A ranger settles `frame`: label and activity of each box."""
    submit(
        frame=frame,
        reviewer=person(Role.RANGER, frame.deployment.lake),
        request_id=uuid.uuid4(),
        verdict="boxes" if boxes else "nobody",
        boxes=[StatedBox(*box, 0.05 * n, 0.5, 0.02, 0.05) for n, box in enumerate(boxes)],
        seconds=seconds,
    )


def test_a_day_counted_by_hand(client: Client) -> None:
    """Four quarter-hours: 2 bathers + 1 walker and a boat; 1 angler; nobody but 12 sheep; a night
    with 3 tents. 3 × ¼ + 1 × ¼ = 1 person-hour, of it ½ bather-hour and ¼ angler-hour; ¼ boat-hour;
    a herd in sight for ¼ hour; 3 tent-nights; peak 3; one of three persons seen by the machine.
    """
    place = make_deployment(interval_seconds=900)
    frames = [make_frame(place, at(26, *when)) for when in ((10, 0), (10, 15), (11, 0), (20, 0))]
    examine(*frames, boxes={frames[0].pk: seen(1), frames[1].pk: seen(2)})
    state(frames[0], ("person", "bathing"), ("person", "bathing"), ("person", "walking"),
          ("boat", ""))  # fmt: skip
    state(frames[1], ("person", "fishing"))
    state(frames[2], *[("sheep", "")] * 12)
    state(frames[3], *[("tent", "")] * 3)
    found = attendance(place.lake, SATURDAY, SATURDAY)
    units = {unit: figure["value"] for unit, figure in found["units"].items()}
    assert units == pytest.approx(
        {"person_hours": 1.0, "bather_hours": 0.5, "angler_hours": 0.25, "boat_hours": 0.25,
         "herd_hours": 0.25}
    )  # fmt: skip
    assert found["basis"] == "fully read"
    assert found["interval_95"] == pytest.approx([1.0, 1.0])
    assert found["present"]["value"] == pytest.approx(1.0)  # in one watched hour
    assert found["peak"] == {"persons": 3, "day": SATURDAY, "hour": 10}
    assert (found["tent_nights"], found["nights_read"]) == (3, 1)
    assert found["tents_outside_hours"] == 0
    assert found["herd_days"] == 1
    assert found["missed"] == {
        "frames": 4, "missed": pytest.approx(2 / 4), "extra": pytest.approx(1 / 3),
    }  # fmt: skip
    assert found["precision"] is None  # all is read
    assert {cell["hour"]: cell["persons_present"] for cell in found["week"]} == pytest.approx(
        {10: 2.0, 11: 0.0, 20: 0.0}
    )
    assert found["days"][0]["activities"] == pytest.approx(
        {"bathing": 0.5, "walking": 0.25, "fishing": 0.25}
    )

    out = io.StringIO()
    call_command("attendance", place.lake.slug, "--from=2025-07-26", "--to=2025-07-26", stdout=out)
    assert "person_hours  1.00 (1.00 to 1.00)  fully read" in out.getvalue()
    assert "at least 3 over 1 night read" in out.getvalue()

    client.force_login(person(Role.PARTNER, place.lake))
    page = client.get(reverse("dashboards:lake", args=[place.lake.slug])).content.decode()
    with translation.override("fr"):
        shown = sentences.number(1.0)
        assert shown == "1,0"
        half = sentences.number(0.5)
    assert f'<dd class="figure-value">{shown}</dd>' in page
    assert f"<strong>{half}</strong>" in page


def test_the_files_of_the_tables(client: Client) -> None:
    place = make_deployment(interval_seconds=900)
    frame = make_frame(place, at(26, 10))
    examine(frame, boxes={})
    state(frame, ("person", "bathing"))
    client.force_login(person(Role.PARTNER, place.lake))
    address = reverse("dashboards:attendance-csv", args=[place.lake.slug])
    head, *lines = client.get(address, {"table": "units"}).content.decode("utf-8-sig").split("\r\n")
    assert head == "lake;unit;basis;value;low;high;in_step"
    assert lines[0] == f"{place.lake.slug};person_hours;fully read;0,25;0,25;0,25;true"
    assert client.get(address, {"table": "months"}).content.decode().count("\n") == 2
    for table in ("hours", "week", "day_types", "activities", "nights", "fortnights", "years"):
        assert client.get(address, {"table": table}).status_code == 200
    assert client.get(address, {"table": "secrets"}).status_code == 400
    assert "0,25" in client.get(address, {"table": "activities"}).content.decode()


def fill(days: int = 30) -> tuple[Deployment, Any, Any]:
    """The first days of a simulated season in the database, examined, nothing read."""
    rng = np.random.default_rng(11)
    season = seasons.season(seasons.LAKES[1], seasons.DETECTORS[0], rng)
    place = make_deployment(interval_seconds=1800)
    batch = Batch.objects.create(deployment=place)
    run = Run.objects.create(batch=batch, detector=make_detector(), software="test")
    day, slot = np.divmod(np.arange(days * 32), 32)
    counts, machine = season.counts[day, slot * 6], season.machine[day, slot * 6]
    monday = datetime(2025, 6, 2, 3, tzinfo=UTC)
    frames = Frame.objects.bulk_create(
        Frame(
            park=place.lake.park, deployment=place, batch=batch, sha256=f"{n:064x}",
            path=f"{n}.jpg", width=1600, height=1200, brightness=100, sharpness=100,
            captured_at=monday + timedelta(days=int(day[n]), minutes=30 * int(slot[n])),
            rank=int(rank),
        )
        for n, rank in enumerate(rng.permutation(days * 32))
    )  # fmt: skip
    Detection.objects.bulk_create(
        Detection(run=run, frame=frame, **vars(box))
        for frame, number in zip(frames, machine, strict=True)
        for box in seen(int(min(number, 8)))
    )
    RunFrame.objects.bulk_create(
        RunFrame(run=run, frame=frame, state=RunFrame.State.DONE) for frame in frames
    )
    return place, frames, counts


def settle(frames: Any, counts: Any, chosen: Any) -> None:
    for n in chosen:
        review = Review.objects.create(
            frame=frames[n], request_id=uuid.uuid4(), verdict="boxes", alone=True, seconds=6
        )
        ReviewBox.objects.bulk_create(
            ReviewBox(review=review, label="person", activity="resting", x=0.1, y=0.1, w=0.1, h=0.1)
            for _ in range(int(counts[n]))
        )
        SettledFrame.objects.create(
            frame=frames[n], review=review, readable=True, rule={"clause": "alone"}
        )


def test_a_lake_read_in_part_has_the_truth_in_its_interval(client: Client) -> None:
    place, frames, counts = fill()
    first, last = date(2025, 6, 2), date(2025, 7, 1)
    truth = float(counts.sum()) / 2
    before = attendance(place.lake, first, last)
    assert before["units"]["person_hours"] is None  # nothing is read: no zero
    assert before["basis"] == "machine only"
    assert before["precision"]["first"]
    assert before["precision"]["more"] > 70
    assert before["precision"]["minutes"] is None  # nobody's pace is known

    by_rank = sorted(range(len(frames)), key=lambda n: frames[n].rank)
    settle(frames, counts, by_rank[:320])
    found = attendance(place.lake, first, last)
    hours = found["units"]["person_hours"]
    assert hours["basis"] == found["basis"] == "corrected"
    assert hours["low"] <= truth <= hours["high"]
    assert hours["high"] - hours["low"] < 0.8 * truth
    plan()  # what the queue goes by is the same figure
    made = Plan.objects.get()
    assert (made.total, made.low, made.high, made.more) == pytest.approx(
        (hours["value"], hours["low"], hours["high"], found["precision"]["more"]), rel=1e-5
    )
    assert found["sampled"] == {"frames": 960, "read": 320, "certain": 0}
    assert found["watched"]["value"] == pytest.approx(480)
    rate = found["present"]
    assert rate["value"] == pytest.approx(hours["value"] / 480)
    assert rate["low"] <= truth / 480 <= rate["high"]
    assert found["precision"]["seconds_a_frame"] == pytest.approx(6)
    assert found["precision"]["minutes"] == pytest.approx(found["precision"]["more"] / 10)
    assert [part["from"].day for part in found["fortnights"]] == [2, 16, 1]
    assert all(part["person_hours"]["high"] is not None for part in found["fortnights"])
    # Means are those of all frames, not of those that happened to be read.
    kinds = [kind_of_day(first + timedelta(days=n), "FR").value for n in range(30)]
    by_day = counts.reshape(30, 32)
    assert [kind["kind"] for kind in found["day_types"]] == ["week", "weekend", "holiday"]
    for kind in found["day_types"]:
        mean = float(by_day[[each == kind["kind"] for each in kinds]].mean())
        assert kind["present"]["low"] <= mean <= kind["present"]["high"]
    by_slot = by_day.reshape(30, 16, 2).mean(axis=(0, 2))  # two frames an hour
    assert len(found["hours"]) == 16
    for each, mean in zip(found["hours"], by_slot, strict=True):
        assert each["low"] <= mean <= each["high"]
    for each in found["weekdays"]:
        assert each["low"] <= by_day[each["weekday"] :: 7].mean() <= each["high"]  # from a Monday
    together = sum(each["persons_present"] * each["watched_hours"] for each in found["hours"])
    assert together == pytest.approx(hours["value"], rel=0.1)
    # A day alone has few readings: its stratum may be read on other days only.
    one = attendance(place.lake, first, first)["units"]["person_hours"]
    assert one["basis"] == "corrected"
    assert one["low"] <= float(counts[:32].sum()) / 2 <= one["high"]

    client.force_login(person(Role.OFFICER, place.lake))
    with translation.override("fr"):
        where = reverse("dashboards:lake", args=[place.lake.slug])
        answer = client.get(where, {"from": first.isoformat(), "to": last.isoformat()})
        assert sentences.number(hours["low"]) in answer.content.decode()
        for said in sentences.what_to_read(found["precision"]):
            assert said.replace("’", "&#x27;") in answer.content.decode().replace("’", "&#x27;")
    json.dumps(answer.context["charts"], allow_nan=False)


def test_a_frame_beyond_an_unread_one_is_no_part_of_the_sample() -> None:
    place, frames, counts = fill(days=4)
    by_rank = sorted(range(len(frames)), key=lambda n: frames[n].rank)
    settle(frames, counts, by_rank[:100])
    rollups.catch_up([place.lake], at_once=False)
    period = (date(2025, 6, 2), date(2025, 6, 5))
    whole = attendance(place.lake, *period)["sampled"]["read"]
    assert whole == 100
    SettledFrame.objects.get(frame=frames[by_rank[0]]).delete()
    left = attendance(place.lake, *period)["sampled"]["read"]
    assert 0 < left < 99  # its stratum is no longer read at all; the others are as they were


def test_no_days_at_all() -> None:
    empty = sheet([], {})
    part = Part(empty)
    assert part.figure(empty.persons) is None
    assert part.rate(empty.persons) is None


def test_the_schedule_follows_the_cameras_clock() -> None:
    """A camera on winter time that works from 4:30 to 20:30 does so from 5:30 to 21:30 in July."""
    days = (date(2025, 7, 1), date(2025, 7, 2))
    found = scheduled_hours(*days, window=(4.5, 20.5), shift=[1.0, 1.0], bands=np.zeros(24, bool))
    assert found.sum() == pytest.approx(32)
    assert found[0, 5] == found[0, 21] == pytest.approx(0.5)
    assert found[0, 4] == found[0, 22] == 0
    bands = np.arange(24) >= 20
    assert scheduled_hours(*days, window=None, shift=[1.0, 1.0], bands=bands).sum() == 8


def test_a_season_is_filled_in_camera_by_camera(in_english: None) -> None:
    """Two cameras on a working week, hourly from 10:00 to 12:00: the shore one sees four persons
    all the time and misses Wednesday; the far one sees nobody. A third one is silent."""
    lake = make_lake()
    shore, far = (
        make_deployment(lake, slug=slug, interval_seconds=3600, window_start=time(9, 30),
                        window_end=time(10, 30), clock_offset_minutes=90)
        for slug in ("here", "far")
    )  # fmt: skip
    make_deployment(lake, slug="silent", interval_seconds=3600)
    monday = date(2025, 7, 7)
    for day in range(7, 12):
        for hour in (10, 11):
            for place, persons in ((shore, 4), (far, 0)):
                if (place, day) != (shore, 9):
                    state(make_frame(place, at(day, hour)), *[("person", "resting")] * persons)
    season = attendance(lake, monday, date(2025, 7, 11))["season"]
    assert season["observed"] == pytest.approx(4 * 8)
    assert season["total"] == pytest.approx(4 * 10)
    assert (season["low"], season["high"]) == (None, None)  # of five days
    assert (season["watched_hours"], season["unwatched_hours"]) == pytest.approx((18, 12))
    assert season["blind_hours"] == pytest.approx(10)  # of the silent one
    said = sentences.extrapolated(season)
    assert (
        "40 person-hours, without an interval: that takes 10 watched days, and people on 5" in said
    )
    assert "Of these, 32 are the observed part" in said
    more = sentences.extrapolated(season | {"low": 36.0, "high": 47.0})
    assert "40 person-hours (95% interval: 36 to 47). Of these, 32 are the observed part" in more
    assert "all of them in one stretch" in more
    assert "over 18 hours; 2 hours are filled in" in said
    assert "10 scheduled hours of cameras, kinds of day and hours that were never watched" in said
    book = export(
        kind="xlsx", lake=lake, period=Period(monday, monday + timedelta(days=4)), by=None
    )
    method = ZipFile(io.BytesIO(b"".join(book.parts))).read("xl/worksheets/sheet1.xml").decode()
    assert said in method
    assert "simulate_seasons --extrapolated" in method
    for ends in ({"low": None}, {"low": 36.0, "high": 47.0}):
        single = sentences.extrapolated(season | ends | {"unwatched_hours": 11.2})
        assert "over 18 hours; 1 hour is filled in" in single
    one = sentences.extrapolated(season | {"unwatched_hours": 1, "blind_hours": 1})
    assert one.startswith("1 scheduled hour of a camera")


def test_hours_that_nobody_examined_are_filled_in_and_no_zero() -> None:
    """Of a week with two persons all the time, nobody has looked at Friday's frames yet."""
    place = make_deployment(interval_seconds=3600)
    for day in range(7, 12):
        frames = [make_frame(place, at(day, hour)) for hour in (10, 11)]
        if day < 11:
            examine(*frames, boxes={})
            for frame in frames:
                state(frame, *[("person", "resting")] * 2)
    found = attendance(place.lake, date(2025, 7, 7), date(2025, 7, 11))
    assert found["unseen_hours"] == pytest.approx(2)
    assert found["season"]["observed"] == pytest.approx(2 * 8)
    assert found["season"]["total"] == pytest.approx(2 * 10)
    assert found["season"]["watched_hours"] == pytest.approx(8)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"done": True}, "Known to ±10%: no more"),
        ({"done": True, "absolute": True, "half": 12.5}, "known to ±12.5 person-hours"),
        ({"first": True, "more": 76}, "Verify about 76 more frames before an interval"),
        ({"more": 1}, "Verify about 1 more frame for ±10%."),
        (
            {"more": 1234, "minutes": 123.4, "seconds_a_frame": 6.0},
            "Verify about 1,234 more frames for ±10%. That is about 123 minutes at this lake’s pace"
            " of 6.0 s a settled frame.",
        ),
        (
            {"more": 300, "absolute": True, "tolerance": 13.0},
            "Verify about 300 more frames for ±13.0 person-hours; the figure is so small that ±10%",
        ),
    ],
)
def test_what_is_still_to_read_in_words(state: dict[str, Any], said: str) -> None:
    nothing = dict.fromkeys(("done", "absolute", "first", "minutes", "tolerance", "half"))
    with translation.override("en"):
        assert said in " ".join(sentences.what_to_read(nothing | state))
    assert sentences.what_to_read(None) == []


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"done": True}, "known well enough"),
        ({"first": True, "more": 76}, "about 76 more for an interval"),
        ({"more": 1234, "minutes": 123.4}, "about 1,234 more for ±10% (123 min)"),
        ({"more": 5, "minutes": 0.2}, "about 5 more for ±10% (1 min)"),
        (
            {"more": 300, "absolute": True, "tolerance": 13.0},
            "about 300 more for ±13.0 person-hours",
        ),
    ],
)
def test_what_is_left_to_read_in_a_cell(state: dict[str, Any], said: str) -> None:
    nothing = dict.fromkeys(("done", "absolute", "first", "minutes", "tolerance"))
    with translation.override("en"):
        assert sentences.left_to_read(nothing | state) == said
    assert sentences.left_to_read(None) == ""


def test_a_year_is_held_against_another_on_like_days() -> None:
    """2024: two persons on a Friday; 2025: four on a Friday and eight on a Saturday, which has no
    like day in 2024."""
    place = make_deployment(interval_seconds=900)
    for year, day, persons in ((2024, 26, 2), (2025, 25, 4), (2025, 26, 8)):
        frame = make_frame(place, datetime(year, 7, day, 10, tzinfo=UTC))
        examine(frame, boxes={})
        state(frame, *[("person", "walking")] * persons)
    (pair,) = attendance(place.lake, date(2025, 7, 1), date(2025, 7, 31))["years"]
    assert pair["from"] == date(2024, 7, 1)
    assert (pair["then"]["value"], pair["now"]["value"]) == pytest.approx((2.0, 4.0))
    # The season of a lake that has an older one begins with its own first day.
    firsts = {2024: date(2024, 7, 26), 2025: date(2025, 7, 25)}
    assert watched_years(place.lake) == firsts
    # A frame that nobody could read is no beginning; one that just came in is.
    fog = make_frame(place, datetime(2025, 7, 1, 10, tzinfo=UTC))
    examine(fog, boxes={})
    submit(frame=fog, reviewer=person(Role.RANGER, place.lake), request_id=uuid.uuid4(),
           verdict="unreadable", boxes=[])  # fmt: skip
    assert rollups.catch_up([place.lake])
    assert watched_years(place.lake) == firsts
    make_frame(place, datetime(2022, 7, 26, 10, tzinfo=UTC))
    assert rollups.catch_up([place.lake])
    assert watched_years(place.lake) == firsts | {2022: date(2022, 7, 26)}


def test_one_is_singular(in_english: None) -> None:
    assert sentences.at_least_tents(1) == "at least 1 tent"
    assert sentences.at_least_tents(2) == "at least 2 tents"
    night = {"night": date(2025, 7, 26), "tents": 1}
    found = {"nights": [night], "tent_nights": 1, "nights_read": 1, "discretion": None}
    assert sentences.nights_summary(found).startswith(
        "At least 1 tent-night over 1 night with a frame read, most of them (1) in the night of"
    )
    found |= {"tent_nights": 3, "nights_read": 2}
    said = sentences.nights_summary(found)
    assert said.startswith("At least 3 tent-nights over 2 nights with a frame read")
    missed = {"missed": None, "extra": None, "frames": 1}
    assert "(measured on 1 frame, count" in sentences.miss_rate(missed)
    assert "(measured on 5 frames, count" in sentences.miss_rate(missed | {"frames": 5})
