"""`python -m detection.training.calibrating FILE CARD…`: have the scores of a trained file mean
what the product takes them for, by labelled cards that nothing else is measured on.

The training draws its classes far more evenly than a lake shows them, and far more of everything:
most that it half believes to be a boat is none. Each class's logits are made steeper, so that what
it hardly believes in is neither stored nor masked by the hundred and weighs less than what changed,
and moved so that as many boxes count as there are things: counts lean neither way. This goes into
the network's last weights: nothing else changes.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from detection import choosing
from detection.datasets import read
from detection.evaluating import compare
from detection.labels import COUNTED_SCORE
from detection.onnx.engine import DetectorSettings, load_engine

# 3.5 by maximum likelihood; but that finds no more, and masks fewer of the people under 24 px.
SLOPE = 2.0
_LEAST = 20  # true boxes of a class, for anything to be said about its scores
_HELD = 1e-6  # scores are kept so far from 0 and 1, whose logits have no end
_WEIGHT, _BIAS = "network.heat.weight", "network.heat.bias"
_SAYS = "calibrated"  # in a file's metadata


def thresholds(path: Path, cards: Sequence[Path]) -> dict[str, float]:
    """Class → score from which a run finds as many boxes as the cards have things, for classes of
    which they have enough and so many are found at all. Raises ModelRefused, NotADataset.
    """
    engine = load_engine(path, DetectorSettings.from_dict(choosing.options()), 1)
    scores, truth = defaultdict[str, list[NDArray[np.float32]]](list), defaultdict[str, int](int)
    for card in cards:
        for label, pictures in compare(engine, read(card))[0].items():
            scores[label] += [each.scores for each in pictures]
            truth[label] += sum(len(each.truth) for each in pictures)
    found = {label: np.sort(np.concatenate(held))[::-1] for label, held in scores.items()}
    return {
        label: float(found[label][count - 1])
        for label, count in truth.items()
        if _LEAST <= count <= len(found[label])
    }


def bake(path: Path, counted_from: Mapping[str, float], slope: float) -> None:
    """Change the file at `path`, as `export` has written it, so that each class counts from
    COUNTED_SCORE where it did from the given score (else from COUNTED_SCORE), and is `slope` times
    as steep; it says so of itself. Raises KeyError for a file that was not made by `export`.
    """
    held = onnx.load(str(path))
    said = {each.key: each.value for each in held.metadata_props}
    stored = {each.name: each for each in held.graph.initializer}
    weight, bias = stored[_WEIGHT], stored[_BIAS]
    every = {name: counted_from.get(name, COUNTED_SCORE) for name in json.loads(said["names"])}
    offsets = [_logit(COUNTED_SCORE) - slope * _logit(score) for score in every.values()]
    steeper = numpy_helper.to_array(weight) * np.float32(slope)
    moved = numpy_helper.to_array(bias) * slope + np.array(offsets)
    weight.CopyFrom(numpy_helper.from_array(steeper, _WEIGHT))
    bias.CopyFrom(numpy_helper.from_array(moved.astype(np.float32), _BIAS))
    told = {"slope": slope, **{name: round(score, 4) for name, score in every.items()}}
    said[_SAYS] = json.dumps([*json.loads(said.get(_SAYS, "[]")), told])
    onnx.helper.set_model_props(held, said)
    onnx.save(held, str(path))


def _logit(score: float) -> float:
    held = min(max(score, _HELD), 1 - _HELD)
    return math.log(held / (1 - held))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("file", type=Path, help="as it was exported; changed in place")
    parser.add_argument("cards", type=Path, nargs="+", help="folders with truth beside them")
    given = parser.parse_args()
    if any(each.key == _SAYS for each in onnx.load(str(given.file)).metadata_props):
        parser.error(f"{given.file.name} is calibrated already: take it as it was exported")
    fresh = Path(shutil.copy(given.file, given.file.with_suffix(".new")))
    for slope in (SLOPE, 1.0):  # steeper scores open other tiles, and other boxes are found
        counted_from = thresholds(fresh, given.cards)
        bake(fresh, counted_from, slope)
        print(json.dumps({"slope": slope, **counted_from}))  # noqa: T201
    fresh.replace(given.file)


if __name__ == "__main__":
    main()
