"""What is taken out: read back by the programs that it is for, or by their schemas."""

from __future__ import annotations

import csv
import importlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema
import numpy as np
import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from dashboards.attendance import attendance
from dashboards.exporting import FORMATS, export
from dashboards.formats import archive
from dashboards.formats.training import split
from dashboards.periods import Period
from detection import datasets
from detection.models import Deployment, Detection
from lacs_web.access import RIGHTS
from lacs_web.models import AuditEvent, Lake, Role
from tests.cast import person
from tests.conftest import LENT
from tests.dashboards.survey import FIRST, LAST, at, make_survey, read
from tests.factories import examine, make_deployment, make_frame, make_lake

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
WHOLE = Period(FIRST, LAST)
SCHEMAS = LENT / "data/camtrap-dp"


@pytest.fixture
def lake() -> Lake:
    lake = make_survey().lake
    lake.latitude, lake.longitude = 44.97, 6.06
    lake.save()
    return lake


def made(kind: str, lake: Lake, period: Period = WHOLE) -> bytes:
    return b"".join(export(kind=kind, lake=lake, period=period, by=None).parts)


def opened(data: bytes) -> zipfile.ZipFile:
    found = zipfile.ZipFile(io.BytesIO(data))
    assert found.testzip() is None
    return found


def table(data: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")), delimiter=delimiter))


def test_an_archive_leaves_while_it_is_made() -> None:
    asked: list[str] = []

    def members() -> Iterator[archive.Member]:
        for name in ("a.txt", "b.jpg"):
            asked.append(name)
            yield name, (bytes([65 + n % 26]) * 70_000 for n in range(3))

    parts = archive.stream(members(), made=datetime(2026, 1, 1, tzinfo=UTC))
    next(parts)
    assert asked == ["a.txt"]
    whole = opened(b"".join(archive.stream(members(), made=datetime(2026, 1, 1, tzinfo=UTC))))
    expected = b"".join(letter * 70_000 for letter in (b"A", b"B", b"C"))
    assert whole.read("a.txt") == whole.read("b.jpg") == expected


def test_the_workbook_holds_what_the_page_shows_and_how_it_was_got(lake: Lake) -> None:
    book = opened(made("xlsx", lake))
    space = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
    sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).findall(".//m:sheet", space)  # noqa: S314
    assert [sheet.get("name") for sheet in sheets][:2] == ["Method", "days"]
    days = ElementTree.fromstring(book.read("xl/worksheets/sheet2.xml"))  # noqa: S314
    rows = [
        ["".join(cell.itertext()) for cell in row.findall("m:c", space)]
        for row in days.findall(".//m:row", space)
    ]
    figures = attendance(lake, FIRST, LAST)
    assert rows[0][:4] == ["Lake", "Day", "How it was got", "Frames"]
    assert "Watched (h)" in rows[0]  # with its unit; programs read the CSV
    column = rows[0].index("Validated person-hours")
    assert float(rows[1][column]) == figures["days"][0]["validated_person_hours"] == 1.5
    assert rows[4][2:] == ["not observed"]  # the rest of the day is empty, not zero
    method = book.read("xl/worksheets/sheet1.xml").decode()
    assert "visitors" not in method
    assert "Tiny" in method
    every = "".join(book.read(name).decode() for name in book.namelist() if "sheet" in name)
    assert "<f>" not in every  # no formula
    for machine in ("persons_present", "present.low", "watched_hours", ">low<", ">high<"):
        assert machine not in every


def test_a_name_is_never_a_formula(lake: Lake) -> None:
    run = Detection.objects.all()[0].run
    type(run.detector).objects.update(name="=1+1")
    book = opened(made("xlsx", lake))
    assert not any(b"<f>" in book.read(name) for name in book.namelist())
    Lake.objects.update(name="=2+2")
    lake.refresh_from_db()
    (place,) = table(opened(made("camtrap-dp", lake)).read("deployments.csv"))
    assert place["locationName"].startswith("'=2+2, ")


