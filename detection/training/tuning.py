"""`python -m detection.training.tuning FOLDER --pictures DESCRIPTOR`, its task a line of JSON on
stdin: go on learning from a detector's file, on a park's own frames with drawn scenes among them,
so that nothing is forgotten. Started by `manage.py train_detector`, and ends when that ends.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn
from torch.utils.data import Dataset

from detection.training.fit import Config, Tiles, learn
from detection.training.material import CLASSES, Material, gather
from detection.training.network import COARSEST, Network
from detection.training.pairs import Own, Pictured
from detection.training.targets import maps


class OtherNetwork(Exception):
    """The file holds no network of ours; str() says what it lacks."""


@dataclass(frozen=True)
class Tuning(Config):
    """As Config; slower, for much is known already, and with normalisation as it stands."""

    steps: int = 4000
    minutes: float = 60.0
    rate: float = 6e-4
    warm: int = 20
    averaged: float = 0.98
    figures: int = 300
    views: int = 40
    checkpoint_every: int = 20
    fixed: bool = True
    drawn: float = 0.35  # share of tiles that are drawn


_ROUND = 20  # samples, of which the first are drawn


class Mixed(Dataset[tuple[Tensor, ...]]):
    """Sample by number, of the park's own frames or drawn."""

    def __init__(self, own: Own, material: Material, config: Tuning, start: int) -> None:
        self.own, self.drawn, self.start = own, Tiles(material, config, 0), start
        self.length = config.steps * config.batch - start
        self.share = round(config.drawn * _ROUND)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, number: int) -> tuple[Tensor, ...]:
        turn, place = divmod(self.start + number, _ROUND)
        if place < self.share:
            return self.drawn[turn * self.share + place]
        tile = self.own.tile(turn * (_ROUND - self.share) + place - self.share)
        pair = torch.from_numpy(np.ascontiguousarray(tile.pair.transpose(2, 0, 1)))
        return pair, *(torch.from_numpy(each) for each in maps(tile))


def read(path: Path, config: Config) -> Network:
    """The network that `write` exported to `path`, its normalisation within the convolutions, as
    it left them. Raises OtherNetwork.
    """
    network = Network(len(CLASSES), config.widths, config.depths)
    network.eval()
    held = onnx.load(str(path))
    named = {each.key: each.value for each in held.metadata_props}
    if named.get("names") != json.dumps(list(CLASSES)):
        raise OtherNetwork(f"its classes are not {', '.join(CLASSES)}")
    stored = {each.name: numpy_helper.to_array(each) for each in held.graph.initializer}
    theirs = [node for node in held.graph.node if node.op_type == "Conv"]
    ours = _in_order(network)
    if len(theirs) != len(ours):
        raise OtherNetwork(f"it has {len(theirs)} convolutions, not {len(ours)}")
    with torch.no_grad():
        for node, (conv, norm) in zip(theirs, ours, strict=True):
            weight, bias = (torch.from_numpy(stored[name].copy()) for name in node.input[1:3])
            if weight.shape != conv.weight.shape:
                raise OtherNetwork(f"{node.name} is {list(weight.shape)}")
            conv.weight.copy_(weight)
            if norm is None:
                assert conv.bias is not None  # noqa: S101 - as the network is built
                conv.bias.copy_(bias)
            else:  # mean 0, deviation 1, no scale: the bias alone is left of it
                norm.running_mean.zero_()
                norm.running_var.fill_(1 - norm.eps)
                norm.weight.fill_(1)
                norm.bias.copy_(bias)
    return network


def _in_order(network: Network) -> list[tuple[Any, Any]]:
    """(convolution, the normalisation after it or None), as they come to be used."""
    used: list[nn.Module] = []
    hooks = [
        each.register_forward_hook(lambda module, *_: used.append(module))
        for each in network.modules()
        if isinstance(each, nn.Conv2d | nn.BatchNorm2d)
    ]
    with torch.no_grad():
        network(torch.zeros(1, 6, COARSEST, COARSEST))
    for hook in hooks:
        hook.remove()
    following = [*used[1:], None]
    return [
        (one, after if isinstance(after, nn.BatchNorm2d) else None)
        for one, after in zip(used, following, strict=True)
        if isinstance(one, nn.Conv2d)
    ]


def tune(task: dict[str, Any], pictures: int, folder: Path) -> Path:
    """Carry out `task` {"from", "config", "rows", "facts"}: the exported file. Raises
    OtherNetwork.
    """
    config = Tuning(**task["config"])
    torch.manual_seed(config.seed)
    network = read(Path(task["from"]), config)
    own = Own(pictures, [Pictured.of(row) for row in task["rows"]], config.seed)
    material = gather(config.seed, config.figures, config.views, [])
    return learn(
        config, folder, network, lambda start: Mixed(own, material, config, start), task["facts"]
    )


def _end_with_parent() -> None:
    """Whoever started this holds the other end of stdin: pictures must not outlive them. By its
    descriptor: who is forked off this process closes sys.stdin, and would wait for its lock.
    """
    while os.read(0, 1024):
        pass
    os._exit(1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m detection.training.tuning")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, required=True)
    given = parser.parse_args()
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        path = tune(task, given.pictures, given.folder)
    except OtherNetwork as problem:
        sys.exit(f"this is no network that can be trained further: {problem}")
    print(path, flush=True)  # noqa: T201
    os._exit(0)  # the thread still waits for stdin


if __name__ == "__main__":
    main()
