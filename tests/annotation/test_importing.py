"""What was counted elsewhere: a file of another tool settles frames, or nothing at all comes in."""

from __future__ import annotations

import io
import json
import struct
import uuid
import zipfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from annotation import candidates, doctor, importing, ruling
from annotation.elsewhere import files
from annotation.importing import Asked, Report
from annotation.models import Import, Review, ReviewBox, ReviewCount, SettledFrame
from annotation.reviewing import StatedBox, submit
from annotation.settling import Rule
from dashboards import rollups, sentences
from dashboards.attendance import attendance
from dashboards.exporting import export
from dashboards.models import DayFigures
from dashboards.periods import Period
from dashboards.sheets import FEATURE, FRAME
from detection import renditions
from detection.megadetector import Refused
from detection.models import Deployment, Frame
from detection.mosaic import Rect
from detection.runs import Box
from lacs_web.models import AuditEvent, Lake, Role
from tests.cast import person
from tests.dashboards.survey import FIRST, LAST, make_survey
from tests.factories import (
    another_click_first,
    examine,
    make_deployment,
    make_frame,
    make_lake,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
DAY = date(2025, 7, 26)


@pytest.fixture
def place() -> Deployment:
    """Three frames of 1600 × 1200: DCIM/0000.JPG at 12:00 local time, then every five minutes."""
    deployment = make_deployment()
    for _ in range(3):
        make_frame(deployment)
    return deployment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file"


def packed(**members: str | bytes) -> bytes:
    """An archive; "__" in a name stands for a slash, the last "_" for a point."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            head, _, ending = name.replace("__", "/").rpartition("_")
            archive.writestr(f"{head}.{ending}", content)
    return out.getvalue()


def asked(lake: Lake, kind: str, path: Path, content: Any, **more: Any) -> Asked:
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    path.write_bytes(content)
    return Asked(lake, kind, path, f"{kind}.file", **more)


def bring(lake: Lake, kind: str, path: Path, content: Any, **more: Any) -> Report:
    user = person(Role.OFFICER, lake)
    return importing.bring_in(asked(lake, kind, path, content, **more), user)


def refused(lake: Lake, kind: str, path: Path, content: Any, **more: Any) -> str:
    with pytest.raises(Refused) as found:
        bring(lake, kind, path, content, **more)
    assert not Import.objects.exists()
    return importing.refusal(found.value)


def coco(*boxes: Any, name: str = "DCIM/0000.JPG", **more: Any) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": name, "width": 800, "height": 600}],
        "annotations": [
            {"id": n, "image_id": 1, "category_id": 7, "bbox": list(box)}
            for n, box in enumerate(boxes)
        ],
        "categories": [{"id": 7, "name": "person"}],
    } | more


BOX = (80, 60, 40, 120)  # a tenth from left and top


HEAD = "RootFolder,File,RelativePath,DateTime,DeleteFlag,People"


def timelapse(*rows: str, head: str = HEAD) -> str:
    return "\r\n".join((head, *rows)) + "\r\n"


def moment(frame: Frame) -> str:
    """By its camera's clock, as Timelapse writes it."""
    assert frame.clock_at
    return f"{frame.clock_at:%Y-%m-%d %H:%M:%S}"


def figures(lake: Lake, first: date = DAY, last: date = DAY) -> dict[str, Any]:
    rollups.catch_up([lake], at_once=False)
    return attendance(lake, first, last)


def say(frame: Frame, role: str, persons: int, name: str = "") -> Review:
    boxes = [StatedBox("person", "", 0.1 * n, 0.5, 0.02, 0.05) for n in range(persons)]
    return submit(
        frame=frame, reviewer=person(role, frame.deployment.lake, name), request_id=uuid.uuid4(),
        verdict="boxes" if persons else "nobody", boxes=boxes,
    )  # fmt: skip


# The round trips


def copy_of(lake: Lake, slug: str = "copy") -> Lake:
    """Another park's lake with the same frames, of which nobody has said anything."""
    other = make_lake(slug, f"{slug}-park")
    for place in lake.deployments.all():
        mine = make_deployment(
            other, slug=f"{slug}-{place.slug}", interval_seconds=place.interval_seconds
        )
        frames = list(place.frames.order_by("pk"))
        copies = [
            make_frame(
                mine, frame.captured_at, sha256=frame.sha256, path=frame.path, rank=frame.rank
            )
            for frame in frames
        ]  # fmt: skip
        seen = [
            (copy, [*frame.detections.all()])
            for copy, frame in zip(copies, frames, strict=True)
            if frame.run_frames.exists()
        ]
        if seen:
            boxes = {copy.pk: [_machine(each) for each in found] for copy, found in seen}
            examine(*(copy for copy, _found in seen), boxes=boxes)
    return other


def _machine(box: Any) -> Box:
    return Box(box.label, box.source_class, box.score, box.x, box.y, box.w, box.h)


def exported(kind: str, lake: Lake, first: date = FIRST, last: date = LAST) -> bytes:
    Lake.objects.filter(pk=lake.pk).update(latitude=44.9, longitude=6.1)
    lake.refresh_from_db()
    return b"".join(export(kind=kind, lake=lake, period=Period(first, last), by=None).parts)


SAME = ("frames", "frames_read", "watched_hours", "read_hours", "validated_person_hours",
        "peak_persons", "machine_only_hours", "machine_only_person_hours", "basis")  # fmt: skip


def test_a_package_of_ours_comes_back_with_equal_figures(path: Path) -> None:
    """Read and unread days, an unreadable frame, activities; what the machine saw stays its own."""
    lake = make_survey().lake
    was = figures(lake, FIRST, LAST)
    other = copy_of(lake)
    report = bring(other, "camtrap-dp", path, exported("camtrap-dp", lake))
    assert (len(report.taken), report.verdicts["unreadable"]) == (4, 1)
    assert report.passed["machine"] == 8
    now = figures(other, FIRST, LAST)
    assert [{key: day[key] for key in SAME if key in day} for day in now["days"]] == [
        {key: day[key] for key in SAME if key in day} for day in was["days"]
    ]
    for key in (*SAME, "not_observed", "hours", "activities", "nights"):
        if key in was:
            assert now[key] == was[key], key
    boxes = [
        list(
            ReviewBox.objects.filter(review__frame__deployment__lake=each)
            .order_by("review__frame__captured_at", "x")
            .values_list("label", "activity", "x", "w")
        )
        for each in (lake, other)
    ]
    for was_box, box in zip(*boxes, strict=True):
        assert was_box[:2] == box[:2]
        assert was_box[2:] == pytest.approx(box[2:], abs=1e-6)
    told = [sentences.rule(text) for text in now["method"]["rules"]]
    assert told == [
        f"counted elsewhere and brought in from a file (camtrap-dp, SHA-256 {report.sha256[:12]}…)"
    ]
    assert doctor.settled_out_of_step() is None
    # What came in without boxes leaves as it came.
    again = copy_of(other, "third")
    frame = Frame.objects.filter(deployment__lake=again).order_by("captured_at")[0]
    bring(again, "timelapse", path, timelapse(f",{frame.path},,,false,7"), words="People = person")
    fourth = copy_of(again, "fourth")
    bring(fourth, "camtrap-dp", path, exported("camtrap-dp", again))
    assert ReviewCount.objects.get(review__frame__deployment__lake=fourth).n == 7


share = st.floats(0, 0.6)
side = st.floats(0.001, 0.4)
stated = st.lists(
    st.builds(
        StatedBox, label=st.sampled_from(["person", "tent", "boat", "sheep"]), activity=st.just(""),
        x=share, y=share, w=side, h=side,
    ),
    max_size=4,
)  # fmt: skip


@pytest.mark.parametrize("kind", ["coco", "yolo"])
def test_boxes_that_are_exported_come_back_the_same(
    kind: str, place: Deployment, path: Path
) -> None:
    frames = list(place.frames.order_by("pk"))
    examine(*frames)
    other = copy_of(place.lake)

    @profile(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(stated, min_size=3, max_size=3))
    def comes_back(drawn: list[list[StatedBox]]) -> None:
        for frame, boxes in zip(frames, drawn, strict=True):
            submit(
                frame=frame, reviewer=person(Role.RANGER, place.lake), request_id=uuid.uuid4(),
                verdict="boxes" if boxes else "nobody", boxes=boxes,
            )  # fmt: skip
        report = bring(
            other, kind, path, exported(kind, place.lake, DAY, DAY), empty_is_nobody=True
        )
        assert len(report.taken) == 3
        for frame, boxes in zip(frames, drawn, strict=True):
            (back,) = Review.objects.standing().filter(
                frame__sha256=frame.sha256, imported_from=report.made
            )
            assert back.verdict == ("boxes" if boxes else "nobody")
            for box, was in zip(back.boxes.order_by("pk"), boxes, strict=True):
                assert box.label == was.label
                now, before = (box.x, box.y, box.w, box.h), (was.x, was.y, was.w, was.h)
                assert now == pytest.approx(before, abs=1e-4)  # of 120 pixels, to a hundredth
        assert report.made
        importing.take_back(report.made, None)

    comes_back()


# What a file may be


def test_coco_of_another_tool(place: Deployment, path: Path) -> None:
    told = coco(BOX, (0, 0, 8, 6), name="images/1a2b3c4d-0000.JPG")
    told["categories"].append({"id": 8, "name": "Randonneur"})
    told["annotations"][1] |= {"category_id": 8, "attributes": {"activity": "bathing"}}
    told["images"].append({"id": "b", "file_name": "0001.JPG", "width": 80, "height": 60})
    report = bring(place.lake, "coco", path, told, words="randonneur = person")
    (frame, said), *more = report.taken
    assert not more
    assert report.passed == {"empty": 1}
    review = Review.objects.get(frame=frame)
    assert (review.reviewer, review.alone, review.picked) == (None, False, True)
    boxes = review.boxes.order_by("pk").values_list("label", "activity", "x", "y", "w", "h")
    assert [(*box[:2], *(round(side, 6) for side in box[2:])) for box in boxes] == [
        ("person", "", 0.1, 0.1, 0.05, 0.2), ("person", "bathing", 0, 0, 0.01, 0.01)
    ]  # fmt: skip
    assert said.verdict == "boxes"
    event = AuditEvent.objects.get(action="reviews imported")
    assert (event.detail["file"], event.detail["frames"]) == (report.sha256, 1)


def test_coco_in_an_archive_and_without_boxes(place: Deployment, path: Path) -> None:
    content = packed(annotations__instances_json=json.dumps(coco()), notes_json='{"a": 1}')
    one = replace(asked(place.lake, "coco", path, content, empty_is_nobody=True), name="\udcff.zip")
    report = importing.bring_in(one, None)
    assert report.verdicts == {"nobody": 1}
    assert AuditEvent.objects.get(action="reviews imported").detail["name"] == "?.zip"


def test_yolo_of_another_tool(place: Deployment, path: Path) -> None:
    content = packed(
        data_yaml="path: ../x # here\nnames:\n  0: Tente\n  1: 'person'\nnc: 2\n",
        labels__train__0000_txt="1 0.5 0.5 0.1 0.2\r\n\r\n0 0.25 0.25 0.5 0.5\n",
        labels__val__0001_txt="",
        images__val__0002_jpg=b"",
        README_txt="hello",
    )
    report = bring(place.lake, "yolo", path, content)  # "tente" is our own word, in French
    assert report.passed == {"empty": 2}
    boxes = ReviewBox.objects.order_by("pk").values_list("label", "x", "y", "w", "h")
    assert list(boxes) == [("person", 0.45, 0.4, 0.1, 0.2), ("tent", 0, 0, 0.5, 0.5)]
    for listed in (
        "names: [tent, person]\n",
        "names: [tent,\n  'person']\n",
        "names:\n- tent\n- person\n",
    ):
        again = packed(data_yaml=listed, labels__0001_txt="1 0.5 0.5 0.1 0.2")
        report = bring(place.lake, "yolo", path, again)
        assert report.kinds == [("person", "", 1)]
        assert report.made
        importing.take_back(report.made, None)
    empty = packed(names_txt="tent", labels__0001_txt="", images__0002_jpg=b"")
    assert bring(place.lake, "yolo", path, empty, empty_is_nobody=True).verdicts == {"nobody": 2}


def test_timelapse(place: Deployment, path: Path) -> None:
    one, two, three = place.frames.order_by("pk")
    fog = make_frame(place)
    head = "RootFolder;File;RelativePath;DateTime;DeleteFlag;Nombre;Espèce;Activité;Tentes;Brume"
    rows = timelapse(
        f"Carte;0000.JPG;DCIM;{moment(one)};false;2;Personne;baignade;1;false",
        f"Carte;0000.JPG;DCIM;{moment(one)};false;3;Personne;;0;false",
        f"Carte;0000.JPG;DCIM;{moment(one)};false;4;Chamois;;;false",
        f"Carte;0001.JPG;DCIM;{moment(two)};false;0;;;0;false",
        f"Carte;0002.JPG;DCIM;{moment(three)};true;1;Personne;;;false",
        f"Carte;{fog.path};;{moment(fog)};false;;;;;true",
        "Carte;0003.JPG;autre;;false;;;;;",
        "Carte;0001.JPG;DCIM;2020-01-01 00:00:00;false;9;Personne;;;false",
        head=head,
    ).encode("latin-1")  # fmt: skip
    words = "Nombre = count\nEspèce = class\nActivité = activity\nTentes = tent\nBrume = unreadable"
    # The last row names a picture a second time, with a class that the first did not.
    report = importing.preview(
        asked(place.lake, "timelapse", path, rows, words=f"{words}\nChamois=-")
    )
    assert report.passed == {"deleted": 1, "unsaid": 1}
    assert not report.refusal
    bring(place.lake, "timelapse", path, rows, words=f"{words}\nchamois = -")
    counts = ReviewCount.objects.filter(review__frame=one).order_by("n")
    assert list(counts.values_list("label", "activity", "n")) == [
        ("tent", "", 1), ("person", "bathing", 2), ("person", "", 3)
    ]  # fmt: skip
    verdicts = dict(Review.objects.values_list("frame", "verdict"))
    assert verdicts == {one.pk: "counted", two.pk: "counted", fog.pk: "unreadable"}
    told = figures(place.lake)
    assert told["validated_person_hours"] == pytest.approx((5 + 9) * 5 / 60)
    assert "Chamois" in refused_elsewhere(place, path, rows, words)


def refused_elsewhere(place: Deployment, path: Path, content: Any, words: str) -> str:
    with pytest.raises(Refused) as found:
        importing.preview(asked(place.lake, "timelapse", path, content, words=words))
    return importing.refusal(found.value)


@pytest.mark.parametrize(
    ("told", "kind"),
    [("", "counted"), ("2020-01-01 00:00:00", ""), ("2025-07-26T10:00:00+00:00", "counted"),
     ("26-Jul-2025 12:00:00", "counted")],
)  # fmt: skip
def test_a_name_alone_is_not_enough_where_the_time_is_told(
    place: Deployment, path: Path, told: str, kind: str
) -> None:
    """Cameras begin anew with IMG_0001 on each card."""
    rows = timelapse(f"x,0000.JPG,DCIM,{told},false,2")
    report = importing.preview(asked(place.lake, "timelapse", path, rows, words="People = person"))
    assert [said.verdict for _pk, said in report.taken] == ([kind] if kind else [])
    assert report.other_time == ([] if kind else ["DCIM/0000.JPG"])


CAMTRAP = ("mediaID,observationLevel,observationType,scientificName,count,behavior,bboxX,bboxY,"
           "bboxWidth,bboxHeight,classificationMethod,observationTags")  # fmt: skip


def package(
    *rows: str, media: str = "m1,https://x.org/card/0000.JPG,2025-07-26T12:00:00+02:00"
) -> bytes:
    listed = [{"name": name, "path": f"{name}.csv"} for name in ("media", "observations")]
    return packed(
        datapackage_json=json.dumps({"resources": listed}),
        media_csv=f"mediaID,filePath,timestamp\n{media}\n",
        observations_csv="\ufeff" + "\n".join((CAMTRAP, *rows)),
    )


def test_a_package_of_another_tool(place: Deployment, path: Path) -> None:
    content = package(
        "m1,media,human,,2,swimming,,,,,human,",
        "m1,media,animal,Ovis aries,12,,,,,,human,",
        "m1,media,human,,3,,0.1,0.1,0.2,0.2,human,",
        "m1,media,human,,1,,,,,,machine,",
        ",event,human,,1,,,,,,human,",
        "m1,media,human,,1,,,,,,,",
    )
    report = bring(place.lake, "camtrap-dp", path, content, words="swimming = person/bathing")
    assert report.passed == {"machine": 1, "event": 1, "nobody's": 1}
    assert set(report.kinds) == {
        ("person", "bathing", 2), ("sheep", "", 12), ("person", "", 3)
    }  # fmt: skip
    (review,) = Review.objects.all()
    assert (review.verdict, review.boxes.count(), review.counts.count()) == ("counted", 1, 3)
    told = figures(place.lake)
    assert told["validated_person_hours"] == pytest.approx(5 * 5 / 60)
    seen = package("m1,media,human,,,,,,,,human,")
    assert "not counted" in json.dumps(
        importing.preview(asked(make_lake("z", "z"), "camtrap-dp", path, seen)).reasons
    )


# What it does here


def test_it_never_outweighs_what_was_said_here(place: Deployment, path: Path) -> None:
    one, two, three = place.frames.order_by("pk")
    say(one, Role.RANGER, 1)
    say(two, Role.VOLUNTEER, 1)
    images = [
        {"id": n, "file_name": f"DCIM/000{n}.JPG", "width": 800, "height": 600} for n in range(3)
    ]
    content = coco(images=images)
    report = bring(place.lake, "coco", path, content, empty_is_nobody=True)
    assert report.spoken == ["DCIM/0000.JPG", "DCIM/0001.JPG"]
    assert [pk for pk, _said in report.taken] == [three.pk]
    assert SettledFrame.objects.get(frame=three).rule["clause"] == "imported"
    assert not SettledFrame.objects.filter(frame=two).exists()
    # A volunteer who was served the frame before says something else: nothing is settled by that,
    # nor is the file a voice that would agree with the next.
    say(three, Role.VOLUNTEER, 0)
    assert not SettledFrame.objects.filter(frame=three).exists()
    say(three, Role.VOLUNTEER, 0, "another")
    assert SettledFrame.objects.get(frame=three).rule["clause"] == "two agree"
    say(three, Role.RANGER, 2)
    assert SettledFrame.objects.get(frame=three).rule["clause"] == "alone"
    more = coco(images=images, annotations=[])
    assert "All of its 3 pictures" in refused_of(place, path, more | {"info": 1})


def refused_of(place: Deployment, path: Path, content: Any) -> str:
    with pytest.raises(Refused) as found:
        bring(place.lake, "coco", path, content, empty_is_nobody=True)
    return importing.refusal(found.value)


def test_it_counts_exactly_and_is_no_sample_until_it_is_taken_back(
    place: Deployment, path: Path
) -> None:
    frames = list(place.frames.order_by("pk"))
    examine(*frames)
    before = figures(place.lake)
    content = coco(BOX)
    report = bring(place.lake, "coco", path, content)
    told = figures(place.lake)
    assert told["frames_read"] == 1
    assert DayFigures.objects.get().n_brought == 1  # in nobody's time here
    assert told["validated_person_hours"] == pytest.approx(5 / 60)
    assert not _in_sample(place, frames[0])
    assert _in_sample(place, frames[1])
    assert "already" in refused_of(place, path, content)
    assert report.made
    officer = person(Role.OFFICER, place.lake)
    importing.take_back(report.made, officer)
    importing.take_back(report.made, officer)
    assert AuditEvent.objects.filter(action="reviews taken back").count() == 1
    assert not SettledFrame.objects.exists()
    assert figures(place.lake) == before
    assert _in_sample(place, frames[0])
    assert rollups.differences(place) == []
    ruling.change(lake=place.lake, rule=Rule(least_iou=0.4), by=officer)
    assert not SettledFrame.objects.exists()
    assert Review.objects.count() == 1  # nothing is deleted
    assert bring(place.lake, "coco", path, content).made != report.made


def _in_sample(place: Deployment, frame: Frame) -> bool:
    day = DayFigures.objects.get(deployment=place)
    at = np.frombuffer(day.features, FEATURE)["frame"].tolist().index(frame.pk)
    return bool(np.frombuffer(day.frames, FRAME)["stratum"][at] >= 0)


def test_its_persons_are_masked_at_once(place: Deployment, path: Path) -> None:
    one, two, _three = place.frames.order_by("pk")
    examine(one, two)
    assert renditions.rendition(one).people == ()
    report = bring(place.lake, "coco", path, coco(BOX))
    assert renditions.rendition(one).people == (Rect(0.1, 0.1, 0.05, 0.2),)
    rows = timelapse(",0001.JPG,DCIM,,false,2")
    bring(place.lake, "timelapse", path, rows, words="People = person")
    assert renditions.rendition(two).people == (Rect(0, 0, 1, 1),)  # who knows where they are
    assert list(candidates.settled(place)) == [one]  # nor is there anything to judge boxes by
    assert report.made
    importing.take_back(report.made, None)
    assert renditions.rendition(one).people == ()
    say(two, Role.RANGER, 0)
    assert renditions.rendition(two).people == ()


def test_what_came_in_is_as_append_only_as_all_else(place: Deployment, path: Path) -> None:
    rows = timelapse(",0001.JPG,DCIM,,false,2")
    bring(place.lake, "timelapse", path, rows, words="People = person")
    changes: list[tuple[Any, dict[str, Any]]] = [
        (ReviewCount, {"n": 3}), (Review, {"imported_from": None}), (Review, {"verdict": "nobody"})
    ]  # fmt: skip
    for model, change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.update(**change)


# What is refused


def bomb() -> bytes:
    return packed(annotations_json=b" " * (8 << 20))


def forged(**changed: Any) -> bytes:
    """An archive whose list says that it is far longer."""
    content = bytearray(packed(annotations_json="{}"))
    at = content.rfind(b"PK\x05\x06")
    struct.pack_into("<L", content, at + 12, changed["listed"])
    return bytes(content)


def doubled() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.json", "{}")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a.json", "{}")
    return out.getvalue()