def test_counters_are_one_row_an_hour_and_name_the_hours_watched(lake: Lake) -> None:
    book = opened(made("counters", lake))
    head = book.read("compteurs.csv").decode("utf-8-sig").splitlines()[0]
    assert head == "compteur;date;donnees"
    rows = table(book.read("compteurs.csv"), ";")
    persons = {row["date"]: row["donnees"] for row in rows if "personnes" in row["compteur"]}
    # 14:00 and 15:00 on the 25th, 14:00 on the 26th; what nobody read is absent, and no zero.
    assert persons == {
        "2025-07-25 14:00:00": "2", "2025-07-25 15:00:00": "4", "2025-07-26 14:00:00": "0",
    }  # fmt: skip
    assert len(rows) == len({(row["compteur"], row["date"]) for row in rows}) == 3 * 6
    days = table(book.read("jours.csv"), ";")
    mine = {row["jour"]: row for row in days if row["compteur"] == f"{lake.slug}_personnes"}
    assert set(mine) == {"2025-07-25", "2025-07-26", "2025-07-27", "2025-07-29"}
    assert mine["2025-07-26"] == {
        "compteur": f"{lake.slug}_personnes", "jour": "2025-07-26",
        "heures_observees": "0,5", "heures_lues": "0,25",
    }  # fmt: skip


def test_counters_add_cameras_and_part_the_hour_of_those_that_take_over(lake: Lake) -> None:
    """At 14:00 on the 25th the shore sees 2, the far camera 3; at 15:30 a third takes over from the
    shore, which saw 4, and sees 2."""
    shore = lake.deployments.get()
    far, later = (make_deployment(lake, slug=slug, interval_seconds=900) for slug in ("f", "g"))
    Deployment.objects.filter(pk=shore.pk).update(ends_at=at(25, 15, 30))
    Deployment.objects.filter(pk=later.pk).update(starts_at=at(25, 15, 30))
    read(make_frame(far, at(25, 14, 45)), 3)
    read(make_frame(later, at(25, 15, 45)), 2)
    rows = table(opened(made("counters", lake)).read("compteurs.csv"), ";")
    persons = {row["date"]: row["donnees"] for row in rows if "personnes" in row["compteur"]}
    assert persons == {
        "2025-07-25 14:00:00": "5", "2025-07-25 15:00:00": "3", "2025-07-26 14:00:00": "0",
    }  # fmt: skip


def persons_by_hour(lake: Lake) -> dict[str, tuple[str, str]]:
    rows = table(made("istsos", lake))
    uri = "urn:ogc:def:parameter:x-istsos:1.0:lake:attendance:persons"
    time = "urn:ogc:def:parameter:x-istsos:1.0:time:iso8601"
    return {row[time]: (row[uri], row[f"{uri}:qualityIndex"]) for row in rows}


def test_istsos_says_of_each_hour_how_far_it_was_checked(lake: Lake) -> None:
    hour = persons_by_hour(lake)
    assert hour == {
        "2025-07-25T14:00:00+02:00": ("2", "210"),
        "2025-07-25T15:00:00+02:00": ("4", "210"),
        "2025-07-26T14:00:00+02:00": ("0", "210"),
        "2025-07-26T15:00:00+02:00": ("3", "100"),  # the machine alone
        "2025-07-27T14:00:00+02:00": ("5", "100"),
        "2025-07-29T09:00:00+02:00": ("Nan", "0"),  # watched; neither looked
    }  # and no line for hours that nobody watched
    figures = attendance(lake, FIRST, LAST)
    read = sum(float(value) for value, quality in hour.values() if quality == "210")
    assert read * 0.25 == figures["validated_person_hours"]  # a quarter of each hour was watched
    make_frame(lake.deployments.get(), at(25, 15, 30))  # and nobody reads it
    assert persons_by_hour(lake)["2025-07-25T15:00:00+02:00"] == ("4", "200")


def test_geonature_has_a_visit_for_each_day_and_what_was_counted(lake: Lake) -> None:
    rows = table(made("geonature", lake))
    assert list(rows[0])[:4] == [
        "uuid_base_site", "s__base_site_code", "s__base_site_name", "s__base_site_description",
    ]  # fmt: skip
    assert len({row["uuid_base_site"] for row in rows}) == 1
    assert {(row["y"], row["x"]) for row in rows} == {("44.97", "6.06")}
    figures = attendance(lake, FIRST, LAST)
    hours = {row["v__visit_date_min"]: row["o__heures"] for row in rows
             if row["o__unite"] in ("personnes", "")}  # fmt: skip
    assert hours == {  # a day that nobody read is a visit without an observation, and no zero
        str(day["day"]): "" if day["validated_person_hours"] is None
        else f"{day['validated_person_hours']:g}" for day in figures["days"]
    }  # fmt: skip
    assert hours["2025-07-25"] == "1.5"
    assert {row["o__unite"] for row in rows} >= {"personnes", "troupeaux"}
    assert made("geonature", lake) == made("geonature", lake)  # taken in twice, it stays one
    ids = [row["uuid_observation"] for row in rows if row["uuid_observation"]]
    assert len(ids) == len(set(ids)) == 2 * 6


