"""Running detectors over claimed frames: decode, infer, store.

One engine per worker process, made at first use, so after the fork; threads inside share it. Only
the thread that called touches the database; it also renews the lease while a slow frame keeps the
others busy. A frame's background comes from its neighbours in time at the same deployment, whether
they are claimed here, examined already or never will be: their previews are cheap to read.
"""

from __future__ import annotations

import functools
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from typing import TypeVar

import cv2
import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from detection import claims, runs
from detection.cards import vault
from detection.cards.decode import decode
from detection.detecting import Looking, looking
from detection.models import Frame, Run, RunFrame
from detection.onnx.sequence import Detects, Loader, Seen, Trail, detect_in_order
from lacs_web import stopping

log = logging.getLogger(__name__)
T = TypeVar("T")
LONG_SIDE = 1920  # pixels to which a frame is decoded
PREVIEW_SIDE = 1600  # pixels of a preview's long side, where the original has as many
_TOGETHER = 1.0  # seconds after which the next frame that is done has all that are written
NEAR = timedelta(hours=36)  # the same hour of the day before and after lies within


def examine(run: Run, *, limit: int) -> int:
    """Claim up to `limit` frames of `run`, detect, store; returns how many were claimed. A worker
    that is to end hands back the rest.

    Raises ModelRefused, with nothing claimed: what ails the detector is no fault of the frames.
    """
    eye = looking(run.detector, run.second_detector, run.settings)
    token, rows = runs.take(run, limit)
    if not rows:
        return 0
    zones = runs.ignored(run.batch.deployment)
    hold = functools.partial(claims.renew, RunFrame, token)
    results = look(eye.network, [row.frame for row in rows], trail=trail_of("run", run.pk))
    done: list[tuple[RunFrame, runs.Outcome]] = []
    due = time.monotonic() + _TOGETHER
    for index, seen in meanwhile(results, hold, every=settings.LEASE_SECONDS / 3):
        row, ends = rows[index], stopping.asked()
        if isinstance(seen, Exception):
            log.warning("frame %s could not be examined: %s", row.frame_id, seen)
            runs.fail(row=row, token=token, reason=str(seen) or type(seen).__name__)
        else:
            done.append((row, _outcome(eye, row.frame, seen)))
        if ends or time.monotonic() >= due:
            runs.store(token=token, outcomes=done, ignored=zones)
            done, due = [], time.monotonic() + _TOGETHER
        if ends:
            claims.hand_back(RunFrame, token)
            break
    runs.store(token=token, outcomes=done, ignored=zones)
    if not run.engine:
        runs.note_engine(run, eye.engine)
    return len(rows)


def _outcome(eye: Looking, frame: Frame, seen: Seen) -> runs.Outcome:
    light = np.clip(np.round(seen.light), -127, 127).astype(np.int8).tobytes()
    return runs.Outcome(eye.boxes(seen), problem=_problem(frame, seen), light=light)


def _problem(frame: Frame, seen: Seen) -> str:
    """Why it may be unreadable; "" where its card said so already: nothing is proposed twice."""
    if frame.flag or seen.quality is None or not seen.quality.problems:
        return ""
    return seen.quality.problems[0]


@functools.lru_cache(maxsize=2)
def trail_of(kind: str, pk: int) -> Trail:
    """What the last chunk of a run (or of a candidate) left to the next in this process. Of two, so
    that cards which are examined in turn do not forget each other; some 60 MB each, twice that
    where a network takes backgrounds of full size.
    """
    return Trail()


def look(
    network: Detects,
    frames: Sequence[Frame],
    threads: int | None = None,
    trail: Trail | None = None,
) -> Iterator[tuple[int, Seen | Exception]]:
    """(position in `frames`, what was seen or what went wrong), as each is done. All are dated
    and of one deployment; one query, at once. `trail`: of the same network, gone on from.
    """
    others = _around(frames)
    loaders: list[Loader] = [_loader(frame) for frame in (*frames, *others)]
    instants = [_instant(frame) for frame in (*frames, *others)]
    threads = threads or settings.INFERENCE_THREADS or os.cpu_count() or 1
    return detect_in_order(
        network,
        loaders,
        instants,
        threads,
        long_side=LONG_SIDE,
        wanted=range(len(frames)),
        # By their instants too: a clock may be set right between two chunks.
        keys=[(frame.pk, frame.captured_at) for frame in (*frames, *others)],
        trail=trail,
    )


def _around(frames: Sequence[Frame]) -> list[Frame]:
    """Frames of the same deployment near `frames` in time, those left out."""
    first, last = (
        pick(frame.captured_at for frame in frames if frame.captured_at) for pick in (min, max)
    )
    near = Frame.objects.filter(
        deployment=frames[0].deployment_id,
        captured_at__gte=first - NEAR,
        captured_at__lte=last + NEAR,
    ).exclude(pk__in=[frame.pk for frame in frames])
    return list(near.only("sha256", "width", "height", "captured_at"))


def _instant(frame: Frame) -> float:
    assert frame.captured_at is not None  # noqa: S101 - a run owes no frame in quarantine
    return frame.captured_at.timestamp()


def _loader(frame: Frame) -> Loader:
    sha256, width, height = frame.sha256, frame.width, frame.height

    def load(long_side: int) -> NDArray[np.uint8]:
        if long_side < LONG_SIDE and long_side <= PREVIEW_SIDE:
            return _small(sha256, _still_size(width, height, long_side))
        data = vault.original(sha256)
        return decode(data, long_side=long_side, max_pixels=settings.PICTURE_MAX_PIXELS).rgb

    return load


def _still_size(width: int, height: int, long_side: int) -> tuple[int, int]:
    """(width, height) px that the engine makes of such a frame: by way of the size that is
    decoded, so that neighbours from previews have its stills' very size.
    """
    for most in (LONG_SIDE, long_side):
        shrink = min(1.0, most / max(width, height))
        width, height = max(1, round(width * shrink)), max(1, round(height * shrink))
    return width, height


def _small(sha256: str, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The preview at `size`; raises FileNotFoundError, ValueError."""
    data = vault.preview(sha256)
    rgb = decode(data, long_side=max(size), max_pixels=settings.PICTURE_MAX_PIXELS).rgb
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def meanwhile(results: Iterator[T], act: Callable[[], None], *, every: float) -> Iterator[T]:
    """`results`, drawn in a thread of its own; here, `act` is called each `every` seconds."""
    due = time.monotonic() + every
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="draw") as drawer:
        while True:
            job = drawer.submit(next, results, None)
            drawing = True
            while drawing:
                drawing = bool(wait([job], timeout=max(0.0, due - time.monotonic())).not_done)
                if time.monotonic() >= due:
                    act()
                    due = time.monotonic() + every
            if (result := job.result()) is None:
                return
            yield result
