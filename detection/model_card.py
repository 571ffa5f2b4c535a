"""What a detector that a park trained says of itself, as Markdown. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from detection.measuring import HEIGHTS

LICENCE = "the park's own"


@dataclass(frozen=True)
class Source:
    """Settled frames and their boxes at one camera, to learn from and to judge by."""

    name: str
    learnt: int
    learnt_boxes: int
    held: int
    held_boxes: int


@dataclass(frozen=True)
class Card:
    """`before` and `after`: class → measuring.summary over the frames that are kept back."""

    name: str
    sha256: str
    size: int
    begun_from: str
    begun_sha256: str
    park: str
    by: Literal["camera", "day"]
    sources: Sequence[Source]
    config: Mapping[str, Any]
    score: float
    before: Mapping[str, Mapping[str, Any]]
    after: Mapping[str, Mapping[str, Any]]


def write(card: Card) -> str:
    kept = {
        "camera": "Whole cameras were kept back to judge by.",
        "day": (
            "There were not enough cameras to keep one back: whole days were, so the figures are "
            "those of views that it has learnt from, on other days."
        ),
    }[card.by]
    config = ", ".join(f"{name} {value}" for name, value in card.config.items())
    return "\n".join([
        f"# {card.name}",
        "",
        f"Trained by {card.park} on its own settled frames, from {card.begun_from}. Frames and the "
        "still background behind them (six channels); input and output as its origin's.",
        "",
        "| | |",
        "|---|---|",
        f"| file | `detector.onnx`, {card.size:,} bytes, SHA-256 `{card.sha256}` |",
        f"| begun from | {card.begun_from}, SHA-256 `{card.begun_sha256}` |",
        f"| licence of the weights | {card.park}: {LICENCE}, within the licence of its origin |",
        f"| settings | {config} |",
        "",
        "## Data",
        "",
        f"{kept} No picture is kept with this file; the SHA-256 of those that it learnt from are "
        "in its metadata, so that none of them judges it or what is estimated from it.",
        "",
        "| camera | frames learnt from | boxes | frames to judge by | boxes |",
        "|---|---|---|---|---|",
        *(
            f"| {each.name} | {each.learnt} | {each.learnt_boxes} | {each.held} "
            f"| {each.held_boxes} |"
            for each in card.sources
        ),
        "",
        "## Figures on what was kept back",
        "",
        f"Before → after, as a run looks (docs/decisions/0006), a match from an overlap (IoU) of "
        f"0.5; precision and recall at a score of {card.score}.",
        "",
        *figures(card.before, card.after),
        "",
    ])  # fmt: skip


def figures(
    before: Mapping[str, Mapping[str, Any]], after: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Rows of a Markdown table: a class and, for persons, a height each."""
    rows = [
        "| class | true boxes | AP50 | precision | recall | count error a frame |",
        "|---|---|---|---|---|---|",
    ]
    for label, old in before.items():
        new = after[label]
        cells = [
            _pair(old[name], new[name]) for name in ("ap50", "precision", "recall", "count_error")
        ]
        rows.append(f"| {label} | {old['truth']} | {' | '.join(cells)} |")
        if label != "person":
            continue
        for height in HEIGHTS:
            one, other = old["by_height"][height], new["by_height"][height]
            shares = [_pair(one[name], other[name]) for name in ("precision", "recall")]
            rows.append(f"| {label}, {height} px | {one['truth']} |  | {' | '.join(shares)} |  |")
    return rows


def _pair(old: float | None, new: float | None) -> str:
    return f"{_shown(old)} → {_shown(new)}"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
