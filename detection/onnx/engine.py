"""Detect on whole pictures: settings, one picture, many pictures. Stores nothing, maps no class."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.onnx.boxes import Boxes, clip, drop_fragments, nms
from detection.onnx.layouts import Layout, recognise
from detection.onnx.runtime import ModelRefused, Refusal, Session, describe
from detection.onnx.tiling import Tile, grid


@dataclass(frozen=True)
class DetectorSettings:
    """How a model is applied; raises ValueError on a value out of range.

    `long_side`: px of the network's canvas for the whole frame (where the file lets it vary).
    The defaults give the most recall for a quarter of a CPU-second a frame (YOLOX-nano, people of
    8–80 px in frames of 1280 and 1920 px); tiles find no more for the same time.
    `tile`: px a side of the tiles also looked at, at the frame's own scale; None for none.
    `overlap`: least fraction of a tile shared with its neighbour.
    `min_score`: low, since thresholds are chosen later, on stored boxes.
    `nms_iou`: overlap above which the weaker of two boxes of a class goes.
    `max_boxes`: most boxes kept of a picture, best first.
    """

    long_side: int = 1920
    tile: int | None = None
    overlap: float = 0.2
    min_score: float = 0.05
    nms_iou: float = 0.6
    max_boxes: int = 300

    def __post_init__(self) -> None:
        _whole("long_side", self.long_side, 32, 8192)
        if self.tile is not None:
            _whole("tile", self.tile, 64, 8192)
        _whole("max_boxes", self.max_boxes, 1, 10_000)
        _fraction("overlap", self.overlap, 0.9)
        _fraction("min_score", self.min_score, 1.0)
        _fraction("nms_iou", self.nms_iou, 1.0)

    def to_dict(self) -> dict[str, int | float | None]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> DetectorSettings:
        """Settings from stored JSON, defaults where absent; ValueError on an unknown name."""
        if unknown := set(values) - {each.name for each in fields(cls)}:
            raise ValueError(f"unknown detector settings: {', '.join(sorted(unknown))}")
        return cls(**values)


def _whole(name: str, value: object, low: int, high: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, not {value!r}")


def _fraction(name: str, value: object, high: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= high:
        raise ValueError(f"{name} must be a number from 0 to {high}, not {value!r}")


@dataclass(frozen=True)
class Engine:
    """A model, its layout and its settings; safe to share between threads."""

    session: Session
    layout: Layout
    settings: DetectorSettings

    def detect(self, rgb: NDArray[np.uint8]) -> Boxes:
        """Boxes in px of `rgb` (uint8 [H,W,3]), best first; ValueError on another array."""
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
            raise ValueError(f"a picture is uint8 [H,W,3], not {rgb.dtype} {list(rgb.shape)}")
        height, width = rgb.shape[:2]
        found = [self._look(rgb, Tile(0, 0, width, height), self.settings.long_side)]
        cut = [np.zeros(len(found[0]), bool)]
        size = self.settings.tile
        if size is not None and size < max(height, width):
            for tile in grid(width, height, size, self.settings.overlap):
                found.append(self._look(rgb, tile, max(tile.width, tile.height)))
                cut.append(tile.cuts(found[-1].xyxy, width, height))
        looks = np.repeat(np.arange(len(found)), [len(each) for each in found])
        entire = drop_fragments(Boxes.concat(found), np.concatenate(cut), looks)
        return nms(entire, self.settings.nms_iou, self.settings.max_boxes)

    def _look(self, rgb: NDArray[np.uint8], window: Tile, long_side: int) -> Boxes:
        """Boxes seen in `window` of the picture, in px of the whole picture."""
        seen = rgb[window.y : window.y + window.height, window.x : window.x + window.width]
        tensor, mapping = self.layout.input.prepare(seen, long_side)
        outputs = self.session.run(tensor)
        found = self.layout.decode(outputs, tensor.shape, self.settings.min_score)
        found = clip(mapping.to_picture(found), window.width, window.height)
        found = nms(found, self.settings.nms_iou, self.settings.max_boxes)
        return found.shift(window.x, window.y)


def detect_many(
    engine: Engine, loaders: Sequence[Callable[[], NDArray[np.uint8]]], threads: int
) -> Iterator[tuple[int, Boxes | Exception]]:
    """(position in `loaders`, boxes or what went wrong) for each picture, as each is done.

    Pictures are loaded in the `threads` that look at them, so no more than that many are in
    memory; what cannot be read or run is handed back as its exception and stops nothing.
    """

    def look(position: int) -> Boxes | Exception:
        try:
            return engine.detect(loaders[position]())
        except Exception as error:
            traceback.clear_frames(error.__traceback__)  # they would hold the picture
            return error

    executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="detect")
    cv2.setNumThreads(1)  # else OpenCV's own threads crowd ours: 27 % fewer frames measured
    try:
        jobs = {executor.submit(look, position): position for position in range(len(loaders))}
        for job in as_completed(jobs):
            yield jobs[job], job.result()
    finally:
        # A reader that stops early must not leave a whole card being looked at.
        executor.shutdown(wait=True, cancel_futures=True)


def load_engine(
    path: Path,
    settings: DetectorSettings,
    threads: int = 1,
    providers: Sequence[str] | None = None,
) -> Engine:
    """An engine for the ONNX file at `path`; raises ModelRefused, also for an unknown layout."""
    layout = recognise(describe(path))
    if layout is None:
        raise ModelRefused(
            Refusal.UNKNOWN_LAYOUT, f"{path.name} is ONNX but not a detector known here"
        )
    return Engine(Session(path, threads, providers), layout, settings)
