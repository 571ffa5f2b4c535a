"""The tests' detector of red rectangles, re-exported as each family exports its own.

Takes the graph of tests/onnx_models.py and puts nodes before it (each family's colour order and
normalisation undone, so that a picture prepared otherwise shows no red) and after it (each
family's outputs made of YOLOX's).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from tests.onnx_models import STRIDES, tiny_yolox

FLOAT, INT64, UINT8 = TensorProto.FLOAT, TensorProto.INT64, TensorProto.UINT8
QUERIES = 20
Ports = dict[str, tuple[int, list[int]]]


class Graph:
    def __init__(self, model: onnx.ModelProto) -> None:
        self.graph = model.graph
        self.before: list[onnx.NodeProto] = []
        self.after: list[onnx.NodeProto] = []
        self.nodes = self.before

    def __call__(self, op: str, *inputs: str | NDArray[Any], out: str = "", **more: Any) -> str:
        name = out or f"new_{op}_{len(self.before) + len(self.after)}"
        self.nodes.append(helper.make_node(op, [self._name(i) for i in inputs], [name], **more))
        return name

    def _name(self, value: str | NDArray[Any]) -> str:
        if isinstance(value, str):
            return value
        name = f"new_constant_{len(self.graph.initializer)}"
        self.graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def columns(self, first: int, last: int) -> str:
        ends = (np.array([at], np.int64) for at in (first, last, 2))
        return self("Slice", "yolox", *ends)


def export(path: Path, family: str, size: tuple[int, int] = (256, 320)) -> Path:
    """Write the detector at `path` as `family` exports it, for a canvas of `size` (height,
    width); a "person" of score 0.9, as in tests/onnx_models.py.
    """
    model = onnx.load(str(tiny_yolox(path, size=size)))
    graph = Graph(model)
    for node in graph.graph.node:
        node.input[:] = ["bgr" if name == "images" else name for name in node.input]
        node.output[:] = ["yolox" if name == "output" else name for name in node.output]
    before, after = FORMS[family]
    inputs = before(graph, size)
    graph.nodes = graph.after
    outputs = after(graph, size)
    inner = list(graph.graph.node)
    del graph.graph.node[:], graph.graph.input[:], graph.graph.output[:]
    graph.graph.node.extend([*graph.before, *inner, *graph.after])
    for ports, field in ((inputs, graph.graph.input), (outputs, graph.graph.output)):
        field.extend(helper.make_tensor_value_info(n, *port) for n, port in ports.items())
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def _rgb_fractions(graph: Graph, size: tuple[int, int]) -> Ports:
    scaled = graph("Mul", "images", np.array(255, np.float32))
    graph("Gather", scaled, np.array([2, 1, 0], np.int64), out="bgr", axis=1)
    return {"images": (FLOAT, [1, 3, *size])}


def _rgb_fractions_and_size(graph: Graph, size: tuple[int, int]) -> Ports:
    return _rgb_fractions(graph, size) | {"orig_target_sizes": (INT64, [1, 2])}


def _bgr_normalised(graph: Graph, size: tuple[int, int]) -> Ports:
    spread = np.array([57.375, 57.12, 58.395], np.float32).reshape(1, 3, 1, 1)
    mean = np.array([103.53, 116.28, 123.675], np.float32).reshape(1, 3, 1, 1)
    graph("Add", graph("Mul", "input", spread), mean, out="bgr")
    return {"input": (FLOAT, [1, 3, *size])}


def _bytes(graph: Graph, size: tuple[int, int]) -> Ports:
    planes = graph("Transpose", graph("Cast", "image_tensor:0", to=FLOAT), perm=[0, 3, 1, 2])
    graph("Gather", planes, np.array([2, 1, 0], np.int64), out="bgr", axis=1)
    return {"image_tensor:0": (UINT8, [1, *size, 3])}


def _rgb_halves(graph: Graph, size: tuple[int, int]) -> Ports:
    moved = graph("Add", graph("Mul", "input", np.array(128, np.float32)),
                  np.array(127, np.float32))  # fmt: skip
    graph("Gather", moved, np.array([2, 1, 0], np.int64), out="bgr", axis=1)
    return {"input": (FLOAT, [1, 3, *size])}


def _boxes(graph: Graph, size: tuple[int, int]) -> tuple[str, str, str, str]:
    """Names of centres [1,N,2] and sides [1,N,2] in px, scores [1,N,80], objectness [1,N,1]."""
    cells, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[: size[0] // stride, : size[1] // stride]
        cells.append(np.stack([x.ravel(), y.ravel()], 1))
        strides.append(np.full((x.size, 1), stride))
    grid = np.concatenate(cells).astype(np.float32)[None]
    pitch = np.concatenate(strides).astype(np.float32)[None]
    centre = graph("Mul", graph("Add", graph.columns(0, 2), grid), pitch)
    sides = graph("Mul", graph("Exp", graph.columns(2, 4)), pitch)
    certain = graph.columns(4, 5)
    return centre, sides, graph("Mul", graph.columns(5, 85), certain), certain


def _corners(graph: Graph, centre: str, sides: str) -> tuple[str, str]:
    half = graph("Mul", sides, np.array(0.5, np.float32))
    return graph("Sub", centre, half), graph("Add", centre, half)


def _count(size: tuple[int, int]) -> int:
    return sum((size[0] // s) * (size[1] // s) for s in STRIDES)


def _yolov5(graph: Graph, size: tuple[int, int]) -> Ports:
    centre, sides, _, certain = _boxes(graph, size)
    rows = graph("Concat", centre, sides, certain, graph.columns(5, 85), axis=2)
    none = graph("Mul", rows, np.array(0, np.float32))
    graph("Concat", none, rows, none, out="output0", axis=1)
    return {"output0": (FLOAT, [1, 3 * _count(size), 85])}


def _yolov8(graph: Graph, size: tuple[int, int]) -> Ports:
    centre, sides, scores, _ = _boxes(graph, size)
    rows = graph("Concat", centre, sides, scores, axis=2)
    graph("Transpose", rows, out="output0", perm=[0, 2, 1])
    return {"output0": (FLOAT, [1, 84, _count(size)])}


def _best(graph: Graph, size: tuple[int, int]) -> tuple[str, str, str, str]:
    """Names of the best queries' left-top and right-low [1,Q,2], scores [1,Q], classes [1,Q]."""
    centre, sides, scores, _ = _boxes(graph, size)
    low, high = _corners(graph, centre, sides)
    best = graph("ReduceMax", scores, axes=[2], keepdims=0)
    classes = graph("ArgMax", scores, axis=2, keepdims=0)
    graph.nodes.append(
        helper.make_node(
            "TopK", [best, graph._name(np.array([QUERIES], np.int64))], ["top", "where"], axis=1
        )
    )
    at = graph("Reshape", "where", np.array([-1], np.int64))
    low, high, classes = (graph("Gather", each, at, axis=1) for each in (low, high, classes))
    return low, high, "top", classes


