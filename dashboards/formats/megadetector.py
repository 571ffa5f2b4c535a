"""Machine boxes as MegaDetector writes them (format 1.4), for Timelapse, AddaxAI and their kin.

Numbers 1 to 3 mean what they always mean there; what MegaDetector does not know follows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

from dashboards.formats.pieces import Facts, Piece
from dashboards.formats.taking import CHUNK, Taken, frames, place
from dashboards.periods import Period
from detection.labels import COUNTED_SCORE, Label
from lacs_web.models import Lake

CATEGORIES = {"1": "animal", "2": "person", "3": "vehicle", "4": "tent", "5": "boat", "6": "other"}
_NUMBER = {name: number for number, name in CATEGORIES.items()}
ANIMALS = (Label.DOG, Label.SHEEP, Label.CATTLE, Label.GOAT, Label.HORSE)


def pieces(
    lake: Lake, period: Period, made: datetime, before: Sequence[Facts] = ()
) -> Iterator[Piece]:
    """The file; of frames that no detector examined it says nothing."""
    done: Facts = before[-1] if before else {"after": None, "images": 0}
    if not before:
        yield Piece(parts=[_head(made)], facts=done)
    walk = frames(lake, period, after=done["after"])
    while chunk := list(islice(walk, CHUNK)):
        lines = [_image(each) for each in chunk if each.machine is not None]
        first = not done["images"]
        done = {"after": place(chunk[-1].frame), "images": done["images"] + len(lines)}
        text = (b"\n" if first else b",\n") + b",\n".join(lines) if lines else b""
        yield Piece(parts=[text], facts=done, frames=len(chunk))
    yield Piece(parts=[b"\n]}\n"], last=True)


def _head(made: datetime) -> bytes:
    info = {
        "format_version": "1.4",
        "detector": "LACS",
        "detection_completion_time": f"{made:%Y-%m-%d %H:%M:%S}",
        "detector_metadata": {"typical_detection_threshold": COUNTED_SCORE},
    }
    head = {"info": info, "detection_categories": CATEGORIES}
    return json.dumps(head, indent=1).removesuffix("\n}").encode() + b',\n "images": ['


def _image(each: Taken) -> bytes:
    boxes = [
        {
            "category": category(one.label),
            "conf": round(one.score, 4),
            "bbox": [round(side, 5) for side in (one.x, one.y, one.w, one.h)],
        }
        for one in each.machine or []
    ]
    image = {
        "file": f"{each.frame.deployment.slug}/{each.frame.path}",
        "max_detection_conf": round(max((one.score for one in each.machine or []), default=0.0), 4),
        "detections": boxes,
    }
    return json.dumps(image).encode()


def category(label: str) -> str:
    return _NUMBER["animal"] if label in ANIMALS else _NUMBER[label]
