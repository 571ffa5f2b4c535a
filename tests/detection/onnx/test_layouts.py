"""NanoDet and FastestDet by hand; class names; which family takes which signature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from detection.onnx.classmap import COCO_80
from detection.onnx.layouts import Layout, fastestdet, nanodet, recognise
from detection.onnx.layouts.signature import class_names
from detection.onnx.runtime import ModelDescription, Port

Shape = tuple[int | str | None, ...]


def described(
    shape: Shape, outputs: dict[str, Shape], metadata: dict[str, str] | None = None
) -> ModelDescription:
    return ModelDescription(
        "",
        (Port("images", shape, "tensor(float)"),),
        tuple(Port(name, each, "tensor(float)") for name, each in outputs.items()),
        metadata or {},
    )


NANODET: dict[str, Shape] = {
    "dis_pred_stride_16": (1, 16, 32),  # not the usual order: the names decide
    "cls_pred_stride_8": (1, 64, 80),
    "cls_pred_stride_16": (1, 16, 80),
    "dis_pred_stride_8": (1, 64, 32),
}


def nanodet_layout() -> Layout:
    layout = recognise(described((1, 3, 64, 64), NANODET))
    assert isinstance(layout, nanodet.NanoDet)
    return layout


def nanodet_outputs() -> dict[str, NDArray[np.float32]]:
    return {name: np.zeros(shape, np.float32) for name, shape in NANODET.items()}  # type: ignore[arg-type]


def test_nanodet_by_hand() -> None:
    outputs = nanodet_outputs()
    # Stride 16, cell x 2, y 1: centre (40, 24). Left surely 1 stride, top 0; right evenly 2 or
    # 3; bottom undecided over 0…7, so 3.5 strides.
    outputs["cls_pred_stride_16"][0, 1 * 4 + 2, 17] = 0.7
    sides = outputs["dis_pred_stride_16"][0, 1 * 4 + 2].reshape(4, 8)
    sides[0, 1] = sides[1, 0] = sides[2, 2] = sides[2, 3] = 100
    outputs["cls_pred_stride_8"][0, 5, 0] = 0.04  # too weak
    found = nanodet_layout().decode(list(outputs.values()), (1, 3, 64, 64), 0.05)
    assert found.xyxy.tolist() == [pytest.approx([24, 24, 80, 80], abs=1e-3)]
    assert found.scores == pytest.approx([0.7])
    assert [COCO_80[index] for index in found.classes] == ["horse"]


def test_nanodet_sees_nothing() -> None:
    outputs = list(nanodet_outputs().values())
    assert len(nanodet_layout().decode(outputs, (1, 3, 64, 64), 0.05)) == 0


def test_nanodet_outputs_of_another_size_are_told() -> None:
    with pytest.raises(ValueError, match="expected"):
        nanodet_layout().decode(list(nanodet_outputs().values()), (1, 3, 96, 64), 0.05)


def test_fastestdet_by_hand() -> None:
    layout = recognise(described((1, 3, 64, 96), {"758": (1, 85, 4, 6)}))
    assert isinstance(layout, fastestdet.FastestDet)
    output = np.zeros((1, 85, 4, 6), np.float32)
    # Cell x 3, y 2: centre (3.5, 2) × 16; half the canvas wide, a quarter high.
    output[0, :5, 2, 3] = [0.5, math.atanh(0.5), 0, 0, -math.log(3)]
    output[0, 5 + 8, 2, 3] = 0.25
    output[0, 0, 0, 0] = -0.1  # a hair below 0 must not spoil the score
    found = layout.decode([output], (1, 3, 64, 96), 0.05)
    assert found.xyxy.tolist() == [pytest.approx([56 - 24, 32 - 8, 56 + 24, 32 + 8])]
    assert found.scores == pytest.approx([0.5**0.6 * 0.25**0.4])
    assert [COCO_80[index] for index in found.classes] == ["boat"]
    with pytest.raises(ValueError, match="expected"):
        layout.decode([output], (1, 3, 96, 96), 0.05)


@pytest.mark.parametrize(
    ("shape", "outputs"),
    [
        ((1, 3, 64, 64), NANODET | {"extra": (1, 16, 32)}),
        ((1, 3, 64, 64), {"cls_pred_stride_8": (1, 64, 80)}),
        ((1, 3, 64, 64), {name: shape for name, shape in NANODET.items() if "dis" in name}),
        ((1, 3, 64, 64), NANODET | {"dis_pred_stride_8": (1, 64, 4)}),
        ((1, 3, 352, 352), {"map": (1, 85, 44, 44)}),  # another stride
        ((1, 3, "h", "w"), {"map": (1, 85, "y", "x")}),
        ((1, 3, 352, 352), {"map": (1, 84, 22, 22)}),  # 79 classes without names
        ((1, 5, 352, 352), {"map": (1, 85, 22, 22)}),
        ((2, 3, 352, 352), {"map": (1, 85, 22, 22)}),
        ((1, 3, 352, 352), {}),
        ((3, 352, 352), {"map": (1, 85, 22, 22)}),
        ((1, 3, 0, 352), {"map": (1, 85, 0, 22)}),
    ],
)
def test_unknown_signatures_are_nobodys(shape: Shape, outputs: dict[str, Shape]) -> None:
    assert recognise(described(shape, outputs)) is None


def test_a_layout_may_be_asked_for_by_name() -> None:
    description = described((1, 3, 64, 64), NANODET)
    assert recognise(description, "nanodet") is not None
    assert recognise(description, "yolox") is None
    with pytest.raises(KeyError):
        recognise(description, "no such family")


def test_other_yolos_that_say_their_stride_are_not_yolox() -> None:
    free = described((1, 3, "h", "w"), {"output": (1, "n", 85)}, {"stride": "32"})
    assert recognise(free, "yolox") is None
    assert recognise(free, "yolov5") is not None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('["person", "tent"]', ("person", "tent")),
        ('{"1": "tent", "0": "person"}', ("person", "tent")),
        ("{0: 'person', 1: 'tent'}", ("person", "tent")),
        ('["person"]', None),  # not as many as the network has
        ("{0: 'person', 2: 'tent'}", None),
        ("__import__('os').getcwd()", None),
        ("[" * 5000, None),
        ("", None),
    ],
)
def test_class_names_are_read_never_guessed(text: str, names: tuple[str, ...] | None) -> None:
    assert class_names({"names": text}, 2) == names


def test_eighty_classes_without_names_are_cocos() -> None:
    assert class_names({}, 80) == COCO_80
