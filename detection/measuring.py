"""How good detections are, against true boxes: average precision, recall and precision by class
and by height, errors of counts. Pure; knows no files and no models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import iou

HEIGHTS: dict[str, tuple[float, float]] = {  # of a box, px: from, to below
    "<12": (0, 12), "12-24": (12, 24), "24-48": (24, 48), ">48": (48, np.inf),
}  # fmt: skip
PRECISIONS = (0.5, 0.7, 0.8, 0.9)
_WITHIN = 0.5  # share of a detection that lies in an ignored area, to be left out


@dataclass(frozen=True, eq=False)
class Judged:
    """One class over one picture. `scores` [D] and `heights` [D] of the detections that count,
    best first; `hits` [D]: whether each is one of the true boxes; `of` [D]: which, or -1.
    `truth` [T]: heights of the true boxes, px.
    """

    scores: NDArray[np.float32]
    heights: NDArray[np.float32]
    hits: NDArray[np.bool_]
    of: NDArray[np.int64]
    truth: NDArray[np.float32]


def judge(
    xyxy: NDArray[np.float32], scores: NDArray[np.float32], truth: NDArray[np.float32],
    ignored: NDArray[np.float32], least: float = 0.5,
) -> Judged:  # fmt: skip
    """Match detections [D,4] to true boxes [T,4] px, the best first, each to the free true box it
    overlaps most, by an IoU of `least` or more. What misses but lies in an `ignored` box is left
    out.
    """
    order = np.argsort(-scores, kind="stable")
    xyxy, scores = xyxy[order], scores[order]
    overlap = iou(xyxy, truth)
    free = np.ones(len(truth), bool)
    of = np.full(len(xyxy), -1, np.int64)
    for place in range(len(xyxy)):
        rest = np.where(free, overlap[place], -1)
        if len(rest) and rest.max() >= least:
            of[place] = int(rest.argmax())
            free[of[place]] = False
    counts = (of >= 0) | (_share_within(xyxy, ignored) < _WITHIN)
    return Judged(
        scores[counts], (xyxy[:, 3] - xyxy[:, 1])[counts], of[counts] >= 0, of[counts],
        truth[:, 3] - truth[:, 1],
    )  # fmt: skip


def _share_within(boxes: NDArray[np.float32], areas: NDArray[np.float32]) -> NDArray[np.float32]:
    """[N] greatest share of each box that lies in one of `areas`."""
    if not len(areas):
        return np.zeros(len(boxes), np.float32)
    low = np.maximum(boxes[:, None, :2], areas[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], areas[None, :, 2:])
    common = np.prod(np.clip(high - low, 0, None), axis=2)
    own = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return np.asarray((common / np.maximum(own, 1e-6)[:, None]).max(axis=1), np.float32)


def average_precision(scores: NDArray[np.float32], hits: NDArray[np.bool_], truth: int) -> float:
    """Area under precision over recall, precision made monotone (as COCO's, at every recall)."""
    if not truth:
        return float("nan")
    precision, recall = _curve(scores, hits, truth)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    steps = np.diff(np.concatenate([[0.0], recall]))
    return float((best * steps).sum())


def _curve(
    scores: NDArray[np.float32], hits: NDArray[np.bool_], truth: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ranked = hits[np.argsort(-scores, kind="stable")]
    found = np.cumsum(ranked)
    return found / np.arange(1, len(ranked) + 1), found / truth


def threshold_for(
    scores: NDArray[np.float32], hits: NDArray[np.bool_], precision: float
) -> float | None:
    """The lowest score down to which at least `precision` of the detections are right."""
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(hits[order]) / np.arange(1, len(order) + 1)
    good = np.flatnonzero(right >= precision)
    return float(scores[order][good[-1]]) if len(good) else None


def summary(pictures: Sequence[Judged], threshold: float) -> dict[str, Any]:
    """One class over all pictures: `ap50`; at scores of `threshold` or more, `precision` and
    `recall`, overall and by height (recall by the true box's, precision by the detection's own),
    `count_error` (mean of found less true, absolute, a picture), `count_bias`, `count_correlation`
    (None without variation); `recall_at_precision`, likewise by height, where the threshold gives
    that precision over all heights.
    """
    scores = np.concatenate([each.scores for each in pictures])
    hits = np.concatenate([each.hits for each in pictures])
    truth = np.concatenate([each.truth for each in pictures])
    found = np.array([int((each.scores >= threshold).sum()) for each in pictures])
    true = np.array([len(each.truth) for each in pictures])
    varies = len(pictures) > 2 and found.std() > 0 and true.std() > 0
    kept = scores >= threshold
    result: dict[str, Any] = {
        "truth": len(truth),
        "ap50": _rounded(average_precision(scores, hits, len(truth))),
        "precision": _share(hits[kept].sum(), kept.sum()),
        "recall": _share(hits[kept].sum(), len(truth)),
        "count_error": round(float(np.abs(found - true).mean()), 3),
        "count_bias": round(float((found - true).mean()), 3),
        "count_correlation": _rounded(float(np.corrcoef(found, true)[0, 1])) if varies else None,
        "by_height": _by_height(pictures, threshold),
        "recall_at_precision": {},
    }
    for precision in PRECISIONS:
        at = threshold_for(scores, hits, precision)
        every = _by_height(pictures, np.inf if at is None else at)
        result["recall_at_precision"][str(precision)] = {
            "score": None if at is None else round(at, 3),
            "recall": _share(0 if at is None else hits[scores >= at].sum(), len(truth)),
            **{name: part["recall"] for name, part in every.items()},
        }
    return result


def _by_height(pictures: Sequence[Judged], threshold: float) -> dict[str, dict[str, Any]]:
    table = {}
    for name, (low, high) in HEIGHTS.items():
        truth = found = shown = right = 0
        for each in pictures:
            kept = each.scores >= threshold
            tall = each.truth[each.of[kept & each.hits]]
            truth += int(((each.truth >= low) & (each.truth < high)).sum())
            found += int(((tall >= low) & (tall < high)).sum())
            inside = kept & (each.heights >= low) & (each.heights < high)
            shown += int(inside.sum())
            right += int((inside & each.hits).sum())
        table[name] = {
            "truth": truth,
            "recall": _share(found, truth),
            "precision": _share(right, shown),
        }
    return table


def _share(part: float, whole: float) -> float | None:
    return round(float(part) / float(whole), 4) if whole else None


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(value, 4)
