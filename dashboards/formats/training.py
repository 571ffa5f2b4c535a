"""Settled frames for training: COCO or YOLO, pictures masked as they always leave.

Cameras are parted, never frames: what is learnt on one view is judged on another. Both forms are
what `evaluate_detector` reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

import simplejpeg

from dashboards.formats.archive import Member
from dashboards.formats.pieces import Facts, Piece
from dashboards.formats.taking import Taken, frames, place
from dashboards.periods import Period
from detection import renditions
from detection.labels import Label
from lacs_web.models import Lake

NAMES = [label.value for label in Label]
HELD_BACK = 5  # one camera in so many is for judging
PICTURES = 50  # in a piece


def split(camera: str) -> str:
    """ "train" or "val": the same for all frames of one camera, for good."""
    held = hashlib.sha256(camera.encode()).digest()[0] % HELD_BACK == 0
    return "val" if held else "train"


def coco(lake: Lake, period: Period, before: Sequence[Facts] = ()) -> Iterator[Piece]:
    """Pictures first, then annotations.json: what a picture measures is known once it is made."""
    return _pieces(lake, period, before, _coco_example, _coco_end)


def yolo(lake: Lake, period: Period, before: Sequence[Facts] = ()) -> Iterator[Piece]:
    """`train.txt` and `val.txt` list the pictures of each part."""
    return _pieces(lake, period, before, _yolo_example, _yolo_end)


Example = Callable[[Taken, bytes, Facts], Iterator[Member]]
End = Callable[[Lake, Sequence[Facts]], Iterator[Member]]


def _pieces(
    lake: Lake, period: Period, before: Sequence[Facts], example: Example, end: End
) -> Iterator[Piece]:
    done = list(before)
    walk = frames(lake, period, settled=True, after=done[-1]["after"] if done else None)
    while chunk := list(islice(walk, PICTURES)):
        piece = Piece(facts={"after": place(chunk[-1].frame)})
        piece.members = _members(chunk, piece, example)
        yield piece
        done.append(piece.facts)
    yield Piece(members=end(lake, done), last=True)


def _members(chunk: Sequence[Taken], piece: Piece, example: Example) -> Iterator[Member]:
    """Of frames whose preview is there and at which a detector has looked: a picture masked whole
    teaches nothing. Six queries.
    """
    for each, what in zip(
        chunk, renditions.renditions([each.frame for each in chunk]), strict=True
    ):
        piece.frames += 1
        if what.people is None:
            continue
        try:
            jpeg = what.jpeg()
        except FileNotFoundError:
            continue
        piece.masks[each.frame.pk] = what.tag
        yield from example(each, jpeg, piece.facts)


def _coco_example(each: Taken, jpeg: bytes, facts: Facts) -> Iterator[Member]:
    name = f"images/{each.frame.sha256}.jpg"
    yield name, [jpeg]
    height, width, _, _ = simplejpeg.decode_jpeg_header(jpeg)
    facts.setdefault("images", []).append(
        {
            "id": each.frame.pk,
            "file_name": name,
            "width": width,
            "height": height,
            "split": split(_camera(each)),
            "deployment": each.frame.deployment.slug,
        }
    )
    for box in each.boxes:
        w, h = box.w * width, box.h * height
        facts.setdefault("annotations", []).append(
            {
                "id": box.pk,
                "image_id": each.frame.pk,
                "category_id": NAMES.index(box.label) + 1,
                "bbox": [round(side, 2) for side in (box.x * width, box.y * height, w, h)],
                "area": round(w * h, 2),
                "iscrowd": 0,
            }
        )


def _coco_end(lake: Lake, done: Sequence[Facts]) -> Iterator[Member]:
    table = {
        "info": {"description": f"LACS: {lake.name}, settled frames, persons masked"},
        "images": [row for facts in done for row in facts.get("images", [])],
        "annotations": [row for facts in done for row in facts.get("annotations", [])],
        "categories": [{"id": n, "name": name} for n, name in enumerate(NAMES, start=1)],
    }
    yield "annotations.json", [json.dumps(table).encode()]


def _yolo_example(each: Taken, jpeg: bytes, facts: Facts) -> Iterator[Member]:
    name = each.frame.sha256
    yield f"images/{name}.jpg", [jpeg]
    lines = [
        f"{NAMES.index(box.label)} {box.x + box.w / 2:.6f} {box.y + box.h / 2:.6f} "
        f"{box.w:.6f} {box.h:.6f}\n"
        for box in each.boxes
    ]
    yield f"labels/{name}.txt", ["".join(lines).encode()]
    facts.setdefault(split(_camera(each)), []).append(name)


def _yolo_end(_lake: Lake, done: Sequence[Facts]) -> Iterator[Member]:
    yield "names.txt", ["\n".join(NAMES).encode()]
    for part in ("train", "val"):
        listed = [f"./images/{name}.jpg\n" for facts in done for name in facts.get(part, [])]
        yield f"{part}.txt", ["".join(listed).encode()]


def _camera(each: Taken) -> str:
    return f"camera {each.frame.deployment.camera_id}"
