"""A run's engine against the floor beneath it: what reading the files and running the network cost
by themselves.

Engine: JPEG bytes to boxes with the default settings, background and gate and all, as a worker does
it, without the database. Floor: entropy decoding of the same bytes (JPEG at an eighth of its scale:
every code is read, hardly a pixel made) and the bare network on the very tensors that it was given.
Both on the same threads, in turns, so that the machine's moods hit both alike.

Without a detector at hand a tiny one is made, of the tests' making: it needs the development
packages, and its share of the work is smaller than a real network's, so the ratio looks worse.
"""

from __future__ import annotations

import functools
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import simplejpeg
from django.conf import settings
from django.core.management import CommandError
from numpy.typing import NDArray

from detection import choosing
from detection.benchmarks import drawn
from detection.inference import LONG_SIDE
from detection.onnx.engine import DetectorSettings, Engine, load_engine
from detection.onnx.runtime import ModelRefused, Session
from detection.onnx.sequence import detect_in_order
from detection.scenes.model import View
from detection.scenes.plan import plan
from detection.scenes.render import render

FRAMES, TURNS = 24, 3
AIM = 2.0  # times the floor's processor time
VIEW = View(1920, 1440, seed=1)
EVERY = 1800  # seconds between frames


def measure() -> dict[str, Any]:
    threads = settings.INFERENCE_THREADS or os.cpu_count() or 1
    files = _files(FRAMES)
    with tempfile.TemporaryDirectory(prefix="lacs-bench-") as folder:
        model = detector_file(Path(folder))
        chosen = DetectorSettings.from_dict(choosing.options())
        try:
            engine = load_engine(model, chosen, providers=settings.INFERENCE_PROVIDERS)
        except ModelRefused as refusal:
            raise CommandError(str(refusal)) from None
        tensors = _tensors(engine, files)
        ways: dict[str, Callable[[], None]] = {
            "engine": lambda: _detect(engine, files, threads),
            "floor": lambda: _floor(engine, tensors, files, threads),
        }
        for way in ways.values():
            way()  # opens the session, warms the caches
        taken: dict[str, list[tuple[float, float, float]]] = {name: [] for name in ways}
        for _turn in range(TURNS):
            for name, way in ways.items():
                taken[name].append(_timed(way))
    wall, cpu, idle = (
        {name: statistics.median(turn[kind] for turn in all_) for name, all_ in taken.items()}
        for kind in range(3)
    )
    return {
        "what": "frames through a run's engine, JPEG to boxes; limit: entropy decoding and the "
        "bare network on the same files and tensors",
        "figure": round(len(files) / wall["engine"], 2),
        "unit": "frames/s",
        "limit": round(len(files) / wall["floor"], 2),
        "ratio": round(wall["floor"] / wall["engine"], 3),
        "conditions": {
            "detector": model.name,
            "looks_per_frame": round(len(tensors) / len(files), 1),
            "frames": f"{len(files)} rendered of {VIEW.width}×{VIEW.height} px, "
            f"{sum(map(len, files)) // len(files) // 1000} kB each",
            "turns": f"{TURNS} of each, alternating; medians",
            "threads": threads,
            "cpu_seconds_per_frame": round(cpu["engine"] / len(files), 4),
            "cpu_over_floor": round(cpu["engine"] / cpu["floor"], 3),
            "aim": AIM,
            # Others' work is no idleness: it counts neither for nor against.
            "own_over_own_and_idle": round(cpu["engine"] / (cpu["engine"] + idle["engine"]), 3),
            "load_average": round(os.getloadavg()[0], 1),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        },
    }


def _files(count: int) -> list[bytes]:
    """Daylight frames of the drawn lake, EVERY so many seconds, as JPEGs."""
    day = plan(date(2025, 7, 26), 1, EVERY // 60, VIEW.seed)
    light = [frame for frame in day if 8 <= frame.moment.at.hour < 20][:count]
    return [drawn.jpeg(render(VIEW, frame.moment, frame.things)) for frame in light]


def detector_file(folder: Path) -> Path:
    model = drawn.named()
    if model.exists() or "LACS_DETECTOR" in os.environ:
        return model
    from tests.onnx_models import tiny_yolox  # needs the development packages

    return tiny_yolox(folder / "tiny_yolox.onnx")


@dataclass
class _Recording:
    """A session that remembers what it was given."""

    session: Session
    given: list[NDArray[np.float32]] = field(default_factory=list)

    def run(
        self, tensor: NDArray[np.float32], others: Mapping[str, NDArray[Any]]
    ) -> list[NDArray[Any]]:
        self.given.append(tensor)
        return self.session.run(tensor, others)


def _tensors(engine: Engine, files: list[bytes]) -> list[NDArray[np.float32]]:
    """What the network is given for these frames."""
    recording = _Recording(engine.session)
    _detect(replace(engine, session=recording), files, 1)  # type: ignore[arg-type]
    return recording.given


def _detect(engine: Engine, files: list[bytes], threads: int) -> None:
    loaders = [functools.partial(drawn.load, data) for data in files]
    instants = [float(EVERY * number) for number in range(len(files))]
    for _position, seen in detect_in_order(engine, loaders, instants, threads, long_side=LONG_SIDE):
        if isinstance(seen, Exception):
            raise seen


def _floor(
    engine: Engine, tensors: list[NDArray[np.float32]], files: list[bytes], threads: int
) -> None:
    def read(data: bytes) -> None:
        simplejpeg.decode_jpeg(data, "RGB", fastdct=True, min_width=1, min_height=1)

    cv2.setNumThreads(1)
    with ThreadPoolExecutor(max_workers=threads) as pool:
        list(pool.map(read, files))
        list(pool.map(engine.session.run, tensors))


def _timed(work: Callable[[], None]) -> tuple[float, float, float]:
    """(seconds on the clock, seconds of processor time in all threads, seconds that this
    machine's cores were idle)
    """
    clock, processor, idle = time.perf_counter(), time.process_time(), _idle()
    work()
    return time.perf_counter() - clock, time.process_time() - processor, _idle() - idle


def _idle() -> float:
    """Seconds that all cores together were idle; 0 where the system does not tell."""
    try:
        ticks = Path("/proc/stat").read_text().split("\n", 1)[0].split()[4:6]
    except OSError:
        return 0.0
    return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
