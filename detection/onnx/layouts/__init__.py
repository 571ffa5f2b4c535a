"""Families of detectors: how each wants its picture and how its outputs read.

A new family is a module with a `recognise` and a line in `FAMILIES`; nothing else changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol, cast

from numpy.typing import NDArray

from detection.onnx.boxes import Boxes
from detection.onnx.layouts import (
    centres,
    detr,
    end_to_end,
    fastestdet,
    nanodet,
    rtmdet,
    ssd,
    yolov5,
    yolov8,
    yolox,
)
from detection.onnx.layouts.input import Input
from detection.onnx.layouts.signature import picture_port
from detection.onnx.runtime import ModelDescription, ModelRefused, Port, Refusal


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


# In the order they are asked: the first that knows a file has it.
_MODULES: dict[str, Any] = {
    "yolox": yolox,
    "yolov5": yolov5,
    "yolov8": yolov8,
    "end_to_end": end_to_end,
    "detr": detr,
    "rtmdet": rtmdet,
    "ssd": ssd,
    "nanodet": nanodet,
    "fastestdet": fastestdet,
    "centres": centres,
}
FAMILIES: dict[str, Callable[[ModelDescription], Layout | None]] = {
    family: module.recognise for family, module in _MODULES.items()
}
SIGNATURES: dict[str, str] = {family: module.SIGNATURE for family, module in _MODULES.items()}


def recognise(
    description: ModelDescription, family: str | None = None, names: Sequence[str] | None = None
) -> Layout | None:
    """The layout of the described model, or None when no family knows it.

    Where a person knows better: `family` asks one family only (KeyError if there is none such),
    `names` are the classes in order, instead of what the file says or leaves unsaid.
    """
    if names is not None:
        told = {**description.metadata, "names": json.dumps(list(names))}
        description = replace(description, metadata=told)
    asked = FAMILIES.values() if family is None else (FAMILIES[family],)
    found = next((layout for each in asked if (layout := each(description))), None)
    port = picture_port(description)
    if found is not None and port is not None and port.shape[1] == 6:
        return fed(found, replace(found.input, background=True))
    return found


def known(
    description: ModelDescription,
    name: str,
    family: str | None = None,
    names: Sequence[str] | None = None,
) -> Layout:
    """As `recognise`, but raises ModelRefused where nothing fits the file called `name`, saying
    what was expected and what was found.
    """
    if layout := recognise(description, family, names):
        return layout
    expected = SIGNATURES.values() if family is None else (SIGNATURES[family],)
    raise ModelRefused(
        Refusal.UNKNOWN_LAYOUT,
        f"No known layout fits {name}. Expected one picture [1, 3, height, width] and one of: "
        f"{'; '.join(expected)}. Found inputs {_told(description.inputs)}; "
        f"outputs {_told(description.outputs)}; "
        f"class names {'given' if 'names' in description.metadata else 'not given'}.",
    )


def fed(layout: Layout, wanted: Input) -> Layout:
    """`layout` with its picture prepared as `wanted`."""
    return cast("Layout", replace(cast("Any", layout), input=wanted))


def _told(ports: Sequence[Port]) -> str:
    shown = [f"{port.name[:60]} {list(port.shape)}" for port in ports[:12]]
    return ", ".join(shown + ["…"] * (len(ports) > 12)) or "none"
