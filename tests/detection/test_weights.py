"""The detector that is shipped: its file runs, knows our words, finds drawn people, and its card
says what it was made of.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings

from detection.labels import Activity, Label
from detection.measuring import judge
from detection.onnx.background import background, remember
from detection.onnx.engine import Around, DetectorSettings, Engine, load_engine
from detection.onnx.runtime import describe
from detection.scenes.model import Moment, Pose, Rendered, Thing, View
from detection.scenes.render import render
from detection.training.attribution import table
from tests.conftest import LENT

WEIGHTS = Path("detection/weights")
FILE = settings.SHIPPED_DETECTOR
CARD = (WEIGHTS / "MODEL_CARD.md").read_text(encoding="utf-8")
VIEW = View(1280, 960, 31)
SCORE = 0.3


@pytest.fixture(scope="module")
def engine() -> Engine:
    return load_engine(FILE, DetectorSettings(long_side=1280))


def at(hour: int, day: int = 25) -> Moment:
    return Moment(datetime(2025, 7, day, hour), cloud=0.4)  # noqa: DTZ001 - the camera's clock


@pytest.fixture(scope="module")
def scene() -> Rendered:
    """Eight people of 20 to 75 px on the meadow, at noon."""
    people = [
        Thing(Label.PERSON, 0.12 + 0.1 * place, 0.74 + 0.025 * place, Activity.WALKING,
              (Pose.STAND, Pose.WALK)[place % 2], look=3 * place)
        for place in range(8)
    ]  # fmt: skip
    return render(VIEW, at(12), people)


def recall(engine: Engine, scene: Rendered, around: Around) -> float:
    height, width = scene.image.shape[:2]
    true = np.array([[b.x, b.y, b.x + b.w, b.y + b.h] for b in scene.boxes], np.float32)
    true *= np.array([width, height] * 2, np.float32)
    found = engine.detect(scene.image, around)
    persons = (found.scores >= SCORE) & (found.classes == engine.names.index("person"))
    found = found.take(persons)
    judged = judge(found.xyxy, found.scores, true, np.zeros((0, 4), np.float32))
    return float(judged.hits.sum() / len(true))


def test_the_file_is_small_and_says_what_it_is(engine: Engine) -> None:
    assert FILE.stat().st_size < 3_000_000
    assert engine.layout.family == "centres"
    assert engine.layout.input.background
    assert set(engine.names) <= {label.value for label in Label}
    description = describe(FILE)
    assert json.loads(description.metadata["names"]) == list(engine.names)
    assert description.inputs[0].shape[1] == 6
    assert all(not isinstance(side, int) for side in description.inputs[0].shape[2:])


def test_drawn_people_are_found_with_the_background(engine: Engine, scene: Rendered) -> None:
    others = [remember(render(VIEW, at(12, day)).image, day * 86400.0, 1280) for day in range(1, 6)]
    still = remember(scene.image, 25 * 86400.0, 1280)
    assert recall(engine, scene, Around(background(still, others))) >= 0.75


def test_drawn_people_are_found_on_a_single_picture(engine: Engine, scene: Rendered) -> None:
    assert recall(engine, scene, Around()) >= 0.5


def test_the_card_is_of_this_file_and_names_every_class(engine: Engine) -> None:
    assert hashlib.sha256(FILE.read_bytes()).hexdigest() in CARD
    for name in engine.names:
        assert f"| {name} |" in CARD


@pytest.mark.parametrize("folder", ["coco_train", "backgrounds"])
def test_the_card_names_every_training_picture_and_its_licence(folder: str) -> None:
    if not (LENT / "data" / folder).is_dir():
        pytest.skip(f"the training pictures of ../shared/data/{folder} are not on this machine")
    rows = table([LENT / "data" / folder]).splitlines()[2:]
    assert len(rows) > 5
    assert all(row in CARD for row in rows)


def test_a_picture_without_a_licence_is_refused(tmp_path: Path) -> None:
    (tmp_path / "annotations.json").write_text(json.dumps({"images": [{"file_name": "a.jpg"}]}))
    with pytest.raises(KeyError, match="states no licence"):
        table([tmp_path])
