"""A real, tiny detector for tests: an ONNX file in YOLOX's layout that finds red rectangles.

Lets every test run detection in earnest with no downloaded weights; finds nothing but red.

    model = tiny_yolox(tmp_path / "tiny.onnx")
    picture[top : top + 30, left : left + 12] = RED  # a "person" of 12 × 30 px

What to rely on: a filled rectangle (or ellipse) of RED, 4 to 96 px a side on the canvas that the
network sees and not longer than three times its width, with no other red nearer than its own
longest side, gives exactly one box after NMS: its place and size to about a pixel, the class and
the score asked for. Soft edges, scaling and JPEG at quality 80 or better are borne, since only
strong red counts. Anything else scores 0: grey, skin, wood, blue, orange.
In pictures from 160 to 1920 px a side and default settings (which enlarge small pictures at most
twice) 6 to 48 px therefore always work.

How: sums of redness, of its place and of its place squared are gathered per cell of 8 px, then per
16 and 32. Over five by five cells they give the centre and (by the variance of a uniform
distribution, side²/12) the sides of what is red there. A cell answers only if the centre lies in
it, the sides suit its stride, and the sides' product is mostly red.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from detection.onnx.classmap import COCO_80

RED = (255, 0, 0)  # RGB
STRIDES = (8, 16, 32)
SMALLEST, LARGEST = 0.5, 3.0  # longest side in strides; above half of LARGEST except at stride 8
FILLED = 0.75


class _Graph:
    """Nodes and constants as they are named: `graph("Add", a, b)` gives the sum's name."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def __call__(self, op: str, *inputs: str | float | NDArray[np.generic], **more: Any) -> str:
        name = f"{op}_{len(self.nodes)}"
        named = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        self.nodes.append(helper.make_node(op, named, [name], name=name, **more))
        return name

    def _constant(self, value: float | NDArray[np.generic]) -> str:
        name = f"constant_{len(self.constants)}"
        array = np.asarray(value, np.float32) if isinstance(value, float) else value
        self.constants.append(numpy_helper.from_array(array, name))
        return name


