"""Notice a model that is fed the wrong way, by what it sees on real pictures.

A file does not say whether it wants RGB or BGR, 0–255, 0–1 or ImageNet's normalisation. Fed the
wrong way a network sees less, or sees things that are not there; how sure it is of them tells
nothing (one model made 20 times as many boxes of nonsense). What tells is the mirrored picture:
real things are found there too. Measured on 24 COCO pictures with YOLOX-nano, NanoDet and
FastestDet, each fed in six ways: scores found again less twice the scores not found again are
highest for the true way in all three, by a quarter or more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes, iou
from detection.onnx.engine import Engine
from detection.onnx.layouts import fed
from detection.onnx.layouts.input import IMAGENET, Input

_LEAST = 0.25  # score of a box that counts
_SAME = 0.5  # IoU of a box with its mirror image
_BETTER = 1.08  # times the evidence of the way described, for another way to be believed
_ENOUGH = 3.0  # evidence below which nothing can be said: a handful of things in all pictures

Triple = tuple[float, float, float]
_SCALES: dict[str, tuple[Triple, Triple]] = {
    "0–255": ((0.0,) * 3, (1.0,) * 3),
    "0–1": ((0.0,) * 3, (255.0,) * 3),
    "ImageNet": (IMAGENET["mean"], IMAGENET["deviation"]),  # in the order RGB
}


class Verdict(StrEnum):
    FITS = "fits"  # no other way of feeding it finds more
    OTHERWISE = "otherwise"  # it is made to be fed in another way
    UNCLEAR = "unclear"  # too little to be seen in these pictures


@dataclass(frozen=True)
class Probe:
    """`evidence`: for each way ("BGR 0–255"), scores found again less twice those that were not.
    `best`: the input that this network should be given.
    """

    verdict: Verdict
    described: str
    best: Input
    evidence: dict[str, float]

    def __str__(self) -> str:
        found = ", ".join(f"{way}: {value:.1f}" for way, value in self.evidence.items())
        return f"{self.verdict} (described as {self.described}; evidence {found})"


def probe(engine: Engine, pictures: Sequence[NDArray[np.uint8]]) -> Probe:
    """Compare the ways of feeding `engine`'s network on `pictures` (RGB [H,W,3]; a dozen with
    things to be seen will do). Each is looked at twice in each of six ways.
    """
    told = engine.layout.input
    ways = dict(_ways(told))
    described = next(way for way, wanted in ways.items() if wanted == told)
    settings = replace(engine.settings, tile=None, min_score=_LEAST)
    evidence = {
        way: sum(
            _evidence(replace(engine, layout=fed(engine.layout, wanted), settings=settings), rgb)
            for rgb in pictures
        )
        for way, wanted in ways.items()
    }
    best = max(evidence, key=lambda way: evidence[way])
    if evidence[best] < _ENOUGH:
        return Probe(Verdict.UNCLEAR, described, told, evidence)
    if evidence[best] > _BETTER * max(evidence[described], 0.0):
        verdict = Verdict.FITS if best == described else Verdict.OTHERWISE
        return Probe(verdict, described, ways[best], evidence)
    return Probe(Verdict.FITS, described, told, evidence)


def _ways(told: Input) -> Iterator[tuple[str, Input]]:
    """Names and inputs to compare, the one told among them."""
    scales = {} if told.packed else _SCALES
    known = False
    for colour in ("BGR", "RGB"):
        for scale, (mean, deviation) in scales.items():
            if colour == "BGR":
                mean, deviation = mean[::-1], deviation[::-1]
            wanted = replace(told, colour=colour, mean=mean, deviation=deviation)
            # Files round ImageNet's figures differently: the told way takes its own place.
            near = [wanted.mean, wanted.deviation], [told.mean, told.deviation]
            if colour == told.colour and np.allclose(*near, rtol=0.05, atol=1):
                wanted, known = told, True
            yield f"{colour} {scale}", wanted
    if not known:
        yield "as described", told


def _evidence(engine: Engine, rgb: NDArray[np.uint8]) -> float:
    seen = engine.detect(rgb)
    mirrored = engine.detect(np.ascontiguousarray(rgb[:, ::-1]))
    xyxy = mirrored.xyxy.copy()
    xyxy[:, [0, 2]] = rgb.shape[1] - mirrored.xyxy[:, [2, 0]]
    again = Boxes(xyxy, mirrored.scores, mirrored.classes)
    same = (iou(seen.xyxy, again.xyxy) >= _SAME) & (seen.classes[:, None] == again.classes[None])
    both = np.concatenate([seen.scores, again.scores])
    found = np.concatenate([same.any(axis=1), same.any(axis=0)])
    return float(both[found].sum() / 2 - both[~found].sum())
