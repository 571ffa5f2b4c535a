"""Settled frames for training: COCO or YOLO, pictures masked as they always leave.

Cameras are parted, never frames: what is learnt on one view is judged on another. Both forms are
what `evaluate_detector` reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import simplejpeg

from dashboards.formats.archive import Member
from dashboards.formats.taking import Taken, frames
from dashboards.periods import Period
from detection import renditions
from detection.labels import Label
from lacs_web.models import Lake

NAMES = [label.value for label in Label]
HELD_BACK = 5  # one camera in so many is for judging


def split(camera: str) -> str:
    """ "train" or "val": the same for all frames of one camera, for good."""
    held = hashlib.sha256(camera.encode()).digest()[0] % HELD_BACK == 0
    return "val" if held else "train"


def coco(lake: Lake, period: Period) -> Iterator[Member]:
    """Pictures first, then annotations.json: what a picture measures is known once it is made."""
    images: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    for each in frames(lake, period, settled=True):
        jpeg, width, height = _picture(each)
        if jpeg is None:
            continue
        name = f"{each.frame.sha256}.jpg"
        yield f"images/{name}", [jpeg]
        images.append(
            {
                "id": each.frame.pk,
                "file_name": f"images/{name}",
                "width": width,
                "height": height,
                "split": split(_camera(each)),
                "deployment": each.frame.deployment.slug,
            }
        )
        for box in each.boxes:
            w, h = box.w * width, box.h * height
            notes.append(
                {
                    "id": box.pk,
                    "image_id": each.frame.pk,
                    "category_id": NAMES.index(box.label) + 1,
                    "bbox": [round(side, 2) for side in (box.x * width, box.y * height, w, h)],
                    "area": round(w * h, 2),
                    "iscrowd": 0,
                }
            )
    table = {
        "info": {"description": f"LACS: {lake.name}, settled frames, persons masked"},
        "images": images,
        "annotations": notes,
        "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES, start=1)],
    }
    yield "annotations.json", [json.dumps(table).encode()]


def yolo(lake: Lake, period: Period) -> Iterator[Member]:
    """`train.txt` and `val.txt` list the pictures of each part."""
    parts: dict[str, list[str]] = {"train": [], "val": []}
    for each in frames(lake, period, settled=True):
        jpeg, _, _ = _picture(each)
        if jpeg is None:
            continue
        name = each.frame.sha256
        yield f"images/{name}.jpg", [jpeg]
        lines = [
            f"{NAMES.index(box.label)} {box.x + box.w / 2:.6f} {box.y + box.h / 2:.6f} "
            f"{box.w:.6f} {box.h:.6f}\n"
            for box in each.boxes
        ]
        yield f"labels/{name}.txt", ["".join(lines).encode()]
        parts[split(_camera(each))].append(f"./images/{name}.jpg\n")
    yield "names.txt", ["\n".join(NAMES).encode()]
    for part, listed in parts.items():
        yield f"{part}.txt", ["".join(listed).encode()]


def _camera(each: Taken) -> str:
    return f"camera {each.frame.deployment.camera_id}"


def _picture(each: Taken) -> tuple[bytes | None, int, int]:
    """Masked, with its width and height; None where its preview is gone or nobody has looked at it,
    for a picture masked whole teaches nothing.
    """
    what = renditions.rendition(each.frame)
    if what.people is None:
        return None, 0, 0
    try:
        jpeg = what.jpeg()
    except FileNotFoundError:
        return None, 0, 0
    height, width, _, _ = simplejpeg.decode_jpeg_header(jpeg)
    return jpeg, width, height
