"""What the benchmarks and the tests of the engine have in common: drawn days with what the
background says of them, as JPEGs too, the detector that is measured, and one that sees what is
drawn.

The latter finds people and tents where they are, give or take a little, and takes one stone for
a person whenever the sun is on it: what a real one does, with a truth to hold it to.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg
from django.conf import settings
from django.core.management import CommandError
from numpy.typing import NDArray

from detection.cards.decode import decode
from detection.onnx import background
from detection.onnx.background import Change, Still, remember
from detection.onnx.engine import Around
from detection.onnx.repeats import Sightings
from detection.scenes.light import sun
from detection.scenes.model import Rendered, View
from detection.scenes.plan import Frame
from detection.scenes.render import render
from detection.scenes.valley import PERSON_METRES, STONES, person_height
from lacs_web.embedded.up import LENT_DETECTOR

ROCK = "rock"


@dataclass(frozen=True, eq=False)
class Days:
    frames: Sequence[Frame]
    drawn: list[Rendered]
    stills: list[Still]
    changes: list[Change | None]

    @property
    def instants(self) -> NDArray[np.float64]:
        return np.array([float(frame.moment.seconds) for frame in self.frames])

    @property
    def light(self) -> NDArray[np.float32]:
        return np.stack([still.thumb for still in self.stills])


def draw(view: View, frames: Sequence[Frame]) -> Days:
    drawn = [render(view, frame.moment, frame.things) for frame in frames]
    stills = [
        remember(each.image, frame.moment.seconds)
        for each, frame in zip(drawn, frames, strict=True)
    ]
    changes = [around(stills, at).change for at in range(len(stills))]
    return Days(frames, drawn, stills, changes)


def around(stills: Sequence[Still], at: int) -> Around:
    """What is known of a frame by those before and after it."""
    others = [*stills[max(0, at - 150) : at], *stills[at + 1 : at + 151]]
    behind = background.background(stills[at], background.neighbours(stills[at], others))
    return Around(behind, None if behind is None else background.change(stills[at], behind))


def jpeg(drawn: Rendered) -> bytes:
    """As a camera writes it."""
    rgb = np.ascontiguousarray(drawn.image)
    return bytes(simplejpeg.encode_jpeg(rgb, quality=88, colorspace="RGB"))


def load(data: bytes, long_side: int) -> NDArray[np.uint8]:
    """A JPEG as a run decodes it."""
    return decode(data, long_side=long_side, max_pixels=settings.PICTURE_MAX_PIXELS).rgb


def named() -> Path:
    """LACS_DETECTOR, else where the YOLOX-nano lent for development would lie."""
    return Path(os.environ.get("LACS_DETECTOR") or LENT_DETECTOR)


def detector() -> Path:
    """The detector that is `named`; CommandError where there is none."""
    model = named()
    if not model.exists():
        raise CommandError(f"{model.name} is not there: name a detector in LACS_DETECTOR.")
    return model


def rock_box(shift: tuple[float, float] = (0.0, 0.0)) -> tuple[float, float, float, float]:
    """x, y, w, h of the stone that is as tall and narrow as a person, in a picture moved by
    `shift` (fractions of its width and height).
    """
    x, y, wide, tall = STONES[2]
    metre = person_height(y) / PERSON_METRES
    wide *= metre * 0.75  # the picture is wider than high
    return x - wide / 2 + shift[0], y - tall * metre + shift[1], wide, tall * metre


def sight(days: Days, seed: int = 5) -> tuple[Sightings, list[str]]:
    """What the detector says over all frames, and what each box really holds ("rock", "person",
    "tent", …).
    """
    random = np.random.default_rng(seed)
    rows: list[tuple[int, list[float], str, float]] = []
    held: list[str] = []
    for at, (frame, drawn, change) in enumerate(
        zip(days.frames, days.drawn, days.changes, strict=True)
    ):
        things = [
            (str(b.label), (b.x, b.y, b.w, b.h)) for b in drawn.boxes if random.random() < 0.9
        ]
        star = sun(frame.moment.at)
        if drawn.readable and star.height_deg > 12 and random.random() < 0.7:
            high, across = drawn.image.shape[:2]
            x, y = frame.moment.shift_px
            things.append((ROCK, rock_box((x / across, y / high))))
        for kind, (x, y, w, h) in things:
            noise = random.normal(0, 0.04, 4) * (w, h, w, h)
            fractions = np.array([[x, y, w, h]]) + noise
            share = np.nan if change is None else float(change.within(fractions)[0])
            x, y, w, h = fractions[0].tolist()
            label = "person" if kind == ROCK else kind
            rows.append((at, [x, y, x + w, y + h], label, share))
            held.append(kind)
    return (
        Sightings(
            np.array([row[0] for row in rows], np.int64),
            np.array([row[1] for row in rows], np.float64).reshape(-1, 4),
            [row[2] for row in rows],
            np.array([row[3] for row in rows], np.float32),
        ),
        held,
    )
