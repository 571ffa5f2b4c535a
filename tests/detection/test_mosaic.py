"""A masked person keeps a silhouette and nothing else; what is beside them stays as it was."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from detection.mosaic import Rect, mask_all, mask_people


def noise(height: int = 240, width: int = 320) -> NDArray[np.uint8]:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


def colours(part: NDArray[np.uint8]) -> int:
    return len(np.unique(part.reshape(-1, 3), axis=0))


PERSON = Rect(0.25, 0.25, 0.1, 0.3)  # 32 × 72 pixels


def test_a_person_becomes_a_few_cells_and_the_rest_is_untouched() -> None:
    rgb = noise()
    out = mask_people(rgb, [PERSON], cells=8)
    assert colours(out[60:132, 80:112]) <= 8 * 11 + 8  # with the cells that the margin cuts
    outside = np.ones(rgb.shape[:2], bool)
    outside[49:143, 75:117] = False  # the box, its margin of 15 %, a pixel of rounding
    assert (out[outside] == rgb[outside]).all()
    assert not (out[60:132, 80:112] == rgb[60:132, 80:112]).all(axis=2).any(axis=1).all()


def test_a_small_box_inside_shows_nothing_that_the_large_one_hides() -> None:
    rgb = noise()
    face = Rect(0.28, 0.27, 0.04, 0.05)
    alone = mask_people(rgb, [PERSON], cells=8)
    assert (mask_people(rgb, [PERSON, face], cells=8) == alone).all()
    assert (mask_people(rgb, [face, PERSON], cells=8) == alone).all()


def test_a_whole_frame_is_masked_without_a_seam() -> None:
    assert colours(mask_all(noise())) <= 32 * 24


@given(st.floats(0, 1), st.floats(0, 1), st.floats(1e-6, 1), st.floats(1e-6, 1), st.integers(1, 12))
def test_any_box_can_be_masked(x: float, y: float, w: float, h: float, cells: int) -> None:
    rgb = noise(48, 64)
    out = mask_people(rgb, [Rect(x, y, min(w, 1 - x), min(h, 1 - y))], cells=cells)
    assert out.shape == rgb.shape
    assert out.dtype == np.uint8
