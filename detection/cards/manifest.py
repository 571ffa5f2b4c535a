"""What a card's list of files says, as far as it can be kept. Pure.

A path is a label for people and never names anything on this machine's disk.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePosixPath

PATH_MAX_CHARACTERS, PATH_MAX_BYTES = 960, 2000  # a row of PostgreSQL's index holds 2,704 bytes
# What computers leave on a card that was put into them; a camera writes none of these. They alone
# are left out, and the receipt names them: whatever else is hidden may be somebody's picture.
# The browser leaves out the same (static/detection/manifest.js).
_LEFT_BY_COMPUTERS = {
    ".apdisk", ".documentrevisions-v100", ".ds_store", ".fseventsd", ".localized",
    ".spotlight-v100", ".temporaryitems", ".trash", ".trashes", ".volumeicon.icns",
    "$recycle.bin", "desktop.ini", "ehthumbs.db", "recycler", "system volume information",
    "thumbs.db",
}  # fmt: skip
_BEGIN_SO = (".trash-", "._")
NAMED_AT_MOST = 200  # of what was left out: a card may hold one such file for each picture


@dataclass(frozen=True)
class LeftOut:
    """What of a card was not taken: how much, and the first names."""

    count: int = 0
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, names: Iterable[str]) -> LeftOut:
        found = sorted(names)
        return cls(len(found), tuple(found[:NAMED_AT_MOST]))


def label(path: str) -> str:
    """`path` as it can be stored: no NUL, no half characters, and no longer than an index takes.

    What is too long is cut in the middle, with the digest of the whole in the place of what was
    cut, so that two long names that differ stay two.
    """
    text = path.replace("\x00", "\\x00").encode("utf-8", "backslashreplace").decode()
    if len(text) <= PATH_MAX_CHARACTERS and len(text.encode()) <= PATH_MAX_BYTES:
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text[:240]}…{digest}…{text[-240:]}"


def is_left_by_a_computer(name: str) -> bool:
    """Whether a file or folder of this name has nothing to do with the camera."""
    low = name.lower()
    return low in _LEFT_BY_COMPUTERS or low.startswith(_BEGIN_SO)


def is_picture(path: str) -> bool:
    """Whether a file is a JPEG by its name."""
    return PurePosixPath(path).suffix.lower() in (".jpg", ".jpeg")


def moment(milliseconds: float | None) -> datetime | None:
    """When a file was changed, from milliseconds since 1970; None where that is no date."""
    with contextlib.suppress(TypeError, ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(float(milliseconds or "none") / 1000, UTC)
    return None
