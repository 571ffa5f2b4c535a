"""Detect on the frames of one camera in the order of time, each with its neighbours.

Threads take the next frame in turn, and each asks for the boxes of the frame before it (with many
threads: of one a little before) when it needs them, so that results do not depend on who was
faster. What a walk leaves (`Trail`) lets the next along the same camera go on from it. Stills are
made of a frame every quarter of an hour or so and few are kept, so memory does not grow with the
number of frames.
"""

from __future__ import annotations

import math
import queue
import threading
import traceback
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from detection.onnx import background
from detection.onnx.background import APART, SIDE, Still, remember
from detection.onnx.boxes import Boxes
from detection.onnx.caption import agreed, bars
from detection.onnx.engine import Around
from detection.onnx.quality import Quality, judge

Loader = Callable[[int], NDArray[np.uint8]]  # long side wanted in px → RGB [H,W,3]
_REACH = 24  # stills to each side of a frame that may be its neighbours
_REACH_LARGE = 8  # where stills are large
_FARTHEST = 36 * 3600.0  # seconds: the same hour of the day before and after lies within
_DAY, _NOON = 86400.0, 43200.0  # seconds; by UTC, light enough wherever this is used
_BUSY = 3  # threads that wait for no frame before theirs, whose tiles are a third of the work


class Detects(Protocol):
    """An `Engine` or a `Pair`."""

    @property
    def still_side(self) -> int | None: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    def detect(self, rgb: NDArray[np.uint8], around: Around = ...) -> Boxes: ...


@dataclass(frozen=True, eq=False)
class Seen:
    """One frame's outcome. `width`, `height` px of the picture that `boxes` refer to; `evidence`
    float32 [N]: share of each box that differs from the background, NaN where there is none;
    `light` float32 [12,16], what frames of like light share (empty without stills); `quality`
    None likewise.
    """

    boxes: Boxes
    width: int
    height: int
    evidence: NDArray[np.float32]
    light: NDArray[np.float32]
    quality: Quality | None = None


@dataclass(frozen=True, eq=False)
class _Found:
    """What was found in a frame; None where there was no such frame."""

    at: float = -math.inf  # seconds
    boxes: Boxes | None = None

    def on_the_day_of(self, instant: float) -> Boxes | None:
        """What was found, unless a day began since, at noon: then all of a frame is looked at anew,
        so that what stands still and was missed or mistaken is not so for good.
        """
        days = [(each - _NOON) // _DAY for each in (self.at, instant)]
        return self.boxes if days[0] == days[1] else None


@dataclass(eq=False)
class Trail:
    """What a walk along one camera leaves for the walk that goes on from it: stills by the keys of
    their frames, and what was found in its last frames. Held for one detector with its settings.
    """

    stills: OrderedDict[Hashable, Still] = field(default_factory=OrderedDict)
    last: list[_Found] = field(default_factory=list)


def detect_in_order(
    detector: Detects,
    loaders: Sequence[Loader],
    instants: Sequence[float],
    threads: int,
    *,
    long_side: int = 1920,
    stills: bool = True,
    wanted: Sequence[int] | None = None,
    keys: Sequence[Hashable] | None = None,
    trail: Trail | None = None,
) -> Iterator[tuple[int, Seen | Exception]]:
    """(position in `loaders`, what was seen or what went wrong) for each frame, as each is done.

    `instants`: seconds, in any order. Frames are loaded at `long_side` px. `stills`: make them
    even where the detector needs none, for evidence and quality. `wanted`: positions of the
    frames to detect on, all by default; the others only lend their stills. `keys`: what each frame
    is known by on the `trail`, which is gone on from and left behind; one walk at a time.
    """
    trail = Trail() if trail is None else trail
    order = np.argsort(np.asarray(instants, np.float64), kind="stable")
    if wanted is not None:
        order = order[np.isin(order, np.asarray(wanted, np.intp))]
    side = detector.still_side or (SIDE if stills else None)
    known = range(len(loaders)) if keys is None else keys
    album = None if side is None else _Album(loaders, instants, known, side, threads, trail.stills)
    done: queue.SimpleQueue[tuple[int, Seen | Exception] | None] = queue.SimpleQueue()
    stop, lock = threading.Event(), threading.Lock()
    steps = iter(order.tolist())
    lag = 1 + (threads - 1) // _BUSY
    # What was found or is being looked for in the last frames, oldest first.
    found: deque[Future[_Found]] = deque(_past(trail, instants, order, lag), maxlen=lag)

    def take() -> tuple[int, Future[_Found], Future[_Found]] | None:
        """Position of the next frame, what is found before it, and where to say what is in it."""
        with lock:
            position = None if stop.is_set() else next(steps, None)
            if position is None:
                return None
            earlier, mine = found[0], Future[_Found]()
            found.append(mine)
            return position, earlier, mine

    def look(position: int, earlier: Future[_Found], mine: Future[_Found]) -> None:
        at = instants[position]

        def before() -> Boxes | None:
            return earlier.result().on_the_day_of(at)

        try:
            seen = _one(detector, loaders[position](long_side), album, position, before)
        except Exception as error:
            traceback.clear_frames(error.__traceback__)  # they would hold the picture
            mine.set_result(earlier.result())
            done.put((position, error))
        else:
            mine.set_result(_Found(at, seen.boxes))
            done.put((position, seen))

    def walk() -> None:
        try:
            while (step := take()) is not None:
                look(*step)
        finally:
            done.put(None)

    executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="detect")
    cv2.setNumThreads(1)  # else OpenCV's own threads crowd ours
    try:
        left = min(threads, len(order))
        for _ in range(left):
            executor.submit(walk)
        while left:
            if (outcome := done.get()) is None:
                left -= 1
            else:
                yield outcome
    finally:
        stop.set()
        executor.shutdown(wait=True, cancel_futures=True)
        trail.last = [each.result() for each in found]


