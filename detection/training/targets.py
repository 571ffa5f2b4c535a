"""What the network is asked for on one tile, as maps at stride 4, and how far off it was."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from detection.training.material import CLASSES
from detection.training.network import STRIDE
from detection.training.tiles import SIDE, Tile

CELLS = SIDE // STRIDE
_SPREAD = 0.18  # deviation of the Gaussian about a centre, of the box's side
_LEAST_SPREAD = 0.45  # cells
_NEAR = 0.6  # heat from which a cell also answers for offset and size


def maps(tile: Tile) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """`heat` [C,h,w] 0..1, exactly 1 at the cell of a centre; `where` [4,h,w], offset (cells) and
    log size (px); `weight` [2,h,w]: whether heat is judged there, and how much `where` counts,
    1 for each box.
    """
    heat = np.zeros((len(CLASSES), CELLS, CELLS), np.float32)
    where = np.zeros((4, CELLS, CELLS), np.float32)
    weight = np.zeros((2, CELLS, CELLS), np.float32)
    weight[0] = 1
    y, x = np.mgrid[:CELLS, :CELLS].astype(np.float32)
    for box in tile.ignored / STRIDE:
        x0, y0 = np.floor(box[:2] - 0.5).astype(int).clip(0)
        x1, y1 = np.ceil(box[2:] + 0.5).astype(int)
        weight[0, y0:y1, x0:x1] = 0
    area = np.prod(tile.xyxy[:, 2:] - tile.xyxy[:, :2], axis=1)
    strongest = np.zeros((CELLS, CELLS), np.float32)
    owner = np.full((CELLS, CELLS), -1)
    for place in np.argsort(-area):  # the smallest last: theirs is the cell
        box, name = tile.xyxy[place], tile.classes[place]
        wide, tall = box[2:] - box[:2]
        cx, cy = (box[:2] + box[2:]) / 2 / STRIDE
        column, row = min(int(cx), CELLS - 1), min(int(cy), CELLS - 1)
        sx, sy = (max(_SPREAD * side / STRIDE, _LEAST_SPREAD) for side in (wide, tall))
        bump = np.exp(-(((x - column) / sx) ** 2 + ((y - row) / sy) ** 2) / 2)
        np.maximum(heat[name], bump, out=heat[name])
        here = (bump > _NEAR) & (bump >= strongest)
        strongest = np.where(here, bump, strongest)
        where[0][here], where[1][here] = (cx - x)[here], (cy - y)[here]
        where[2][here], where[3][here] = np.log(max(wide, 1)), np.log(max(tall, 1))
        weight[1][here], owner[here] = bump[here], place
        weight[0][here] = 1
    for place in np.unique(owner[owner >= 0]):  # else the large would outweigh the small
        own = owner == place
        weight[1][own] /= weight[1][own].sum()
    return heat, where, weight


def loss(
    outputs: tuple[Tensor, Tensor, Tensor], heat: Tensor, where: Tensor, weight: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Penalty-reduced focal loss on the heat (Zhou et al. 2019); on the boxes L1 on offset and log
    size, and 1 - GIoU (Rezatofighi et al. 2019), by which a far person's pixel counts as much as
    it costs.
    """
    logits, offset, size = (each.float() for each in outputs)
    positive = heat.eq(1).float()
    judged = weight[:, :1]
    log_p = torch.nn.functional.logsigmoid(logits)
    log_q = torch.nn.functional.logsigmoid(-logits)
    p = logits.sigmoid()
    found = -((1 - p) ** 2) * log_p * positive
    empty = -((1 - heat) ** 4) * p**2 * log_q * (1 - positive)
    count = positive.sum().clamp(min=1)
    focal = ((found + empty) * judged).sum() / count
    near = weight[:, 1:]
    total = near.sum().clamp(min=1)
    moved = ((offset - where[:, :2]).abs() * near).sum() / total
    sized = ((size - where[:, 2:]).abs() * near).sum() / total
    apart = ((1 - _giou(offset, size, where[:, :2], where[:, 2:])) * near).sum() / total
    parts = {"heat": focal.item(), "offset": moved.item(), "size": sized.item(),
             "apart": apart.item()}  # fmt: skip
    return focal + 0.3 * moved + 0.4 * sized + 1.2 * apart, parts


def _giou(offset: Tensor, size: Tensor, true_offset: Tensor, true_size: Tensor) -> Tensor:
    """[B,1,h,w] generalised IoU of the boxes that each cell names; -1 to 1."""
    low, high, area = [], [], []
    for middle, log_side in ((offset, size), (true_offset, true_size)):
        side = log_side.clamp(max=7).exp() / STRIDE
        low.append(middle - side / 2)
        high.append(middle + side / 2)
        area.append(side.prod(dim=1, keepdim=True))
    both = (torch.minimum(*high) - torch.maximum(*low)).clamp(min=0).prod(dim=1, keepdim=True)
    hull = (torch.maximum(*high) - torch.minimum(*low)).prod(dim=1, keepdim=True)
    either = area[0] + area[1] - both
    return both / either.clamp(min=1e-6) - (hull - either) / hull.clamp(min=1e-6)
