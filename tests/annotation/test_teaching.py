"""`manage.py train_detector`: all but the learning itself, which needs torch and has its tests in
tests/detection/training.
"""

from __future__ import annotations

import fcntl
import importlib.util
import json
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from annotation import candidates, teaching
from annotation.reviewing import StatedBox
from dashboards import rollups
from detection import splitting
from detection.models import (
    Candidate,
    Deployment,
    Detector,
    Frame,
    Purge,
    Run,
    RunFrame,
    TaughtFrame,
    Zone,
)
from detection.registering import register
from detection.training.pairs import Own, Pictured
from detection.training.tiles import SIDE
from lacs_web.models import AuditEvent, Role
from tests.annotation.test_checks import say
from tests.cast import person
from tests.detection.test_runs import red_card
from tests.factories import make_deployment, make_lake
from tests.onnx_models import tiny_yolox

pytestmark = pytest.mark.django_db
SHIPPED = settings.SHIPPED_DETECTOR
RED = StatedBox("person", "", 0.3, 0.375, 0.1, 0.125)  # where red_card draws
GOAT = StatedBox("goat", "", 0.7, 0.7, 0.1, 0.1)  # of no class of the network


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    """Fourteen frames on seven days, of which the last is unreadable; all are settled."""
    made = make_deployment()
    red_card(tmp_path / "card", 14, seconds=12 * 3600)
    call_command("import_batch", str(tmp_path / "card"), deployment="shore", verbosity=0)
    ranger = person(Role.RANGER, made.lake)
    *readable, last = Frame.objects.order_by("captured_at")
    for each in readable:
        say(each, ranger, [RED, GOAT])
    say(last, ranger, verdict="unreadable")
    register(path=SHIPPED, name=SHIPPED.stem)
    return made


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"LEAST_FRAMES": 10, "LEAST_BOXES": 10, "LEAST_HELD": 2}.items():
        monkeypatch.setattr(splitting, name, value)


def trained(*arguments: object) -> str:
    out = StringIO()
    call_command("train_detector", *map(str, arguments), stdout=out)
    return out.getvalue()


def refused(*arguments: object) -> str:
    with pytest.raises(CommandError) as refusal:
        trained(*arguments)
    return str(refusal.value)


