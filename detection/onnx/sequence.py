"""Detect on the frames of one camera in the order of time, each with its neighbours.

Frames are dealt to the threads in short stretches, so that each has as much of the busy hours.
Each thread walks its own: it knows the boxes of the frame before (where a stretch begins, of the
last one that it saw), and results do not depend on who was faster. What a walk leaves (`Trail`)
lets the next along the same camera go on from it. Stills are made of a frame every quarter of an
hour or so and few are kept, so memory does not grow with the number of frames.
"""

from __future__ import annotations

import math
import queue
import threading
import traceback
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
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
_STRETCH = 8  # frames, at most, that a thread walks before it leaves as many to each other one
_WEEK, _NOON = 7 * 86400.0, 43200.0  # seconds; by UTC, light enough wherever this is used


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
class Found:
    """What was found in the frame of an instant; nothing is known where `boxes` is None."""

    at: float = -math.inf  # seconds
    boxes: Boxes | None = None

    def before(self, instant: float) -> Boxes | None:
        """What was found, for a later frame of the same week, which begins on Thursday at noon:
        then all of a frame is looked at anew, so that what stands still and was missed or mistaken
        is not so for good.
        """
        same = (self.at - _NOON) // _WEEK == (instant - _NOON) // _WEEK
        return self.boxes if same and self.at <= instant else None


@dataclass(eq=False)
class Trail:
    """What a walk along one camera leaves for the walk that goes on from it: stills by the keys of
    their frames, and what was found in its last frame. Held for one detector with its settings.
    """

    stills: OrderedDict[Hashable, Still] = field(default_factory=OrderedDict)
    last: Found = field(default_factory=Found)


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
    stop = threading.Event()
    hands = _deal(order, threads)
    last = [trail.last] * len(hands)

    def walk(number: int) -> None:
        found = trail.last
        try:
            for position in hands[number]:
                if stop.is_set():
                    return
                at = instants[position]
                before = found.before(at)
                try:
                    seen = _one(detector, loaders[position](long_side), album, position, before)
                except Exception as error:
                    traceback.clear_frames(error.__traceback__)  # they would hold the picture
                    done.put((position, error))
                    found = Found()  # if that was what could not be borne, it ends here
                    continue
                found = last[number] = Found(at, seen.boxes)
                done.put((position, seen))
        finally:
            done.put(None)

    executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="detect")
    cv2.setNumThreads(1)  # else OpenCV's own threads crowd ours
    try:
        for number in range(len(hands)):
            executor.submit(walk, number)
        left = len(hands)
        while left:
            if (outcome := done.get()) is None:
                left -= 1
            else:
                yield outcome
    finally:
        stop.set()
        executor.shutdown(wait=True, cancel_futures=True)
        own = [each for each in last if each is not trail.last]
        trail.last = max(own, default=trail.last, key=lambda each: each.at)
        if album is not None:
            album.forget()


def _deal(order: NDArray[np.intp], threads: int) -> list[list[int]]:
    """Positions for each thread, as many for each, in stretches of `order`; none without any."""
    rounds = math.ceil(len(order) / threads / _STRETCH)
    if not rounds:
        return []
    stretches = np.array_split(order, rounds * threads)
    hands = [np.concatenate(stretches[number::threads]).tolist() for number in range(threads)]
    return [hand for hand in hands if hand]


def _one(
    detector: Detects,
    rgb: NDArray[np.uint8],
    album: _Album | None,
    position: int,
    before: Boxes | None,
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
        # Threads get out of step where one has the busy hours, and look round at other times.
        self._most = 2 * self._reach * min(threads, 3) + (threads + 1) * _STRETCH
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

    def forget(self) -> None:
        """All stills but those about the last frames."""
        with self._lock:
            while len(self._kept) > 2 * self._reach:
                self._kept.popitem(last=False)

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
