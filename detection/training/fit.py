"""Train the network: seeded, in checkpoints that a later start goes on from. The starter detector
from drawn scenes; a park's own (tuning.py) likewise.
"""

from __future__ import annotations

import json
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from detection.training.export import write
from detection.training.material import CLASSES, Material, gather
from detection.training.network import Network
from detection.training.targets import loss, maps
from detection.training.tiles import Tile, changed, make

_HELD = 500  # tiles that may be shown again


@dataclass(frozen=True)
class Config:
    """All that decides a run. `minutes` bounds the whole run's own time: the learning rate falls
    with steps or with minutes, whichever is further on, so that a slow machine ends well too.
    """

    seed: int = 1
    steps: int = 36000
    minutes: float = 100.0
    batch: int = 16
    echo: int = 2  # times that a tile is shown
    rate: float = 2.5e-3
    warm: int = 150  # steps until the full rate
    decay: float = 0.02
    averaged: float = 0.9985  # of the weights that are exported, a step
    figures: int = 1500
    views: int = 120
    real_share: float = 0.1
    widths: tuple[int, ...] = (32, 64, 96, 128)
    depths: tuple[int, ...] = (2, 3, 3, 3)
    data: tuple[str, ...] = ()
    checkpoint_every: int = 200
    half: bool = True  # bfloat16 where that does no harm
    begin: str = ""  # a checkpoint whose averaged weights a new run starts from
    workers: int = 1
    threads: int = 1
    fixed: bool = False  # normalisation stays as it was learnt: few data would spoil it


class Tiles(Dataset[tuple[Tensor, ...]]):
    """Sample by number: pair, heat, where, weight. Drawing a tile costs as much as learning from
    it, so each is shown about `echo` times, some hundred samples apart, in other light and
    perhaps mirrored.
    """

    def __init__(self, material: Material, config: Config, start: int) -> None:
        self.material, self.config, self.start = material, config, start
        self.held: OrderedDict[int, Tile] = OrderedDict()

    def __len__(self) -> int:
        return self.config.steps * self.config.batch - self.start

    def __getitem__(self, number: int) -> tuple[Tensor, ...]:
        config, sample = self.config, self.start + number
        rng = np.random.default_rng([config.seed, 7, sample])
        fresh, again = divmod(sample, config.echo)
        tile = self._tile(max(fresh - int(rng.integers(1, _HELD)), 0) if again else fresh)
        if again:
            tile = changed(rng, tile)
        pair = torch.from_numpy(np.ascontiguousarray(tile.pair.transpose(2, 0, 1)))
        return pair, *(torch.from_numpy(each) for each in maps(tile))

    def _tile(self, number: int) -> Tile:
        if number not in self.held:
            self.held[number] = make(
                self.material, self.config.seed, number, self.config.real_share
            )
            if len(self.held) > _HELD:
                self.held.popitem(last=False)
        return self.held[number]


def train(config: Config, folder: Path) -> Path:
    """The starter detector, in `folder`, as `learn` says. Raises NotADataset."""
    torch.manual_seed(config.seed)
    network = Network(len(CLASSES), config.widths, config.depths)
    if config.begin:
        network.load_state_dict(torch.load(config.begin, weights_only=True)["kept"])
    material = gather(
        config.seed, config.figures, config.views, [Path(each) for each in config.data]
    )
    return learn(config, folder, network, lambda start: Tiles(material, config, start), {})


