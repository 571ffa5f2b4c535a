"""Pedestrian counters: their files become hours, and stand beside figures without touching them."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from dashboards import counting, sharing
from dashboards.attendance import attendance
from dashboards.counting import Asked
from dashboards.formats import passages
from dashboards.models import PassageHour
from detection.megadetector import Refused
from lacs_web.models import AuditEvent, Lake, Role
from tests.cast import person
from tests.dashboards.survey import FIRST, LAST, make_survey
from tests.factories import another_click_first

PARIS = ZoneInfo("Europe/Paris")
in_english = pytest.mark.usefixtures("in_english")


def read(text: str | bytes, **more: Any) -> passages.Passages:
    return passages.read(text if isinstance(text, bytes) else text.encode(), PARIS, **more)


def utc(day: int, hour: int, month: int = 7) -> datetime:
    return datetime(2025, month, day, hour, tzinfo=UTC)


def quarters(begin: datetime, values: list[str], column: str = "path") -> str:
    rows = [
        f"{begin + timedelta(minutes=15 * n):%d/%m/%Y %H:%M};{value}"
        for n, value in enumerate(values)
    ]
    return "\n".join((f"Date;{column}", *rows))


# Files


@pytest.mark.parametrize(
    "text",
    [
        "Time;Lauvitel IN;Lauvitel OUT\n2025-07-25 14:00:00;12;3\n2025-07-25 15:00:00;0;4,5\n",
        "\ufeffEco-Visio\r\n\r\nDate,Lauvitel IN,Lauvitel OUT\r\n25/07/2025 14:00,12,3\r\n"
        "25/07/2025 15:00,0.0,4.5\r\nTotal,12,7.5\r\n",
        "Date;Heure;Lauvitel IN;Lauvitel OUT;\n25.07.2025;14:00;12,0;3;\n25.07.2025;15:00;0;4,5;\n",
        "compteur;date;données\nLauvitel IN;2025-07-25 14:00:00;12\n"
        "Lauvitel OUT;2025-07-25 14:00;3\nLauvitel IN;2025-07-25 15:00:00;0\n"
        "Lauvitel OUT;2025-07-25 15:00:00;4,5\n",
        '"Time"\t"Lauvitel IN"\t"Lauvitel OUT"\n2025-07-25T14:00:00+02:00\t12\t3\n'
        "2025-07-25T15:00:00+02:00\t0\t4.5\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_what_counters_write(text: str, encoding: str) -> None:
    if encoding == "cp1252":
        text = text.lstrip("\ufeff")
    assert read(text.encode(encoding)).hours == {
        ("Lauvitel IN", utc(25, 12)): 12, ("Lauvitel OUT", utc(25, 12)): 3,
        ("Lauvitel IN", utc(25, 13)): 0, ("Lauvitel OUT", utc(25, 13)): 4.5,
    }  # fmt: skip


def test_quarters_become_whole_hours_and_no_part_of_one() -> None:
    values = [*"1234567", *[""] * 4]
    found = read(quarters(datetime(2025, 7, 25, 13, 15), values))  # noqa: DTZ001
    assert found.hours == {("path", utc(25, 12)): 22}
    assert found.passed == {"parts": 1, "empty hours": 1}
    named = read("Date;a;b\n25/07/2025 14:00;1;2", names={"a": "-", "b": "path"})
    assert named.hours == {("path", utc(25, 12)): 2}


def test_the_nights_in_which_clocks_change() -> None:
    """26 October 2025: 02:00 comes twice; 30 March: 02:00 never."""
    hours = ["01:00", "02:00", "02:00", "03:00"]
    autumn = "\n".join(f"26/10/2025 {each};{n + 1}" for n, each in enumerate(hours))
    told = read(f"Date;path\n{autumn}")
    assert [(at.hour, n) for (_name, at), n in sorted(told.hours.items())] == [
        (23, 1), (0, 2), (1, 3), (2, 4)
    ]  # fmt: skip
    once = read("Date;path\n" + "\n".join(f"26/10/2025 0{n}:00;{n}" for n in range(1, 4)))
    assert [at.hour for _name, at in once.hours] == [23, 2]
    assert once.passed == {"told once": 1}
    twice = datetime(2025, 10, 26, 2)  # noqa: DTZ001
    both = quarters(twice, ["1"] * 4).splitlines() + quarters(twice, ["2"] * 4).splitlines()[1:]
    assert list(read("\n".join(both)).hours.values()) == [4, 8]
    spring = "Date;path\n30/03/2025 01:00;1\n30/03/2025 02:00;0\n30/03/2025 03:00;3"
    assert [(at.hour, n) for (_name, at), n in read(spring).hours.items()] == [(0, 1), (1, 3)]
    with pytest.raises(Refused, match="no_such_hour"):
        read(spring.replace(";0", ";2"))
    winter = read(spring.replace(";0", ";2"), winter=True)
    assert [at.hour for _name, at in winter.hours] == [0, 1, 2]
    assert read("Date;path\n25/07/2025 14:00;1", winter=True).hours == {("path", utc(25, 13)): 1}


HOSTILE = [
    ("", "a row for each hour"),
    ("a\0b", "another kind of file"),
    ("nothing;here\nnor;there", "The file begins with nothing | here"),
    ("Date;a\n25/07/2025;4", "a row for each hour"),
    ("Date\n25/07/2025 14:00", "No column of the file"),
    ("Date;a;a\n25/07/2025 14:00;1;2", "two columns are called a"),
    ("Date;a\n25/07/2025 14:00;many", "CSV:2, a: a number was expected"),
    ("Date;a\n25/07/2025 14:00;-1", "passages from 0 to 100000"),
    ("Date;a\n25/07/2025 14:00;1e11", "passages from 0 to 100000"),
    ("Date;a\n25/07/2025 14:00;inf", "a number was expected, found “inf”"),
    ("Date;a\n25/07/2025 14:00;1\n25/07/2025 14:00;1", "stands there a second time"),
    ("Date;a\n25/07/2025 14:00;1\nsoon;1", "CSV:3: a time as in"),
    ("Date;a\n25/07/2025 14:00;1;9", "cells were expected"),
    ("Date;a\n01/07/2025 00:00;1\n02/07/2025 00:00;1", "1440 minutes apart. Export hours."),
    ("Date;a\n25/07/2025 14:07;1", "found 14:07:00"),
    ("Date;a\n2025-07-25T14:00:00.5;1", "found 14:00:00.500000"),
    (
        "compteur;date;donnees\na;2025-10-26T02:00:00+02:00;1\na;2025-10-26T02:00:00;1\n"
        "a;2025-10-26T02:00:00;1",
        "CSV:3: 2025-10-26 02:00 stands there a second time",
    ),
    ("Date;a\n25/07/0025 14:00;1", "a year from 1990 to 2200"),
    ("Date;a\n0025-07-25 14:00;1", "a year from 1990 to 2200"),
    ("Date;a\n9999-12-31T23:00:00-14:00;1", "a year from 1990 to 2200"),
    ("Date;a\n26/10/2025 02:00;1\n26/10/2025 02:00;1\n26/10/2025 02:00;1", "a second time"),
    ("Date;" + "x" * 101 + "\n25/07/2025 14:00;1", "of 1 to 100 characters"),
    ("Date;" + ";".join(map(str, range(60))) + "\n25/07/2025 14:00" + ";1" * 60, "More than 50"),
    ("Date;a\n25/07/2025 14:00;", "No whole hour"),
    ("compteur;date;donnees\na;25/07/2025 14:00", "3 cells were expected"),
    ("compteur;date;donnees\na;b;1", "a time as in"),
    ("compteur;date;donnees\n;25/07/2025 14:00;1", "a counter’s name of 1 to 100"),
    ('Date;a\n25/07/2025 14:00;"' + "x" * 200_000, "cannot be read as CSV"),
]  # fmt: skip


@pytest.fixture
def lake(request: pytest.FixtureRequest) -> Lake:
    request.getfixturevalue("db")
    return make_survey().lake


def asked(lake: Lake, path: Path, text: str, **more: Any) -> Asked:
    path.write_text(text)
    return Asked(lake, path, path.name, **more)


@in_english
def test_what_is_wrong_is_said_and_nothing_is_kept(lake: Lake, tmp_path: Path) -> None:
    for text, words in HOSTILE:
        with pytest.raises(Refused) as found:
            counting.bring_in(asked(lake, tmp_path / "a.csv", text), None)
        assert words in counting.refusal(found.value), text
    with pytest.raises(Refused) as found:
        counting.preview(asked(lake, tmp_path / "a.csv", "Date;a", names="path"))
    assert "“path” names nothing" in counting.refusal(found.value)
    assert not PassageHour.objects.exists()
    assert not AuditEvent.objects.exists()


# What becomes of them

TWO = (
    "Date;up;down\n24/07/2025 23:00;1000;1000\n25/07/2025 14:00;12;3\n25/07/2025 15:00;8;\n"
    "26/07/2025 14:00;5;6\n30/07/2025 23:00;7;7\n31/07/2025 00:00;1000;1000\n"
)


def test_what_is_known_stays_or_is_replaced(lake: Lake, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    counting.bring_in(asked(lake, path, TWO), person(Role.OFFICER, lake))
    assert PassageHour.objects.count() == 11
    assert AuditEvent.objects.get(action="passages read in").detail["rows"] == 11
    other = TWO.replace("12;3", "13;3") + "31/07/2025 01:00;1;1\n"
    report = counting.preview(asked(lake, path, other))
    assert (len(report.new), report.same, len(report.other)) == (2, 10, 1)
    counting.bring_in(asked(lake, path, other), None)
    up = PassageHour.objects.filter(counter="up", at=utc(25, 12))
    assert up.get().n == 12
    counting.bring_in(asked(lake, path, other, replace=True), None)
    assert up.get().n == 13
    assert PassageHour.objects.count() == 13
    assert counting.remove(lake=lake, counter="down", user=person(Role.OFFICER, lake)) == 6
    assert PassageHour.objects.count() == 7


def test_they_stand_beside_figures_and_change_none(
    lake: Lake, tmp_path: Path, django_assert_num_queries: Any
) -> None:
    before = attendance(lake, FIRST, LAST)
    assert before.pop("passages") == []
    counting.bring_in(asked(lake, tmp_path / "a.csv", TWO), None)
    with django_assert_num_queries(1):
        counting.passages_of(lake, FIRST, LAST)
    figures = attendance(lake, FIRST, LAST)
    up, down = sorted(figures.pop("passages"), key=lambda each: -each["passages"])
    assert figures == before
    assert (up["passages"], up["hours_counted"], up["days_counted"]) == (32, 4, 3)
    assert (down["counter"], down["passages"]) == ("down", 16)
    assert up["days"][0] == {"day": date(2025, 7, 25), "hours_counted": 2, "passages": 20}


@in_english
def test_the_page_shows_both_units_apart_and_a_link_no_day_beyond_its_own(
    client: Client, lake: Lake, tmp_path: Path
) -> None:
    counting.bring_in(asked(lake, tmp_path / "a.csv", TWO), None)
    client.force_login(person(Role.PARTNER, lake))
    client.cookies["django_language"] = "en"
    address = reverse("dashboards:lake", args=[lake.slug])
    page = client.get(address, {"from": str(FIRST), "to": str(LAST)})
    shown = page.content.decode()
    assert "down counted 16 passages on 3 days; up counted 32 passages on 3 days." in shown
    chart = page.context["charts"]["passages"]
    layout = chart["layout"]
    assert layout["yaxis"]["title"]["text"] == "person-hours"
    assert layout["yaxis3"]["title"]["text"] == "passages"
    assert layout["yaxis3"]["domain"][1] < layout["yaxis"]["domain"][0]
    axes = {trace["name"]: trace.get("yaxis", "y") for trace in chart["data"]}
    assert chart["data"][0]["marker"]["opacity"] == [1, 0.45]  # the 26th is read in part
    assert axes == {"validated person-hours": "y", "up": "y3", "down": "y3"}
    table = client.get(
        reverse("dashboards:attendance-csv", args=[lake.slug]),
        {"from": str(FIRST), "to": str(LAST), "table": "passages"},
    ).content.decode()
    assert f"{lake.slug};up;2025-07-25;2;20" in table
    link = sharing.make(
        lake=lake, label="a", by=person(Role.OFFICER, lake), first=date(2025, 7, 26), last=LAST
    )[1]
    visitor = Client()
    visitor.cookies["django_language"] = "en"
    shared = visitor.get(link[link.index("/shared/") :], {"from": "2025-07-01", "to": "2025-08-30"})
    assert "up counted 12 passages on 2 days" in shared.content.decode()


@in_english
def test_the_page_of_counters(client: Client, lake: Lake) -> None:
    where = reverse("dashboards:counters", args=[lake.slug])
    client.force_login(person(Role.OFFICER, lake))
    client.cookies["django_language"] = "en"
    assert "Choose a file." in client.post(where).content.decode()
    sent = SimpleUploadedFile("eco.csv", TWO.encode())
    seen = client.post(where, {"file": sent, "names": "down = -"})
    assert "Hours that are new" in seen.content.decode()
    assert not PassageHour.objects.exists()
    kept = {"kept": seen.context["report"].sha256, "name": "eco.csv", "sure": "on",
            "names": "down = -"}  # fmt: skip
    done = client.post(where, kept, follow=True)
    assert "6 hours were read in." in done.content.decode()
    assert "choose it once more" in client.post(where, kept).content.decode()
    client.post(where, {"file": SimpleUploadedFile("eco.csv", TWO.encode())})
    with another_click_first(counting):
        assert "choose it once more" in client.post(where, kept).content.decode()
    assert client.post(where, {"remove": "\0"}).status_code == 302
    wrong = client.post(where, {"file": SimpleUploadedFile("eco.csv", b"a;b")})
    assert "The file begins with a | b" in wrong.content.decode()
    gone = client.post(where, {"remove": "up"}, follow=True)
    assert "The counter is removed." in gone.content.decode()


def test_the_command(lake: Lake, tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "a.csv"
    path.write_text(TWO)
    call_command("import_counters", str(path), lake.slug, "--dry-run")
    assert "up: 6 hours, 2032 passages" in capsys.readouterr().out
    assert not PassageHour.objects.exists()
    call_command("import_counters", str(path), lake.slug)
    capsys.readouterr()
    call_command("attendance", lake.slug, f"--from={FIRST}", f"--to={LAST}", "--json")
    told = json.loads(capsys.readouterr().out)["passages"]
    assert [each["passages"] for each in told] == [16, 32]
    for wrong in ([str(path), "nowhere"], [str(tmp_path / "none"), lake.slug]):
        with pytest.raises(CommandError):
            call_command("import_counters", *wrong)
