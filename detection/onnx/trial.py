"""Try a model file in a process of its own, with bounded memory and time.

A file from anywhere may crash the runtime that reads it, ask for all memory, or never end: it
takes this child with it and nothing else. Run as `python -m detection.onnx.trial FILE`, it prints
the outcome as JSON; `examine` runs that and reads it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from detection.onnx.engine import DetectorSettings, Engine
from detection.onnx.layouts import known
from detection.onnx.runtime import (
    ModelDescription,
    ModelRefused,
    Port,
    Refusal,
    Session,
    describe,
)

SECONDS = 120.0  # the largest published detectors take 20 to open and run once
MOST_MEMORY = 12 * 1024**3  # bytes of address space, of which ONNX Runtime reserves much
_SOURCES = Path(__file__).resolve().parents[2]


def examine(path: Path, *, seconds: float = SECONDS, memory: int = MOST_MEMORY) -> ModelDescription:
    """Describe the file at `path` after it was opened, recognised and run once on a grey picture,
    all in a child process; raises ModelRefused, also when the child died or took too long.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "detection.onnx.trial", str(path.absolute()), str(memory)],
            cwd=_SOURCES,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
        outcome = json.loads(done.stdout.decode("utf-8"))
    except subprocess.TimeoutExpired:
        raise ModelRefused(
            Refusal.UNSUPPORTED, f"{path.name} did not finish one picture in {seconds:.0f} seconds"
        ) from None
    except ValueError:
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"code {done.returncode}"
        raise ModelRefused(
            Refusal.UNSUPPORTED,
            f"{path.name} stopped the program that tried it ({how}); it is damaged or needs more "
            f"memory than {memory >> 30} GB",
        ) from None
    if "refused" in outcome:
        raise ModelRefused(Refusal(outcome["refused"]), outcome["message"])
    ports = {
        side: tuple(Port(p["name"], tuple(p["shape"]), p["type"]) for p in outcome[side])
        for side in ("inputs", "outputs")
    }
    return ModelDescription(**outcome | ports)


def _try(path: Path) -> ModelDescription:
    description = describe(path)
    layout = known(description, path.name)
    settings = DetectorSettings(long_side=640)
    grey = np.full((480, 640, 3), 127, np.uint8)
    try:
        Engine(Session(path), layout, settings).detect(grey)
    except ModelRefused:
        raise
    except Exception as error:  # ONNX Runtime's own errors share no narrower base
        raise ModelRefused(
            Refusal.UNSUPPORTED, f"{path.name} fails on a picture: {str(error)[:500]}"
        ) from error
    return description


def _main(path: Path, memory: int) -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):  # absent on some systems
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        outcome = asdict(_try(path))
    except ModelRefused as refusal:
        outcome = {"refused": refusal.reason.value, "message": str(refusal)}
    sys.stdout.write(json.dumps(outcome))


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