def _past(
    trail: Trail, instants: Sequence[float], order: NDArray[np.intp], lag: int
) -> Iterator[Future[_Found]]:
    """What was found in the last `lag` frames before the first of `order`, as far as is known."""
    begins = instants[order[0]] if len(order) else 0.0
    last = [each for each in trail.last if each.at < begins][-lag:]
    oldest = last[0] if last else _Found()
    for each in [oldest] * (lag - len(last)) + last:
        past = Future[_Found]()
        past.set_result(each)
        yield past


def _one(
    detector: Detects,
    rgb: NDArray[np.uint8],
    album: _Album | None,
    position: int,
    before: Callable[[], Boxes | None],
) -> Seen:
    height, width = rgb.shape[:2]
    if album is None:
        boxes = detector.detect(rgb, Around(before=before, bars=agreed([bars(rgb)])))
        return Seen(boxes, width, height, np.full(len(boxes), np.nan, np.float32), _NO_LIGHT)
    still = album.of(position, rgb)
    near = album.near(position)
    behind = background.background(still, background.neighbours(still, near))
    change = None if behind is None else background.change(still, behind)
    burned_in = agreed([each.bars for each in (still, *near)])
    boxes = detector.detect(rgb, Around(behind, change, before, burned_in))
    evidence = np.full(len(boxes), np.nan, np.float32)
    if change is not None:
        evidence = change.within(boxes.to_fractions(width, height))
    return Seen(boxes, width, height, evidence, still.thumb, judge(still, near))


_NO_LIGHT = np.zeros((0, 0), np.float32)


class _Album:
    """Stills of frames, made when asked for; a few are kept."""

    def __init__(
        self,
        loaders: Sequence[Loader],
        instants: Sequence[float],
        keys: Sequence[Hashable],
        side: int,
        threads: int,
        kept: OrderedDict[Hashable, Still],
    ) -> None:
        self._loaders, self._instants, self._keys = loaders, instants, keys
        self._side, self._kept = side, kept
        self._reach = _REACH if side <= SIDE else _REACH_LARGE
        self._most = 2 * (self._reach + threads)
        self._unreadable: set[int] = set()
        self._lock = threading.Lock()
        # One frame of every half of APART is enough to choose from.
        slots: dict[int, int] = {}
        for position in np.argsort(np.asarray(instants, np.float64), kind="stable").tolist():
            slots.setdefault(int(instants[position] // (APART / 2)), position)
        self._chosen = list(slots.values())
        self._times = np.array([instants[position] for position in self._chosen], np.float64)

    def of(self, position: int, rgb: NDArray[np.uint8]) -> Still:
        """The still of a frame whose picture is at hand: the one that it lent its neighbours,
        where it did.
        """
        if (kept := self._held(position)) is not None:
            return kept
        return self._keep(position, remember(rgb, self._instants[position], self._side))

    def near(self, position: int) -> list[Still]:
        """Stills of the frames before and after the one at `position`, itself left out."""
        at = self._instants[position]
        middle = int(np.searchsorted(self._times, at))
        places = range(max(0, middle - self._reach), min(len(self._chosen), middle + self._reach))
        return [
            other
            for place in places
            if self._chosen[place] != position
            and abs(self._times[place] - at) <= _FARTHEST
            and (other := self._still(self._chosen[place])) is not None
        ]

    def _still(self, position: int) -> Still | None:
        """The still at `position`; None where the picture cannot be read."""
        if (kept := self._held(position)) is not None or position in self._unreadable:
            return kept
        try:
            rgb = self._loaders[position](self._side)
            return self._keep(position, remember(rgb, self._instants[position], self._side))
        except Exception:  # its own turn will tell what is wrong with it
            self._unreadable.add(position)
            return None

    def _held(self, position: int) -> Still | None:
        key = self._keys[position]
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
            return kept

    def _keep(self, position: int, still: Still) -> Still:
        with self._lock:
            self._kept[self._keys[position]] = still
            self._kept.move_to_end(self._keys[position])
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return still
