"""Geometry of boxes, against values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from detection.onnx.boxes import Boxes, clip, fragments, iou, named_once, nms


def boxes(*rows: tuple[float, float, float, float, float, int]) -> Boxes:
    return Boxes(
        np.array([row[:4] for row in rows], np.float32).reshape(-1, 4),
        np.array([row[4] for row in rows], np.float32),
        np.array([row[5] for row in rows], np.int64),
    )


def test_iou_by_hand() -> None:
    a = np.array([[0, 0, 10, 10]], np.float32)
    b = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [10, 0, 20, 10], [3, 3, 3, 3]], np.float32)
    assert iou(a, b)[0] == pytest.approx([1, 50 / 150, 0, 0])


def test_nms_drops_the_weaker_of_its_class_only() -> None:
    found = nms(
        boxes(
            (1, 0, 11, 10, 0.5, 0),  # IoU 90/110 with the next
            (0, 0, 10, 10, 0.9, 0),
            (1, 0, 11, 10, 0.6, 16),  # same place, another class
            (5, 0, 15, 10, 0.4, 0),  # IoU 1/3 with the best
        ),
        0.6,
    )
    assert found.scores == pytest.approx([0.9, 0.6, 0.4])
    assert found.classes.tolist() == [0, 16, 0]


def test_a_suppressed_box_suppresses_nothing() -> None:
    chain = boxes((0, 0, 10, 10, 0.9, 0), (4, 0, 14, 10, 0.8, 0), (8, 0, 18, 10, 0.7, 0))
    assert nms(chain, 0.4).scores == pytest.approx([0.9, 0.7])


def test_nms_keeps_the_best_when_limited_and_bears_none() -> None:
    apart = boxes((0, 0, 1, 1, 0.2, 0), (5, 5, 6, 6, 0.8, 0))
    assert nms(apart, 0.6, 1).scores == pytest.approx([0.8])
    assert len(nms(Boxes.empty(), 0.6)) == 0


def test_one_thing_has_one_name() -> None:
    found = named_once(
        boxes(
            (1, 0, 11, 10, 0.5, 1),  # IoU 90/110 with the person: a tent less likely than them
            (0, 0, 10, 10, 0.9, 0),
            (0, 4, 10, 14, 0.4, 2),  # IoU 60/140: their boat
            (30, 0, 40, 10, 0.3, 0),
            (30, 0, 40, 10, 0.2, 0),  # of the same class: NMS's business
        )
    )
    assert found.scores == pytest.approx([0.9, 0.4, 0.3, 0.2])
    assert found.classes.tolist() == [0, 2, 0, 0]
    assert len(named_once(Boxes.empty())) == 0


def test_clip_cuts_and_drops() -> None:
    cut = clip(boxes((-5, 2, 5, 30, 0.9, 0), (21, 0, 25, 5, 0.8, 0)), 20, 10)
    assert cut.xyxy.tolist() == [[0, 2, 5, 10]]


def test_fractions_lie_within_the_frame() -> None:
    fractions = boxes((50, 20, 100, 60, 0.9, 0), (190, -10, 220, 40, 0.9, 0))
    assert fractions.to_fractions(200, 80) == pytest.approx(
        np.array([[0.25, 0.25, 0.25, 0.5], [0.95, 0, 0.05, 0.5]])
    )


def test_disagreeing_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same detections"):
        Boxes(np.zeros((2, 4), np.float32), np.zeros(1, np.float32), np.zeros(1, np.int64))


WHOLE = (0, 0, 20, 60, 0.8, 0)
PART = (1, 0, 19, 30, 0.9, 0)  # wholly inside, with half the area


@pytest.mark.parametrize(
    ("part", "cut", "looks", "left"),
    [
        (PART, True, [0, 1], 1),
        (PART, False, [0, 1], 2),  # a child before an adult
        (PART, True, [1, 1], 2),  # one look saw both
        ((1, 0, 19, 30, 0.9, 16), True, [0, 1], 2),  # a dog before its owner
        ((1, 50, 19, 80, 0.9, 0), True, [0, 1], 2),  # a third of it inside
        ((1, -6, 19, 24, 0.9, 0), True, [0, 1], 1),  # four fifths of it
        ((0, 0, 20, 60, 0.9, 0), True, [0, 1], 2),  # no larger: left to NMS
    ],
)
def test_a_fragment_yields_to_the_whole(
    part: tuple[float, float, float, float, float, int], cut: bool, looks: list[int], left: int
) -> None:
    found = fragments(boxes(WHOLE, part), np.array([False, cut]), np.array(looks))
    assert found.tolist() == [False, left == 1]


def test_a_faint_whole_takes_no_sure_part_with_it() -> None:
    seen = boxes((0, 0, 20, 60, 0.1, 0), PART)
    assert not fragments(seen, np.array([False, True]), np.array([0, 1])).any()


def test_two_looks_at_one_person_are_one_box_sooner_than_two_people_in_one_look() -> None:
    near = boxes((0, 0, 20, 60, 0.8, 0), (6, 0, 26, 60, 0.7, 0))  # IoU 14/26
    assert len(nms(near, 0.6, look=np.array([1, 1]))) == 2
    assert nms(near, 0.6, look=np.array([0, 1])).scores.tolist() == [pytest.approx(0.8)]
    assert len(nms(near, 0.6)) == 2
    apart = boxes((0, 0, 20, 60, 0.8, 0), (10, 0, 30, 60, 0.7, 0))  # IoU 10/30
    assert len(nms(apart, 0.6, look=np.array([0, 1]))) == 2


def test_no_boxes_no_fragments() -> None:
    none = np.zeros(0, np.intp)
    assert len(fragments(Boxes.empty(), none.astype(bool), none)) == 0
    assert len(nms(Boxes.empty(), 0.5, look=none)) == 0
    assert iou(Boxes.empty().xyxy, np.zeros((3, 4), np.float32)).shape == (0, 3)
    assert len(Boxes.concat([])) == len(clip(Boxes.empty(), 5, 5)) == 0
    assert Boxes.empty().to_fractions(5, 5).shape == (0, 4)
