"""What the still camera sees when nothing happens, and what differs from it in one frame.

The background of a frame is the median of neighbouring frames of like light, each moved and
brightened to match. All is done on a logarithmic scale, where exposure and haze are offsets, and
on small pictures. Shadows, clouds and banks of fog differ over large areas; what is left after
opening the difference with a square larger than a distant person is small: people, animals, waves.
The median bears up to half of the neighbours having someone at the same place, so they are taken
apart in time. Does not know boxes or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import scipy.fft
from numpy.typing import NDArray

from detection.onnx.caption import Bars, bars

SIDE = 640  # px of a still's long side
COUNT = 9  # neighbours of a background
FEWEST = 4  # below that there is no background: everything counts as changed
APART = 1500.0  # seconds between two neighbours: who sits still for an hour is in few of them
UNLIKE = 14.0  # mean difference of two thumbnails, of 255, beyond which light is another
_CELLS = (16, 12)  # across and down, of what light and sharpness are judged by
_PLACE = (256, 192)  # px, width and height, of what frames are aligned by
_SURE = 0.1  # height of the correlation's peak, of 1, below which a frame counts as unmoved
_STILL = 0.25  # px of a still below which a shift is not worth a blur
_SPOT = 25  # px of a still: side of the square that opens the difference
_LEAST, _TIMES = 12, 5  # threshold: levels of 255, and times the usual deviation at that pixel
_SMALLEST = 4  # px of a still that a spot has at least
_MOST_SPOTS = 400

_LOG = np.round(255 * np.log1p(np.arange(256) / 12) / np.log1p(255 / 12)).astype(np.uint8)

Levels = NDArray[Any]  # uint8 throughout; OpenCV's stubs widen every result


@dataclass(frozen=True, eq=False)
class Still:
    """What is kept of a frame to compare others with: `level` uint8 [h,w,3], logarithmic; `at`
    seconds; `grid` float32 [12,16,3] mean levels of cells; `thumb` float32 [12,16] likewise of
    grey, about their mean; `detail` float32 [12,16] mean outline; `spectrum` of the outlines;
    `bars` that the camera burned in, as the frame shows them by itself.
    """

    at: float
    level: Levels
    grid: NDArray[np.float32]
    thumb: NDArray[np.float32]
    detail: NDArray[np.float32]
    spectrum: NDArray[np.complex64]
    bars: Bars


@dataclass(frozen=True, eq=False)
class Background:
    """`level` uint8 [h,w,3] and `spread` uint8 [h,w] (median absolute deviation), as in the
    light of the frame it was made for.
    """

    level: Levels
    spread: Levels

    def rgb(self) -> Levels:
        """The background as a picture [h,w,3]."""
        return np.asarray(cv2.LUT(self.level, _UNLOG), np.uint8)


@dataclass(frozen=True, eq=False)
class Change:
    """`excess` uint8 [h,w]: levels by which the frame differs beyond what is usual there;
    `spots` float32 [N,4]: left, top, right, bottom of what differs, as fractions of the frame.
    """

    excess: Levels
    spots: NDArray[np.float32]

    def within(self, fractions: NDArray[np.float64]) -> NDArray[np.float32]:
        """For boxes [N,4] (x, y, w, h as fractions): the share of each that differs, [N]."""
        high, wide = self.excess.shape
        total = cv2.integral((self.excess > 0).astype(np.uint8))
        size = np.array([wide, high], np.float64)
        low = np.floor(fractions[:, :2] * size + 1e-6).astype(int)
        top = np.ceil((fractions[:, :2] + fractions[:, 2:]) * size - 1e-6).astype(int)
        low = np.clip(low, 0, [wide - 1, high - 1])
        top = np.maximum(np.minimum(top, [wide, high]), low + 1)
        (x0, y0), (x1, y1) = low.T, top.T
        changed: NDArray[Any] = total[y1, x1] - total[y0, x1] - total[y1, x0] + total[y0, x0]
        return np.asarray(changed / ((x1 - x0) * (y1 - y0)), np.float32)


def _unlog() -> Levels:
    light = 12 * np.expm1(np.arange(256) / 255 * np.log1p(255 / 12))
    return np.asarray(np.round(light), np.uint8)


_UNLOG = _unlog()


def remember(rgb: Levels, at: float, side: int = SIDE) -> Still:
    """The still of a frame `rgb` [H,W,3] taken `at` seconds, its long side `side` px or less."""
    high, wide = rgb.shape[:2]
    ratio = min(1.0, side / max(high, wide))
    size = (max(16, round(wide * ratio)), max(12, round(high * ratio)))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    level = cv2.LUT(small, _LOG)
    cells = cv2.resize(level, _CELLS, interpolation=cv2.INTER_AREA).astype(np.float32)
    thumb = cells.mean(axis=2)
    outlines = _outlines(np.asarray(cv2.cvtColor(level, cv2.COLOR_RGB2GRAY), np.uint8))
    return Still(
        at,
        np.asarray(level, np.uint8),
        cells,
        thumb - thumb.mean(),
        np.asarray(cv2.resize(outlines, _CELLS, interpolation=cv2.INTER_AREA), np.float32),
        _spectrum(outlines),
        bars(small),
    )


def neighbours(still: Still, others: Sequence[Still], count: int = COUNT) -> list[Still]:
    """At most `count` of `others` in light most like that of `still`, each APART from it and from
    one another.
    """
    chosen: list[Still] = []
    unlike = unlikeness(still, others)
    for place in np.argsort(unlike, kind="stable").tolist():
        other = others[place]
        if len(chosen) == count or unlike[place] > UNLIKE:
            break
        if _same_size(still, other) and all(
            abs(other.at - near.at) >= APART for near in (still, *chosen)
        ):
            chosen.append(other)
    return chosen


def _same_size(a: Still, b: Still) -> bool:
    """But for rounding: a picture reduced in two steps may have a row more or less."""
    return all(abs(one - two) <= 2 for one, two in zip(a.level.shape, b.level.shape, strict=True))


def unlikeness(still: Still, others: Sequence[Still]) -> NDArray[np.float32]:
    """[N] how different the light of each of `others` is: the mean difference of the thumbnails, to
    which exposure adds an eighth, since night has no light to be matched to day's; 0 for equal
    light.
    """
    if not others:
        return np.zeros(0, np.float32)
    thumbs, grids = (np.stack([getattr(each, of) for each in others]) for of in ("thumb", "grid"))
    exposure = np.abs(grids.mean(axis=(1, 2, 3)) - still.grid.mean())
    return np.asarray(np.abs(thumbs - still.thumb).mean(axis=(1, 2)) + exposure / 8, np.float32)


def background(still: Still, others: Sequence[Still]) -> Background | None:
    """The background for `still` from `others`, as `neighbours` chose them; None if there are
    fewer than FEWEST.
    """
    if len(others) < FEWEST:
        return None
    matched = [_matched(still, other) for other in others]
    level = median(matched)
    apart = [_greatest(cv2.absdiff(each, level)) for each in matched]
    return Background(level, median(apart))


def change(still: Still, behind: Background) -> Change:
    """What of `still` differs from the background `behind` it, beyond what is usual."""
    differs: Levels = np.zeros(still.level.shape[:2], np.uint8)
    square = np.ones((_SPOT, _SPOT), np.uint8)
    for more, less in ((still.level, behind.level), (behind.level, still.level)):
        gap = cv2.subtract(more, less)
        small = cv2.subtract(gap, cv2.morphologyEx(gap, cv2.MORPH_OPEN, square))
        differs = cv2.max(differs, _greatest(small))
    usual = cv2.dilate(behind.spread, np.ones((3, 3), np.uint8))
    usual = cv2.max(usual, cv2.blur(behind.spread, (15, 15)))
    limit = cv2.convertScaleAbs(usual, alpha=_TIMES, beta=_LEAST)
    excess = cv2.subtract(differs, limit)
    return Change(np.asarray(excess, np.uint8), _spots(excess))


def shift(still: Still, other: Still) -> tuple[float, float]:
    """(x, y) px, at the stills' size, by which `other` must move to lie on `still`; (0, 0) where
    they have too little in common to tell.
    """
    across, down, peak = align(still, other)
    return (across, down) if peak >= _SURE else (0.0, 0.0)


def align(still: Still, other: Still) -> tuple[float, float, float]:
    """As `shift`, whatever they have in common, and the height of the correlation's peak: 1 for
    equal stills, less with every difference of light, near 0 for another view or a turned one.
    """
    cross = still.spectrum * np.conj(other.spectrum)
    surface = scipy.fft.irfft2(cross / np.maximum(np.abs(cross), 1e-6), s=_PLACE[::-1])
    y, x = divmod(int(surface.argmax()), _PLACE[0])
    high, wide = still.level.shape[:2]
    beside = np.arange(-1, 2)
    around = surface[np.ix_((y + beside) % _PLACE[1], (x + beside) % _PLACE[0])]
    near_x, near_y = around[1], around[:, 1]
    across, down = (
        (at + _peak(near) + length / 2) % length - length / 2
        for at, near, length in ((x, near_x, _PLACE[0]), (y, near_y, _PLACE[1]))
    )
    # A peak between pixels is spread over them.
    return across * wide / _PLACE[0], down * high / _PLACE[1], float(np.maximum(around, 0).sum())


def median(stack: Sequence[Levels]) -> Levels:
    """Median of equal arrays (the lower of the middle two where their number is even), by a
    network of minima and maxima: some twenty times faster than sorting each pixel.
    """
    rows = list(stack)
    middle = (len(rows) - 1) // 2
    for last in range(len(rows) - 1, middle, -1):  # the greatest of what is left goes to `last`
        for at in range(last):
            rows[at], rows[at + 1] = (
                cv2.min(rows[at], rows[at + 1]),
                cv2.max(rows[at], rows[at + 1]),
            )
    result = rows[0]
    for row in rows[1 : middle + 1]:
        result = cv2.max(result, row)
    return np.asarray(result, np.uint8)


def _greatest(pixels: Levels) -> Levels:
    """[h,w] greatest channel of [h,w,3]; twenty times faster than numpy's."""
    first, second, third = cv2.split(pixels)
    return np.asarray(cv2.max(cv2.max(first, second), third), np.uint8)


