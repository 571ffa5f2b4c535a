"""Machine boxes as MegaDetector writes them (format 1.4), for Timelapse, AddaxAI and their kin.

Numbers 1 to 3 mean what they always mean there; what MegaDetector does not know follows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from dashboards.formats.taking import frames
from dashboards.periods import Period
from detection.labels import COUNTED_SCORE, Label
from lacs_web.models import Lake

CATEGORIES = {"1": "animal", "2": "person", "3": "vehicle", "4": "tent", "5": "boat", "6": "other"}
_NUMBER = {name: number for number, name in CATEGORIES.items()}
ANIMALS = (Label.DOG, Label.SHEEP, Label.CATTLE, Label.GOAT, Label.HORSE)


def parts(lake: Lake, period: Period, made: datetime) -> Iterator[bytes]:
    """The file; of frames that no detector examined it says nothing."""
    info = {
        "format_version": "1.4",
        "detector": "LACS",
        "detection_completion_time": f"{made:%Y-%m-%d %H:%M:%S}",
        "detector_metadata": {"typical_detection_threshold": COUNTED_SCORE},
    }
    head = {"info": info, "detection_categories": CATEGORIES}
    yield json.dumps(head, indent=1).removesuffix("\n}").encode() + b',\n "images": ['
    first = True
    for each in frames(lake, period):
        if each.machine is None:
            continue
        boxes = [
            {
                "category": category(one.label),
                "conf": round(one.score, 4),
                "bbox": [round(side, 5) for side in (one.x, one.y, one.w, one.h)],
            }
            for one in each.machine
        ]
        image = {
            "file": f"{each.frame.deployment.slug}/{each.frame.path}",
            "max_detection_conf": round(max((one.score for one in each.machine), default=0.0), 4),
            "detections": boxes,
        }
        yield (b"\n" if first else b",\n") + json.dumps(image).encode()
        first = False
    yield b"\n]}\n"


def category(label: str) -> str:
    return _NUMBER["animal"] if label in ANIMALS else _NUMBER[label]