def with_note(**changed: Any) -> dict[str, Any]:
    told = coco(BOX)
    told["annotations"][0] |= changed
    return told


def with_image(**changed: Any) -> dict[str, Any]:
    told = coco(BOX)
    told["images"][0] |= changed
    return told


TL = {"words": "People = person"}
HOSTILE: list[tuple[str, Any, str, dict[str, Any]]] = [
    # archives
    ("coco", b"PK\x03\x04" + b"x" * 50, "no whole ZIP", {}),
    ("coco", packed(a_json="{}")[:-30], "no whole ZIP", {}),
    ("coco", forged(listed=1 << 30), "more than 600000 files", {}),
    ("coco", forged(listed=3), "no whole ZIP", {}),
    ("coco", bomb(), "grows beyond measure", {}),
    ("coco", doubled, "two files called a.json", {}),
    ("coco", packed(a_txt="1"), "should hold annotations.json", {}),
    ("yolo", b"0 0.5 0.5 1 1", "ZIP archive was expected", {}),
    ("timelapse", packed(a_csv="File"), "unpack it first", {}),
    ("camtrap-dp", packed(media_csv="x"), "should hold datapackage.json", {}),
    (
        "camtrap-dp",
        packed(datapackage_json='{"resources": 4}'),
        "a list [ … ] was expected, found 4",
        {},
    ),
    (
        "camtrap-dp",
        packed(datapackage_json='{"resources": [{"name": "media", "path": "../../etc/passwd"}]}'),
        "should hold ../../etc/passwd",
        {},
    ),
    # JSON
    ("coco", b"\x00\x01", "another kind of file", {}),
    ("coco", "{", "no JSON", {}),
    ("coco", "[]", "a JSON object", {}),
    ("coco", "[" * 100_000, "nested too deeply", {}),
    ("coco", json.dumps(coco(BOX)).replace("120", "NaN"), "the file has NaN", {}),
    ("coco", json.dumps(coco(BOX)).replace("120", "9" * 5000), "no JSON", {}),
    ("coco", coco(images=4), "images: a list [ … ] was expected, found 4", {}),
    ("coco", coco(images=[4]), "images[0]: an object { … } was expected, found 4", {}),
    ("coco", with_image(id=None), "images[0].id: a number or text", {}),
    ("coco", with_image(file_name=5), "images[0].file_name: a text was expected, found 5", {}),
    ("coco", with_image(width=0), "images[0].width: pixels", {}),
    ("coco", with_image(width=10**400), "images[0].width: pixels", {}),
    ("coco", with_image(width=600, height=800), "Pictures of another shape", {}),
    ("coco", coco(BOX, images=coco()["images"] * 2), "images[1].id: 1 stands there a second", {}),
    ("coco", with_note(image_id=9), "nothing in the file is numbered 9", {}),
    ("coco", with_note(category_id=[1]), "category_id: a number or text was expected", {}),
    ("coco", with_note(bbox=[1, 2, 3]), "four numbers", {}),
    ("coco", with_note(bbox=[1, 2, 3, "4"]), "four numbers", {}),
    ("coco", with_note(bbox=[1, 2, 3, 10**400]), "four numbers", {}),
    ("coco", with_note(bbox=[700, 2, 300, 4]), "a box inside the picture", {}),
    ("coco", with_note(bbox=[7, 2, 0, 4]), "a box inside the picture", {}),
    ("coco", with_note(score=0.8), "are a machine’s", {}),
    ("coco", with_note(iscrowd=1), "of no picture what people saw", {}),
    ("coco", coco(BOX, categories=[{"id": 7, "name": "yeti"}]), "“yeti = person”", {}),
    ("coco", coco(BOX), "“yeti” says no meaning", {"words": "yeti"}),
    ("coco", coco(BOX), "“yeti = unicorn” says no meaning", {"words": "yeti = unicorn"}),
    ("coco", coco(BOX), "says no meaning", {"words": "x = tent/bathing"}),
    ("coco", coco(BOX), "“x” was given two meanings", {"words": "x = tent\nX = boat"}),
    ("coco", coco(BOX), "is for columns", {"words": "person = count"}),
    ("coco", coco(BOX, name="../../etc/passwd"), "It names ../../etc/passwd, say", {}),
    ("coco", coco(BOX, name="f" * 64 + ".jpg"), "is a frame of this lake", {}),
    # YOLO
    ("yolo", packed(labels__a_txt=""), "should hold data.yaml", {}),
    ("yolo", packed(data_yaml="nc: 1", labels__a_txt=""), "the names of the classes", {}),
    ("yolo", packed(names_txt="tent"), "should hold labels/*.txt", {}),
    ("yolo", packed(names_txt="tent", labels__a_txt="0 1 2"), "labels/a.txt:1: five numbers", {}),
    (
        "yolo",
        packed(names_txt="tent", labels__a_txt="\n3 .5 .5 1 1"),
        "labels/a.txt:2: a class from 0 to 0",
        {},
    ),
    (
        "yolo",
        packed(names_txt="tent", labels__a_txt="0 nan 0.5 1 1"),
        "a number was expected, found “nan”",
        {},
    ),
    (
        "yolo",
        packed(names_txt="tent", labels__a_txt="0 1e99 0.5 1 1"),
        "a box inside the picture",
        {},
    ),
    ("yolo", packed(names_txt="tent", labels__a_txt="0 0.5 0.5 1 1 0.9"), "are a machine’s", {}),
    ("yolo", packed(names_txt="tent", labels__a_txt="-1 0.5 0.5 1 1"), "a whole number", {}),
    # tables
    ("timelapse", "", "the file is empty", TL),
    ("timelapse", "File\0", "another kind of file", TL),
    ("timelapse", "Name,People\n", "a column File was expected. The file has: Name, People", TL),
    ("timelapse", "File,file,People\n", "two columns are called File", TL),
    ("timelapse", timelapse(), "Say below which column", {}),
    (
        "timelapse",
        timelapse(),
        "Two columns were said to be the count",
        {"words": "File=count\nPeople=count"},
    ),
    (
        "timelapse",
        timelapse(",0000.JPG"),
        "CSV:2: 6 cells were expected as in the first line, found 2",
        TL,
    ),
    ("timelapse", timelapse(',"0000.JPG,,,,2'), "cells were expected", TL),
    ("timelapse", timelapse(",0000.JPG,DCIM,,false,two"), "CSV:2, People: a whole number", TL),
    ("timelapse", timelapse(",0000.JPG,DCIM,,false,-1"), "a whole number", TL),
    ("timelapse", timelapse(",0000.JPG,DCIM,,false,1001"), "a whole number", TL),
    ("timelapse", timelapse(",0000.JPG,DCIM,,false,٣"), "a whole number", TL),
    ("timelapse", timelapse(",0000.JPG,DCIM,,perhaps,1"), "DeleteFlag: true or false", TL),
    ("timelapse", timelapse(",0000.JPG,DCIM,yesterday,false,1"), "DateTime: a time as in", TL),
    ("timelapse", timelapse(",,DCIM,,false,1"), "CSV:2, File: a text was expected", TL),
    (
        "timelapse",
        timelapse(*[",0000.JPG,DCIM,,false,1"] * 2),
        "has been counted already (CSV:2)",
        TL,
    ),
    (
        "timelapse",
        timelapse(",0000.JPG,,,false,1", ",DCIM/0000.JPG,,,false,1"),
        "named before: 1, DCIM/0000.JPG",
        TL,
    ),
    (
        "timelapse",
        timelapse(",0000.JPG,,0001-01-01T00:00:00+14:00,false,1"),
        "is a frame of this lake",
        TL,
    ),
    (
        "timelapse",
        timelapse(",0000.JPG,DCIM,,false,600,500", head=f"{HEAD},Others"),
        "CSV:2, Others: more than a thousand",
        {"words": "People = person\nOthers = person"},
    ),
    (
        "timelapse",
        timelapse(",0000.JPG,DCIM,,false,1,true", head=f"{HEAD},Fog"),
        "CSV:2: this picture is said to be unreadable",
        {"words": "People = person\nFog = unreadable"},
    ),
    ("timelapse", timelapse(f",0000.JPG,{'shore/' * 5000},,false,1"), "frame of this lake", TL),
    ("coco", coco(BOX, name="0123abcd-" * 5000 + "0000.JPG"), "is a frame of this lake", {}),
    ("coco", coco(BOX, name="\ud800.JPG"), "It names ?.JPG, say", {}),
    # packages
    (
        "camtrap-dp",
        package("m1,media,unclassified,,,,,,,,human,unreadable", "m1,media,human,,1,,,,,,human,"),
        "media.csv:2: this picture is said to be unreadable",
        {},
    ),
    (
        "camtrap-dp",
        package(
            "m1,media,human,,1,,0.1,0.1,0.2,0.2,human,",
            "m1,media,unclassified,,,,,,,,human,unreadable",
        ),
        "said to be unreadable",
        {},
    ),
    ("camtrap-dp", package("m2,media,human,,1,,,,,,human,"), "numbered m2", {}),
    ("camtrap-dp", package("m1,media,human,,1.5,,,,,,human,"), "count: a whole number", {}),
    (
        "camtrap-dp",
        package("m1,media,human,,1,,0.1,,0.1,0.1,human,"),
        "bboxY: a number was expected",
        {},
    ),
    (
        "camtrap-dp",
        package("m1,media,human,,1,,0.9,0.1,0.2,0.2,human,"),
        "a box inside the picture",
        {},
    ),
    ("camtrap-dp", package("m1,media,ghost,,1,,,,,,human,"), "“ghost = person”", {}),
    (
        "camtrap-dp",
        package("m1,media,blank,,,,,,,,human,", "m1,media,human,,1,,,,,,human,"),
        "observations.csv:2 says that nobody",
        {},
    ),
    ("camtrap-dp", package(media="m1,a.jpg,soon"), "timestamp: a time as in", {}),
    ("camtrap-dp", package(media="m1,a.jpg,\nm1,b.jpg,"), "m1 stands there a second time", {}),
    ("camtrap-dp", package(), "of no picture what people saw", {}),
]