def _outlines(grey: Levels) -> NDArray[np.float32]:
    """Magnitude of the gradient at the size that frames are aligned by."""
    small = cv2.resize(grey, _PLACE, interpolation=cv2.INTER_AREA).astype(np.float32)
    across, down = cv2.Sobel(small, cv2.CV_32F, 1, 0), cv2.Sobel(small, cv2.CV_32F, 0, 1)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _spectrum(outlines: NDArray[np.float32]) -> NDArray[np.complex64]:
    """Of the outlines, since those stay while light changes; edges of the picture faded out, and
    with them what the camera writes there.
    """
    even = np.minimum(outlines, 3 * outlines.mean() + 1)
    fade = cv2.createHanningWindow(_PLACE, cv2.CV_32F)
    return np.asarray(scipy.fft.rfft2((even - even.mean()) * fade), np.complex64)


def _peak(near: NDArray[np.float32]) -> float:
    """Where, from −0.5 to 0.5, a parabola through three values has its top."""
    bend = float(near[0] - 2 * near[1] + near[2])
    return 0.0 if bend >= 0 else float(np.clip((near[0] - near[2]) / (2 * bend), -0.5, 0.5))


def _matched(still: Still, other: Still) -> Levels:
    """`other`'s levels moved to lie on `still` and lifted to its light, channel by channel."""
    level = other.level
    if level.shape != still.level.shape:
        level = np.asarray(cv2.resize(level, still.level.shape[1::-1]), np.uint8)
    across, down = shift(still, other)
    if max(abs(across), abs(down)) > _STILL:
        matrix = np.array([[1, 0, across], [0, 1, down]], np.float32)
        size = (level.shape[1], level.shape[0])
        level = np.asarray(
            cv2.warpAffine(level, matrix, size, borderMode=cv2.BORDER_REPLICATE), np.uint8
        )
    sparse = still.level[4::8, 4::8].astype(np.int16) - level[4::8, 4::8]
    lift = np.round(np.median(sparse, axis=(0, 1)))
    return np.asarray(cv2.add(level, np.append(lift, 0.0)), np.uint8)  # cut at 0 and 255


def _spots(excess: Levels) -> NDArray[np.float32]:
    """Boxes [N,4] as fractions round what exceeds, pieces a pixel apart taken together."""
    high, wide = excess.shape
    mask = cv2.morphologyEx(
        (excess > 0).astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)
    )
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    stats = stats[1:][stats[1:, cv2.CC_STAT_AREA] >= _SMALLEST]
    stats = stats[np.argsort(-stats[:, cv2.CC_STAT_AREA], kind="stable")][:_MOST_SPOTS]
    corners = np.concatenate([stats[:, :2], stats[:, :2] + stats[:, 2:4]], axis=1)
    return np.asarray(corners / np.array([wide, high] * 2), np.float32)
