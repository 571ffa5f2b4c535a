"""A trained network as one ONNX file with free height and width, and what it says of itself."""

from __future__ import annotations

import json
import warnings
from collections.abc import Mapping
from pathlib import Path

import onnx
import torch
from torch import Tensor, nn

from detection.training.material import CLASSES
from detection.training.network import COARSEST, Network

_OPSET = 17


class _Heat(nn.Module):
    """The network with its heat as scores 0..1."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pair: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        heat, offset, size = self.network(pair)
        return heat.sigmoid(), offset, size


def write(network: Network, path: Path, facts: Mapping[str, str]) -> None:
    """Write `network` to `path`: the layout `centres`, input [1,6,H,W] 0..1 RGB frame and
    background; its class names and `facts` go into the file's metadata.
    """
    model = _Heat(network).eval().to(memory_format=torch.contiguous_format)
    pair = torch.zeros(1, 6, COARSEST * 3, COARSEST * 4)
    free = {2: "height", 3: "width"}
    coarse = {2: "height_4", 3: "width_4"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the plain exporter says that there is a newer one
        torch.onnx.export(
            model, (pair,), str(path), opset_version=_OPSET, dynamo=False,
            input_names=["pair"], output_names=["heat", "offset", "size"],
            dynamic_axes={"pair": free, "heat": coarse, "offset": coarse, "size": coarse},
        )  # fmt: skip
    held = onnx.load(str(path))
    onnx.helper.set_model_props(held, {"names": json.dumps(list(CLASSES)), **facts})
    onnx.save(held, str(path))
