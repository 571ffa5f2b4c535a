"""Families of detectors: how each wants its picture and how its outputs read.

A new family is a module with a `recognise` and a line in `FAMILIES`; nothing else changes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.layouts import fastestdet, nanodet, yolox
from detection.onnx.layouts.input import Input
from detection.onnx.runtime import ModelDescription


class Layout(Protocol):
    """A detector family's reading of one model file."""

    @property
    def family(self) -> str:
        """Name of the family, as stored with a model."""

    @property
    def names(self) -> tuple[str, ...]:
        """The model's class names, by index."""

    @property
    def input(self) -> Input:
        """What the model wants its picture to be."""

    def decode(
        self, outputs: Sequence[NDArray[Any]], tensor_shape: tuple[int, ...], min_score: float
    ) -> Boxes:
        """Boxes in canvas px scoring at least `min_score`, before NMS; ValueError if malformed."""


FAMILIES: dict[str, Callable[[ModelDescription], Layout | None]] = {
    "yolox": yolox.recognise,
    "nanodet": nanodet.recognise,
    "fastestdet": fastestdet.recognise,
}


def recognise(description: ModelDescription, family: str | None = None) -> Layout | None:
    """The layout of the described model, or None when no family knows it.

    `family` asks one family only, where a person knows better; KeyError if there is none such.
    """
    asked = FAMILIES.values() if family is None else (FAMILIES[family],)
    return next((layout for each in asked if (layout := each(description))), None)