@pytest.mark.parametrize("kind", Import.Kind.values)
def test_what_is_wrong_is_said_and_nothing_is_kept(
    place: Deployment, path: Path, kind: str
) -> None:
    for one, content, words, more in HOSTILE:
        if one == kind:
            given_ = content() if callable(content) else content
            assert words in refused(place.lake, kind, path, given_, **more)
    assert not Review.objects.exists()
    assert not AuditEvent.objects.exists()


def test_no_limit_is_passed(place: Deployment, path: Path, monkeypatch: Any, settings: Any) -> None:
    rows = timelapse(*(f",{n}.JPG,,,false,1" for n in range(3)))
    cases: list[tuple[str, int, Any, str]] = [
        ("MOST_ROWS", 2, rows, "more than 2 rows"), ("MOST_TEXT", 20, rows, "is larger than 20"),
    ]  # fmt: skip
    for limit, most, content, words in cases:
        with monkeypatch.context() as patched:
            patched.setattr(files, limit, most)
            assert words in refused(place.lake, "timelapse", path, content, **TL)
    with monkeypatch.context() as patched:
        patched.setattr(files, "MOST_IN_ALL", 30)
        content = packed(names_txt="tent", labels__a_txt=" " * 20, labels__b_txt=" " * 20)
        assert "is larger than" in refused(place.lake, "yolo", path, content)
    with monkeypatch.context() as patched:
        patched.setattr(files, "MOST_ENTRIES", 1)
        assert "more than 1 files" in refused(place.lake, "yolo", path, content)
    settings.IMPORT_MAX_BYTES = 10
    assert "larger than 10" in refused(place.lake, "timelapse", path, rows, **TL)


