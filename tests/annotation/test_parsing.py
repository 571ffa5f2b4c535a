"""Boxes of honest pages are read without a serializer; what is read is the same."""

from __future__ import annotations

from typing import Any

import pytest

from annotation.parsing import Box, Boxes, _plain

PLAIN = {"key": "d12", "label": "person", "activity": "bathing", "x": 0, "y": 0.25, "w": 1,
         "h": 0.5, "score": 0.5, "detection": 12, "source_class": "traffic light"}  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"score": None, "detection": None, "source_class": None},
        {"label": "tent", "activity": "", "source_class": ""},
        {"score": 1, "detection": 2**63 - 1, "unknown": 1},
    ],
)
def test_an_honest_box_is_read_as_the_serializer_reads_it(change: dict[str, Any]) -> None:
    given = PLAIN | change
    slow = Box(data=given)
    assert slow.is_valid()
    assert _plain(given) == dict(slow.validated_data)


@pytest.mark.parametrize(
    "change",
    [
        {"key": "a b"}, {"key": "é"}, {"key": "a\n"}, {"key": 1}, {"key": "a" * 65}, {"key": ""},
        {"label": "kite"}, {"label": []}, {"label": "tent"}, {"activity": "flying"},
        {"x": True}, {"x": "0"}, {"x": -0.1}, {"x": float("nan")}, {"x": 10**400}, {"x": 0.1},
        {"w": 0}, {"h": 0.8}, {"score": 2}, {"score": True}, {"detection": 0}, {"detection": True},
        {"detection": 2**63}, {"source_class": " a"}, {"source_class": "a" * 61},
        {"source_class": "\0"}, {"source_class": 5},
    ],
)  # fmt: skip
def test_any_other_is_left_to_the_serializer(change: dict[str, Any]) -> None:
    assert _plain(PLAIN | change) is None


def test_one_odd_box_has_all_of_them_read_with_words() -> None:
    odd = {key: value for key, value in PLAIN.items() if key not in ("activity", "score")}
    assert Boxes().run_validation([PLAIN, odd | {"key": "é"}])[1]["activity"] == ""
    assert _plain([]) is None
