"""Few persons in a sensitive activity: nothing that a partner can get tells of them.

The proof is a twin: a survey in which a lone bather and a lone tent are, and the same survey in
which they are not. Whatever somebody cannot tell apart, no arithmetic brings out of it.
"""

from __future__ import annotations

import io
import re
import uuid
import zipfile
from collections import deque
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import resolve, reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from annotation.discretion import set_discretion
from annotation.reviewing import StatedBox, submit
from dashboards import sharing
from dashboards.attendance import attendance
from dashboards.discretion import HIDES, Discretion, discreet
from dashboards.exports import TABLES
from dashboards.sheets import COUNTS, FRAME, Sheet
from detection.labels import Activity
from detection.models import Frame
from lacs_web import tokens
from lacs_web.models import AuditEvent, Lake, Role, User
from tests.cast import person
from tests.dashboards.survey import at, read, seen
from tests.factories import examine, make_deployment, make_frame
from tests.test_crawl import links, local

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
FIRST, LAST = date(2025, 7, 24), date(2025, 7, 29)
LEAST = 3
MOST = 300  # addresses of one walk
# What differs from one answer to the next: tokens against forgery, and when a workbook was made.
CHANCE = re.compile(rb'csrf[\w-]*["\'][^>]*>|nonce-[^"\']+|LACS, \d{4}-\d\d-\d\d \d\d:\d\d')


def say(frame: Frame, *kinds: str) -> None:
    """A ranger settles `frame`: one box of each, an activity or "tent"."""
    submit(
        frame=frame,
        reviewer=person(Role.RANGER, frame.deployment.lake),
        request_id=uuid.uuid4(),
        verdict="boxes" if kinds else "nobody",
        boxes=[
            StatedBox(*(("tent", "") if kind == "tent" else ("person", kind)), *(0.05 * n, 0.5),
                      0.02, 0.05)
            for n, kind in enumerate(kinds)
        ],
    )  # fmt: skip


@pytest.fixture
def frames() -> dict[str, Frame]:
    """24 July: a busy shore and four tents. 25 and 26: few, read in part. 28: machine only."""
    deployment = make_deployment(interval_seconds=900)
    made = {
        name: make_frame(deployment, when)
        for name, when in {
            "busy": at(24, 14), "camp": at(24, 22), "walk": at(25, 12), "bath": at(25, 15),
            "night": at(25, 22), "noon": at(26, 12), "angler": at(26, 15), "open": at(26, 16),
            "machine": at(28, 14), "last": at(29, 9),
        }.items()
    }  # fmt: skip
    say(made["busy"], *["bathing"] * 4, "resting")
    say(made["camp"], *["tent"] * 4)
    say(made["walk"], *["walking"] * 4)
    say(made["angler"], "fishing")
    say(made["last"])
    examine(*made.values(), boxes={made["bath"].pk: seen(3), made["machine"].pk: seen(5)})
    cache.clear()
    return made


@pytest.fixture
def lake(frames: dict[str, Frame]) -> Lake:
    lake = frames["busy"].deployment.lake
    choose(lake, LEAST)
    return lake


def choose(lake: Lake, below: int, *activities: str) -> None:
    officer = person(Role.OFFICER, lake)
    chosen = activities or ("bathing", "bivouac")
    set_discretion(lake=lake, below=below, activities=chosen, user=officer)


def without(frames: dict[str, Frame]) -> None:
    """Nobody does anything sensitive on the quiet days; the same persons are there."""
    say(frames["bath"], "resting", "walking", "resting")
    say(frames["night"], "resting")
    say(frames["noon"])


def with_the_few(frames: dict[str, Frame]) -> None:
    say(frames["bath"], "bathing", "walking", "resting")
    say(frames["night"], "bivouac", "tent")
    say(frames["noon"], "tent")


