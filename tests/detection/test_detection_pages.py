"""Detection of a deployment, as the web server answers; the work itself is done for real."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotation import drafts
from annotation.presenting import present
from annotation.queue import Desk
from detection import (
    choosing,
    detecting,
    inference,
    overview,
    registering,
    runs,
    tasks,
    trying,
    wording,
)
from detection.models import (
    Batch,
    Deployment,
    Detection,
    Detector,
    Frame,
    Purge,
    Run,
    RunFrame,
    Suppression,
    Trial,
)
from detection.onnx.boxes import Boxes
from detection.onnx.quality import Problem, Quality
from detection.onnx.sequence import Seen
from detection.registering import register
from lacs_web.models import AuditEvent, Role
from tests.cast import person
from tests.detection.test_runs import red_card
from tests.factories import examine, make_deployment, make_frame
from tests.onnx_models import tiny_yolox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]


@pytest.fixture
def batch(tmp_path: Path) -> Batch:
    """A card of 12 frames with a red patch each, and a detector that finds it."""
    make_deployment()
    red_card(tmp_path / "card", 12)
    call_command("import_batch", str(tmp_path / "card"), deployment="shore", verbosity=0)
    register(path=tiny_yolox(tmp_path / "tiny.onnx"))
    return Batch.objects.get()


@pytest.fixture
def officer(client: Client, batch: Batch) -> Client:
    client.force_login(person(Role.OFFICER, batch.deployment.lake))
    client.cookies["django_language"] = "en"
    return client


def chosen(**fields: Any) -> dict[str, Any]:
    detector = Detector.objects.get().pk
    return {"detector": detector, "tiling": "gated", "long_side": "640", "batch": "", **fields}


def work_through(run: Run) -> None:
    while inference.examine(run, limit=50):
        pass
    assert runs.finish_if_done(run)


def test_a_run_is_started_paused_resumed_and_repeated(officer: Client, batch: Batch) -> None:
    page = officer.post(reverse("detection:run-start", args=["shore"]), chosen(), follow=True)
    assert "1 run is started." in page.content.decode()
    run = Run.objects.get()
    assert choosing.tiling(run.settings) == choosing.Tiling.GATED
    assert (run.settings["long_side"], run.settings["second_look"]) == (640, False)
    again = officer.post(reverse("detection:run-start", args=["shore"]), chosen(), follow=True)
    assert "at work there already" in again.content.decode()
    pause = reverse("detection:run-pause", args=[run.pk])
    officer.post(pause, {"paused": "1"})
    tasks.detect(run.pk)
    assert not runs.open_runs().exists()
    assert runs.progress(run)["pending"] == 12  # left alone
    officer.post(pause, {"paused": "0"})
    tasks.detect(run.pk)
    assert runs.progress(run)["done"] == 12
    RunFrame.objects.filter(pk=RunFrame.objects.first().pk).update(  # type: ignore[union-attr]
        state="failed", reason="the picture data are damaged"
    )
    repeat = reverse("detection:run-repeat", args=[run.pk])
    officer.post(repeat, {"frames": "failed"})
    second = Run.objects.get(repeats=run)
    assert runs.progress(second)["total"] == 1
    work_through(second)
    officer.post(repeat, {"frames": "all"})
    third = Run.objects.filter(repeats=run).latest("pk")
    assert (runs.progress(third)["total"], third.settings) == (12, run.settings)
    told = AuditEvent.objects.filter(action__startswith="run").order_by("pk")
    assert list(told.values_list("action", flat=True)) == [
        "run started", "run paused", "run resumed", "run started", "run started",
    ]  # fmt: skip


def test_a_second_detector_looks_too(officer: Client, batch: Batch, tmp_path: Path) -> None:
    second = register(path=tiny_yolox(tmp_path / "dogs.onnx", score=0.8, class_index=16))
    first = Detector.objects.get(is_default=True)
    fields = {"detector": first.pk, "second": second.pk, "tiling": "none", "long_side": "640"}
    officer.post(reverse("detection:run-start", args=["shore"]), fields)
    run = Run.objects.get()
    assert run.second_detector == second
    work_through(run)
    for frame in Frame.objects.all():
        labels = set(frame.detections.filter(score__gte=0.3).values_list("label", flat=True))
        assert labels == {"person", "dog"}
    again = {"keep": "on", **fields}
    page = officer.post(reverse("detection:run-start", args=["shore"]), again, follow=True)
    deployment = Deployment.objects.get()
    assert deployment.detection == choosing.options(tiling="none", long_side=640)
    assert f'<option value="{second.pk}" selected>' in page.content.decode()
    assert f"New cards are examined by {first} + {second}" in page.content.decode()
    Run.objects.all().delete()
    tasks.start_owed_runs()  # as for a new card
    assert Run.objects.get().second_detector == second
    back = reverse("detection:kept-end", args=["shore"])
    for _twice in range(2):
        page = officer.post(back, follow=True)
        assert "New cards are examined by the default detector again." in page.content.decode()
        assert back not in page.content.decode()
    assert AuditEvent.objects.filter(action="detection taken back").count() == 1
    Run.objects.all().delete()
    tasks.start_owed_runs()
    assert Run.objects.get().second_detector is None


def test_pace_and_minutes_left_are_of_the_last_minutes(officer: Client, batch: Batch) -> None:
    runs.start_run(
        batch=batch, detector=Detector.objects.get(), options=choosing.options(), user=None
    )
    (work,) = overview.work(Run.objects.all())
    assert (work.pace, work.minutes) == (None, None)
    now = timezone.now()
    for number, row in enumerate(RunFrame.objects.order_by("pk")[:5]):
        at = now - timedelta(seconds=120 - 30 * number)
        RunFrame.objects.filter(pk=row.pk).update(state="done", examined_at=at)
    (work,) = overview.work(Run.objects.all())
    assert work.pace == pytest.approx(1 / 30)
    assert work.minutes == 4  # 7 frames of half a minute
    page = officer.get(reverse("detection:runs", args=["shore"])).content.decode()
    assert "5 of 12 frames examined" in page
    assert "4 minutes left" in page
    Run.objects.update(paused=True)
    assert overview.work(Run.objects.all())[0].minutes is None


def test_a_trial_shows_boxes_and_counts_nowhere(officer: Client, batch: Batch) -> None:
    answer = officer.post(reverse("detection:try", args=["shore"]), chosen())
    trial = Trial.objects.get()
    assert answer["Location"] == reverse("detection:trial", args=[trial.pk])
    assert "being looked at" in officer.get(answer["Location"]).content.decode()
    officer.post(reverse("detection:try", args=["shore"]), chosen())
    assert Trial.objects.count() == 1  # asked for twice, done once
    tasks.try_out(trial.pk)
    trial.refresh_from_db()
    assert trial.state == "done"
    assert len(trial.results) == trying.FRAMES
    assert all(each["seconds"] > 0 for each in trial.results)
    page = officer.get(reverse("detection:trial-state", args=[trial.pk])).content.decode()
    assert page.count("<rect") == 10
    assert "hx-get" not in page  # it stands still now
    officer.cookies["django_language"] = "fr"
    page = officer.get(reverse("detection:trial-state", args=[trial.pk])).content.decode()
    assert len(re.findall(r"<title>personne 0,\d\d</title>", page)) == 10
    assert not Detection.objects.exists()
    assert not Run.objects.exists()


def test_what_was_purged_is_neither_examined_nor_tried_nor_probed_with(
    officer: Client, batch: Batch
) -> None:
    run = runs.start_run(
        batch=batch, detector=Detector.objects.get(), options=choosing.options(), user=None
    )
    work_through(run)
    first, *rest = Frame.objects.order_by("captured_at")
    Purge.objects.create(frame=first, rule={"days": 1})
    assert first.sha256 not in registering._telling()
    assert len(registering._telling()) == 11
    assert first not in trying.frames(batch.deployment)
    again = reverse("detection:run-repeat", args=[run.pk])
    officer.post(again, {"frames": "all"})
    assert runs.progress(Run.objects.get(repeats=run))["total"] == 11
    Run.objects.filter(repeats=run).delete()
    for frame in rest:
        Purge.objects.create(frame=frame, rule={"days": 1})
    start = reverse("detection:run-start", args=["shore"])
    for where, asked in ((start, chosen()), (again, {"frames": "all"})):
        page = officer.post(where, asked, follow=True).content.decode()
        assert "The originals of these frames were purged: nothing is left to examine." in page
    assert Run.objects.get() == run
    officer.post(reverse("detection:try", args=["shore"]), chosen())
    tasks.try_out(Trial.objects.get().pk)
    page = officer.get(reverse("detection:trial", args=[Trial.objects.get().pk])).content.decode()
    assert "daylight frames were purged: nothing is left to try it on." in page


def test_a_trial_of_what_cannot_be_opened_says_why(officer: Client, batch: Batch) -> None:
    detector = Detector.objects.get()
    default_storage.save(detector.storage_name, ContentFile(b"no model at all"))
    detecting._looking.cache_clear()  # another process would not have it open
    officer.post(reverse("detection:try", args=["shore"]), chosen())
    trial = Trial.objects.get()
    tasks.try_out(trial.pk)
    page = officer.get(reverse("detection:trial", args=[trial.pk])).content.decode()
    assert "could not be tried" in page
    assert "is gone or was changed: register it again" in page


def test_two_runs_are_compared(officer: Client, batch: Batch) -> None:
    detector = Detector.objects.get()
    pair = []
    for tiling in ("none", "full"):
        options = choosing.options(tiling=tiling, long_side=640)
        run = runs.start_run(batch=batch, detector=detector, options=options, user=None)
        work_through(run)
        pair.append(run)
    lost = Detection.objects.counted().filter(run=pair[1]).order_by("frame")[0]
    Suppression.objects.create(detection=lost, reason="recurs")
    answer = officer.get(reverse("detection:runs-beside", args=[each.pk for each in pair]))
    comparison = answer.context["comparison"]
    (row,) = comparison.rows
    assert (row.label, row.first, row.other, row.both) == ("person", 12, 11, 11)
    assert (row.agreement, comparison.frames, comparison.alike) == (92, 12, 11)
    shown = officer.get(reverse("detection:run", args=[pair[1].pk]), {"suppressed": 1})
    assert shown.content.decode().count("<rect") == 1
    assert "onnxruntime" in shown.content.decode()


def test_the_queries_of_the_runs_do_not_grow_with_them(
    client: Client, django_assert_num_queries: Any
) -> None:
    deployment = make_deployment()
    client.force_login(person(Role.OFFICER, deployment.lake))
    first = examine(make_frame(deployment))
    where = reverse("detection:runs", args=[deployment.slug])
    with django_assert_num_queries(6):
        client.get(where)
    for _ in range(4):
        more = Run.objects.create(
            batch=first.batch, detector=first.detector, finished_at=first.finished_at
        )
        RunFrame.objects.create(run=more, frame=Frame.objects.get(), state="failed", reason="no")
    with django_assert_num_queries(6):
        assert client.get(where).content.decode().count("<article") == 5


def test_the_background_is_a_picture_of_the_neighbours(client: Client) -> None:
    deployment = make_deployment()
    frames = [
        make_frame(deployment, captured_at=timezone.now() - timedelta(hours=n)) for n in range(6)
    ]
    client.force_login(person(Role.VOLUNTEER, deployment.lake))
    where = reverse("detection:background", args=[frames[0].pk])
    answer = client.get(where)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/jpeg")
    Frame.objects.exclude(pk__in=[each.pk for each in frames[:3]]).delete()
    assert client.get(where).status_code == 204


def test_a_detector_is_probed_once_frames_show_enough(officer: Client, batch: Batch) -> None:
    detector = Detector.objects.get()
    assert registering.owed_a_probe() == []
    run = runs.start_run(
        batch=batch, detector=detector, options=choosing.options(long_side=640), user=None
    )
    work_through(run)
    assert registering.owed_a_probe() == [detector.pk]
    tasks.probe(detector.pk)
    detector.refresh_from_db()
    assert detector.probe
    assert (detector.probe["verdict"], detector.probe["pictures"]) == ("fits", 12)
    assert "fed as it is (BGR 0–255)" in wording.probed(detector)
    assert detector.probe["boxes"] == {"person": 12}
    assert detector.probe["seconds"] > 0
    assert "On 12 pictures it found: person 12; 0." in wording.probed(detector)
    assert registering.owed_a_probe() == []
    Detector.objects.update(probe=detector.probe | {"verdict": "otherwise"})
    page = officer.get(reverse("detection:deployment", args=["shore"])).content.decode()
    assert "seems to be fed wrongly" in page


def test_a_proposed_problem_reaches_card_and_reviewer(officer: Client, batch: Batch) -> None:
    run = runs.start_run(
        batch=batch, detector=Detector.objects.get(), options=choosing.options(), user=None
    )
    work_through(run)
    foggy = Frame.objects.order_by("pk")[0]
    RunFrame.objects.filter(frame=foggy).update(problem="fog")
    page = officer.get(reverse("detection:batch", args=[batch.pk])).content.decode()
    assert "Perhaps unreadable, for reviewers to decide: fog 1" in page
    desk = Desk.of(person(Role.OFFICER, batch.deployment.lake), batch.deployment.lake)
    frames = list(Frame.objects.select_related("deployment").order_by("pk")[:2])
    shown = present(desk, frames, drafts.serve(frames=frames, reviewer=desk.reviewer))
    assert [each["doubt"] for each in shown] == ["Perhaps unreadable: fog", ""]


def test_what_is_kept_for_a_deployment_examines_its_new_cards(
    officer: Client, batch: Batch, tmp_path: Path
) -> None:
    other = register(path=tiny_yolox(tmp_path / "other.onnx", score=0.8))
    wanted = {"detector": other.pk, "tiling": "full", "long_side": "640", "keep": "on"}
    wanted["layout"] = "yolox"
    officer.post(reverse("detection:run-start", args=["shore"]), wanted)
    assert AuditEvent.objects.filter(action="detection chosen").count() == 1
    page = officer.get(reverse("detection:deployment", args=["shore"])).content.decode()
    assert '<option value="yolox" selected>' in page
    Run.objects.all().delete()
    tasks.start_owed_runs()  # as for a card that came just now
    run = Run.objects.get()
    assert (run.detector, run.settings["layout"], run.settings["gated"]) == (other, "yolox", False)
    work_through(run)
    assert runs.progress(run)["done"] == 12


def test_a_layout_that_the_file_has_not_is_refused_in_words(officer: Client, batch: Batch) -> None:
    wanted = chosen() | {"layout": "nanodet", "keep": "on"}
    start = reverse("detection:run-start", args=["shore"])
    page = officer.post(start, wanted, follow=True).content.decode()
    assert "No known layout fits" in page
    assert not Run.objects.exists()
    assert Deployment.objects.get().detection is None


def test_the_runs_page_says_which_provider_could_not_be_had(
    officer: Client, batch: Batch, settings: Any
) -> None:
    settings.INFERENCE_PROVIDERS = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    detecting._looking.cache_clear()
    run = runs.start_run(
        batch=batch, detector=Detector.objects.get(), options=choosing.options(), user=None
    )
    work_through(run)
    page = officer.get(reverse("detection:run", args=[run.pk])).content.decode()
    assert "could not have CUDAExecutionProvider" in page
    assert runs.progress(run)["failed"] == 0


def test_what_a_card_says_of_a_frame_is_not_proposed_again_by_a_run() -> None:
    problem = Quality((Problem.FOG,), 0.0)
    seen = Seen(Boxes.empty(), 1, 1, np.zeros(0, np.float32), np.zeros((0, 0), np.float32), problem)
    assert inference._problem(Frame(flag=""), seen) == "fog"
    assert inference._problem(Frame(flag=Frame.Flag.FOGGED), seen) == ""
