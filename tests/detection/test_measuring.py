"""Measures against values worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from detection.measuring import average_precision, judge, summary, threshold_for

NONE = np.zeros((0, 4), np.float32)


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, np.float32).reshape(-1, 4)


def scores(*values: float) -> np.ndarray:
    return np.array(values, np.float32)


def test_each_true_box_is_found_once_and_by_the_surest() -> None:
    truth = boxes((0, 0, 10, 10), (20, 0, 30, 20))
    seen = boxes((0, 0, 10, 9), (0, 0, 10, 10), (20, 0, 30, 30), (50, 50, 60, 60))
    found = judge(seen, scores(0.6, 0.9, 0.8, 0.7), truth, NONE)
    # Surest first: the exact box, then two thirds of the second, the stray, and the double.
    assert found.scores.tolist() == pytest.approx([0.9, 0.8, 0.7, 0.6])
    assert found.hits.tolist() == [True, True, False, False]
    assert found.of.tolist() == [0, 1, -1, -1]


def test_what_lies_in_an_ignored_area_is_neither_right_nor_wrong() -> None:
    found = judge(
        boxes((1, 1, 9, 9), (40, 0, 50, 10)), scores(0.9, 0.8), NONE, boxes((0, 0, 20, 20))
    )
    assert found.scores.tolist() == pytest.approx([0.8])


def test_average_precision_by_hand() -> None:
    # Right, wrong, right of three: precision 1, 1/2, 2/3 at recall 1/3, 1/3, 2/3.
    value = average_precision(scores(0.9, 0.8, 0.7), np.array([True, False, True]), 3)
    assert value == pytest.approx(1 / 3 + 2 / 3 / 3)


def test_the_threshold_for_a_precision() -> None:
    hits = np.array([True, True, False, True, False])
    ranked = scores(0.9, 0.8, 0.7, 0.6, 0.5)
    assert threshold_for(ranked, hits, 0.7) == pytest.approx(0.6)  # three of four
    assert threshold_for(ranked, hits, 0.9) == pytest.approx(0.8)
    assert threshold_for(ranked[::-1], hits, 1.01) is None


def test_summary_by_height_and_counts() -> None:
    small, large = (0, 0, 5, 10), (20, 0, 40, 60)
    first = judge(boxes(small), scores(0.9), boxes(small, large), NONE)
    second = judge(boxes(large, (70, 0, 80, 30)), scores(0.8, 0.4), boxes(large), NONE)
    third = judge(NONE, scores(), NONE, NONE)
    result = summary([first, second, third], 0.5)
    assert (result["truth"], result["recall"], result["precision"]) == (3, 0.6667, 1.0)
    assert result["by_height"]["<12"] == {"truth": 1, "recall": 1.0, "precision": 1.0}
    assert result["by_height"][">48"] == {"truth": 2, "recall": 0.5, "precision": 1.0}
    assert result["by_height"]["24-48"] == {"truth": 0, "recall": None, "precision": None}
    assert (result["count_error"], result["count_bias"]) == (
        0.333,
        -0.333,
    )  # found 1, 1, 0 of 2, 1, 0
    assert result["recall_at_precision"]["0.7"]["recall"] == 0.6667  # all three: two thirds right
