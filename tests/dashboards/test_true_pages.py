"""Every number on every page of figures is the one that `manage.py attendance --json` prints.

Of a lake read in part, in French, as a partner, an officer and whoever holds a shared link see it.
The formatting here is written anew, in decimal arithmetic, so that a wrong one is seen too.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation

from annotation.models import Review, ReviewBox, SettledFrame
from dashboards import rollups, school, sharing
from dashboards.attendance import overview
from dashboards.models import PassageHour
from detection.models import Frame
from lacs_web.models import Lake, Role, User
from tests.cast import person
from tests.dashboards.test_estimates import fill

pytestmark = pytest.mark.django_db
FIRST, LAST = date(2025, 6, 2), date(2025, 7, 15)
ACTIVITIES = ["bathing", "fishing", "walking", "resting"]
SPACE = "\u202f\u00a0 "


@pytest.fixture
def lake() -> Lake:
    """44 days of half-hours, the last three unread by machine; 110 of 1,408 frames settled in the
    order of reading, with tents by night, boats, a herd, fog, and minutes spent."""
    place, frames, counts = fill(44)
    frames = sorted(Frame.objects.filter(deployment=place), key=lambda frame: frame.rank)
    index = {frame.pk: n for n, frame in enumerate(sorted(frames, key=lambda f: f.captured_at))}
    for turn, frame in enumerate(frames[:110]):
        n = index[frame.pk]
        fog = turn % 60 == 7
        review = Review.objects.create(
            frame=frame, verdict="unreadable" if fog else "boxes", alone=True, seconds=5.5,
            request_id=f"00000000-0000-0000-0000-{turn:012}",
        )  # fmt: skip
        labels = [("person", ACTIVITIES[(n + k) % 4]) for k in range(int(counts[n]))]
        labels += [("boat", "")] * (turn % 9 == 0) + [("sheep", "")] * (turn % 50 == 0)
        if n % 32 < 3:  # early in the morning
            labels += [("tent", "")] * (1 + turn % 3)
        if not fog:
            ReviewBox.objects.bulk_create(
                ReviewBox(review=review, label=label, activity=what, x=0.1, y=0.1, w=0.1, h=0.1)
                for label, what in labels
            )
        rule = {"clause": "alone"}
        SettledFrame.objects.create(frame=frame, review=review, readable=not fog, rule=rule)
    officer = person(Role.OFFICER, place.lake)
    school.fill(year=2024, lake=place.lake, whole_park=True, by=officer)
    Frame.objects.filter(captured_at__date=date(2025, 6, 20)).update(flag="fogged")
    PassageHour.objects.bulk_create(
        PassageHour(
            lake=place.lake, counter="sentier", n=1000 + 3 * n,
            at=datetime(2025, 6, 10, tzinfo=UTC) + timedelta(hours=n),
        )
        for n in range(60)
    )  # fmt: skip
    assert rollups.catch_up([place.lake], at_once=False)
    return place.lake


def printed(lake: Lake, first: date, last: date) -> dict[str, Any]:
    out = io.StringIO()
    call_command("attendance", lake.slug, f"--from={first}", f"--to={last}", "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def fr(value: float | None, digits: int = 1) -> str:
    """As a French reader writes it; plain spaces between thousands."""
    if value is None:
        return "–"
    exact = Decimal(repr(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{exact:,}".replace(",", " ").replace(".", ",")


class Text(HTMLParser):
    """What a reader sees of a page: its text, and its tables by the id of their section's title."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden = 0
        self.words: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.section = ""
        self.in_cell = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag in ("script", "style", "head", "footer", "header", "nav"):
            self.hidden += 1
        if tag == "section":
            self.section = (named.get("aria-labelledby") or "").removesuffix("-title")
        if tag == "tr":
            self.tables.setdefault(self.section, []).append([])
        if tag in ("td", "th"):
            self.in_cell = True
            self.tables[self.section][-1].append("")
        self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head", "footer", "header", "nav"):
            self.hidden -= 1
        if tag in ("td", "th"):
            self.in_cell = False
        self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if self.hidden:
            return
        data = re.sub(f"[{SPACE}]+", " ", data)
        self.words.append(data)
        if self.in_cell:
            self.tables[self.section][-1][-1] += data.strip()

    @property
    def numbers(self) -> list[str]:
        """Every number that is no date, hour, year or address of a rule."""
        text = "".join(self.words)
        for pattern in (
            r"\d{1,2}/\d{1,2}/\d{4}",
            r"\d{1,2}:\d{2}",
            r"\d{1,2} (janvier|juin|juillet|août) \d{4}",
            r"\d{1,2}–\d{1,2} (janvier|juin|juillet|août) \d{4}",
            r"(juin|juillet|Saison) \d{4}",
            r"±?10 ?%|95 ?%|A4",
            r"LACS test|d{12}",
        ):
            text = re.sub(pattern, " ", text)
        return re.findall(r"\d+(?: \d{3})*(?:,\d+)?", text)


