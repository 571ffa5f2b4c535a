"""Detect on whole pictures: settings, one picture, many pictures. Stores nothing, maps no class."""

from __future__ import annotations

import functools
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.onnx.background import SIDE, Background, Change
from detection.onnx.boxes import Boxes, clip, fragments, iou, nms
from detection.onnx.caption import NONE, Bars, outside
from detection.onnx.classmap import propose
from detection.onnx.gate import unexplained, windows
from detection.onnx.layouts import FAMILIES, Layout, known
from detection.onnx.repeats import CAME, LONG
from detection.onnx.runtime import Session, describe
from detection.onnx.tiling import Tile, grid

SURE = 0.6  # score in the whole frame that needs no second closer look
SEEN = 0.3  # score of a box that is looked at more closely, and again in the next frame
_LEFT, _MOST_LEFT = 0.45, 0.29  # of a score that a closer look does not bear out: below SEEN
_SAME = 0.5  # IoU from which boxes of two frames are about one thing that stands still
_UNCHANGED = 0.1  # share of a box that may differ from the background where nobody came or went
_SECOND_TILE = 640  # px a side of a second look's canvas where no tile is set
_STILL, _CAME = 0.75, 0.75  # logits off where nothing changed, and on where something came


@dataclass(frozen=True)
class DetectorSettings:
    """How a model is applied; raises ValueError on a value out of range.

    `long_side`: px of the network's canvas for the whole frame (where the file lets it vary).
    `tile`: px a side of the canvas of the tiles also looked at; None for none.
    `detail`: px that the long side of a smaller frame would have at the scale of its tiles, which
    are enlarged so far; None, and for larger frames: the frame's own scale.
    `overlap`: least fraction of a tile shared with its neighbour.
    `gated`: tiles only where something changed, where a box lay in the frame before, and where the
    whole frame shows something that the frame before has not settled; all of them where there is no
    background (too few frames of like light) or no frame before.
    `second_look`: where nothing was found but something changed, look there again at twice the
    scale; without a background there is no second look.
    `weighed`: a box in which nothing changed is believed less, and one in which something did is
    believed more; what may stand for days (a tent) loses nothing. Scores are the network's own
    where there is no background.
    `min_score`: low, since thresholds are chosen later, on stored boxes.
    `nms_iou`: overlap above which the weaker of two boxes of a class goes.
    `layout`: the family of the file's outputs where a person says so; None: as recognised.
    `max_boxes`: most boxes kept of a picture, best first.
    """

    long_side: int = 1920
    tile: int | None = None
    detail: int | None = None
    overlap: float = 0.2
    gated: bool = False
    second_look: bool = False
    weighed: bool = False
    min_score: float = 0.05
    nms_iou: float = 0.6
    max_boxes: int = 300
    layout: str | None = None

    def __post_init__(self) -> None:
        _whole("long_side", self.long_side, 32, 8192)
        if self.tile is not None:
            _whole("tile", self.tile, 64, 8192)
        if self.detail is not None:
            _whole("detail", self.detail, 32, 8192)
        _whole("max_boxes", self.max_boxes, 1, 10_000)
        if self.layout is not None and self.layout not in FAMILIES:
            raise ValueError(f"layout must be one of {', '.join(sorted(FAMILIES))}")
        _flag("gated", self.gated)
        _flag("second_look", self.second_look)
        _flag("weighed", self.weighed)
        _fraction("overlap", self.overlap, 0.9)
        _fraction("min_score", self.min_score, 1.0)
        _fraction("nms_iou", self.nms_iou, 1.0)

    @property
    def needs_neighbours(self) -> bool:
        """Whether frames must come with their neighbours for these settings to mean anything."""
        return self.second_look or self.weighed or (self.gated and self.tile is not None)

    def to_dict(self) -> dict[str, int | float | str | None]:
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


def _flag(name: str, value: object) -> None:
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false, not {value!r}")


def _fraction(name: str, value: object, high: float) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= high:
        raise ValueError(f"{name} must be a number from 0 to {high}, not {value!r}")


@dataclass(frozen=True)
class Around:
    """What is known about a frame besides its picture: the `background` (None with too few
    neighbours), how the frame differs from it, the boxes seen in the frame `before` (None for the
    first of a sequence), and the `bars` that the camera burns in, where nobody is.
    """

    background: Background | None = None
    change: Change | None = None
    before: Boxes | None = None
    bars: Bars = NONE


ALONE = Around()


