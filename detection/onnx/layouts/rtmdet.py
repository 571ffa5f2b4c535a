"""RTMDet as mmdeploy exports it, NMS inside: `dets` [1,K,5] and `labels` [1,K].

`dets`: left, top, right, bottom in canvas px, score. Other mmdet models share these outputs with
another normalisation: the probe tells.
Source: Lyu et al. 2022, arXiv:2212.07784; open-mmlab/mmdeploy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.layouts.input import Input
from detection.onnx.layouts.signature import canvas, known_class, names_or_numbers, places
from detection.onnx.runtime import ModelDescription

SIGNATURE = "RTMDet by mmdeploy: outputs dets [1, K, 5], labels [1, K]"


@dataclass(frozen=True)
class Rtmdet:
    """Takes BGR with ImageNet's mean and deviation, letterboxed at the top left with 114. `at`:
    positions of boxes and labels.
    """

    names: tuple[str, ...]
    input: Input
    at: tuple[int, ...] = (0, 1)
    family: str = "rtmdet"

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Score as given; see `Layout.decode`."""
        found, labels = (outputs[position] for position in self.at)
        if found.ndim != 3 or found.shape[::2] != (1, 5) or labels.shape != found.shape[:2]:
            raise ValueError(
                f"RTMDet outputs are {found.shape} and {labels.shape}, expected (1, K, 5), (1, K)"
            )
        rows = found[0].astype(np.float32)
        kept = (rows[:, 4] >= min_score) & np.isfinite(rows).all(axis=1)
        kept &= (rows[:, 2:4] > rows[:, :2]).all(axis=1)
        return Boxes(
            rows[kept, :4],
            np.minimum(rows[kept, 4], 1),
            known_class(labels[0][kept], len(self.names)),
        )


def recognise(description: ModelDescription) -> Rtmdet | None:
    """The layout when the two outputs bear mmdeploy's names and ranks."""
    size = canvas(description)
    at = places(description, {"dets": 3, "labels": 2})
    if size is None or not at or description.outputs[at[0]].shape[2] != 5:
        return None
    wanted = Input(*size, mean=(103.53, 116.28, 123.675), deviation=(57.375, 57.12, 58.395))
    return Rtmdet(names_or_numbers(description.metadata), wanted, at)
