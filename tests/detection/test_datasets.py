"""Folders of labelled pictures: COCO, YOLO, drawn cards, and folders that are none of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from detection.datasets import NotADataset, read
from detection.scenes.card import tiny_card


def picture(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (200, 100)).save(path)


def test_coco(tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg")
    names = {1: "person", 2: "cow", 3: "umbrella"}
    boxes = [
        (1, [10, 20, 30, 40], 0),
        (2, [0, 0, 5, 6], 0),
        (3, [1, 1, 2, 2], 0),
        (1, [50, 0, 9, 9], 1),
    ]
    table = {
        "images": [{"id": 7, "file_name": "a.jpg"}],
        "categories": [{"id": key, "name": name} for key, name in names.items()],
        "annotations": [
            {"image_id": 7, "category_id": kind, "bbox": box, "iscrowd": crowd,
             "segmentation": [[10, 20, 40, 20, 40, 60]]}
            for kind, box, crowd in boxes
        ],
    }  # fmt: skip
    (tmp_path / "annotations.json").write_text(json.dumps(table))
    (example,) = read(tmp_path)
    assert example.labels == ("person", "cattle")
    assert example.xyxy.tolist() == [[10, 20, 40, 60], [0, 0, 5, 6]]
    # An umbrella has no word of ours, and nobody counted the crowd.
    assert sorted(example.ignored.tolist()) == [[1, 1, 3, 3], [50, 0, 59, 9]]
    assert example.outlines[0][0].tolist() == [[10, 20], [40, 20], [40, 60]]


def test_yolo_with_coco_indices_or_names_of_its_own(tmp_path: Path) -> None:
    picture(tmp_path / "images/a.jpg")
    picture(tmp_path / "images/empty.jpg")
    (tmp_path / "labels").mkdir()
    (tmp_path / "labels/a.txt").write_text("0 0.5 0.5 0.1 0.4\n25 0.1 0.1 0.1 0.1\n")
    person, empty = read(tmp_path)
    assert person.labels == ("person",)
    assert person.xyxy[0] == pytest.approx([90, 30, 110, 70])
    assert empty.labels == ()
    (tmp_path / "names.txt").write_text("tent\nperson\n")
    (tmp_path / "labels/a.txt").write_text("0 0.5 0.5 0.1 0.4\n")
    assert read(tmp_path)[0].labels == ("tent",)


def test_a_drawn_card(tmp_path: Path) -> None:
    truth = tiny_card(tmp_path / "card", 2)
    first, second = read(tmp_path / "card")
    assert "person" in first.labels
    assert first.clock == truth["frames"][0]["clock"] < second.clock
    box = truth["frames"][0]["boxes"][0]
    assert first.xyxy[0] == pytest.approx(
        [box["x"] * 320, box["y"] * 240, (box["x"] + box["w"]) * 320, (box["y"] + box["h"]) * 240]
    )


def test_what_is_no_data_set_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotADataset, match=r"expected truth\.json"):
        read(tmp_path)
    (tmp_path / "annotations.json").write_text("{}")
    with pytest.raises(NotADataset, match="cannot be read"):
        read(tmp_path)
