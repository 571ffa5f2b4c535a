"""`manage.py evaluate_detector` on folders whose outcome is known beforehand; no database."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from detection import choosing
from detection.onnx.engine import Around, Engine
from detection.scenes.card import tiny_card, write_card
from detection.scenes.model import View
from tests.onnx_models import RED, tiny_yolox


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures with two persons that the model finds, one that it cannot see (it is blue),
    and a red stone that it takes for one.
    """
    pictures = tmp_path / "set" / "images"
    labels = tmp_path / "set" / "labels"
    pictures.mkdir(parents=True)
    labels.mkdir()
    blue = (0, 0, 255)
    things = {
        "a": [((40, 40, 52, 70), RED, True), ((150, 100, 162, 130), blue, True)],
        "b": [((200, 60, 224, 110), RED, True)],
        "c": [((100, 100, 112, 130), RED, False)],
    }
    for name, held in things.items():
        picture = np.full((240, 320, 3), 90, np.uint8)
        lines = []
        for (x0, y0, x1, y1), colour, true in held:
            picture[y0:y1, x0:x1] = colour
            w, h = x1 - x0, y1 - y0
            if true:
                lines.append(f"0 {(x0 + w / 2) / 320} {(y0 + h / 2) / 240} {w / 320} {h / 240}")
        Image.fromarray(picture).save(pictures / f"{name}.png")
        (labels / f"{name}.txt").write_text("\n".join(lines))
    return tmp_path / "set"


def evaluated(*arguments: object) -> Any:
    out = StringIO()
    call_command("evaluate_detector", *map(str, arguments), "--json", stdout=out)
    return json.loads(out.getvalue())


def test_what_is_found_missed_and_wrong_is_counted(folder: Path, tmp_path: Path) -> None:
    model = tiny_yolox(tmp_path / "tiny.onnx")
    (result,) = evaluated(model, "--data", folder, "--long-side", 320)
    (part,) = result["data"]
    assert (part["folder"], part["frames"]) == ("set", 3)
    assert part["frames_per_second"] > 0
    person = part["classes"]["person"]
    assert (person["truth"], person["recall"], person["precision"]) == (3, 0.6667, 0.6667)
    assert person["by_height"]["24-48"] == {"truth": 2, "recall": 0.5, "precision": 0.5}
    assert person["by_height"][">48"] == {"truth": 1, "recall": 1.0, "precision": 1.0}
    assert person["count_error"] == 0.667  # one too few, none, one too many
    assert person["count_bias"] == 0


def test_two_detectors_stand_in_one_table(folder: Path, tmp_path: Path) -> None:
    first = tiny_yolox(tmp_path / "first.onnx")
    second = tiny_yolox(tmp_path / "second.onnx")
    out = StringIO()
    call_command("evaluate_detector", str(first), str(second), "--data", str(folder), stdout=out)
    head, _, one, other = out.getvalue().strip().split("\n")
    assert head.startswith("| detector | data | class | true boxes | AP50 |")
    assert one.startswith("| first.onnx | set | person | 3 |")
    assert other.startswith("| second.onnx | set | person | 3 |")


def test_a_drawn_card_is_read_with_its_truth(tmp_path: Path) -> None:
    tiny_card(tmp_path / "card", 2)
    (result,) = evaluated(tiny_yolox(tmp_path / "tiny.onnx"), "--data", tmp_path / "card")
    assert result["data"][0]["classes"]["person"]["truth"] == 2


def test_a_detector_is_judged_as_a_run_uses_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Around] = []
    plain = Engine.detect

    def detect(self: Engine, rgb: Any, around: Around) -> Any:
        told.append(around)
        return plain(self, rgb, around)

    monkeypatch.setattr(Engine, "detect", detect)
    card = tmp_path / "card"
    write_card(card, days=2, interval_minutes=60, view=View(160, 120), workers=1)
    (result,) = evaluated(tiny_yolox(tmp_path / "tiny.onnx"), "--data", card, "--as-run")
    assert result["settings"] == choosing.options() | {"min_score": 0.05}
    assert told[0].before is None
    assert all(each.before is not None for each in told[1:])
    known = [each for each in told if each.change is not None]
    assert len(known) > len(told) / 2
    assert all(each.background is not None for each in known)


def test_what_cannot_be_used_is_said(folder: Path, tmp_path: Path) -> None:
    model = tiny_yolox(tmp_path / "tiny.onnx")
    with pytest.raises(CommandError, match="holds no data set"):
        evaluated(model, "--data", tmp_path)
    with pytest.raises(CommandError, match="not an ONNX file"):
        evaluated(folder / "labels" / "a.txt", "--data", folder)
    with pytest.raises(CommandError, match="tile must be a whole number"):
        evaluated(model, "--data", folder, "--tile", 8)