def _end_to_end(graph: Graph, size: tuple[int, int]) -> Ports:
    low, high, scores, classes = _best(graph, size)
    numbers = graph("Cast", classes, to=FLOAT)
    last = [graph("Unsqueeze", each, np.array([2], np.int64)) for each in (scores, numbers)]
    graph("Concat", low, high, *last, out="output0", axis=2)
    return {"output0": (FLOAT, [1, QUERIES, 6])}


def _rtmdet(graph: Graph, size: tuple[int, int]) -> Ports:
    low, high, scores, classes = _best(graph, size)
    last = graph("Unsqueeze", scores, np.array([2], np.int64))
    graph("Concat", low, high, last, out="dets", axis=2)
    graph("Identity", classes, out="labels")
    return {"dets": (FLOAT, [1, QUERIES, 5]), "labels": (INT64, [1, QUERIES])}


def _fractions(size: tuple[int, int], repeat: int = 1) -> NDArray[np.float32]:
    return np.array([1 / size[1], 1 / size[0]] * repeat, np.float32)


def _detr(graph: Graph, size: tuple[int, int], sized: bool = True) -> Ports:
    low, high, scores, classes = _best(graph, size)
    boxes = graph("Mul", graph("Concat", low, high, axis=2), _fractions(size, 2))
    factor: str | NDArray[Any] = np.array(1, np.float32)
    if sized:
        given = graph("Cast", "orig_target_sizes", to=FLOAT)
        factor = graph("Concat", given, given, axis=1)
    graph("Mul", boxes, factor, out="boxes")
    graph("Identity", scores, out="scores")
    graph("Identity", classes, out="labels")
    return {
        "labels": (INT64, [1, QUERIES]),
        "boxes": (FLOAT, [1, QUERIES, 4]),
        "scores": (FLOAT, [1, QUERIES]),
    }


