"""A real, tiny detector for tests: an ONNX file in YOLOX's layout that finds red blobs.

Lets every test run detection in earnest with no downloaded weights; finds nothing but red.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

WINDOW = 64  # px seen around a cell; blobs up to about 40 px lie in it whole
STRIDE = 16  # the one that fires
CLASSES = 80


def tiny_yolox(path: Path, score: float = 0.9, class_index: int = 0) -> Path:
    """Write the model at `path` and return it.

    Input `images` [1,3,H,W], BGR 0–255, H and W any multiple of 32; output `output` [1,N,85]
    as YOLOX leaves it. An isolated saturated red square of 8 to 40 px (on the canvas) gives one
    box of its place and size, class `class_index`, with about `score`; all else scores 0.
    """
    across = np.arange(WINDOW, dtype=np.float32) - (WINDOW - 1) / 2
    ones = np.ones((WINDOW, WINDOW), np.float32)
    moments = np.stack([ones, ones * across, ones * across[:, None]])[:, None]
    chosen = np.zeros((1, CLASSES, 1, 1), np.float32)
    chosen[0, class_index] = 1
    weights: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {
        "moments": moments,
        "nothing": np.zeros((85, 1, 1, 1), np.float32),
        "chosen": chosen,
        "flat": np.array([1, 85, -1], np.int64),
        "three": np.array([1, 1, 1], np.int64),
    }
    numbers = {
        "zero": 0.0, "one": 1.0, "half": 0.5, "steep": 4 / 255, "level": 2.0, "least": 1.0,
        "side": float(STRIDE), "small": 64.0, "score": score, "log_side": math.log(STRIDE),
    }  # fmt: skip
    weights |= {name: np.array(value, np.float32) for name, value in numbers.items()}
    node = helper.make_node
    nodes = [
        node("Split", ["images", "three"], ["blue", "green", "red"], axis=1),
        node("Max", ["blue", "green"], ["other"]),
        node("Sub", ["red", "other"], ["excess"]),
        # 0 up to half saturation, 1 from three quarters: JPEG's bleeding weighs nothing.
        node("Mul", ["excess", "steep"], ["steeper"]),
        node("Sub", ["steeper", "level"], ["lifted"]),
        node("Clip", ["lifted", "zero", "one"], ["redness"]),
        # Area and first moments of the red around each cell give its place and size.
        node(
            "Conv",
            ["redness", "moments"],
            ["area_x_y"],
            strides=[STRIDE] * 2,
            pads=[(WINDOW - STRIDE) // 2] * 4,
        ),
        node("Split", ["area_x_y", "three"], ["area", "sum_x", "sum_y"], axis=1),
        node("Max", ["area", "least"], ["mass"]),
        node("Mul", ["mass", "side"], ["mass_side"]),
        node("Div", ["sum_x", "mass_side"], ["from_x"]),
        node("Div", ["sum_y", "mass_side"], ["from_y"]),
        node("Add", ["from_x", "half"], ["x"]),
        node("Add", ["from_y", "half"], ["y"]),
        node("Log", ["mass"], ["log_area"]),
        node("Mul", ["log_area", "half"], ["log_length"]),
        node("Sub", ["log_length", "log_side"], ["size"]),
        # Only the cell that holds the centre speaks.
        node("Floor", ["x"], ["cell_x"]),
        node("Floor", ["y"], ["cell_y"]),
        node("Equal", ["cell_x", "zero"], ["here_x"]),
        node("Equal", ["cell_y", "zero"], ["here_y"]),
        node("And", ["here_x", "here_y"], ["here"]),
        node("Cast", ["here"], ["mask"], to=TensorProto.FLOAT),
        node("Div", ["area", "small"], ["much"]),
        node("Clip", ["much", "zero", "one"], ["enough"]),
        node("Mul", ["enough", "mask"], ["present"]),
        node("Mul", ["present", "score"], ["objectness"]),
        node("Mul", ["objectness", "zero"], ["blank"]),
        node("Add", ["blank", "chosen"], ["classes"]),
        node("Concat", ["x", "y", "size", "size", "objectness", "classes"], ["map16"], axis=1),
    ]
    for stride in (8, 32):
        square = [stride, stride]
        nodes += [
            node(
                "AveragePool", ["redness"], [f"pool{stride}"], kernel_shape=square, strides=square
            ),
            node("Conv", [f"pool{stride}", "nothing"], [f"map{stride}"]),
        ]
    for stride in (8, 16, 32):
        nodes += [
            node("Reshape", [f"map{stride}", "flat"], [f"flat{stride}"]),
            node("Transpose", [f"flat{stride}"], [f"rows{stride}"], perm=[0, 2, 1]),
        ]
    nodes.append(node("Concat", ["rows8", "rows16", "rows32"], ["output"], axis=1))
    graph = helper.make_graph(
        nodes,
        "tiny_yolox",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, "height", "width"])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, "anchors", 85])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path
