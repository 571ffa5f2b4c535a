"""Pictures with true boxes, read from a folder: COCO, YOLO or a drawn card. Pure.

- COCO: `annotations.json` beside the pictures; categories by name, crowds are not counted.
- YOLO: `images/` and `labels/` with COCO-80 indices, or those of `names.txt` (a name a line).
- drawn card: `truth.json`, as `manage.py render_demo` writes it; unreadable frames are left out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from detection.onnx.classmap import COCO_80, propose

PICTURES = frozenset({".jpg", ".jpeg", ".png"})


class NotADataset(Exception):
    """The folder is none of the three forms, or a file in it is damaged; str() says which."""


@dataclass(frozen=True, eq=False)
class Example:
    """One picture. `xyxy` float32 [N,4] px, `labels` [N] the product's words; `ignored` [M,4] px:
    crowds and things of no known word, where a detection is neither right nor wrong. `outlines`:
    for each box its polygons (float32 [K,2] px), where the data have them. `clock`: of a drawn
    card's frame, ISO; frames of one card are one still camera's.
    """

    path: Path
    xyxy: NDArray[np.float32]
    labels: tuple[str, ...]
    ignored: NDArray[np.float32]
    outlines: tuple[tuple[NDArray[np.float32], ...], ...] = ()
    clock: str = ""


def read(folder: Path) -> list[Example]:
    """Every picture of `folder` with its boxes, in the order of names; raises NotADataset."""
    try:
        if (folder / "truth.json").is_file():
            return _card(folder)
        if (folder / "annotations.json").is_file():
            return _coco(folder)
        if (folder / "labels").is_dir() and (folder / "images").is_dir():
            return _yolo(folder)
    except (KeyError, TypeError, ValueError, IndexError, OSError) as error:
        raise NotADataset(f"{folder} cannot be read: {error}") from error
    raise NotADataset(
        f"{folder} holds no data set: expected truth.json, annotations.json (COCO), "
        "or the folders images and labels (YOLO)."
    )


def _boxes(rows: list[list[float]]) -> NDArray[np.float32]:
    return np.array(rows, np.float32).reshape(-1, 4)


def _card(folder: Path) -> list[Example]:
    truth = json.loads((folder / "truth.json").read_text(encoding="utf-8"))
    examples = []
    for frame in truth["frames"]:
        if not frame["readable"]:
            continue
        path = folder / frame["path"]
        width, height = Image.open(path).size
        rows = [
            [b["x"] * width, b["y"] * height, (b["x"] + b["w"]) * width, (b["y"] + b["h"]) * height]
            for b in frame["boxes"]
        ]
        labels = tuple(box["label"] for box in frame["boxes"])
        examples.append(Example(path, _boxes(rows), labels, _boxes([]), clock=frame["clock"]))
    return examples


def _coco(folder: Path) -> list[Example]:
    table = json.loads((folder / "annotations.json").read_text(encoding="utf-8"))
    names = {each["id"]: each["name"] for each in table["categories"]}
    words = propose(names.values())
    held: dict[int, list[dict[str, Any]]] = {}
    for note in table["annotations"]:
        held.setdefault(note["image_id"], []).append(note)
    examples = []
    for image in sorted(table["images"], key=lambda each: str(each["file_name"])):
        sure: list[dict[str, Any]] = []
        rest: list[dict[str, Any]] = []
        for note in held.get(image["id"], []):
            crowd = note.get("iscrowd") or note.get("attributes", {}).get("sub") == "crowd"
            known = words.get(names[note["category_id"]])
            (rest if crowd or known is None else sure).append(note)
        outlines = tuple(
            tuple(np.array(ring, np.float32).reshape(-1, 2) for ring in note["segmentation"])
            if isinstance(note.get("segmentation"), list)
            else ()
            for note in sure
        )
        examples.append(
            Example(
                folder / image["file_name"],
                _boxes([_corners(note["bbox"]) for note in sure]),
                tuple(str(words[names[note["category_id"]]]) for note in sure),
                _boxes([_corners(note["bbox"]) for note in rest]),
                outlines,
            )
        )
    return examples


def _corners(box: list[float]) -> list[float]:
    return [box[0], box[1], box[0] + box[2], box[1] + box[3]]


def _yolo(folder: Path) -> list[Example]:
    listed = folder / "names.txt"
    names = tuple(listed.read_text(encoding="utf-8").split("\n")) if listed.is_file() else COCO_80
    words = propose(names)
    examples = []
    for path in sorted((folder / "images").iterdir()):
        if path.suffix.lower() not in PICTURES:
            continue
        width, height = Image.open(path).size
        text = folder / "labels" / f"{path.stem}.txt"
        lines = text.read_text(encoding="utf-8").splitlines() if text.is_file() else []
        rows, labels = [], []
        for line in filter(None, map(str.strip, lines)):
            index, x, y, w, h = line.split()[:5]
            if (word := words[names[int(index)].strip()]) is None:
                continue
            cx, cy, half_w, half_h = float(x), float(y), float(w) / 2, float(h) / 2
            rows.append([(cx - half_w) * width, (cy - half_h) * height,
                         (cx + half_w) * width, (cy + half_h) * height])  # fmt: skip
            labels.append(word)
        examples.append(Example(path, _boxes(rows), tuple(labels), _boxes([])))
    return examples
