"""Which bytes of a file a request asks for (RFC 9110, Range and If-Range). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.ASCII)


class Unsatisfiable(ValueError):
    """None of the bytes asked for is there."""


@dataclass(frozen=True)
class Range:
    """From `first` to `last`, both included."""

    first: int
    last: int


def asked(header: str, if_range: str, tag: str, size: int) -> Range | None:
    """The one range that is asked for; None for the whole: also where several are, where it cannot
    be read, and where it is the rest of other bytes than those under `tag`. Raises Unsatisfiable.
    """
    found = _ONE.fullmatch(header)
    if found is None or found[1] == found[2] == "" or (if_range and if_range != tag):
        return None
    if not found[1]:  # the last so many
        if not int(found[2]):
            raise Unsatisfiable
        return Range(max(0, size - int(found[2])), size - 1)
    first = int(found[1])
    if found[2] and int(found[2]) < first:
        return None
    if first >= size:
        raise Unsatisfiable
    return Range(first, min(int(found[2] or size), size - 1))
