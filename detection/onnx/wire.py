"""Ask an ONNX file, before any runtime opens it, whether it points at other files.

Reads only the Protocol Buffers fields that can hold a tensor (onnx/onnx.proto, IR version 10
and its successors keep these numbers); checks nothing else and loads no weights.
"""

from __future__ import annotations

from collections.abc import Iterator

# Message → the fields of it that lead to a tensor → the message found there.
_PATHS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
_EXTERNAL_DATA, _DATA_LOCATION = 13, 14


def has_external_data(model: bytes) -> bool:
    """True when a tensor of `model` lies in another file; ValueError if it is not protobuf."""
    todo = [("model", memoryview(model))]  # a list, not recursion: nesting is the author's choice
    while todo:
        message, data = todo.pop()
        for field, value in _fields(data):
            if message == "tensor":
                # Any location but the default, so that no odd encoding of 1 slips by.
                if field == _EXTERNAL_DATA or (field == _DATA_LOCATION and value):
                    return True
            elif (inner := _PATHS[message].get(field)) and isinstance(value, memoryview):
                todo.append((inner, value))
    return False


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        kind = key & 7
        if kind == 0:
            number, at = _varint(data, at)
            yield key >> 3, number
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError("not a Protocol Buffers message")
        if at + size > len(data):
            raise ValueError("message cut short")
        yield key >> 3, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    number = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("message cut short")
        byte = data[at]
        at += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, at
    raise ValueError("number too long")