@dataclass(frozen=True)
class Engine:
    """A model, its layout and its settings; safe to share between threads."""

    session: Session
    layout: Layout
    settings: DetectorSettings

    @property
    def names(self) -> tuple[str, ...]:
        """Class names that boxes' classes point to."""
        return self.layout.names

    @property
    def still_side(self) -> int | None:
        """Long side in px of the stills that frames' backgrounds are made of; None: no need."""
        if self.layout.input.background:
            return self.settings.long_side
        return SIDE if self.settings.needs_neighbours else None

    def detect(self, rgb: NDArray[np.uint8], around: Around = ALONE) -> Boxes:
        """Boxes in px of `rgb` (uint8 [H,W,3]), best first; ValueError on another array.

        A network that takes a background and has none gets the picture twice.
        """
        if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
            raise ValueError(f"a picture is uint8 [H,W,3], not {rgb.dtype} {list(rgb.shape)}")
        height, width = rgb.shape[:2]
        both = [rgb, rgb]
        if self.layout.input.background and around.background is not None:
            both[1] = np.asarray(cv2.resize(around.background.rgb(), (width, height)), np.uint8)
        whole = self._look(both, Tile(0, 0, width, height), self.settings.long_side, around)
        enlarged = max(1.0, (self.settings.detail or 0) / max(width, height))
        size = round(self.settings.tile / enlarged) if self.settings.tile else None
        tiles: list[Tile] = []
        if size is not None and size < max(height, width):
            whole, settled = self._as_before(whole, width, height, around)
            tiles = self._tiles(whole, settled, width, height, size, around)
        entire = self._together(whole, both, tiles, enlarged, around)
        if self.settings.second_look and not (entire.scores >= SEEN).any():
            side = (size or round(_SECOND_TILE / enlarged)) // 2
            closer = windows(_spots(around, width, height), width, height, side, 8) or []
            entire = self._together(entire, both, closer, 2 * enlarged, around)
        return entire

    def _as_before(
        self, whole: Boxes, width: int, height: int, around: Around
    ) -> tuple[Boxes, NDArray[np.bool_]]:
        """The boxes of the `whole` frame, and [N] which of them the frame before has settled: the
        same box lay there, and it is SURE again, or the background shows that nothing has come or
        gone. A stone that a closer look has once refused is refused without another.
        """
        if not self.settings.gated or around.change is None or around.before is None:
            return whole, np.zeros(len(whole), np.bool_)
        same = iou(whole.xyxy, around.before.xyxy) >= _SAME
        same &= whole.classes[:, None] == around.before.classes
        seen = (same & (around.before.scores >= SEEN)).any(axis=1)
        still = around.change.within(whole.to_fractions(width, height)) <= _UNCHANGED
        refused = still & same.any(axis=1) & ~seen & self._seen(whole) & (whole.scores < SURE)
        scores = np.where(refused, _refused(whole).scores, whole.scores)
        settled = refused | (seen & (still | (whole.scores >= SURE)))
        return Boxes(whole.xyxy, scores, whole.classes), settled

    def _tiles(
        self, whole: Boxes, settled: NDArray[np.bool_], width: int, height: int,
        size: int, around: Around,
    ) -> list[Tile]:  # fmt: skip
        """Where to look besides the `whole` frame, which showed these boxes: tiles of `size` px.
        What is `settled` needs none.
        """
        every = grid(width, height, size, self.settings.overlap)
        if not self.settings.gated or around.change is None or around.before is None:
            return every
        before = around.before.xyxy[self._seen(around.before)]
        spots = np.concatenate([_spots(around, width, height), before])
        spots = unexplained(spots, whole.xyxy[settled & self._seen(whole)])
        chosen = windows(spots, width, height, size, len(every) - 1)
        if chosen is None:
            return every
        new = whole.xyxy[self._seen(whole) & ~settled]
        for tile in chosen:
            new = new[~tile.shows(new, width, height)]
        more = windows(new, width, height, size, len(every) - 1 - len(chosen))
        return every if more is None else chosen + more

    def _seen(self, boxes: Boxes) -> NDArray[np.bool_]:
        """[N] which boxes are worth a tile: likely enough, and of a class of ours."""
        return np.asarray((boxes.scores >= SEEN) & self._ours[boxes.classes], np.bool_)

    def _together(
        self,
        first: Boxes,
        both: list[NDArray[np.uint8]],
        tiles: Sequence[Tile],
        scale: float,
        around: Around,
    ) -> Boxes:
        """Boxes of a `first` look and of looks at `tiles`, `scale` times enlarged, as one. The
        closer look decides: what a tile has whole is the tile's, however sure the first was, for
        from afar two people are one box. What the first saw there is kept as `_refused`.
        """
        height, width = both[0].shape[:2]
        shown = [tile.shows(first.xyxy, width, height) for tile in tiles]
        nearer = np.any([np.zeros(len(first), bool), *shown], axis=0)
        left = _refused(first.take(nearer))
        left = left.take(left.scores >= self.settings.min_score)
        first = first.take(~nearer)
        found, cut = [first], [np.zeros(len(first), bool)]
        for tile in tiles:
            found.append(
                self._look(both, tile, round(scale * max(tile.width, tile.height)), around)
            )
            cut.append(tile.cuts(found[-1].xyxy, width, height))
        looks = np.repeat(np.arange(len(found)), [len(each) for each in found])
        entire = Boxes.concat(found)
        kept = ~fragments(entire, np.concatenate(cut), looks)
        limits = self.settings.nms_iou, self.settings.max_boxes
        every = Boxes.concat([entire.take(kept), left])
        return nms(every, *limits, np.concatenate([looks[kept], np.zeros(len(left), np.intp)]))

    def _look(
        self,
        both: list[NDArray[np.uint8]],
        window: Tile,
        long_side: int,
        around: Around,
    ) -> Boxes:
        """Boxes seen in `window` of the picture, in px of the whole picture, none of what is burned
        in; `both` are picture and background.
        """
        seen, behind = (
            each[window.y : window.y + window.height, window.x : window.x + window.width]
            for each in both
        )
        wanted = self.layout.input
        tensor, mapping = wanted.prepare(seen, long_side, behind)
        outputs = self.session.run(tensor, wanted.sizes(tensor))
        found = self.layout.decode(outputs, tensor.shape, self.settings.min_score)
        found = clip(mapping.to_picture(found), window.width, window.height)
        found = found.shift(window.x, window.y)
        found = found.take(outside(found.xyxy, len(both[0]), around.bars))
        found = nms(found, self.settings.nms_iou, self.settings.max_boxes)
        if not self.settings.weighed or around.change is None:
            return found
        return _weighed(found, around.change, both[0].shape[:2], self._long)

    @functools.cached_property
    def _ours(self) -> NDArray[np.bool_]:
        """[C] which classes are the product's own by their names; all where none is."""
        labels = propose(self.names)
        ours = np.array([labels[name] is not None for name in self.names], np.bool_)
        return ours if ours.any() else np.ones_like(ours)

    @functools.cached_property
    def _long(self) -> NDArray[np.bool_]:
        """[C] which classes are of things that may stand for days."""
        labels = propose(self.names)
        return np.array([labels[name] in LONG for name in self.names], np.bool_)


