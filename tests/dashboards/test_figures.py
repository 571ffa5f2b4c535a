"""The lake's page, its file and the command: one selector, worked by hand, and who may see it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import date
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation

from dashboards import exporting, rollups, sentences
from dashboards.attendance import attendance, overview, span
from dashboards.exports import COLUMNS, days_csv
from dashboards.periods import Period
from dashboards.ranking import BASES
from detection.models import Deployment
from lacs_web.models import AuditEvent, Lake, Role
from tests.cast import person
from tests.dashboards.survey import FIRST, LAST, at, make_survey
from tests.factories import make_deployment, make_frame, make_lake

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake() -> Lake:
    return make_survey().lake


@pytest.fixture
def partner(client: Client, lake: Lake) -> Client:
    client.force_login(person(Role.PARTNER, lake))
    return client


def test_every_kind_of_day(lake: Lake) -> None:
    found = attendance(lake, FIRST, LAST)
    assert {day["day"].day: day["basis"] for day in found["days"]} == {
        25: "fully read", 26: "partly read", 27: "machine only", 29: "not looked at",
    }  # fmt: skip
    assert [day.day for day in found["not_observed"]] == [28, 30]
    assert found["days_observed"] == 4
    assert found["basis"] == "partly read"
    assert found["watched_hours"] == pytest.approx(6 * 0.25)
    assert found["read_hours"] == pytest.approx(3 * 0.25)
    assert found["validated_person_hours"] == pytest.approx((2 + 4 + 0) * 0.25)
    # What the machine saw on a frame that people read counts nowhere.
    assert found["machine_only_person_hours"] == pytest.approx((3 + 5) * 0.25)
    assert found["peak"] == {"persons": 4, "day": date(2025, 7, 25), "hour": 15}
    assert found["interval_95"] is None
    assert found["share_read"] == pytest.approx(0.5)


def test_presence_by_hour_is_of_the_hours_read(lake: Lake) -> None:
    hours = {each["hour"]: each for each in attendance(lake, FIRST, LAST)["hours"]}
    assert sorted(hours) == [9, 14, 15]  # in the lake's time
    assert hours[14]["persons_present"] == pytest.approx(1)  # 2 on one day, 0 on the other
    assert hours[15]["persons_present"] == pytest.approx(4)
    assert hours[9]["persons_present"] is None


def test_the_method_names_what_counted(lake: Lake) -> None:
    found = attendance(lake, FIRST, LAST)
    (detector,) = found["method"]["detectors"]
    assert detector == "Tiny · dddddddddddd · LACS test"
    (rule,) = found["method"]["rules"]
    assert json.loads(rule)["clause"] == "alone"
    by_day = {day["day"].day: day for day in found["days"]}
    assert by_day[25]["detectors"] == []
    assert by_day[27]["rules"] == []
    with translation.override("en"):
        assert sentences.rule(rule) == "settled by one person with the right to do so alone"
        agreed = json.dumps(json.loads(rule) | {"clause": "two agree"})
        assert "50% or more or, below 24 px, lie within 1 times" in sentences.rule(agreed)


def test_six_queries_whatever_the_data(lake: Lake, django_assert_num_queries: Any) -> None:
    attendance(lake, FIRST, LAST)  # what changed is worked off
    with django_assert_num_queries(6):
        attendance(lake, FIRST, LAST)


def test_the_span_is_in_the_lakes_own_days(lake: Lake) -> None:
    bare = make_lake("bare", "bare")
    assert span([lake, bare]) == {lake.pk: (FIRST, LAST)}


def test_the_overview_equals_each_lakes_figures(lake: Lake) -> None:
    other, bare = make_survey(make_lake("second", "other")).lake, make_lake("bare", "bare")
    seen = overview([lake, other, bare])
    assert set(seen) == {lake.pk, other.pk}
    found = attendance(other, seen[other.pk].first, seen[other.pk].last)
    for name, value in seen[other.pk].tally.figures().items():
        assert found[name] == value, name
    assert seen[lake.pk].last_observed == date(2025, 7, 29)  # the 30th lay in fog
    assert overview([]) == {}


def test_the_page_shows_what_the_command_prints(partner: Client, lake: Lake) -> None:
    printed = io.StringIO()
    period = {"from": FIRST.isoformat(), "to": LAST.isoformat()}
    call_command("attendance", lake.slug, "--from", period["from"], "--to", period["to"],
                 "--json", stdout=printed)  # fmt: skip
    figures = json.loads(printed.getvalue())
    answer = partner.get(reverse("dashboards:lake", args=[lake.slug]), period)
    assert json.loads(json.dumps(answer.context["figures"], default=str)) == figures
    page = answer.content.decode()
    with translation.override("fr"):
        for name in ("validated_person_hours", "machine_only_person_hours", "watched_hours"):
            assert f'<dd class="figure-value">{sentences.number(figures[name])}</dd>' in page
        for day in figures["days"]:
            if day["validated_person_hours"] is not None:
                shown = sentences.number(day["validated_person_hours"])
                assert f'<td class="num validated">{shown}</td>' in page
    drawn = answer.context["charts"]["daily"]["data"]
    heights = {trace["name"]: trace["y"] for trace in drawn}
    names = answer.context["charts"]["daily"]
    assert names["layout"]["barmode"] == "group"
    with translation.override("fr"):
        words = sentences.daily_names()
    by_basis = {day["basis"]: day for day in figures["days"]}
    resting = by_basis["fully read"]["activities"]["resting"]
    assert resting == by_basis["fully read"]["validated_person_hours"]
    assert heights[words["resting"]] == [resting]
    assert heights[words["machine only"]] == [
        by_basis[basis]["machine_only_person_hours"] for basis in ("partly read", "machine only")
    ]


def test_the_page_never_counts_visitors(partner: Client, lake: Lake) -> None:
    with translation.override("en"):
        partner.cookies["django_language"] = "en"
        page = partner.get(reverse("dashboards:lake", args=[lake.slug])).content.decode()
    assert "visitor" not in page.lower()
    assert "not validated" in page


def test_the_page_opens_with_the_season(partner: Client, lake: Lake) -> None:
    address = reverse("dashboards:lake", args=[lake.slug])
    first = partner.get(address).context
    assert (first["period"].first, first["period"].last) == (FIRST, LAST)
    assert [one["key"] for one in first["presets"] if one["current"]] == ["season"]
    make_frame(lake.deployments.get(), at(20, 9).replace(year=2024))
    again = partner.get(address).context
    # The season begins with its own first day, also for who looks first after a card came in.
    assert (again["period"].first, again["period"].last) == (FIRST, LAST)
    assert "2024" in [one["key"] for one in again["presets"]]
    month = partner.get(address, {"period": "month"}).context
    assert [one["key"] for one in month["presets"] if one["current"]] == ["month"]


@pytest.mark.parametrize("query", [{"from": "x", "to": ""}, {"from": "2025-07-30"},
                                   {"from": "9999-12-30", "to": "9999-12-31"},
                                   {"from": "2025-07-30", "to": "2025-07-25"}])  # fmt: skip
def test_a_wrong_period_is_said_and_loses_nothing(
    partner: Client, lake: Lake, query: dict[str, str]
) -> None:
    answer = partner.get(reverse("dashboards:lake", args=[lake.slug]), query)
    assert answer.status_code == 200
    assert len(list(answer.context["messages"])) == 1
    assert answer.context["figures"]["days"]
    file = partner.get(reverse("dashboards:attendance-csv", args=[lake.slug]), query)
    assert file.status_code == 400


def test_a_period_without_pictures_is_not_zero(partner: Client, lake: Lake) -> None:
    answer = partner.get(
        reverse("dashboards:lake", args=[lake.slug]), {"from": "2024-01-01", "to": "2024-01-31"}
    )
    assert "charts" not in answer.context
    assert 'class="empty-state"' in answer.content.decode()


def test_a_lake_before_its_first_picture(client: Client) -> None:
    bare = make_lake("bare")
    client.force_login(person(Role.RANGER, bare))
    page = client.get(reverse("dashboards:lake", args=[bare.slug])).content.decode()
    assert 'class="empty-state"' in page
    assert reverse("detection:cards", args=[bare.slug]) in page
    file = client.get(reverse("dashboards:attendance-csv", args=[bare.slug]))
    assert file.status_code == 200


def test_the_queries_of_a_lakes_page(
    partner: Client, lake: Lake, django_assert_num_queries: Any
) -> None:
    address = reverse("dashboards:lake", args=[lake.slug])
    partner.get(address)
    with django_assert_num_queries(12):
        partner.get(address)


def test_cameras_beside_one_another_are_added_and_named(
    partner: Client, lake: Lake, in_english: None
) -> None:
    partner.cookies["django_language"] = "en"
    address = reverse("dashboards:lake", args=[lake.slug])
    said = "2 cameras watched this lake at the same time: their person-hours are added"
    first = lake.deployments.get()
    assert "cameras watched" not in partner.get(address).content.decode()
    moved = make_deployment(lake, slug="moved", interval_seconds=900)
    make_frame(moved, at(29, 18))
    assert said in partner.get(address).content.decode()
    Deployment.objects.filter(pk=first.pk).update(ends_at=at(29, 12))  # the other took over
    Deployment.objects.filter(pk=moved.pk).update(starts_at=at(29, 13))
    assert said not in partner.get(address).content.decode()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def test_the_file_has_a_line_for_each_day_and_no_invented_zero(partner: Client, lake: Lake) -> None:
    answer = partner.get(
        reverse("dashboards:attendance-csv", args=[lake.slug]),
        {"from": FIRST.isoformat(), "to": LAST.isoformat()},
    )
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert f"attendance-{lake.slug}-2025-07-25-2025-07-30.csv" in answer["Content-Disposition"]
    lines = rows(answer.content.decode())
    assert tuple(lines[0]) == (*COLUMNS, "in_step")
    assert {line["in_step"] for line in lines} == {"true"}
    assert [line["day"] for line in lines] == [f"2025-07-{n}" for n in range(25, 31)]
    full, part, machine, gap, unseen, fog = lines
    assert full["validated_person_hours"] == "1,5"
    assert full["machine_only_person_hours"] == ""
    assert part["validated_person_hours"] == "0"  # read, and nobody was there
    assert machine["validated_person_hours"] == ""
    assert machine["machine_only_person_hours"] == "1,25"
    assert machine["detectors"].startswith("Tiny · ")
    assert (gap["basis"], fog["basis"]) == ("not observed", "not observed")
    assert {gap[name] for name in COLUMNS[3:]} == {""}
    assert (unseen["basis"], unseen["watched_hours"]) == ("not looked at", "0,25")


def test_a_detectors_name_is_no_formula() -> None:
    day = dict.fromkeys(COLUMNS) | {"day": FIRST, "basis": "machine only"}
    day |= {"detectors": ["=HYPERLINK()"], "rules": []}
    figures = {"lake": "x", "days": [day], "not_observed": [], "in_step": True}
    (line,) = rows(b"".join(days_csv(figures)).decode())
    assert line["detectors"] == "'=HYPERLINK()"


def test_figures_that_are_behind_say_so_in_each_file(
    client: Client, lake: Lake, monkeypatch: pytest.MonkeyPatch, in_english: None
) -> None:
    """And what is taken out is in the audit trail, whichever door it leaves by."""
    officer = person(Role.OFFICER, lake)
    client.force_login(officer)
    client.cookies["django_language"] = "en"
    assert attendance(lake, FIRST, LAST)["in_step"]
    monkeypatch.setattr(rollups, "AT_ONCE", 0)
    make_frame(lake.deployments.get(), at(28, 12))
    period = {"from": FIRST.isoformat(), "to": LAST.isoformat()}
    where = reverse("dashboards:attendance-csv", args=[lake.slug])
    for table in ("days", "units"):
        lines = rows(client.get(where, period | {"table": table}).content.decode())
        assert {line["in_step"] for line in lines} == {"false"}
        event = AuditEvent.objects.filter(action="exported").latest("pk")
        assert event.detail == {"format": "csv", "table": table, **period}
        assert (event.user, event.lake) == (officer, lake)
    out = reverse("dashboards:export-figures", args=[lake.slug, "csv"])
    whole = b"".join(client.get(out, period).streaming_content)  # type: ignore[attr-defined]
    assert {line["in_step"] for line in rows(whole.decode())} == {"false"}
    out = reverse("dashboards:export-figures", args=[lake.slug, "xlsx"])
    book = b"".join(client.get(out, period).streaming_content)  # type: ignore[attr-defined]
    method = zipfile.ZipFile(io.BytesIO(book)).read("xl/worksheets/sheet1.xml").decode()
    said = "Frames or reviews came in that these figures do not hold yet"
    assert said in method
    assert said in client.get(reverse("dashboards:lake", args=[lake.slug])).content.decode()
    # What holds the effort of each deployment alone is brought up to date first.
    assert b"2025-07-28" in b"".join(
        zipfile.ZipFile(io.BytesIO(b"".join(
            exporting.export(kind="counters", lake=lake, period=Period(FIRST, LAST), by=None).parts
        ))).read("jours.csv").splitlines()
    )  # fmt: skip


def test_words_for_how_a_figure_was_got_are_the_same_everywhere(in_english: None) -> None:
    words = sentences.bases()
    assert set(BASES) | {"not observed"} == set(words)
    assert sentences.series_name("corrected") == words["corrected"]
    assert sentences.daily_names()["machine only"] == words["machine only"]