def leaves(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        for each in value.values():
            yield from leaves(each)
    elif isinstance(value, list):
        yield float(len(value))  # days not observed are counted on the page
        for each in value:
            yield from leaves(each)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def bare(cell: str) -> str:
    """The numbers of a cell without its words, which are another language's business."""
    return " ".join(re.findall(r"–|\d+(?: \d{3})*(?:,\d+)?", cell))


def rate(found: dict[str, Any] | None, digits: int = 2) -> list[str]:
    if found is None:
        return ["–"] * 3
    return [fr(found[name], digits) for name in ("value", "low", "high")]


def expected(json_: dict[str, Any], by: str) -> dict[str, list[list[str]]]:
    """The cells of each table that hold numbers, worked from what the command prints."""
    days = {day["day"]: day for day in json_["days"]}
    kinds = {kind["kind"]: kind for kind in json_["day_types"]}
    by_hour = {
        kind: {cell["hour"]: cell for cell in each["hours"]} for kind, each in kinds.items()
    }  # fmt: skip
    shown = sorted(
        (each for each in json_["activities"].values() if each["value"] > 0),
        key=lambda each: -each["value"],
    )
    return {
        "daily": [
            [
                f"{fr(day['frames_read'], 0)} {fr(day['frames'], 0)}",
                fr(day["watched_hours"]), fr(day["read_hours"]),
                *("" if day[name] is None else fr(day[name], digits) for name, digits in (
                    ("validated_person_hours", 1), ("machine_only_person_hours", 1),
                    ("peak_persons", 0),
                )),
            ] if (day := days.get(each["day"])) else [""] * 6
            for each in json_["calendar"]
        ],
        "hours": [
            [f"{each['hour']} {each['hour'] + 1}",
             fr(each["watched_hours"]), fr(each["read_hours"]),
             fr(each["validated_person_hours"]), fr(each["persons_present"], 2),
             fr(each["low"], 2), fr(each["high"], 2)]
            for each in json_["hours"]
        ],
        "groups": [
            [fr(each["days_observed"], 0), fr(each["watched_hours"], 0),
             *rate(each["person_hours"], 0), *rate(each["present"])]
            for each in json_[by]
        ],
        "day_types": [
            [text for each in kinds.values() for text in rate(each["present"])],
            *(
                [text for cells in by_hour.values() for cell in [cells.get(n)]
                 for text in (["", "", ""] if cell is None else [
                     fr(cell["persons_present"], 2), fr(cell["low"], 2), fr(cell["high"], 2)])]
                for n in sorted({n for cells in by_hour.values() for n in cells})
            ),
        ],
        "school": [
            [text for key in ("holidays", "term")
             for text in (fr(each[key]["days_observed"], 0), *rate(each[key]["present"]))]
            for each in json_["school"]
        ],
        "activities": [[*rate(each, 1), fr(100 * each["share"], 0)] for each in shown],
        "nights": [[fr(each["tents"], 0)] for each in json_["nights"]],
        "passages": [
            [*((fr(mine["passages"], 0), fr(mine["hours_counted"], 0)) if mine else ("–", "–")),
             fr(day and day["validated_person_hours"]), fr(day and day["read_hours"])]
            for name in sorted(
                {each["day"] for each in json_["days"]
                 if each["validated_person_hours"] is not None}
                | {each["day"] for each in json_["passages"][0]["days"]}
            )
            for mine in [next((d for d in json_["passages"][0]["days"] if d["day"] == name), None)]
            for day in [days.get(name)]
        ],
        "years": [[*rate(each["then"]), *rate(each["now"])] for each in json_["years"]],
        "week": [
            [
                *(
                    "" if (cell := next((c for c in json_["week"] if c["weekday"] == weekday
                                         and c["hour"] == n), None)) is None
                    else fr(cell["persons_present"])
                    for n in sorted({c["hour"] for c in json_["week"]})
                ),
                " ".join(
                    fr(next(d for d in json_["weekdays"] if d["weekday"] == weekday).get(name), 2)
                    for name in ("persons_present", "low", "high")
                ),
            ]
            for weekday in range(7)
        ],
    }  # fmt: skip


def holds_true(answer: Any, json_: dict[str, Any], by: str) -> None:
    """Tables cell by cell, charts value by value, and no other number anywhere on the page."""
    page = Text(answer.content.decode())
    for key, rows in expected(json_, by).items():
        if not rows:
            assert key not in page.tables, key
            continue
        shown = page.tables[key][1:]
        cells = [[bare(cell) for cell in row[-len(rows[0]) :]] for row in shown]
        assert cells == rows, key

    known = list(leaves(json_))
    texts = {fr(value, digits) for value in known for digits in (0, 1, 2)}
    texts |= {fr(100 * value, 0) for value in known}
    texts |= {str(n) for n in (2024, 2025)}
    strange = [each for each in page.numbers if each not in texts]
    assert not strange

    exact = {float(value) for value in known}
    charts = answer.context["charts"]
    drawn = 0
    for key in ("daily", "hours", "groups", "day_types", "school", "activities", "nights",
                "passages"):  # fmt: skip
        for trace in charts[key]["data"]:
            if trace.get("yaxis") == "y2":  # a band: it carries no value
                assert set(trace["y"]) == {1}
                continue
            heights = [height for height in trace["y"] if height is not None]
            assert set(map(float, heights)) <= exact, (key, trace["name"])
            drawn += len(heights)
            ends = trace.get("error_y")
            for n, height in enumerate(heights if ends else []):
                for end in (height + ends["array"][n], height - ends["arrayminus"][n]):
                    assert min(abs(end - each) for each in exact) < 1e-9, (key, end)
    assert drawn > 100


@pytest.mark.parametrize("by", ["fortnights", "months", "seasons"])
def test_every_number_of_a_lakes_page(client: Client, lake: Lake, by: str) -> None:
    json_ = printed(lake, FIRST, LAST)
    assert json_["basis"] == "corrected"
    assert json_["school"]
    assert json_["tent_nights"]
    assert len(json_["to_read"]) > 2
    client.force_login(person(Role.OFFICER, lake))
    address = reverse("dashboards:lake", args=[lake.slug])
    answer = client.get(address, {"from": str(FIRST), "to": str(LAST), "by": by})
    with translation.override("fr"):
        holds_true(answer, json_, by)
    shown = answer.content.decode()
    for unit, figure in json_["units"].items():
        if unit != "person_hours" and figure["value"]:
            assert f"<strong>{fr(figure['value'])}</strong>" in re.sub(f"[{SPACE}]", " ", shown)
    key = re.findall(r'figure-value">([^<]*)<', shown)
    assert [re.sub(f"[{SPACE}]", " ", each) for each in key] == [
        fr(json_["units"]["person_hours"]["value"]), fr(json_["present"]["value"], 2),
        fr(json_["machine_only_person_hours"]), str(json_["peak"]["persons"]),
        str(json_["tent_nights"]), fr(json_["watched_hours"]),
    ]  # fmt: skip


def test_every_number_of_a_shared_page(client: Client, lake: Lake, in_english: None) -> None:
    officer = person(Role.OFFICER, lake)
    _, address = sharing.make(lake=lake, label="GIS", by=officer, first=FIRST, last=LAST)
    answer = client.get(address[address.index("/shared/") :], {"by": "months"})
    first, last = answer.context["period"].first, answer.context["period"].last
    assert (first, last) == (FIRST, LAST)
    with translation.override("fr"):
        holds_true(answer, printed(lake, first, last), "months")


def test_every_number_of_the_overview(client: Client, lake: Lake) -> None:
    json_ = printed(lake, date(2025, 1, 1), date(2025, 12, 31))
    client.force_login(person(Role.PARTNER, lake))
    page = Text(client.get(reverse("dashboards:overview")).content.decode())
    (row,) = page.tables["rank"][1:]
    present, to_read = json_["present"], json_["precision"]
    assert bare(row[1]).startswith(" ".join(rate(present)))
    assert row[3] == fr(json_["watched_hours"], 0)
    share = fr(100 * json_["frames_read"] / json_["frames"], 0)
    minutes = fr(max(1, round(to_read["minutes"])), 0)
    assert bare(row[4]) == (
        f"{fr(json_['frames_read'], 0)} {fr(json_['frames'], 0)} {share}"
        f" {fr(to_read['more'], 0)} 10 {minutes}"
    )


def test_every_number_of_the_first_page(client: Client, lake: Lake) -> None:
    seen = overview([lake])[lake.pk]
    assert seen.last - seen.first == timedelta(days=29)
    json_ = printed(lake, seen.first, seen.last)
    user: User = person(Role.PARTNER, lake)
    client.force_login(user)
    page = Text(client.get(reverse("home")).content.decode())
    known = {fr(value, digits) for value in leaves(json_) for digits in (0, 1)}
    assert page.numbers
    assert not [each for each in page.numbers if each not in known]
    text = re.sub(r"\s+", " ", "".join(page.words))
    for name in ("validated_person_hours", "machine_only_person_hours", "watched_hours"):
        assert fr(json_[name]) in text, name