@pytest.mark.parametrize("kind", ["counters", "istsos", "geonature"])
def test_a_partner_is_told_of_no_sensitive_activity_by_the_hour(lake: Lake, kind: str) -> None:
    lake.discreet_below, lake.discreet_activities = 5, ["bathing", "bivouac"]
    lake.save()
    for by, told in ((person(Role.PARTNER, lake), False), (person(Role.RANGER, lake), True)):
        data = b"".join(export(kind=kind, lake=lake, period=WHOLE, by=by).parts)
        if kind == "counters":
            data = opened(data).read("compteurs.csv")
        for word in (b"bathers", b"tents") if kind == "istsos" else (b"baigneurs", b"tentes"):
            assert (word in data) == told
        assert b"persons" in data or b"personnes" in data


@pytest.mark.parametrize("sign", ["comma", "point"])
def test_decimals_are_written_as_one_asks(
    client: Client, lake: Lake, sign: str, tmp_path: Path
) -> None:
    client.force_login(person(Role.OFFICER, lake))
    asked = {"from": str(FIRST), "to": str(LAST), "decimal": sign}
    half = {"comma": "1,5", "point": "1.5"}[sign]
    page = client.get(reverse("dashboards:attendance-csv", args=[lake.slug]), asked).content
    days = client.get(reverse("dashboards:export-figures", args=[lake.slug, "csv"]), asked)
    data = b"".join(days.streaming_content)  # type: ignore[attr-defined]
    call_command("export", "csv", lake.slug, "--decimal", sign, "--into", str(tmp_path))
    (written,) = tmp_path.glob("*.csv")
    for found in (page, data, written.read_bytes()):
        assert found.startswith(b"\xef\xbb\xbf")
        assert table(found, ";")[0]["validated_person_hours"] == half
    if sign == "comma":  # unless one asks otherwise
        assert data == made("csv", lake)
    api = reverse("dashboards:api-export-figures", args=[lake.slug, "counters"])
    book = opened(b"".join(client.get(api, asked).streaming_content))  # type: ignore[attr-defined]
    assert f"0{half[1]}25" in book.read("jours.csv").decode()
    for where in ("dashboards:api-export-figures", "dashboards:export-figures"):
        wrong = client.get(reverse(where, args=[lake.slug, "csv"]), asked | {"decimal": "x"})
        assert wrong.status_code in (302, 400)


def csv2(data: bytes) -> list[dict[str, float | str | None]]:
    """As R's read.csv2 does: semicolons, decimal commas, an empty cell is NA."""

    def value(cell: str) -> float | str | None:
        if cell in ("", "NA"):
            return None
        number = cell.replace(",", ".")
        return float(number) if re.fullmatch(r"-?\d+(\.\d+)?", number) else cell

    lines = csv.reader(io.StringIO(data.decode("utf-8-sig")), delimiter=";", strict=True)
    head, *rows = list(lines)
    assert {len(row) for row in rows} == {len(head)}
    return [dict(zip(head, map(value, row), strict=True)) for row in rows]


def test_a_season_is_read_by_read_csv2_as_it_is(lake: Lake, tmp_path: Path) -> None:
    data, figures = made("csv", lake), attendance(lake, FIRST, LAST)
    rows = csv2(data)
    for name in ("watched_hours", "validated_person_hours", "machine_only_person_hours"):
        expected = {str(day["day"]): day[name] for day in figures["days"]}
        told = {row["day"]: row[name] for row in rows}
        assert {day: told[day] for day in expected} == expected
        assert all(told[str(day)] is None for day in figures["not_observed"])
    rscript = shutil.which("Rscript")
    if rscript:
        (tmp_path / "days.csv").write_bytes(data)
        script = ('d <- read.csv2("days.csv", fileEncoding = "UTF-8-BOM"); '
                  "cat(sum(d$validated_person_hours, na.rm = TRUE))")  # fmt: skip
        ran = subprocess.run([rscript, "-e", script], cwd=tmp_path, capture_output=True, check=True)
        assert float(ran.stdout) == figures["validated_person_hours"]


