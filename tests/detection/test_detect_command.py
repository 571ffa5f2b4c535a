"""`manage.py detect` on a bare folder: MegaDetector's JSON, without any database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from detection.scenes.card import tiny_card
from tests.onnx_models import tiny_yolox

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def card(tmp_path: Path) -> Path:
    """Eight small pictures, one cut short, one that is no picture."""
    tiny_card(tmp_path / "card", 8)
    pictures = tmp_path / "card" / "DCIM" / "100LACS1"
    whole = (pictures / "IMG_0003.JPG").read_bytes()
    (pictures / "IMG_0003.JPG").write_bytes(whole[:40])
    (pictures / "IMG_0009.jpeg").write_bytes(b"not a picture")
    (pictures / "notes.txt").write_text("mine")
    return tmp_path / "card"


@pytest.fixture
def detector(tmp_path: Path) -> Path:
    return tiny_yolox(tmp_path / "tiny.onnx", names=["person", "kite"])


def detect(card: Path, detector: Path, *options: str) -> Any:
    out = StringIO()
    call_command("detect", str(card), "--detector", str(detector), *options, stdout=out)
    return out.getvalue()


def test_the_document_is_megadetectors(card: Path, detector: Path) -> None:
    result = json.loads(detect(card, detector, "--json"))
    assert result["info"]["format_version"] == "1.4"
    assert result["info"]["detector"] == "tiny.onnx"
    assert result["info"]["detector_metadata"]["settings"]["gated"] is True
    assert result["detection_categories"] == {"0": "person", "1": "kite"}
    images = {image["file"].rsplit("/", 1)[1]: image for image in result["images"]}
    assert sorted(images) == [f"IMG_000{n}.JPG" for n in range(1, 9)] + ["IMG_0009.jpeg"]
    for name in ("IMG_0003.JPG", "IMG_0009.jpeg"):
        assert images[name]["detections"] is None  # not an empty list: nobody looked
        assert images[name]["failure"]
    read = [image for image in images.values() if "failure" not in image]
    assert len(read) == 7
    assert all(isinstance(image["detections"], list) for image in read)
    assert read[0]["datetime"] == "2025:07:25 11:00:00"


def test_boxes_are_fractions_of_the_picture(tmp_path: Path, detector: Path) -> None:
    import cv2
    import numpy as np

    folder = tmp_path / "one"
    folder.mkdir()
    picture = np.full((480, 640, 3), (100, 130, 110), np.uint8)
    picture[120:168, 320:352] = (0, 0, 255)
    cv2.imwrite(str(folder / "a.jpg"), picture)
    (image,) = json.loads(detect(folder, detector, "--json", "--min-score", "0.3"))["images"]
    (box,) = image["detections"]
    assert box["category"] == "0"
    assert box["conf"] == pytest.approx(0.9, abs=0.01)
    assert box["bbox"] == pytest.approx([0.5, 0.25, 0.05, 0.1], abs=0.004)
    assert "datetime" not in image  # the file states none
    assert "suppressed" not in box


def test_output_and_summary(card: Path, detector: Path, tmp_path: Path) -> None:
    told = detect(card, detector, "--output", str(tmp_path / "out.json"), "--tile", "0")
    assert "7 of 9 pictures examined" in told
    assert "2 pictures could not be read" in told
    assert len(json.loads((tmp_path / "out.json").read_text())["images"]) == 9


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--tile", "7"], "tile must be a whole number"),
        (["--min-score", "3"], "min_score must be a number"),
        (["--layout", "nanodet"], "No known layout fits tiny.onnx"),
    ],
)
def test_wrong_settings_are_told(
    card: Path, detector: Path, options: list[str], problem: str
) -> None:
    with pytest.raises(CommandError, match=problem):
        detect(card, detector, *options)


def test_no_folder_no_pictures_no_model(tmp_path: Path, detector: Path) -> None:
    with pytest.raises(CommandError, match="not a folder"):
        detect(tmp_path / "absent", detector)
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="no JPEG"):
        detect(tmp_path / "empty", detector)
    tiny_card(tmp_path / "card", 1)
    with pytest.raises(CommandError, match="cannot be read"):
        detect(tmp_path / "card", tmp_path / "absent.onnx")


def test_it_runs_with_no_setting_and_no_database(card: Path, detector: Path) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH")
            if name in os.environ}  # fmt: skip
    done = subprocess.run(
        [sys.executable, "manage.py", "detect", str(card), "--detector", str(detector), "--json"],
        cwd=ROOT,
        env=kept,
        capture_output=True,
        check=True,
        text=True,
    )
    assert len(json.loads(done.stdout)["images"]) == 9
