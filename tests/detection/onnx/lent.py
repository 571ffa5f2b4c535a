"""Real models and annotated pictures lent for development, beside the project; may be absent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import LENT

MODELS = LENT / "models"
COCO = LENT / "data" / "coco_by"


def lent(*needed: Path) -> pytest.MarkDecorator:
    """Skips a test where one of `needed` is not on this machine."""
    absent = [path.name for path in needed if not path.exists()]
    return pytest.mark.skipif(
        bool(absent), reason=f"{', '.join(absent)} of ../shared not on this machine"
    )


def coco() -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """Each picture (RGB [H,W,3]) and its annotations [N,5]: COCO class, left, top, right, bottom
    in px.
    """
    for path in sorted((COCO / "images").glob("*.jpg")):
        bgr = cv2.imread(str(path))
        assert bgr is not None
        height, width = bgr.shape[:2]
        labels = COCO / "labels" / f"{path.stem}.txt"
        text = labels.read_text() if labels.exists() else ""
        rows = np.array([line.split()[:5] for line in text.splitlines()], np.float32)
        rows = rows.reshape(-1, 5)
        centre, half = rows[:, 1:3], rows[:, 3:] / 2
        corners = np.concatenate([centre - half, centre + half], axis=1)
        corners *= np.array([width, height] * 2, np.float32)
        yield (
            np.ascontiguousarray(bgr[:, :, ::-1], np.uint8),
            np.concatenate([rows[:, :1], corners], axis=1),
        )
