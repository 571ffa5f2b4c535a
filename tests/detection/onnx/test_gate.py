"""Where gated looks go, and what they find and cost."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from detection.onnx.background import Change
from detection.onnx.boxes import Boxes
from detection.onnx.engine import Around, DetectorSettings, Engine, load_engine
from detection.onnx.gate import MARGIN, unexplained, windows
from detection.onnx.runtime import Session
from tests.onnx_models import tiny_yolox


def rows(*boxes: tuple[float, float, float, float]) -> NDArray[np.float32]:
    return np.array(boxes, np.float32).reshape(-1, 4)


def test_neighbours_share_a_window() -> None:
    spots = rows((100, 100, 110, 120), (300, 200, 310, 220), (900, 700, 905, 710))
    found = windows(spots, 1280, 960, 480, 9)
    assert found is not None
    assert len(found) == 2
    assert found[0].x <= 100 - MARGIN
    assert found[0].x + 480 >= 310 + MARGIN


@pytest.mark.parametrize("seed", range(5))
def test_every_spot_is_held_with_its_margin(seed: int) -> None:
    random = np.random.default_rng(seed)
    low = random.uniform(0, (1270, 950), (40, 2))
    spots = np.concatenate([low, low + random.uniform(2, 60, (40, 2))], axis=1)
    spots = np.clip(spots, 0, (1280, 960, 1280, 960)).astype(np.float32)
    found = windows(spots, 1280, 960, 320, 99)
    assert found is not None
    for left, top, right, low_ in spots:
        assert any(
            tile.x <= max(0, left - MARGIN)
            and tile.y <= max(0, top - MARGIN)
            and tile.x + tile.width >= min(1280, right + MARGIN) - 1
            and tile.y + tile.height >= min(960, low_ + MARGIN) - 1
            for tile in found
        )
    assert all(tile.x + tile.width <= 1280 and tile.y + tile.height <= 960 for tile in found)


def test_no_spots_no_windows_and_too_many_are_told() -> None:
    assert windows(rows(), 1280, 960, 320, 3) == []
    apart = rows(*((x, y, x + 5, y + 5) for x in (10, 600, 1200) for y in (10, 900)))
    assert windows(apart, 1280, 960, 320, 5) is None
    assert windows(rows((0, 0, 900, 900)), 1280, 960, 320, 3) == []  # larger than a tile


def test_what_is_certain_needs_no_second_look() -> None:
    spots = rows((10, 10, 20, 20), (100, 100, 110, 110))
    assert unexplained(spots, rows((8, 8, 30, 30))).tolist() == [[100, 100, 110, 110]]
    assert len(unexplained(spots, rows())) == 2
    assert len(unexplained(rows(), spots)) == 0


class Counted(Session):
    """A session that counts its runs."""

    runs = 0

    def run(self, tensor, others=None):  # type: ignore[no-untyped-def]
        self.runs += 1
        return super().run(tensor, others)


def engine(
    folder: Path, score: float = 0.9, label: str = "person", **settings: int | float | bool
) -> tuple[Engine, Counted]:
    path = tiny_yolox(folder / f"{label}.onnx", score, names=[label])
    chosen = {"long_side": 320, "tile": 480, "overlap": 0.25, "min_score": 0.3} | settings
    made = load_engine(path, DetectorSettings.from_dict(chosen))
    counted = Counted(path)
    return Engine(counted, made.layout, made.settings), counted


def changed(*boxes: tuple[float, float, float, float]) -> Change:
    """A difference with spots at px of a 1920 × 1440 frame."""
    spots = rows(*boxes) / np.array([1920, 1440] * 2)
    return Change(np.zeros((480, 640), np.uint8), spots.astype(np.float32))


FAR = (1500, 700, 1510, 712)
FRAME = np.full((1440, 1920, 3), (110, 130, 100), np.uint8)
FRAME[700:712, 1500:1510] = (255, 0, 0)
NOBODY = Boxes.empty()


def test_a_change_opens_one_tile_and_finds_as_much(tmp_path: Path) -> None:
    gated, counted = engine(tmp_path, gated=True)
    every, all_counted = engine(tmp_path)
    found = gated.detect(FRAME, Around(None, changed(FAR), NOBODY))
    assert found.xyxy.tolist() == [pytest.approx(FAR, abs=1)]
    assert every.detect(FRAME).xyxy.tolist() == [pytest.approx(FAR, abs=1)]
    assert (counted.runs, all_counted.runs) == (2, 21)


def test_nothing_changed_is_one_look(tmp_path: Path) -> None:
    gated, counted = engine(tmp_path, gated=True)
    assert len(gated.detect(FRAME, Around(None, changed(), NOBODY))) == 0
    assert counted.runs == 1


def test_a_box_of_the_frame_before_is_looked_for_again(tmp_path: Path) -> None:
    gated, counted = engine(tmp_path, gated=True)
    before = Boxes(rows(FAR), np.array([0.4], np.float32), np.zeros(1, np.int64))
    assert len(gated.detect(FRAME, Around(None, changed(), before))) == 1
    assert counted.runs == 2


@pytest.mark.parametrize(
    "around", [Around(), Around(None, changed(FAR), None), Around(None, None, NOBODY)]
)
def test_without_a_background_or_a_frame_before_all_tiles_are_looked_at(
    tmp_path: Path, around: Around
) -> None:
    gated, counted = engine(tmp_path, gated=True)
    assert len(gated.detect(FRAME, around)) == 1
    assert counted.runs == 21


def red_from_afar() -> NDArray[np.uint8]:
    """A patch of dots that only the whole frame, a sixth of the size, shows as one red thing."""
    frame = np.full((1440, 1920, 3), (110, 130, 100), np.uint8)
    for down in (2, 3):
        for across in (2, 3):
            frame[600 + down : 720 : 6, 900 + across : 1020 : 6] = (255, 0, 0)
    return frame


def test_what_the_whole_frame_doubts_the_tile_decides(tmp_path: Path) -> None:
    frame, around = red_from_afar(), Around(None, changed(), NOBODY)
    afar, once = engine(tmp_path, 0.5, gated=False, tile=1920)
    assert afar.detect(frame).xyxy.tolist() == [pytest.approx([900, 600, 1020, 720], abs=12)]
    gated, counted = engine(tmp_path, 0.5, gated=True)
    assert len(gated.detect(frame, around)) == 0
    assert (once.runs, counted.runs) == (1, 2)
    kept, _ = engine(tmp_path, 0.5, gated=True, min_score=0.05)
    assert kept.detect(frame, around).scores == pytest.approx([0.5 * 0.45])  # to be masked


def test_however_sure_from_afar_the_tile_decides(tmp_path: Path) -> None:
    gated, counted = engine(tmp_path, 0.9, gated=True, min_score=0.05)
    found = gated.detect(red_from_afar(), Around(None, changed(), NOBODY))
    assert found.scores == pytest.approx([0.29])  # does not count, and is masked
    assert counted.runs == 2


FROM_AFAR = rows((900, 600, 1020, 720))


@pytest.mark.parametrize(
    ("sure", "before", "came", "runs", "kept"),
    [
        (0.5, 0.2, False, 1, 0.5 * 0.45),  # refused then, and nothing has changed: refused
        (0.5, 0.2, True, 2, 0.5 * 0.45),  # somebody may have come: looked at again
        (0.5, 0.4, False, 1, 0.5),  # borne out then, and nothing has changed
        (0.5, 0.4, True, 2, 0.5 * 0.45),
        (0.9, 0.4, True, 1, 0.9),  # sure, and there a moment ago
        (0.9, 0.2, False, 2, 0.29),  # sure now: looked at
    ],
)
def test_what_the_frame_before_settled_is_not_looked_at_again(
    tmp_path: Path, sure: float, before: float, came: bool, runs: int, kept: float
) -> None:
    gated, counted = engine(tmp_path, sure, gated=True, min_score=0.05)
    there = Boxes(FROM_AFAR, np.array([before], np.float32), np.zeros(1, np.int64))
    excess = np.zeros((480, 640), np.uint8)
    excess[200:240, 300:340] = 40 * came
    found = gated.detect(red_from_afar(), Around(None, Change(excess, rows()), there))
    assert found.scores == pytest.approx([kept], abs=0.002)
    assert counted.runs == runs


def test_without_tiles_nothing_was_refused_before(tmp_path: Path) -> None:
    """What was only less certain a moment ago keeps its score: nobody had a closer look."""
    gated, counted = engine(tmp_path, 0.5, gated=True, tile=1920, min_score=0.05)
    there = Boxes(FROM_AFAR, np.array([0.2], np.float32), np.zeros(1, np.int64))
    found = gated.detect(red_from_afar(), Around(None, changed(), there))
    assert found.scores == pytest.approx([0.5], abs=0.002)
    assert counted.runs == 1


def test_a_box_of_another_class_settles_nothing(tmp_path: Path) -> None:
    path = tiny_yolox(tmp_path / "two.onnx", 0.5, 0, names=["person", "tent"])
    made, _ = engine(tmp_path, 0.5, gated=True, min_score=0.05)
    counted = Counted(path)
    both = Engine(counted, load_engine(path, made.settings).layout, made.settings)
    there = Boxes(FROM_AFAR, np.array([0.2], np.float32), np.ones(1, np.int64))
    both.detect(red_from_afar(), Around(None, changed(), there))
    assert counted.runs == 2


def test_what_is_no_class_of_ours_opens_no_tile(tmp_path: Path) -> None:
    path = tiny_yolox(tmp_path / "kite.onnx", 0.5, 1, names=["person", "kite"])
    made, counted = engine(tmp_path, 0.5, gated=True)
    counted = Counted(path)
    kites = Engine(counted, load_engine(path, made.settings).layout, made.settings)
    assert len(kites.detect(red_from_afar(), Around(None, changed(), NOBODY))) == 1
    assert counted.runs == 1


@pytest.mark.parametrize(
    ("label", "excess", "expected"),
    [
        ("person", None, 0.5),  # no background: the network's own score
        ("person", 0, 1 / (1 + np.exp(0.75))),
        ("person", 40, 1 / (1 + np.exp(-0.75))),
        ("tent", 0, 0.5),  # may stand for days
        ("tent", 40, 1 / (1 + np.exp(-0.75))),
    ],
)
def test_what_changed_weighs(
    tmp_path: Path, label: str, excess: int | None, expected: float
) -> None:
    settings = {"tile": 1920, "weighed": True, "long_side": 1920}
    plain, _ = engine(tmp_path, 0.5, label, **settings)
    change = None
    if excess is not None:
        change = Change(np.full((480, 640), excess, np.uint8), np.zeros((0, 4), np.float32))
    found = plain.detect(FRAME, Around(None, change, NOBODY))
    assert found.scores == pytest.approx([expected], abs=0.01)
    assert plain.still_side is not None


def test_a_second_look_where_something_is_that_was_not_found(tmp_path: Path) -> None:
    tiny = FRAME.copy()
    tiny[700:712, 1500:1510] = (110, 130, 100)
    tiny[704:706, 1500:1503] = (255, 0, 0)  # too small for a tile at the frame's scale
    spot = (1499, 703, 1504, 707)
    plain, once = engine(tmp_path, gated=True)
    again, twice = engine(tmp_path, gated=True, second_look=True)
    around = Around(None, changed(spot), NOBODY)
    assert len(plain.detect(tiny, around)) == 0
    found = again.detect(tiny, around)
    assert found.xyxy.tolist() == [pytest.approx([1500, 704, 1503, 706], abs=1)]
    assert (once.runs, twice.runs) == (2, 3)
    # Where the first look finds someone, or nothing changed, there is no second.
    assert len(again.detect(FRAME, Around(None, changed(FAR), NOBODY))) == 1
    assert twice.runs == 5
    again.detect(tiny, Around(None, changed(), NOBODY))
    again.detect(tiny, Around(None, None, NOBODY))
    assert twice.runs == 5 + 1 + 21


def test_tiles_of_a_small_frame_are_enlarged_to_the_detail_asked_for(tmp_path: Path) -> None:
    small = np.full((960, 1280, 3), (110, 130, 100), np.uint8)
    small[704:706, 1000:1003] = (255, 0, 0)
    spot = rows((999, 703, 1004, 707)) / np.array([1280, 960] * 2)
    change = Change(np.zeros((480, 640), np.uint8), spot.astype(np.float32))
    around = Around(None, change, NOBODY)
    own, _ = engine(tmp_path, gated=True)
    close, counted = engine(tmp_path, gated=True, detail=2560)
    assert len(own.detect(small, around)) == 0  # too small at the frame's scale
    assert close.detect(small, around).xyxy.tolist() == [
        pytest.approx([1000, 704, 1003, 706], abs=1)
    ]
    assert counted.runs == 2
    # A frame that has the detail is not enlarged.
    assert len(close.detect(FRAME, Around(None, changed(FAR), NOBODY))) == 1
