"""A folder of one camera's pictures as MegaDetector's JSON; knows no database.

Format 1.4: boxes as x, y, width, height in fractions from the top left; a picture that could not be
read has `failure` and null detections, which is not an empty list. Beyond the format, a box on a
static thing that repeats carries `suppressed` with the reason, and a picture that may be unreadable
`quality`; readers of the format pass over both.
Source: agentmorris/MegaDetector, megadetector-output-format.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.cards.decode import decode
from detection.onnx.classmap import propose
from detection.onnx.engine import Engine
from detection.onnx.repeats import Reason, Sightings, repeats
from detection.onnx.sequence import Seen, detect_in_order


@dataclass(frozen=True)
class Picture:
    """A file, its `name` within the folder, its instant in seconds, and the camera's clock where
    the file states it.
    """

    path: Path
    name: str
    at: float
    clock: datetime | None


def examine(
    engine: Engine,
    pictures: Sequence[Picture],
    *,
    threads: int,
    max_pixels: int,
    progress: Callable[[int], None],
) -> list[Seen | Exception]:
    """What was seen in each picture, or what went wrong; `progress` is told how many are done."""
    outcomes: list[Seen | Exception] = [ValueError("not examined")] * len(pictures)
    loaders = [partial(_load, picture.path, max_pixels) for picture in pictures]
    seen = detect_in_order(engine, loaders, [picture.at for picture in pictures], threads)
    for done, (position, outcome) in enumerate(seen, start=1):
        outcomes[position] = outcome
        progress(done)
    return outcomes


def document(
    engine: Engine,
    pictures: Sequence[Picture],
    outcomes: Sequence[Seen | Exception],
    *,
    detector: str,
    software: str,
    finished: datetime,
) -> dict[str, Any]:
    """The JSON document of `outcomes`, in the order of `pictures`."""
    names = engine.names
    reasons = _repeats(engine, pictures, outcomes)
    images = [
        _image(picture, outcome, reasons.get(position, []))
        for position, (picture, outcome) in enumerate(zip(pictures, outcomes, strict=True))
    ]
    return {
        "info": {
            "format_version": "1.4",
            "detector": detector,
            "detection_completion_time": finished.strftime("%Y-%m-%d %H:%M:%S"),
            "detector_metadata": {
                "software": f"LACS {software}",
                "layout": engine.layout.family,
                "settings": engine.settings.to_dict(),
            },
        },
        "detection_categories": {str(number): name for number, name in enumerate(names)},
        "images": images,
    }


def _load(path: Path, max_pixels: int, long_side: int) -> NDArray[np.uint8]:
    return decode(path.read_bytes(), long_side=long_side, max_pixels=max_pixels).rgb


def _image(
    picture: Picture, outcome: Seen | Exception, reasons: Sequence[Reason | None]
) -> dict[str, Any]:
    image: dict[str, Any] = {"file": picture.name}
    if picture.clock is not None:
        image["datetime"] = picture.clock.strftime("%Y:%m:%d %H:%M:%S")
    if isinstance(outcome, Exception):
        failure = str(outcome) or type(outcome).__name__
        return image | {"failure": failure, "detections": None}
    boxes = outcome.boxes
    fractions = boxes.to_fractions(outcome.width, outcome.height)
    image["detections"] = [
        {
            "category": str(number),
            "conf": round(score, 4),
            "bbox": [round(value, 5) for value in box],
        }
        | ({"suppressed": reason.value} if reason else {})
        for number, score, box, reason in zip(
            boxes.classes.tolist(), boxes.scores.tolist(), fractions.tolist(), reasons, strict=True
        )
    ]
    if outcome.quality is not None and outcome.quality.problems:
        image["quality"] = [problem.value for problem in outcome.quality.problems]
    return image


def _repeats(
    engine: Engine, pictures: Sequence[Picture], outcomes: Sequence[Seen | Exception]
) -> dict[int, list[Reason | None]]:
    """For each picture that was read, by position, the reasons of its boxes."""
    read = [(at, each) for at, each in enumerate(outcomes) if isinstance(each, Seen)]
    if not read:
        return {}
    label = propose(engine.names)
    called = [label[name] or name for name in engine.names]
    counts = [len(seen.boxes) for _, seen in read]
    corners = [
        seen.boxes.xyxy.astype(np.float64) / ([seen.width, seen.height] * 2) for _, seen in read
    ]
    sightings = Sightings(
        np.repeat(np.arange(len(read)), counts),
        np.concatenate(corners),
        [called[number] for _, seen in read for number in seen.boxes.classes.tolist()],
        np.concatenate([seen.evidence for _, seen in read]),
    )
    instants = np.array([pictures[at].at for at, _ in read])
    reasons = repeats(sightings, instants, np.stack([seen.light for _, seen in read]))
    ends = np.cumsum(counts)
    return {
        at: reasons[end - count : end]
        for (at, _), count, end in zip(read, counts, ends.tolist(), strict=True)
    }
