"""The network: depthwise residual blocks at strides 4 to 32, joined again from the top down, and
one head at stride 4, so that a person of eight pixels still has a cell of their own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4
COARSEST = 32
_RARE = -4.6  # logit of a class at a random cell, before anything is learnt: about 0.01
_USUAL = (0.5, 0.5, 2.7, 3.2)  # offset and log size, likewise


class Block(nn.Module):
    """Residual: a depthwise 3 × 3 look around, then twice as wide and back. (5 × 5 costs six times
    as much to train on a CPU, and the coarser strides see far enough.)
    """

    def __init__(self, width: int, grow: int = 2) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, width * grow, 1, bias=False),
            nn.BatchNorm2d(width * grow),
            nn.ReLU(inplace=True),
            nn.Conv2d(width * grow, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        joined: Tensor = x + self.body(x)
        return joined


def _down(wide: int, wider: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(wide, wide, 3, stride=2, padding=1, groups=wide, bias=False),
        nn.BatchNorm2d(wide),
        nn.Conv2d(wide, wider, 1, bias=False),
        nn.BatchNorm2d(wider),
        nn.ReLU(inplace=True),
    )


def _join(wide: int, narrow: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(wide, narrow, 1, bias=False), nn.BatchNorm2d(narrow))


class Network(nn.Module):
    """[B,6,H,W] frame and background 0..1, H and W multiples of 32, to the logits of `heat`
    [B,classes,H/4,W/4], and `offset` and `size` [B,2,H/4,W/4] (cells; natural log of px).

    `widths`: channels at strides 4, 8, 16, 32; `depths`: blocks there.
    """

    def __init__(
        self, classes: int, widths: tuple[int, ...] = (32, 64, 96, 128),
        depths: tuple[int, ...] = (2, 3, 3, 3),
    ) -> None:  # fmt: skip
        super().__init__()
        first = widths[0]
        self.stem = nn.Sequential(
            nn.Conv2d(6, first // 2, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(first // 2),
            nn.ReLU(inplace=True),
            nn.Conv2d(first // 2, first, 3, stride=2, padding=1, bias=False),
            nn.BatchNorm2d(first),
            nn.ReLU(inplace=True),
        )
        self.stages = nn.ModuleList(
            nn.Sequential(
                *([] if place == 0 else [_down(widths[place - 1], width)]),
                *(Block(width) for _ in range(depths[place])),
            )
            for place, width in enumerate(widths)
        )
        self.joins = nn.ModuleList(
            _join(widths[place + 1], widths[place]) for place in range(len(widths) - 1)
        )
        self.merged = nn.ModuleList(Block(width) for width in widths[:-1])
        self.head = nn.Sequential(
            Block(first), nn.Conv2d(first, 2 * first, 1), nn.ReLU(inplace=True)
        )
        self.heat = nn.Conv2d(2 * first, classes, 1)
        self.place = nn.Conv2d(2 * first, 4, 1)
        with torch.no_grad():
            what, differs = nn.init.kaiming_normal_(self.stem[0].weight).chunk(2, dim=1)
            self.stem[0].weight.copy_(torch.cat([what + 3 * differs, -3 * differs], dim=1))
            self.heat.bias.fill_(_RARE)
            self.place.bias.copy_(torch.tensor(_USUAL))

    def forward(self, pair: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = self.stem(pair - 0.5)
        seen = []
        for stage in self.stages:
            x = stage(x)
            seen.append(x)
        for place in reversed(range(len(self.joins))):
            above = functional.interpolate(self.joins[place](x), scale_factor=2.0, mode="nearest")
            x = self.merged[place](functional.relu(seen[place] + above))
        x = self.head(x)
        where = self.place(x)
        return self.heat(x), where[:, :2], where[:, 2:]