def everything(client: Client, *start: str) -> dict[str, list[bytes]]:
    """Every page and file of figures that links from `start` come to: address → what it says."""
    found: dict[str, list[bytes]] = {}
    owed = deque(start)
    while owed:
        address = owed.popleft()
        if address in found:
            continue
        assert len(found) < MOST, "this walk does not end: raise MOST or see why"
        answer = client.get(address)
        body = answer.getvalue()
        found[address] = parts(body)
        if 300 <= answer.status_code < 400:
            owed.append(local(answer["Location"]))
        elif answer.headers.get("Content-Type", "").startswith("text/html"):
            owed.extend(one for one in links(body.decode()) if figures(one))
    return found


def figures(address: str) -> bool:
    match = resolve(address.split("?")[0])
    return match.app_name == "dashboards" or match.url_name == "home"


def parts(body: bytes) -> list[bytes]:
    if body[:2] == b"PK":
        packed = zipfile.ZipFile(io.BytesIO(body))
        each = [packed.read(name) for name in packed.namelist() if "docProps" not in name]
    else:
        each = [body]
    return [CHANCE.sub(b"", one) for one in each]


def asked(lake: Lake, shared: str = "") -> list[str]:
    """The addresses of every period, table and file that somebody may think of."""
    quiet = [date(2025, 7, 25), date(2025, 7, 26)]
    spans = [(day, day) for day in quiet] + [(FIRST, day) for day in (FIRST, *quiet, LAST)]
    page = shared or reverse("dashboards:lake", args=[lake.slug])
    found = ["/", reverse("dashboards:overview")] if not shared else []
    found += [f"{page}?from={first}&to={last}" for first, last in spans]
    if shared:
        return found
    csv = reverse("dashboards:attendance-csv", args=[lake.slug])
    for first, last in spans:
        period = f"from={first}&to={last}"
        found += [f"{csv}?{period}&table={table}" for table in ("activities", "units", "nights")]
        found += [
            f"{reverse('dashboards:export-figures', args=[lake.slug, kind])}?{period}"
            for kind in ("xlsx", "counters", "istsos")
        ]
    return found + [f"{csv}?from={FIRST}&to={LAST}&table={table}" for table in TABLES]


def differing(one: dict[str, list[bytes]], other: dict[str, list[bytes]]) -> dict[str, list[bytes]]:
    """Address → its lines that are not the same."""
    assert one.keys() == other.keys()
    return {
        address: sorted(
            {*b"\n".join(mine).split(b"\n")} ^ {*b"\n".join(other[address]).split(b"\n")}
        )
        for address, mine in one.items()
        if mine != other[address]
    }


def signed_in(user: User) -> Client:
    client = in_words()
    client.force_login(user)
    return client


def in_words() -> Client:
    client = Client()
    client.cookies["django_language"] = "en"
    return client


# Slow: two walks over all that a partner can get, and every file of every period.
def test_nothing_that_a_partner_gets_tells_of_a_lone_bather(
    lake: Lake, frames: dict[str, Frame]
) -> None:
    partner, officer = person(Role.PARTNER, lake), person(Role.OFFICER, lake)
    _link, shared = sharing.make(lake=lake, label="GIS", by=officer)
    shared = shared[shared.index("/shared/") :]
    until = timezone.now() + timedelta(days=1)
    _token, secret = tokens.make(user=partner, label="script", scope="figures", expires_at=until)
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    csv = reverse("dashboards:attendance-csv", args=[lake.slug])

    def got() -> dict[str, list[bytes]]:
        found = everything(signed_in(partner), *asked(lake))
        found |= everything(in_words(), *asked(lake, shared))
        for table in TABLES:
            answer = program.get(csv, {"from": str(FIRST), "to": str(LAST), "table": table})
            assert answer.status_code == 200
            found[f"token {table}"] = parts(answer.getvalue())
        kinds = ("csv", "xlsx", "counters")
        files = [reverse("dashboards:api-export-figures", args=[lake.slug, kind]) for kind in kinds]
        for address in (reverse("dashboards:api-attendance", args=[lake.slug]), *files):
            # Whole, one quiet day, and what lies before and up to it: nothing left to subtract.
            for first, last in ((24, 29), (25, 25), (24, 24), (24, 25), (25, 26)):
                period = {"from": f"2025-07-{first}", "to": f"2025-07-{last}"}
                answer = program.get(address, period)
                assert answer.status_code == 200
                found[f"{address} {first} {last}"] = parts(answer.getvalue())
        return found

    one_day = f"{csv}?from=2025-07-25&to=2025-07-25&table=activities"
    without(frames)
    before, seen_before = got(), everything(signed_in(officer), one_day)
    with_the_few(frames)
    after, seen_after = got(), everything(signed_in(officer), one_day)
    assert len(before) > 100, len(before)
    assert differing(before, after) == {}
    # The very same walk finds them where the lake says nothing, and whoever answers for it does.
    assert differing(seen_before, seen_after).keys() == {one_day}
    choose(lake, 0)
    told = everything(signed_in(partner), one_day)
    assert b"bathing" in told[one_day][0]
    assert b"bathing" not in after[one_day][0]


