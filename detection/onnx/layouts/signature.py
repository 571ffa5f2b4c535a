"""What layouts ask of a model's signature: the one picture it takes, the classes it names."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from detection.onnx.classmap import COCO_80
from detection.onnx.runtime import ModelDescription, Port

_LONGEST = 100_000  # characters of metadata worth reading
_MOST_CLASSES = 91  # numbered where a file names none: COCO's longest numbering


def picture_port(description: ModelDescription) -> Port | None:
    """The input that takes the picture: the only one of four dimensions."""
    found = [port for port in description.inputs if len(port.shape) == 4]
    return found[0] if len(found) == 1 else None


def canvas(
    description: ModelDescription, *, others: int = 0, packed: bool = False
) -> tuple[int | None, int | None] | None:
    """(height, width) in px of the one picture the model takes, None for a side that may vary;
    None altogether if that is not what it takes.

    The picture is float [1,3,h,w], or [1,6,h,w] with the background's three channels after it;
    `packed`: bytes [1,h,w,3]. `others`: number of inputs beside it.
    """
    port = picture_port(description)
    if port is None or len(description.inputs) != 1 + others:
        return None
    if port.type != ("tensor(uint8)" if packed else "tensor(float)"):
        return None
    if port.shape[3 if packed else 1] not in ((3,) if packed else (3, 6)):
        return None
    sides = [side if isinstance(side, int) else None for side in port.shape]
    height, width = sides[1:3] if packed else sides[2:]
    if sides[0] not in (1, None) or any(s is not None and s < 1 for s in (height, width)):
        return None
    return height, width


def places(
    description: ModelDescription, wanted: Mapping[str, int], spare: str = ""
) -> tuple[int, ...] | None:
    """Positions of the outputs named in `wanted` (name → number of dimensions), in its order;
    None when one is absent or there are others. `spare` may be there too. What follows a colon in
    a name is TensorFlow's and ignored.
    """
    ports = {port.name.split(":")[0]: at for at, port in enumerate(description.outputs)}
    if set(ports) - {spare} != set(wanted) or len(ports) != len(description.outputs):
        return None
    if any(len(description.outputs[ports[name]].shape) != rank for name, rank in wanted.items()):
        return None
    return tuple(ports[name] for name in wanted)


def does_detect(metadata: Mapping[str, str]) -> bool:
    """False for files that say they segment, classify or estimate poses."""
    return metadata.get("task", "detect") == "detect"


def class_names(metadata: Mapping[str, str], count: int) -> tuple[str, ...] | None:
    """Names of the model's `count` classes: those the exporter left in the file under `names`
    (a list, or a dictionary by index), else COCO's if there are 80, else None: never guessed.
    """
    if (given := given_names(metadata)) is not None and len(given) == count:
        return given
    return COCO_80 if count == len(COCO_80) else None


def given_names(metadata: Mapping[str, str]) -> tuple[str, ...] | None:
    """Class names that the file itself holds, in order; None without any."""
    left = _read(metadata.get("names", "")[:_LONGEST])
    if isinstance(left, dict):
        left = [left.get(index, left.get(str(index))) for index in range(len(left))]
    if isinstance(left, list) and left and None not in left:
        return tuple(map(str, left))
    return None


def names_or_numbers(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The file's class names, or numbers in their place where outputs do not say how many there
    are: a person names them, nothing is guessed.
    """
    return given_names(metadata) or tuple(f"class {number}" for number in range(_MOST_CLASSES))


def known_class(values: NDArray[np.generic], count: int) -> NDArray[np.int64]:
    """Class indices [N] as a network gave them; ValueError for one without a name."""
    classes = np.asarray(np.nan_to_num(values.astype(np.float64), nan=-1), np.int64)
    if classes.size and not 0 <= classes.min() <= classes.max() < count:
        wrong = classes.max() if classes.max() >= count else classes.min()
        raise ValueError(f"the model speaks of class {wrong}, but {count} classes have names")
    return classes


def _read(text: str) -> object:
    """`text` as JSON or, as some exporters leave it, as a Python literal; None if neither."""
    for reader in (json.loads, ast.literal_eval):
        try:
            return reader(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None