def _detr_alone(graph: Graph, size: tuple[int, int]) -> Ports:
    return _detr(graph, size, sized=False)


def _detr_raw(graph: Graph, size: tuple[int, int]) -> Ports:
    centre, sides, scores, _ = _boxes(graph, size)
    parts = [graph("Mul", each, _fractions(size)) for each in (centre, sides)]
    graph("Concat", *parts, out="pred_boxes", axis=2)
    held = graph("Clip", scores, np.array(1e-4, np.float32), np.array(0.9999, np.float32))
    rest = graph("Sub", np.array(1, np.float32), held)
    graph("Log", graph("Div", held, rest), out="logits")
    count = _count(size)
    return {"logits": (FLOAT, [1, count, 80]), "pred_boxes": (FLOAT, [1, count, 4])}


def _ssd(graph: Graph, size: tuple[int, int]) -> Ports:
    low, high, scores, classes = _best(graph, size)
    boxes = graph("Mul", graph("Concat", low, high, axis=2), _fractions(size, 2))
    graph("Gather", boxes, np.array([1, 0, 3, 2], np.int64), out="detection_boxes:0", axis=2)
    graph("Identity", scores, out="detection_scores:0")
    counted = graph("Add", classes, np.array(1, np.int64))
    graph("Cast", counted, out="detection_classes:0", to=FLOAT)
    each = (FLOAT, [1, QUERIES])
    return {
        "detection_boxes:0": (FLOAT, [1, QUERIES, 4]),
        "detection_classes:0": each,
        "detection_scores:0": each,
    }


def _ssd_dense(graph: Graph, size: tuple[int, int]) -> Ports:
    centre, sides, scores, certain = _boxes(graph, size)
    corners = graph("Concat", *_corners(graph, centre, sides), axis=2)
    graph("Mul", corners, _fractions(size, 2), out="boxes")
    background = graph("Sub", np.array(1, np.float32), certain)
    graph("Concat", background, scores, out="scores", axis=2)
    count = _count(size)
    return {"scores": (FLOAT, [1, count, 81]), "boxes": (FLOAT, [1, count, 4])}


Part = Callable[[Graph, tuple[int, int]], Ports]
FORMS: dict[str, tuple[Part, Part]] = {
    "yolov5": (_rgb_fractions, _yolov5),
    "yolov8": (_rgb_fractions, _yolov8),
    "end_to_end": (_rgb_fractions, _end_to_end),
    "detr": (_rgb_fractions_and_size, _detr),
    "detr alone": (_rgb_fractions, _detr_alone),
    "detr raw": (_rgb_fractions, _detr_raw),
    "rtmdet": (_bgr_normalised, _rtmdet),
    "ssd": (_bytes, _ssd),
    "ssd dense": (_rgb_halves, _ssd_dense),
}
