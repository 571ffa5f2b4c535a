"""Families of detectors: how each wants its picture and how its outputs read.

A new family is a module with a `recognise` and a line in `_FAMILIES`; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.layouts import yolox
from detection.onnx.letterbox import Mapping
from detection.onnx.runtime import ModelDescription


class Layout(Protocol):
    """A detector family's reading of one model file."""

    @property
    def family(self) -> str:
        """Name of the family, as stored with a model."""

    @property
    def names(self) -> tuple[str, ...]:
        """The model's class names, by index."""

    def prepare(
        self, rgb: NDArray[np.uint8], long_side: int
    ) -> tuple[NDArray[np.float32], Mapping]:
        """Tensor [1,3,h,w] of `rgb` [H,W,3], its long side at `long_side` px if the file lets it
        vary, and the way back from canvas px to picture px.
        """

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Boxes in canvas px scoring at least `min_score`, before NMS; ValueError if malformed."""


_FAMILIES: tuple[Callable[[ModelDescription], Layout | None], ...] = (yolox.recognise,)


def recognise(description: ModelDescription) -> Layout | None:
    """The layout of the described model, or None when no family knows it."""
    return next((layout for family in _FAMILIES if (layout := family(description))), None)