@pytest.mark.parametrize("role", [Role.VOLUNTEER, Role.RANGER, Role.OFFICER, Role.ADMINISTRATOR])
def test_those_who_work_at_the_lake_see_all(
    lake: Lake, frames: dict[str, Frame], role: Role
) -> None:
    with_the_few(frames)
    where = reverse("dashboards:lake", args=[lake.slug])
    found = signed_in(person(role, lake)).get(where).context["figures"]
    assert found["discretion"] is None
    assert found["activities"] == attendance(lake, FIRST, LAST)["activities"]
    assert "bivouac" in found["activities"]


def test_what_many_did_is_told_and_the_rest_adds_up(lake: Lake, frames: dict[str, Frame]) -> None:
    with_the_few(frames)
    every = attendance(lake, FIRST, LAST)
    found = attendance(lake, FIRST, LAST, discreet=True)
    days = {day["day"].day: day["activities"] for day in found["days"]}
    assert days[24] == pytest.approx({"bathing": 1.0, "other": 0.25})
    assert days[25] == pytest.approx({"walking": 1.25, "other": 0.75})
    assert days[26] == pytest.approx({"fishing": 0.25})
    for mine, all_ in zip(found["days"], every["days"], strict=True):
        assert sum(mine["activities"].values()) == pytest.approx(sum(all_["activities"].values()))
    assert found["units"]["person_hours"] == every["units"]["person_hours"]
    assert found["units"]["angler_hours"] == every["units"]["angler_hours"]
    assert every["units"]["bather_hours"]["value"] > found["units"]["bather_hours"]["value"] > 0
    tents = {night["night"].day: night["tents"] for night in found["nights"]}
    assert tents[24] == found["tent_nights"] == 4
    assert tents[25] is found["tents_outside_hours"] is None
    assert every["tents_outside_hours"] == 1


def test_boats_tell_of_who_is_on_the_water(lake: Lake, frames: dict[str, Frame]) -> None:
    submit(
        frame=frames["open"],
        reviewer=person(Role.RANGER, lake),
        request_id=uuid.uuid4(),
        verdict="boxes",
        boxes=[StatedBox("boat", "", 0.1, 0.1, 0.1, 0.1)],
    )
    assert attendance(lake, FIRST, LAST, discreet=True)["units"]["boat_hours"]["value"]
    choose(lake, 2, "on_water")
    assert attendance(lake, FIRST, LAST, discreet=True)["units"]["boat_hours"] is None
    assert attendance(lake, FIRST, LAST)["units"]["boat_hours"]["value"]


def test_a_page_says_what_is_grouped_and_from_how_many(
    lake: Lake, frames: dict[str, Frame]
) -> None:
    client = signed_in(person(Role.PARTNER, lake))
    where = reverse("dashboards:lake", args=[lake.slug])
    with_the_few(frames)
    page = client.get(where).content.decode()
    assert "on which 3 or more were seen at once: bathing, bivouac." in page
    assert '<td class="num">fewer than 3</td>' in page
    page = client.get(where, {"from": "2025-07-25", "to": "2025-07-25"}).content.decode()
    assert "fewer than 3 tents at once in each night with a frame read" in page
    assert "no frame of a night is read yet" not in page