def test_camtrap_dp_holds_each_box_once_and_names_nobody(lake: Lake) -> None:
    book = opened(made("camtrap-dp", lake))
    media, seen = table(book.read("media.csv")), table(book.read("observations.csv"))
    assert len(media) == 7
    assert {row["captureMethod"] for row in media} == {"timeLapse"}
    assert {row["filePublic"] for row in media} == {"false"}
    kinds = [(row["observationType"], row["classificationMethod"]) for row in seen]
    assert kinds.count(("human", "human")) == 2 + 4
    assert kinds.count(("human", "machine")) == 3 + 5
    assert kinds.count(("blank", "human")) == 1
    assert kinds.count(("unclassified", "")) == 1  # nobody has looked
    assert kinds.count(("unclassified", "human")) == 1  # unreadable
    assert len({row["observationID"] for row in seen}) == len(seen)
    assert {row["mediaID"] for row in seen} == {row["mediaID"] for row in media}
    whole = b"".join(book.read(name) for name in book.namelist()).decode()
    assert "@" not in whole
    assert not [name for name in book.namelist() if name.endswith(".jpg")]


def test_camtrap_dp_passes_the_schemas(lake: Lake) -> None:
    if not SCHEMAS.is_dir():
        pytest.skip("the schemas of ../shared/data/camtrap-dp are not on this machine")
    book = opened(made("camtrap-dp", lake))
    profile = json.loads((SCHEMAS / "camtrap-dp-profile.json").read_text())
    own = {**profile["allOf"][1], "$defs": profile["$defs"]}  # the rest refers to other sites
    own["properties"].pop("spatial")
    package = json.loads(book.read("datapackage.json"))
    jsonschema.Draft202012Validator(own).validate(package)
    for name in ("deployments", "media", "observations"):
        fields = json.loads((SCHEMAS / f"{name}-table-schema.json").read_text())["fields"]
        rows = table(book.read(f"{name}.csv"))
        assert rows
        assert list(rows[0]) == [each["name"] for each in fields]
        for each in fields:
            for row in rows:
                _check(row[each["name"]], each)


def test_camtrap_dp_is_valid_to_frictionless(lake: Lake, tmp_path: Path) -> None:
    frictionless = importlib.import_module("frictionless")
    if not SCHEMAS.is_dir():
        pytest.skip("the schemas of ../shared/data/camtrap-dp are not on this machine")
    opened(made("camtrap-dp", lake)).extractall(tmp_path)
    package = json.loads((tmp_path / "datapackage.json").read_text())
    package.pop("profile")  # lies at another site; jsonschema holds the package against it above
    for table_of in package["resources"]:
        table_of["schema"] = json.loads(
            (SCHEMAS / f"{table_of['name']}-table-schema.json").read_text()
        )
    (tmp_path / "local.json").write_text(json.dumps(package))
    report = frictionless.validate(str(tmp_path / "local.json"), type="package")
    assert report.valid, report.flatten(["title", "rowNumber", "fieldName", "message"])
    assert [task.stats["rows"] for task in report.tasks] == [1, 7, 17]


def test_coco_is_read_by_pycocotools(lake: Lake, tmp_path: Path) -> None:
    coco = importlib.import_module("pycocotools.coco")
    examine(*[each for each in lake.deployments.get().frames.all() if not each.run_frames.exists()])
    opened(made("coco", lake)).extractall(tmp_path)
    read_back = coco.COCO(str(tmp_path / "annotations.json"))
    persons = read_back.getCatIds(catNms=["person"])
    assert sorted(
        len(read_back.getAnnIds(imgIds=[image], catIds=persons)) for image in read_back.getImgIds()
    ) == [0, 2, 4]
    for image in read_back.loadImgs(read_back.getImgIds()):
        assert (tmp_path / image["file_name"]).is_file()
    for note in read_back.loadAnns(read_back.getAnnIds()):
        x, y, w, h = note["bbox"]
        assert min(x, y) >= 0
        assert note["area"] == pytest.approx(w * h, abs=0.5)
        # Masks and evaluation both need one more than boxes.
        assert read_back.annToMask({**note, "segmentation": [[x, y, x + w, y, x + w, y + h]]}).any()


def _check(value: str, schema: dict[str, Any]) -> None:
    """One cell against its field of a Table Schema."""
    rule, where = schema.get("constraints", {}), (schema["name"], value)
    if value == "":
        assert not rule.get("required"), where
        return
    if "enum" in rule:
        assert value in rule["enum"], where
    if "pattern" in rule:
        assert re.search(rule["pattern"], value), where
    if schema["type"] in ("number", "integer"):
        number = int(value) if schema["type"] == "integer" else float(value)
        assert rule.get("minimum", -np.inf) <= number <= rule.get("maximum", np.inf), where
    elif schema["type"] == "datetime":
        assert datetime.strptime(value, schema["format"]).utcoffset() is not None, where  # noqa: DTZ007
    elif schema["type"] == "boolean":
        assert value in ("true", "false"), where


