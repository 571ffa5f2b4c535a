"""Bars with date and time: found where a camera burns them in, and nobody is found in them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from detection.cards.decode import decode
from detection.onnx.background import Change
from detection.onnx.caption import NONE, Bars, agreed, bars, outside
from detection.onnx.engine import Around, DetectorSettings, _spots, load_engine
from detection.onnx.sequence import Seen, detect_in_order
from detection.scenes.card import STAMP_SHARE, _stamp
from detection.scenes.model import Moment, View
from detection.scenes.render import render
from tests.conftest import LENT
from tests.onnx_models import tiny_yolox

NAN = float("nan")
Rgb = NDArray[np.uint8]


def drawn(hour: int, fog: float, size: tuple[int, int] = (640, 480), stamped: bool = True) -> Rgb:
    moment = Moment(datetime(2025, 7, 27, hour, 45), fog=fog)  # noqa: DTZ001 - the camera's clock
    picture = Image.fromarray(render(View(*size, seed=31), moment, ()).image)
    if stamped:
        _stamp(picture, moment, "DEMO000031")
    return np.asarray(picture)


@pytest.mark.parametrize(("hour", "fog"), [(12, 0.0), (4, 1.0), (23, 0.0)])
def test_the_bar_is_found_to_the_pixel_and_only_where_it_is(hour: int, fog: float) -> None:
    assert bars(drawn(hour, fog)) == pytest.approx((0.0, STAMP_SHARE))
    assert bars(drawn(hour, fog, stamped=False)) == NONE


@pytest.mark.parametrize(
    ("name", "top", "bottom"),
    [
        ("browning/IMG_0040.JPG", 0, 18),
        ("reconyx_burst/20210531082538-RCNX0031.JPG", 32, 32),
        ("mixed/blank2.jpg", 0, 99),
        ("mixed/african_elephants_bw.jpg", 0, 100),
    ],
)
def test_real_cameras_bars_are_found(name: str, top: int, bottom: int) -> None:
    path = LENT / "data/cards" / name
    if not path.exists():
        pytest.skip(f"the pictures of ../shared/data/cards are not on this machine: {name}")
    rgb = decode(path.read_bytes(), long_side=1 << 16, max_pixels=80_000_000).rgb
    assert bars(rgb) == pytest.approx((top / len(rgb), bottom / len(rgb)), abs=0.003)


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ([(0.0, 0.04), (0.0, 0.04), NONE], (0.0, 0.04)),
        ([(0.1, 0.0), NONE, NONE], NONE),  # a bright cloud, once
        ([(NAN, 0.04), (NAN, NAN), (NAN, NAN)], (0.0, 0.04)),  # by night nobody can tell
    ],
)
def test_a_bar_is_what_most_pictures_show(seen: list[Bars], told: Bars) -> None:
    assert agreed(seen) == told


def test_a_black_night_tells_nothing_and_white_is_no_bar() -> None:
    assert np.isnan(bars(np.zeros((480, 640, 3), np.uint8))).all()
    assert bars(np.full((480, 640, 3), 255, np.uint8)) == NONE


def test_digits_that_change_are_not_looked_at_closely() -> None:
    spots = np.array([[0.1, 0.5, 0.2, 0.6], [0.1, 0.97, 0.2, 0.99]], np.float32)
    around = Around(change=Change(np.zeros((48, 64), np.uint8), spots), bars=(0.0, 0.05))
    assert _spots(around, 100, 100) == pytest.approx(spots[:1] * 100)


def test_fog_makes_nobody_of_the_letters(tmp_path: Path) -> None:
    """Nor of the maker's sign: by a detector that takes whatever is red for a person."""
    rgb = drawn(4, 1.0, (1280, 960)).copy()
    rgb[930:948, 700:716] = (255, 0, 0)
    here = (0.0, STAMP_SHARE)
    engine = load_engine(tiny_yolox(tmp_path / "tiny.onnx"), DetectorSettings(long_side=1280))
    assert not outside(engine.detect(rgb, Around()).xyxy, 960, here).all()
    assert outside(engine.detect(rgb, Around(bars=here)).xyxy, 960, here).all()

    def load(long_side: int) -> Rgb:
        return rgb

    ((_, seen),) = detect_in_order(engine, [load], [0.0], 1)
    assert isinstance(seen, Seen)
    assert outside(seen.boxes.xyxy, 960, here).all()