def test_what_cannot_be_is_said(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = ("--output", tmp_path / "out")
    assert "There are 13 with 13: 87 frames and 137 boxes are missing." in refused("ecrins", *out)
    assert "There is no lake or park “nowhere”: ecrins, lauvitel." in refused("nowhere", *out)
    other = make_lake("elsewhere", park="other")
    assert "pictures of one park" in refused("lauvitel", other.slug, *out)
    assert f"no detector “New”; registered: {SHIPPED.stem}" in refused(
        "lauvitel", "--from", "New", *out
    )
    tiny = register(path=tiny_yolox(tmp_path / "tiny.onnx"), name="Tiny", default=True)
    assert "No detector at work here can be trained." in refused("lauvitel", *out)
    told = refused("lauvitel", "--from", tiny.sha256[:8], *out)
    assert "Tiny has the layout yolox." in told
    assert f"register_detector detection/weights/{SHIPPED.name}" in told
    with (tmp_path / "out" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Another training is at work" in refused("lauvitel", "--from", SHIPPED.stem, *out)


@pytest.mark.usefixtures("few")
def test_without_torch_it_says_what_to_install_and_reads_no_picture(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    out = ("--output", tmp_path / "out")
    assert "pip install '.[train]'" in refused("lauvitel", *out)
    assert not AuditEvent.objects.filter(action="training begun").exists()
    chosen = json.loads((tmp_path / "out" / "selection.json").read_text())
    assert chosen["by"] == "day"
    assert len(chosen["learn"]) + len(chosen["held"]) == 13
    assert "another training" in refused("lauvitel", *out, "--seed", 2)


def test_pictures_and_backgrounds_are_written_as_the_network_gets_them(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    Zone.objects.create(
        deployment=deployment, kind="ignore", polygon=[[0, 0.5], [0.2, 0.5], [0.2, 1], [0, 1]]
    )
    first = Frame.objects.order_by("captured_at")[0]
    Purge.objects.create(frame=first, rule={"days": 1})  # its original is no longer ours to read
    detector = Detector.objects.get()
    every = teaching.pictures([deployment.lake], detector)
    assert [each.boxes for each in every] == [1] * 12  # neither the purged nor the unreadable one
    frames = teaching.still_allowed(each.frame for each in every)
    with tempfile.TemporaryFile() as file:
        rows = teaching.gather(frames, teaching.labels(detector), file)
        assert len(rows) == 12
        assert all(row["labels"] == ["person"] for row in rows)
        assert rows[0]["ignored"][0] == pytest.approx([0.7, 0.7, 0.1, 0.1])  # the goat
        assert rows[0]["ignored"][1] == pytest.approx([0, 0.5, 0.2, 0.5])
        assert all(row["at"][2] for row in rows)  # each has its background
        own = Own(file.fileno(), [Pictured.of(json.loads(json.dumps(row))) for row in rows], 1)
        tiles = [own.tile(number) for number in range(40)]
        again = own.tile(7)
    # The patch is at the same place in every frame, so frame and background are alike: the
    # background lies where the frame does, at each scale.
    assert all(each.pair.shape == (SIDE, SIDE, 6) for each in tiles)
    apart = [np.abs(each.pair[..., :3].astype(int) - each.pair[..., 3:]).mean() for each in tiles]
    assert max(apart) < 12
    seen = [each for each in tiles if len(each.xyxy)]
    assert len(seen) > 10
    for each in seen:
        x0, y0, x1, y1 = each.xyxy[0].round().astype(int)
        inside = each.pair[(y0 + y1) // 2, (x0 + x1) // 2].astype(int)
        assert inside[0] > inside[1] + 60  # red
        assert inside[3] > inside[4] + 60
    assert np.array_equal(again.pair, tiles[7].pair)


def test_frames_that_it_learnt_from_judge_no_candidate_and_are_no_sample(
    deployment: Deployment, tmp_path: Path
) -> None:
    learn = teaching.pictures([deployment.lake], Detector.objects.get())[6:]
    beside = teaching.beside(learn, "day", [deployment.lake])
    assert len(beside) == 8  # with the unreadable one of the last day
    assert len(teaching.beside(learn, "camera", [deployment.lake])) == 14
    made = file_that_says(tmp_path / "new.onnx", {"taught": " ".join(beside)})
    detector = register(path=made, name="New")
    register(path=made, name="New")  # twice is once
    assert TaughtFrame.objects.filter(detector=detector).count() == 8
    assert candidates.settled(deployment).count() == 13
    assert candidates.settled(deployment, detector, None).count() == 6
    batch = deployment.batches.get()

    def sampled(by: Detector) -> int:
        run = Run.objects.create(batch=batch, detector=by, software="test")
        rows = [
            RunFrame(run=run, frame=frame, state=RunFrame.State.DONE)
            for frame in batch.frames.all()
        ]
        RunFrame.objects.bulk_create(rows)
        return int(rollups._raw(deployment).sampled.sum())

    assert sampled(Detector.objects.get(name=SHIPPED.stem)) == 14
    assert sampled(detector) == 6
    assert rollups._raw(deployment).settled.sum() == 14  # they count exactly


def file_that_says(path: Path, facts: dict[str, str]) -> Path:
    import onnx

    held = onnx.load(str(SHIPPED))
    for name, value in facts.items():
        held.metadata_props.add(key=name, value=value)
    onnx.save(held, str(path))
    return path


@pytest.mark.usefixtures("few")
def test_from_settled_frames_to_a_candidate_in_the_shadow(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the program that trains replaced by one that changes nothing but what the file says."""
    told: list[dict[str, Any]] = []

    def train(task: dict[str, Any], pictures: Any, folder: Path) -> Path:
        told.append(task)
        if len(told) == 1:
            raise teaching.Untrained("no room left")
        (folder / "config.json").write_text('{"seed": 1}')
        return file_that_says(folder / "detector.onnx", {"steps": "7", **task["facts"]})

    monkeypatch.setattr(teaching, "train", train)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    out = tmp_path / "out"
    assert "was not trained: no room left" in refused("lauvitel", "--output", out)
    late = Frame.objects.order_by("-captured_at")[2]
    Purge.objects.create(frame=late, rule={"days": 1})
    card = trained("ecrins", "--output", out, "--register")  # the same lake, by its park
    assert [len(each["rows"]) for each in told] == [10, 10]
    assert told[0]["config"] == {"minutes": 60.0, "steps": 4000, "threads": 1, "seed": 1}
    events = AuditEvent.objects.filter(action="training begun", lake=deployment.lake)
    assert [each.detail["frames"] for each in events] == [10, 10]
    assert "whole days were" in card
    assert "| licence of the weights | Ecrins: the park's own" in card
    assert "| person | 2 | " in card  # what was kept back, less the one that was purged
    assert (out / "MODEL_CARD.md").read_text() in card
    assert not [each for each in out.rglob("*") if each.suffix in {".jpg", ".png"}]
    detector = Detector.objects.get(name__startswith=f"{SHIPPED.stem} · Ecrins ")
    assert detector.licence == "Ecrins: the park's own"
    candidate = Candidate.objects.get(detector=detector)
    assert candidate.frames.count() == 2
    assert TaughtFrame.objects.filter(detector=detector).count() == 10
    again = trained("lauvitel", "--output", out, "--register")
    assert f"shore: {SHIPPED.stem} · Ecrins" in again
    assert "is undecided there" in again
    assert len(told) == 2
