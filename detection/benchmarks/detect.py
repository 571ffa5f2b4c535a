"""Detection in one run: the engine against its floor, a worker's whole path against the bare
engine, gated tiles against SAHI's sliced prediction, and memory over ten thousand frames.

Each part takes turns with its own peer (floor.py, worker.py, slicing.py, memory.py, which can be
run alone). LACS_BENCH_SHORT=1 measures all of it on a tenth of the frames: to see that it works,
not to quote. A part that cannot be measured here says why, in place of its figures.
"""

from __future__ import annotations

import os
import time
from typing import Any

from django.core.management import CommandError

from detection.benchmarks import floor, memory, slicing, worker
from detection.benchmarks.floor import AIM

SHORT: dict[Any, dict[str, Any]] = {
    floor: {"FRAMES": 6, "TURNS": 1},
    worker: {"FRAMES": 12, "TURNS": 1},
    slicing: {"TURNS": 1, "DAYS": 1, "INTERVAL": 120},
    memory: {"FRAMES": 1000, "INTERVAL": 60},
}
TOLD = {  # of each part's conditions
    worker: ("worker_mb_after_a_third", "worker_mb_at_the_end"),
    slicing: ("recall", "recall_of_sahi", "false_boxes", "false_boxes_of_sahi", "frames", "aim"),
    memory: ("mb_after_a_tenth", "mb_by_tenths", "frames"),
}


def measure() -> dict[str, Any]:
    """The engine's processor time over its floor's, with the other parts in `conditions`."""
    if short := bool(os.environ.get("LACS_BENCH_SHORT")):
        for module, values in SHORT.items():
            for name, value in values.items():
                setattr(module, name, value)
    began = time.monotonic()
    engine = floor.measure()
    told = engine["conditions"]
    parts = {
        "path": _part(worker),
        "sliced": _part(slicing),
        "memory": _part(memory),
    }
    return {
        "what": "processor time of a frame in a run's engine, over that of entropy decoding and "
        "the bare network alone; limit: the aim",
        "figure": told["cpu_over_floor"],
        "unit": "times",
        "limit": AIM,
        "ratio": round(told["cpu_over_floor"] / AIM, 3),
        "conditions": {
            **told,
            "frames_per_second": engine["figure"],
            **parts,
            "short": short,
            "seconds": round(time.monotonic() - began),
        },
    }


def _part(module: Any) -> dict[str, Any] | str:
    try:
        measured = module.measure()
    except CommandError as reason:
        return str(reason)
    return {
        **{key: measured[key] for key in ("what", "figure", "unit", "ratio")},
        **{key: measured["conditions"][key] for key in TOLD[module]},
    }