def _weighed(boxes: Boxes, change: Change, size: tuple[int, int], long: NDArray[np.bool_]) -> Boxes:
    """`boxes` of a frame of `size` (height, width) px with scores that what changed has weighed."""
    share = change.within(boxes.to_fractions(size[1], size[0]))
    came = np.clip(share / CAME, 0, 2) - 1  # from -1, nothing changed, to 1
    came[long[boxes.classes]] = np.maximum(came[long[boxes.classes]], 0)
    held = np.clip(boxes.scores.astype(np.float64), 1e-6, 1 - 1e-6)
    logits = np.log(held / (1 - held)) + np.where(came < 0, _STILL, _CAME) * came
    scores = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return Boxes(boxes.xyxy, scores, boxes.classes)


def _refused(boxes: Boxes) -> Boxes:
    """`boxes` that a closer look does not bear out: believed so little that they do not count, and
    enough that whoever is there after all is masked.
    """
    scores = np.minimum(boxes.scores * np.float32(_LEFT), np.float32(_MOST_LEFT))
    return Boxes(boxes.xyxy, scores, boxes.classes)


def _spots(around: Around, width: int, height: int) -> NDArray[np.float32]:
    """[N,4] in px what changed, but for what is burned in; nothing where that is not known."""
    if around.change is None:
        return np.zeros((0, 4), np.float32)
    spots = around.change.spots
    spots = spots[outside(spots, 1.0, around.bars)]
    return spots * np.array([width, height] * 2, np.float32)


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
    layout = known(describe(path), path.name, settings.layout)
    return Engine(Session(path, threads, providers), layout, settings)