def tiny_yolox(
    path: Path,
    score: float = 0.9,
    class_index: int = 0,
    *,
    size: tuple[int, int] | None = None,
    names: Sequence[str] = COCO_80,
) -> Path:
    """Write the model at `path` and return it; see the module for what it finds.

    Input `images` [1,3,H,W], BGR 0–255, H and W any multiple of 32 or `size` (height, width);
    output `output` [1,N,5+C] as YOLOX leaves it. Found boxes have class `class_index` of `names`
    (kept in the file unless COCO's) and `score`.
    """
    graph = _Graph()
    moments = _cell_moments(graph)
    rows = []
    for stride in STRIDES:
        if stride > STRIDES[0]:
            moments = graph("Conv", moments, _gather(2, 0.5, 0.5), strides=[2, 2])
        window = graph("Conv", moments, _gather(5, 1.0, 1.0), pads=[2, 2, 2, 2])
        found = _answer(graph, window, stride, score, class_index, len(names))
        flat = graph("Reshape", found, np.array([1, 5 + len(names), -1], np.int64))
        rows.append(graph("Transpose", flat, perm=[0, 2, 1]))
    graph.nodes.append(helper.make_node("Concat", rows, ["output"], axis=1))
    height, width = size or ("height", "width")
    cells = sum((size[0] // s) * (size[1] // s) for s in STRIDES) if size else "anchors"
    floats = TensorProto.FLOAT
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "tiny_yolox",
            [helper.make_tensor_value_info("images", floats, [1, 3, height, width])],
            [helper.make_tensor_value_info("output", floats, [1, cells, 5 + len(names)])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    if tuple(names) != COCO_80:
        helper.set_model_props(model, {"names": str(list(names)).replace("'", '"')})
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def _cell_moments(graph: _Graph) -> str:
    """[1,5,h,w] per 8-px cell: sums of redness r and of r·x, r·y, r·x², r·y², x in strides."""
    blue, green, red = (
        graph("Gather", "images", np.array([channel], np.int64), axis=1) for channel in range(3)
    )
    excess = graph("Sub", red, graph("Max", blue, green))
    # 0 up to half saturation, 1 from three quarters: JPEG's bleeding weighs nothing.
    lifted = graph("Sub", graph("Mul", excess, 4 / 255), 2.0)
    redness = graph("Clip", lifted, 0.0, 1.0)
    stride = STRIDES[0]
    x = np.tile((np.arange(stride, dtype=np.float32) + 0.5) / stride - 0.5, (stride, 1))
    weights = np.stack([np.ones_like(x), x, x.T, x**2, x.T**2])[:, None]
    return graph("Conv", redness, weights, strides=[stride, stride])


def _gather(cells: int, unit: float, pitch: float) -> NDArray[np.float32]:
    """Weights [5,5,cells,cells] that add the moments of a square of cells about its centre.

    `unit`: the cells' unit of length in units of the result; `pitch`: their distance, likewise.
    With x' = unit·x + o: Σx' = unit·Σx + o·Σ1, Σx'² = unit²·Σx² + 2·unit·o·Σx + o²·Σ1.
    """
    offset = (np.arange(cells, dtype=np.float32) - (cells - 1) / 2) * pitch
    across, down = np.tile(offset, (cells, 1)), np.tile(offset[:, None], (1, cells))
    weights = np.zeros((5, 5, cells, cells), np.float32)
    weights[0, 0] = 1
    for first, second, o in ((1, 3, across), (2, 4, down)):
        weights[first, first], weights[first, 0] = unit, o
        weights[second, second], weights[second, first] = unit**2, 2 * unit * o
        weights[second, 0] = o**2
    return weights


def _answer(
    graph: _Graph, window: str, stride: int, score: float, class_index: int, classes: int
) -> str:
    """[1,5+C,h,w] in YOLOX's terms from the moments [1,5,h,w] about each cell's centre."""
    area, *sums = (
        graph("Gather", window, np.array([channel], np.int64), axis=1) for channel in range(5)
    )
    mass = graph("Max", area, 0.01)
    mean = [graph("Div", each, mass) for each in sums]
    sides = []
    for first, second in ((0, 2), (1, 3)):
        variance = graph("Sub", mean[second], graph("Mul", mean[first], mean[first]))
        # Pixels are squares, not points: 1/12 of a px² more.
        variance = graph("Add", graph("Max", variance, 0.0), 1 / 12 / stride**2)
        sides.append(graph("Sqrt", graph("Mul", variance, 12.0)))
    longest = graph("Max", *sides)
    product = graph("Mul", graph("Mul", *sides), float(stride**2))
    # A little slack on every limit: two cells may answer alike (NMS merges them), never none.
    smallest = SMALLEST if stride == STRIDES[0] else LARGEST / 2
    conditions = [
        graph("Less", graph("Abs", mean[0]), 0.501),
        graph("Less", graph("Abs", mean[1]), 0.501),
        graph("Less", longest, LARGEST + 0.1),
        graph("Greater", longest, smallest - 0.1),
        graph("Greater", mass, graph("Mul", product, FILLED)),
    ]
    met = conditions[0]
    for condition in conditions[1:]:
        met = graph("And", met, condition)
    objectness = graph("Mul", graph("Cast", met, to=TensorProto.FLOAT), float(score))
    chosen = np.zeros((1, classes, 1, 1), np.float32)
    chosen[0, class_index] = 1
    likely = graph("Add", graph("Mul", objectness, 0.0), chosen)
    centre = [graph("Add", each, 0.5) for each in mean[:2]]
    logs = [graph("Log", side) for side in sides]
    return graph("Concat", *centre, *logs, objectness, likely, axis=1)