def learn(
    config: Config, folder: Path, network: Network,
    samples: Callable[[int], Dataset[tuple[Tensor, ...]]], facts: Mapping[str, str],
) -> Path:  # fmt: skip
    """Train `network` in `folder` (checkpoint.pt, log.jsonl, config.json) on `samples` from the
    given number on, going on from a checkpoint that is there; the path of the exported file, which
    says `facts` of itself.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(config), indent=1) + "\n")
    cv2.setNumThreads(1)
    torch.set_num_threads(config.threads)
    network.to(memory_format=torch.channels_last)
    kept = Network(len(CLASSES), config.widths, config.depths)
    kept.load_state_dict(network.state_dict())
    optimiser = torch.optim.AdamW(_groups(network, config.decay), lr=config.rate)
    step, spent, checkpoint = 0, 0.0, folder / "checkpoint.pt"
    if checkpoint.is_file():
        held = torch.load(checkpoint, weights_only=True)
        network.load_state_dict(held["network"])
        kept.load_state_dict(held["kept"])
        optimiser.load_state_dict(held["optimiser"])
        step, spent = held["step"], held["spent"]
    tiles = samples(step * config.batch)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as log:
        steps = _steps(config, tiles, network, kept, optimiser, step, spent, log)
        for step, spent in steps:
            if step % config.checkpoint_every == 0:
                _save(checkpoint, network, kept, optimiser, step, spent)
    _save(checkpoint, network, kept, optimiser, step, spent)
    fresh = folder / "detector.new"
    write(kept, fresh, {"seed": str(config.seed), "steps": str(step), **facts})
    return fresh.replace(folder / "detector.onnx")


def _groups(network: Network, decay: float) -> list[dict[str, Any]]:
    """Weights decay; biases and the scales of normalisation do not."""
    every = list(network.parameters())
    return [
        {"params": [each for each in every if each.ndim > 1], "weight_decay": decay},
        {"params": [each for each in every if each.ndim <= 1], "weight_decay": 0.0},
    ]


def _steps(
    config: Config, tiles: Dataset[tuple[Tensor, ...]], network: Network, kept: Network,
    optimiser: torch.optim.Optimizer, step: int, spent: float, log: TextIO,
) -> Iterator[tuple[int, float]]:  # fmt: skip
    """(steps done, seconds spent) after each step, until either bound is reached."""
    loader = DataLoader(
        tiles, batch_size=config.batch,
        num_workers=config.workers, prefetch_factor=6 if config.workers else None,
    )  # fmt: skip
    network.train(not config.fixed)
    began, running = time.monotonic() - spent, dict[str, float]()
    for pair, heat, where, weight in loader:
        done = max(step / config.steps, spent / 60 / config.minutes)
        if done >= 1:
            return
        for group in optimiser.param_groups:
            group["lr"] = config.rate * _rate(step / config.warm, done)
        ready = (pair.float() / 255).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=config.half):
            outputs = network(ready)
        total, parts = loss(outputs, heat, where, weight)
        optimiser.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        step, spent = step + 1, time.monotonic() - began
        _average(kept, network, min(config.averaged, step / (step + 20)))
        for name, value in parts.items():
            running[name] = 0.98 * running.get(name, 0.0) + 0.02 * value
        if step % 20 == 0:
            scale = 1 - 0.98**step if step < 500 else 1
            line = {name: round(value / scale, 4) for name, value in running.items()}
            log.write(json.dumps({"step": step, "seconds": round(spent), **line}) + "\n")
            log.flush()
        yield step, spent


def _rate(warm: float, done: float) -> float:
    """Share of the full rate: up until it is warm, then down along a cosine."""
    return min(1.0, warm + 0.01) * (0.02 + 0.98 * (1 + math.cos(math.pi * done)) / 2)


def _average(kept: Network, network: Network, share: float) -> None:
    now = network.state_dict()  # detached: no gradient is kept of this
    for name, value in kept.state_dict().items():
        if value.dtype.is_floating_point:
            value.lerp_(now[name], 1 - share)
        else:
            value.copy_(now[name])


def _save(
    path: Path, network: Network, kept: Network, optimiser: torch.optim.Optimizer, step: int,
    spent: float,
) -> None:  # fmt: skip
    fresh = path.with_suffix(".new")
    parts = {"network": network, "kept": kept, "optimiser": optimiser}
    held = {name: part.state_dict() for name, part in parts.items()}
    torch.save({**held, "step": step, "spent": spent}, fresh)
    fresh.replace(path)  # a run that is cut off leaves the last whole checkpoint