@given(data=st.data())
def test_hiding_changes_nobody_and_leaves_no_few(data: Any) -> None:
    """Any counts: as many persons on each frame, and no day with one to `least` − 1 of a kind."""
    n = data.draw(st.integers(1, 12))
    frames = np.zeros(n, FRAME)
    frames["clock"] = data.draw(st.lists(st.integers(0, 23), min_size=n, max_size=n))
    frames["readable"] = data.draw(st.lists(st.booleans(), min_size=n, max_size=n))
    counts = np.array(
        [data.draw(st.lists(st.integers(0, 6), min_size=len(COUNTS), max_size=len(COUNTS)))
         for _ in range(n)]
    )  # fmt: skip
    empty = np.zeros(0, np.int64)
    sheet = Sheet(
        deployment=np.ones(n, np.int64),
        day=np.array(data.draw(st.lists(st.integers(9, 11), min_size=n, max_size=n))),
        frames=frames, stratum=np.full(n, -1), reading=np.arange(n), counts=counts,
        x=np.zeros((n, 1)), sampled=np.zeros(n, bool), sizes=empty, read=empty,
        population=np.zeros((0, 1)),
    )  # fmt: skip
    sensitive = data.draw(st.sets(st.sampled_from([a for a in Activity if a not in HIDES])))
    rule = Discretion(data.draw(st.integers(1, 7)), tuple(sorted(sensitive)))
    found = discreet(sheet, rule, (19.0, 9.0))
    assert (found.persons == sheet.persons).all()
    assert (sheet.counts == counts).all()  # what is kept is not touched
    for kind in sensitive:
        mine = found.count(kind)
        for day in set(sheet.day.tolist()):
            most = mine[sheet.day == day].max()
            assert most == 0 or most >= rule.fewer_than
    assert not found.count("resting").any()
    for kind in set(COUNTS) - rule.kinds - set(HIDES):
        assert (found.count(kind) == sheet.count(kind)).all()


def post(client: Client, lake: Lake, **data: Any) -> Any:
    return client.post(reverse("annotation:privacy", args=[lake.slug]), {"form": "few"} | data)


def test_the_officer_sets_it_on_the_page_of_privacy(lake: Lake) -> None:
    client = signed_in(person(Role.OFFICER, lake))
    assert post(client, lake, below=5, activities=["bathing", "fishing"]).status_code == 302
    lake.refresh_from_db()
    assert (lake.discreet_below, lake.discreet_activities) == (5, ["bathing", "fishing"])
    event = AuditEvent.objects.filter(action="discretion changed").latest("pk")
    assert event.detail == {"below": 5, "activities": ["bathing", "fishing"]}
    assert post(client, lake, below=0).status_code == 302
    assert attendance(Lake.objects.get(), FIRST, LAST, discreet=True)["discretion"] is None


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"below": 5}, "at least one sensitive activity"),
        ({"below": -1, "activities": ["bathing"]}, "greater than or equal to 0"),
        ({"below": 5, "activities": ["resting"]}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_meant_changes_nothing(lake: Lake, data: dict[str, Any], said: str) -> None:
    answer = post(signed_in(person(Role.OFFICER, lake)), lake, **data)
    assert answer.status_code == 400
    assert said in answer.content.decode()
    lake.refresh_from_db()
    assert lake.discreet_below == LEAST


def test_nothing_is_grouped_unless_a_lake_says_so(frames: dict[str, Frame]) -> None:
    with_the_few(frames)
    lake = Lake.objects.get()
    assert lake.discreet_below == 0
    assert lake.discreet_activities == ["bathing", "bivouac"]
    plain = attendance(lake, FIRST, LAST)
    assert attendance(lake, FIRST, LAST, discreet=True) == plain
    read(frames["open"], 1)  # what was remembered for one audience is not the other's
    choose(lake, LEAST)
    found = attendance(lake, FIRST, LAST, discreet=True)["activities"]
    assert {name for name, each in found.items() if each["value"]} == {
        "bathing", "walking", "fishing", "other"
    }  # fmt: skip
    assert "resting" not in found
    assert "other" not in attendance(lake, FIRST, LAST)["activities"]