def test_what_breaks_leaves_nothing(place: Deployment, path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(importing, "_settle", lambda one: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bring(place.lake, "coco", path, coco(BOX))
    assert not Review.objects.exists()
    assert not Import.objects.exists()


def test_its_cost_is_by_the_hundred(
    place: Deployment, path: Path, django_assert_num_queries: Any
) -> None:
    for _ in range(9):
        make_frame(place)
    user = person(Role.OFFICER, place.lake)
    for first, last in ((0, 2), (2, 12)):
        rows = timelapse(*(f",{n:04}.JPG,DCIM,,false,{n}" for n in range(first, last)))
        given_ = asked(place.lake, "timelapse", path, rows, **TL)
        with django_assert_num_queries(COST) as seen:
            made = importing.bring_in(given_, user).made
        assert holds_the_rule_first(seen)
    assert made
    with CaptureQueriesContext(connection) as seen:
        importing.take_back(made, user)
    assert holds_the_rule_first(seen)


COST = 26


def holds_the_rule_first(seen: CaptureQueriesContext) -> bool:
    """Ahead of the lake and of any frame: as reviewers do, and a change of the rule."""
    locks = [each["sql"] for each in seen if " FOR NO KEY" in each["sql"] or "_lock" in each["sql"]]
    return "pg_advisory_xact_lock_shared" in locks[0] and len(locks) > 1


# The page and the command


def send(client: Client, lake: Lake, **fields: Any) -> Any:
    return client.post(reverse("annotation:import", args=[lake.slug]), {"kind": "coco"} | fields)


def test_the_page_shows_what_comes_brings_it_in_and_takes_it_back(
    client: Client, place: Deployment
) -> None:
    lake = place.lake
    client.force_login(person(Role.OFFICER, lake))
    client.cookies["django_language"] = "en"
    rows = timelapse(",0000.JPG,DCIM,,false,2", ",nowhere.JPG,DCIM,,false,2").encode()
    asked_: dict[str, Any] = {"kind": "timelapse", "words": "People = person"}
    wrong = send(client, lake, kind="timelapse", file=SimpleUploadedFile("tl.csv", rows))
    assert "Say below which column" in wrong.content.decode()
    seen = send(client, lake, file=SimpleUploadedFile("tl.csv", rows), **asked_)
    page = " ".join(seen.content.decode().split())
    for words in ("1 of 3", "DCIM/nowhere.JPG", "of no frame here", "masked whole"):
        assert words in page
    assert not Review.objects.exists()
    kept = {"kept": seen.context["report"].sha256, "name": "tl.csv", "sure": "on"} | asked_
    done = client.post(reverse("annotation:import", args=[lake.slug]), kept, follow=True)
    assert "1 frame was brought in." in done.content.decode()
    one = Import.objects.get()
    assert (one.file, one.by) == ("tl.csv", person(Role.OFFICER, lake))
    assert one.settings["words"] == "People = person"
    assert "choose it once more" in send(client, lake, **kept).content.decode()
    send(client, lake, file=SimpleUploadedFile("tl.csv", rows), **asked_)
    with another_click_first(importing):
        assert "choose it once more" in send(client, lake, **kept).content.decode()
    assert "Choose a file." in send(client, lake).content.decode()
    back = client.post(reverse("annotation:import-undo", args=[one.pk]), follow=True)
    assert "taken back on" in back.content.decode()
    assert not SettledFrame.objects.exists()


def test_the_command_says_what_it_does(place: Deployment, path: Path, capsys: Any) -> None:
    path.write_text(json.dumps(coco(BOX)))
    given_ = ["import_reviews", "coco", str(path), place.lake.slug]
    call_command(*given_, "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["frames"], told["import"]) == (1, None)
    assert told["counts"] == [{"label": "person", "activity": "", "n": 1}]
    call_command(*given_, deployment="shore")
    assert f"import {Import.objects.get().pk};" in capsys.readouterr().out
    for wrong in ([*given_[:3], "nowhere"], [*given_, "--deployment", "x"], given_):
        with pytest.raises(CommandError):
            call_command(*wrong)
