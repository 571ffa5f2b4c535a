"""Detections made elsewhere: a file of MegaDetector JSON becomes runs, or nothing at all."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as profile
from hypothesis import strategies as st

from dashboards.attendance import attendance
from dashboards.formats import megadetector as export
from dashboards.formats import pieces
from dashboards.periods import Period
from detection import doctor, importing, registering, renditions, runs, tasks, weighing
from detection.megadetector import Refused
from detection.models import (
    Batch,
    Deployment,
    Detection,
    Detector,
    Frame,
    Run,
    RunFrame,
    Suppression,
    Zone,
)
from lacs_web.models import AuditEvent, Role, User
from tests.cast import person
from tests.factories import examine, make_deployment, make_detector, make_frame

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
BOX = {"category": "2", "conf": 0.8, "bbox": [0.1, 0.2, 0.05, 0.1]}
FAINT = {"category": "2", "conf": 0.01, "bbox": [0.5, 0.2, 0.05, 0.1]}


def document(*images: Any, **more: Any) -> dict[str, Any]:
    return {
        "images": list(images),  # first, as MegaDetector writes it
        "detection_categories": {"1": "animal", "2": "person", "3": "vehicle"},
        "info": {
            "format_version": "1.4",
            "detector": "md_v5a.pt",
            "detector_metadata": {"megadetector_version": "v5a.0.1"},
        },
        **more,
    }


def image(file: str, *boxes: Any) -> dict[str, Any]:
    return {"file": file, "detections": list(boxes)}


@pytest.fixture
def place() -> Deployment:
    """Three frames: DCIM/0000.JPG to 0002.JPG."""
    deployment = make_deployment()
    for _ in range(3):
        make_frame(deployment)
    return deployment


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "md.json"


def bring(place: Deployment, path: Path, content: Any, **asked: Any) -> importing.Report:
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content)).encode()
    path.write_bytes(content)
    user = person(Role.OFFICER, place.lake)
    return importing.bring_in(deployment=place, path=path, name="md.json", user=user, **asked)


def refused(place: Deployment, path: Path, content: Any, **asked: Any) -> str:
    with pytest.raises(Refused) as found:
        bring(place, path, content, **asked)
    assert not Run.objects.exists()
    assert not Detector.objects.exists()
    return importing.refusal(found.value)


def test_a_file_becomes_a_run_that_says_where_it_is_from(place: Deployment, path: Path) -> None:
    Zone.objects.create(
        deployment=place, kind="ignore", polygon=[[0.4, 0], [1, 0], [1, 1], [0.4, 1]]
    )
    report = bring(
        place,
        path,
        document(
            image("C:\\cards\\DCIM\\0000.jpg", BOX, FAINT | {"conf": 0.9}, FAINT),
            image("DCIM/0001.JPG", BOX | {"category": "1"}),
            {
                "file": "DCIM/0002.JPG",
                "failure": "Failure\0 image \ud800access",
                "detections": None,
            },
            image("DCIM/9999.JPG", BOX),
        ),
    )
    run = Run.objects.get()
    assert report.runs == [run]
    assert (report.matched, report.failed, report.images, report.unmatched) == (
        3, 1, 4, ["DCIM/9999.JPG"],
    )  # fmt: skip
    assert str(run.detector) == "md_v5a.pt (v5a.0.1) (made elsewhere)"
    assert run.finished_at
    assert run.started_by == person(Role.OFFICER, place.lake)
    assert (run.imported_from, run.settings["file"]) == (report.sha256, "md.json")
    states = run.run_frames.order_by("frame__path").values_list("state", flat=True)
    assert list(states) == ["done", "done", "failed"]
    boxes = run.detections.order_by("pk").values_list("label", "source_class", "score", "x")
    assert list(boxes) == [
        ("person", "person", 0.8, 0.1), ("person", "person", 0.9, 0.5),
        ("person", "person", 0.01, 0.5), ("", "animal", 0.8, 0.1),
    ]  # fmt: skip
    assert Suppression.objects.filter(reason="ignored").count() == 2  # at once
    weighing.weigh(Run.objects.get())
    assert Suppression.objects.filter(reason="ignored").count() == 2
    event = AuditEvent.objects.get(action="detections imported")
    assert (event.detail["file"], event.detail["run"]) == (report.sha256, [run.pk])
    told = attendance(place.lake, date(2025, 7, 26), date(2025, 7, 26))
    assert told["method"]["detectors"] == ["md_v5a.pt (v5a.0.1) (made elsewhere)"]


def test_it_is_no_detector_to_run(place: Deployment, path: Path, client: Client) -> None:
    bring(place, path, document(image("DCIM/0000.JPG", BOX)))
    run = Run.objects.get()
    make_frame(place)
    runs.owe_newly_dated(place)
    tasks.sweep()
    assert not runs.open_runs().exists()
    assert not runs.batches_owed_a_run().exists()
    assert registering.owed_a_probe() == []
    assert doctor.detectors_gone() is None
    client.force_login(person(Role.OFFICER, place.lake))
    client.cookies["django_language"] = "en"
    page = client.get(reverse("detection:deployment", args=[place.slug]))
    assert not page.context["detection_form"].fields["detector"].queryset.exists()
    assert b"made elsewhere" in page.content
    assert b"Repeat on all" not in page.content
    client.post(reverse("detection:run-repeat", args=[run.pk]))
    assert Run.objects.count() == 1
    boss = Client()
    boss.force_login(User.objects.create_superuser("boss@example.org"))
    where = reverse("admin:detection_detector_change", args=[run.detector_id])
    assert boss.post(where, {"is_default": "on"}).status_code == 302
    assert not Detector.objects.filter(is_default=True).exists()
    page = client.get(reverse("detection:run", args=[run.pk]))
    assert run.imported_from[:16].encode() in page.content
    assert b"stay masked whole" in page.content


@pytest.mark.parametrize(("boxes", "shown"), [([BOX], False), ([BOX, FAINT], True)])
def test_only_who_names_everybody_shows_the_rest(
    place: Deployment, path: Path, boxes: list[Any], shown: bool
) -> None:
    """A file of sure boxes alone says nothing of the others in the picture."""
    bring(place, path, document(image("DCIM/0000.JPG", *boxes), image("DCIM/0001.JPG")))
    frame = Frame.objects.get(path="DCIM/0001.JPG")
    assert renditions.examined(frame) is shown
    here = runs.start_run(batch=frame.batch, detector=make_detector(), options={}, user=None)
    here.run_frames.update(state=RunFrame.State.DONE)
    assert renditions.examined(frame)


def test_the_same_file_is_taken_once(place: Deployment, path: Path) -> None:
    first = document(image("DCIM/0000.JPG", BOX))
    bring(place, path, first)
    with pytest.raises(Refused) as found:
        bring(place, path, first)
    assert "already" in importing.refusal(found.value)
    asked: dict[str, Any] = {"deployment": place, "path": path, "name": "md.json"}
    assert importing.preview(**asked).refusal
    other = document(image("DCIM/0000.JPG"))
    bring(place, path, other)  # another file: a later run
    assert Run.objects.count() == 2
    assert Detector.objects.count() == 1


@pytest.mark.parametrize(
    ("files", "card", "below", "matched"),
    [
        (["0000.JPG", "x/DCIM/0001.jpg"], "", "", 2),
        (["shore/DCIM/0000.JPG", "other/DCIM/0000.JPG"], "", "", 1),  # as exported here
        (["a/DCIM/0000.JPG", "b/DCIM/0000.JPG"], "", "b", 1),
        (["a/DCIM/0000.JPG", "b/DCIM/0000.JPG"], "", "", "named before: 1, b/DCIM/0000.JPG"),
        (["DCIM/0000.JPG", "DCIM/0000.jpg"], "", "", "named before: 1, DCIM/0000.jpg"),
        (["DCIM/7.JPG"], "", "", "several frames: 1, DCIM/7.JPG"),
        (["DCIM/7.JPG"], "second", "", 1),
        (["DCIM/8.JPG", "", "/", "..", "DCIM"], "", "", "images[1].file: a text was expected"),
        (["DCIM/8.JPG"], "", "", "names DCIM/8.JPG, say"),
    ],
)
def test_images_are_found_by_their_path_on_the_card(
    place: Deployment, path: Path, files: list[str], card: str, below: str, matched: int | str
) -> None:
    second = Batch.objects.create(deployment=place, source="second")
    for batch in (place.batches.last(), second):
        make_frame(place, batch=batch, path="DCIM/7.JPG")
    chosen = second if card else None
    content = document(*(image(file, BOX) for file in files))
    if isinstance(matched, str):
        assert matched in refused(place, path, content, card=chosen, below=below)
        return
    assert bring(place, path, content, card=chosen, below=below).matched == matched
    assert Run.objects.get().batch == (chosen or place.batches.last())


def with_box(**changed: Any) -> dict[str, Any]:
    return document(image("DCIM/0000.JPG", FAINT), image("DCIM/0001.JPG", BOX | changed))


HOSTILE: list[tuple[Any, str]] = [
    (gzip.compress(b"{}"), "compressed (gzip)"),
    (b"\xff\xfe{\0", "UTF-8 was expected"),
    (b"", "begins with"),
    (b"[1, 2]", 'begins with "[1, 2]"'),
    (b'{"info": 1', "no JSON from character"),
    (b"{}", "no JSON"),
    (json.dumps(document(image("a"))) + "x", "no JSON"),
    (json.dumps(document(image("a")))[:-3], "no JSON"),
    ('{"images": [], "images": []}', "no JSON"),
    ('{"info": ' + "[" * 100_000 + "]" * 100_000 + "}", "nested too deeply"),
    ('{"images": [' + '{"file": ' * 100_000, "nested too deeply"),
    (document(info=1), "info: an object { … } was expected, found 1"),
    ({"images": [image("a")], "info": document()["info"]}, "detection_categories: an object"),
    (document(info={"format_version": "2.0", "detector": "x"}), '1.x was expected, found "2.0"'),
    (document(info={"format_version": 1.4, "detector": "x"}), "info.format_version: a text"),
    (
        document(image("a"), info={"format_version": "1.4"}),
        "info.detector: a text was expected, found nothing",
    ),
    (document(), "at least one image"),
    (document(images={"a": 1}), "images: a list [ … ] was expected"),
    (document(7), "images[0]: an object { … } was expected, found 7"),
    (document({"detections": []}), "images[0].file: a text was expected, found nothing"),
    (document({"file": "DCIM/0000.JPG", "detections": 4}), "images[0].detections: a list"),
    (document({"file": "DCIM/0000.JPG", "failure": 4}), "images[0].failure: a text"),
    (document(image("DCIM/0000.JPG", 4)), "images[0].detections[0]: an object"),
    (with_box(category="9"), 'one of "1", "2", "3" was expected, found "9"'),
    (with_box(category=2), "images[1].detections[0].category: a text was expected, found 2"),
    (with_box(conf=None), "a number from 0 to 1 was expected, found null"),
    (with_box(conf=True), "a number from 0 to 1 was expected, found true"),
    (with_box(conf=1.01), "a number from 0 to 1 was expected, found 1.01"),
    (with_box(conf=float("nan")), "the file has NaN"),
    (with_box(bbox=[0, 0, float("inf"), 1]), "the file has Infinity"),
    (json.dumps(with_box()).replace("0.8", "1e999"), "a number from 0 to 1"),
    (json.dumps(with_box()).replace("0.8", "9" * 5000), "no JSON"),
    (with_box(conf=10**400), "a number from 0 to 1"),
    (with_box(bbox=[-0.1, 0, 0.1, 0.1]), "inside the picture was expected, found [-0.1"),
    (with_box(bbox=[0.95, 0, 0.1, 0.1]), "inside the picture"),
    (with_box(bbox=[100, 200, 30, 40]), "inside the picture"),
    (with_box(bbox=[0.1, 0.1, 0.1]), "four numbers"),
    (with_box(bbox="0 0 1 1"), "four numbers"),
    (with_box(bbox=[0, 0, "1", 1]), "four numbers"),
]


@pytest.mark.parametrize(("content", "words"), HOSTILE, ids=[words for _, words in HOSTILE])
def test_what_is_wrong_is_said_and_nothing_is_kept(
    place: Deployment, path: Path, content: Any, words: str
) -> None:
    assert words in refused(place, path, content)
    assert not AuditEvent.objects.filter(action="detections imported").exists()


def test_what_rounding_does_is_put_right(place: Deployment, path: Path) -> None:
    edge = BOX | {"bbox": [-0.0001, 0.9, 1.0001, 0.1001]}
    flat = BOX | {"bbox": [0.5, 0.5, 0.0, 0.1]}
    report = bring(place, path, document(image("DCIM/0000.JPG", edge, flat)))
    assert report.flat == 1
    box = Detection.objects.get()
    assert (box.x, box.y, box.w, box.h) == pytest.approx((0, 0.9, 1, 0.1))


def test_what_was_not_examined_is_no_empty_frame(place: Deployment, path: Path) -> None:
    content = document(
        image("DCIM/0000.JPG"),
        {"file": "DCIM/0001.JPG"},
        {"file": "DCIM/0002.JPG", "detections": None},
    )
    assert bring(place, path, content).unexamined == 2
    assert RunFrame.objects.get().frame.path == "DCIM/0000.JPG"


def test_what_breaks_leaves_nothing(place: Deployment, path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(importing, "CHUNK", 1)
    wrong = document(image("DCIM/0000.JPG", BOX), image("DCIM/0001.JPG", BOX), 7)
    assert "images[2]" in refused(place, path, wrong)
    monkeypatch.setattr(runs, "finish_if_done", lambda run: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bring(place, path, document(image("DCIM/0000.JPG", BOX)))
    assert not Run.objects.exists()
    assert not Detection.objects.exists()


def test_its_cost_is_by_the_hundred(
    place: Deployment, path: Path, django_assert_num_queries: Any
) -> None:
    for _ in range(9):
        make_frame(place)
    names = list(Frame.objects.values_list("path", flat=True))
    user = person(Role.OFFICER, place.lake)
    for n in (2, 12):
        path.write_text(json.dumps(document(*(image(name, BOX, FAINT) for name in names[:n]))))
        with django_assert_num_queries(21 if n == 2 else 18):  # the detector is made once
            importing.bring_in(deployment=place, path=path, name="a", user=user)


@profile(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_what_is_exported_comes_back_the_same(
    place: Deployment, path: Path, data: st.DataObject
) -> None:
    """Boxes, scores and classes, as far as the format knows them."""
    share = st.floats(0, 0.6)
    boxes = st.builds(
        runs.Box,
        label=(label := st.sampled_from(["person", "tent", "boat", "vehicle", "other", "sheep"])),
        source_class=label,
        score=st.floats(0.3, 1),
        x=share, y=share, w=st.floats(0.0001, 0.4), h=st.floats(0.0001, 0.4),
    )  # fmt: skip
    frames = list(place.frames.all())
    found = {frame.pk: data.draw(st.lists(boxes, max_size=3)) for frame in frames}
    RunFrame.objects.all().delete()
    Detection.objects.all().delete()
    Run.objects.all().delete()
    examine(*frames, boxes=found)
    day = Period(date(2025, 7, 26), date(2025, 7, 26))
    made = datetime.now(UTC)
    path.write_bytes(b"".join(pieces.stream(export.pieces(place.lake, day, made), made=made)))
    (run,) = importing.bring_in(deployment=place, path=path, name="a", user=None).runs
    assert set(run.run_frames.values_list("frame", "state")) == {(f.pk, "done") for f in frames}
    for frame in frames:
        back = run.detections.filter(frame=frame).order_by("pk")
        for box, was in zip(back, found[frame.pk], strict=True):
            kind = export.CATEGORIES[export.category(was.label)]
            assert (box.source_class, box.label) == (kind, "" if kind == "animal" else kind)
            assert box.score == pytest.approx(was.score, abs=5.1e-5)
            sides = (box.x, box.y, box.w, box.h)
            assert sides == pytest.approx((was.x, was.y, was.w, was.h), abs=5.1e-6)


def send(client: Client, place: Deployment, **fields: Any) -> Any:
    return client.post(reverse("detection:import", args=[place.slug]), fields)


def test_the_page_shows_what_comes_and_brings_it_in(client: Client, place: Deployment) -> None:
    client.force_login(person(Role.OFFICER, place.lake))
    client.cookies["django_language"] = "en"
    content = json.dumps(document(image("DCIM/0000.JPG", BOX), image("DCIM/7.JPG", BOX))).encode()
    seen = send(client, place, file=SimpleUploadedFile("md.json", content))
    page = " ".join(seen.content.decode().split())
    assert "1 of 3 named" in page
    for words in ("md_v5a.pt (v5a.0.1)", "DCIM/7.JPG", "0.800", "animal", "stay masked whole"):
        assert words in page
    assert not Run.objects.exists()
    kept = {"kept": seen.context["report"].sha256, "name": "md.json", "sure": "on"}
    done = client.post(reverse("detection:import", args=[place.slug]), kept, follow=True)
    assert "1 frame was brought in." in done.content.decode()
    assert Run.objects.get().settings["file"] == "md.json"
    assert "choose it once more" in send(client, place, **kept).content.decode()
    assert "Choose a file." in send(client, place).content.decode()


def test_too_large_or_not_of_those_who_may_is_not_kept(
    client: Client, place: Deployment, settings: Any, path: Path
) -> None:
    settings.IMPORT_MAX_BYTES = 100
    content = json.dumps(document(image("DCIM/0000.JPG", BOX)))
    assert "larger than 100" in refused(place, path, content)
    client.force_login(person(Role.OFFICER, place.lake))
    client.cookies["django_language"] = "en"
    sent = send(client, place, file=SimpleUploadedFile("md.json", content.encode()))
    assert "larger than 100" in sent.content.decode()
    client.force_login(person(Role.RANGER, place.lake))
    sent = send(client, place, file=SimpleUploadedFile("md.json", b"{}"))
    assert sent.status_code == 403
    assert sent.wsgi_request.FILES == {}


def test_the_command_says_what_it_does(place: Deployment, path: Path, capsys: Any) -> None:
    path.write_text(json.dumps(document(image("DCIM/0000.JPG", BOX))))
    call_command("import_detections", str(path), deployment="shore", dry_run=True)
    assert "1 of 3 frames named" in capsys.readouterr().out
    assert not Run.objects.exists()
    call_command("import_detections", str(path), deployment="shore")
    assert f"run {Run.objects.get().pk}, card" in capsys.readouterr().out
    for wrong in ({"deployment": "nowhere"}, {"deployment": "shore", "card": 999999}, {}):
        with pytest.raises(CommandError):
            call_command("import_detections", str(path), **{"deployment": "shore"} | wrong)


def test_what_comes_back_on_many_days_is_a_thing(place: Deployment, path: Path) -> None:
    """Without pixels: by the hour, over days."""
    begin = datetime(2025, 8, 1, 10, tzinfo=UTC)
    frames = [make_frame(place, begin + timedelta(days=day)) for day in range(6)]
    bring(place, path, document(*(image(frame.path, BOX) for frame in frames)))
    weighing.weigh(Run.objects.get())
    assert Suppression.objects.filter(reason="recurs").count() == 6