@pytest.mark.parametrize("kind", ["coco", "yolo"])
def test_training_sets_are_what_evaluate_detector_reads(
    lake: Lake, kind: str, tmp_path: Path
) -> None:
    examine(*[each for each in lake.deployments.get().frames.all() if not each.run_frames.exists()])
    opened(made(kind, lake)).extractall(tmp_path)
    examples = datasets.read(tmp_path)
    assert sorted(len(each.labels) for each in examples) == [0, 2, 4]
    (four,) = [each for each in examples if len(each.labels) == 4]
    assert set(four.labels) == {"person"}
    # The test's pictures are 160 × 120: boxes at 0.05 n, 0.5 and 0.02 × 0.05 of them.
    assert four.xyxy[1] == pytest.approx([8, 60, 11.2, 66], abs=0.05)


def test_a_picture_that_would_be_masked_whole_is_left_out(lake: Lake, tmp_path: Path) -> None:
    opened(made("coco", lake)).extractall(tmp_path)
    assert len(datasets.read(tmp_path)) == 1  # a detector has looked at one settled frame only


def test_cameras_are_parted_and_never_frames() -> None:
    parts = [split(f"camera {n}") for n in range(400)]
    assert 0.1 < parts.count("val") / 400 < 0.3
    assert split("camera 7") == parts[7]


def test_megadetector_json_holds_machine_boxes_alone(lake: Lake) -> None:
    table = json.loads(made("megadetector", lake))
    assert table["info"]["format_version"] == "1.4"
    assert [len(image["detections"]) for image in table["images"]] == [9, 3, 5]
    box = table["images"][1]["detections"][0]
    assert table["detection_categories"][box["category"]] == "person"
    assert box["bbox"] == [0.0, 0.1, 0.05, 0.1]
    assert json.loads(made("megadetector", make_lake("empty")))["images"] == []


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("kind", FORMATS)
def test_each_role_takes_out_what_it_may(client: Client, lake: Lake, kind: str, role: Role) -> None:
    client.force_login(person(role, lake))
    asked = {"from": str(FIRST), "to": str(LAST)}
    for name in ("figures", "frames"):
        where = reverse(f"dashboards:export-{name}", args=[lake.slug, kind])
        answer = client.get(where, asked)
        right = FORMATS[kind].action
        mine = right in RIGHTS[role] and (name == "frames") == (
            right == "take frames and boxes out"
        )
        assert (answer.status_code == 200) == mine, (name, answer.status_code)
        if mine:
            b"".join(answer.streaming_content)  # type: ignore[attr-defined]
            event = AuditEvent.objects.get(action="exported")
            assert event.detail == {"format": kind, "from": str(FIRST), "to": str(LAST)}
            assert event.user == person(role, lake)
    shown = client.get(reverse("dashboards:exports", args=[lake.slug])).content.decode()
    assert (f"/{kind}" in shown) == (FORMATS[kind].action in RIGHTS[role])


def test_what_is_wrong_is_said_on_the_page(client: Client, lake: Lake) -> None:
    client.force_login(person(Role.OFFICER, lake))
    where = reverse("dashboards:export-frames", args=[lake.slug, "camtrap-dp"])
    Lake.objects.update(latitude=None, longitude=None)
    for query in ({"from": str(FIRST), "to": str(LAST)}, {"from": str(LAST), "to": str(FIRST)}, {}):
        answer = client.get(where, query, follow=True)
        assert b"alert-warning" in answer.content, query
    assert not AuditEvent.objects.filter(action="exported").exists()
    with pytest.raises(ValidationError):
        made("camtrap-dp", Lake.objects.get(pk=lake.pk))


def test_the_command_writes_whole_files_or_none(lake: Lake, tmp_path: Path, capsys: Any) -> None:
    make_lake("empty")
    into = tmp_path / "out"
    into.mkdir()
    call_command("export", "counters", lake.slug, "empty", into=into)
    (path,) = into.iterdir()
    assert path.name == f"{lake.slug}-{FIRST}-{LAST}-counters.zip"
    opened(path.read_bytes())
    assert "empty: no picture is dated yet" in capsys.readouterr().err
    for wrong in (
        ["counters", "nowhere"],
        ["counters", lake.slug, "--from", "x"],
        ["counters", lake.slug, "--into", str(tmp_path / "none")],
    ):
        with pytest.raises(CommandError):
            call_command("export", *wrong)
