"""The one door to onnxruntime: read a model file, say what it is, run it.

Knows nothing of pictures or boxes. A file is read once into memory and judged from those bytes,
so that what was checked and hashed is what runs. onnxruntime itself is imported at first use:
a process that never detects does not pay for it, and a worker starts it after the fork.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from numpy.typing import NDArray

from detection.onnx.wire import has_external_data

if TYPE_CHECKING:
    import onnxruntime as ort

logger = logging.getLogger(__name__)

CPU = "CPUExecutionProvider"
LACKS = "; without "
MOST_BYTES = 512 * 1024**2  # the largest published detectors take 400 MB
MOST_SHAPES = 2  # one of the whole frame, one of its tiles: working memory grows with each
_ERRORS_ONLY = 3  # ONNX Runtime's severity scale: exporters' habits cause hundreds of warnings


class Refusal(StrEnum):
    """Why a model file cannot be used; the web layer words it in the reader's language."""

    UNREADABLE = "unreadable"
    CHANGED = "changed"
    NOT_ONNX = "not_onnx"
    TOO_LARGE = "too_large"
    EXTERNAL_DATA = "external_data"
    CUSTOM_OPERATOR = "custom_operator"
    UNSUPPORTED = "unsupported"
    UNKNOWN_LAYOUT = "unknown_layout"


class ModelRefused(Exception):
    """A model file this product will not run; `reason` for programs, str() for people."""

    def __init__(self, reason: Refusal, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True)
class Port:
    """An input or output of a model; a dimension is its size, or a name or None when free."""

    name: str
    shape: tuple[int | str | None, ...]
    type: str


@dataclass(frozen=True)
class ModelDescription:
    """What a model file says of itself; `sha256` is of the whole file, hexadecimal, and `size`
    its bytes. `producer` is the program that wrote it, often empty.
    """

    sha256: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    metadata: Mapping[str, str] = field(default_factory=dict)
    producer: str = ""
    size: int = 0


def describe(path: Path) -> ModelDescription:
    """Describe the ONNX file at `path`; raises ModelRefused."""
    model = _read(path)
    # Unoptimised: only the signature is wanted, and nothing of the file is to be computed yet.
    session = _open(model, path.name, 1, [CPU], optimise=False)
    meta = session.get_modelmeta()
    return ModelDescription(
        sha256=hashlib.sha256(model).hexdigest(),
        inputs=tuple(_port(node) for node in session.get_inputs()),
        outputs=tuple(_port(node) for node in session.get_outputs()),
        metadata=dict(meta.custom_metadata_map),
        producer=meta.producer_name,
        size=len(model),
    )


class Session:
    """A model ready to run, opened at the first `run` and then shared between threads.

    Opening late keeps ONNX Runtime's threads out of a process about to fork. `threads` is the
    number one run may use; `providers` in order of preference, the CPU always last.
    """

    def __init__(
        self, path: Path, threads: int = 1, providers: Sequence[str] | None = None
    ) -> None:
        self.path = path
        self.threads = threads
        self.providers = tuple(providers or (CPU,))
        self._session: ort.InferenceSession | None = None
        self._shapes: set[tuple[int, ...]] = set()
        self._lock = threading.Lock()

    @property
    def running_on(self) -> str:
        """The runtime's version and the providers in use, once `run` was called; else "". Those
        that were asked for and could not be had follow LACKS.
        """
        session = self._session
        if session is None:
            return ""
        used = session.get_providers()
        told = f"onnxruntime {_onnxruntime().__version__}: {', '.join(used)}"
        lacks = [provider for provider in self.providers if provider not in used]
        return told + (LACKS + ", ".join(lacks) if lacks else "")

    def run(
        self, tensor: NDArray[Any], others: Mapping[str, NDArray[Any]] | None = None
    ) -> list[NDArray[Any]]:
        """Every output, in the file's order, for the picture `tensor` and `others`, which are
        named as the file names them; raises ModelRefused.
        """
        session = self._opened(tensor.shape)
        feeds = dict(others or {})
        feeds |= {node.name: tensor for node in session.get_inputs() if node.name not in feeds}
        outputs: list[NDArray[Any]] = session.run(None, feeds)
        return outputs

    def _opened(self, shape: tuple[int, ...]) -> ort.InferenceSession:
        with self._lock:
            if shape not in self._shapes and len(self._shapes) == MOST_SHAPES:
                # Another camera's frames: begin afresh (some 50 ms) rather than swell for good.
                self._session = None
                self._shapes.clear()
            if self._session is None:
                self._session = self._open_with_fallback()
            self._shapes.add(shape)
            return self._session

    def _open_with_fallback(self) -> ort.InferenceSession:
        model, name = _read(self.path), self.path.name
        present = set(_onnxruntime().get_available_providers())
        wanted = [provider for provider in self.providers if provider in present]
        wanted = list(dict.fromkeys([*wanted, CPU]))
        try:
            session = _open(model, name, self.threads, wanted)
        except ModelRefused:
            if wanted == [CPU]:
                raise
            session = _open(model, name, self.threads, [CPU])
        used = session.get_providers()
        if missing := [provider for provider in self.providers if provider not in used]:
            logger.warning("%s: %s unavailable, running on %s", name, missing, used)
        return session


def _onnxruntime() -> ModuleType:
    """onnxruntime, silenced. Since 1.29 it sends its maker, by default and on every system, an
    identifier that it writes into the home folder and facts on each model it opens; the variable,
    read once at the import, stops both. The call serves Windows and older versions.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    return cast("ModuleType", onnxruntime)


def _read(path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise ModelRefused(
                Refusal.TOO_LARGE,
                f"{path.name} has {size >> 20} MB; at most {MOST_BYTES >> 20} MB are taken",
            )
        model = path.read_bytes()
    except OSError as error:
        raise ModelRefused(
            Refusal.UNREADABLE, f"{path.name} cannot be read: {error.strerror}"
        ) from error
    try:
        external = has_external_data(model)
    except ValueError as error:
        raise ModelRefused(
            Refusal.NOT_ONNX, f"{path.name} is not an ONNX file, or is damaged"
        ) from error
    if external:
        raise ModelRefused(
            Refusal.EXTERNAL_DATA,
            f"{path.name} keeps its weights in another file; export it as a single file",
        )
    return model


def _open(
    model: bytes,
    name: str,
    threads: int,
    providers: list[str],
    *,
    optimise: bool = True,
) -> ort.InferenceSession:
    ort = _onnxruntime()
    level = ort.GraphOptimizationLevel
    options = ort.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimise else level.ORT_DISABLE_ALL
    try:
        return ort.InferenceSession(model, options, providers=providers)
    except Exception as error:  # ONNX Runtime's own errors share no narrower base
        raise _refusal(name, str(error)) from error


def _refusal(name: str, detail: str) -> ModelRefused:
    if "INVALID_PROTOBUF" in detail or "No graph was found" in detail:
        return ModelRefused(Refusal.NOT_ONNX, f"{name} is not an ONNX file, or is damaged")
    if "is not a registered" in detail or "No Op registered" in detail:
        return ModelRefused(
            Refusal.CUSTOM_OPERATOR, f"{name} uses an operator outside standard ONNX: {detail}"
        )
    return ModelRefused(Refusal.UNSUPPORTED, f"{name} cannot be run here: {detail}")


def _port(node: ort.NodeArg) -> Port:
    return Port(node.name, tuple(node.shape), node.type)
