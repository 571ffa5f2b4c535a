"""What a picture file says of itself. Pure; never invents what is absent."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from datetime import UTC, datetime

from PIL import Image

_TAKEN, _SUBSEC, _OFFSET = 0x9003, 0x9291, 0x9011
_DIGITISED, _MAKER_NOTE = 0x9004, 0x927C
_MAKE, _MODEL, _SERIAL = 0x010F, 0x0110, 0xA431
# Reconyx states its serial number in the maker note alone, in UTF-16: how that begins → where.
_RECONYX = {b"RECONYXH2": slice(0x7E, 0x9A), b"\x01\xf1": slice(0x2A, 0x48)}


@dataclass(frozen=True)
class Exif:
    """`clock_at`: the camera's clock, written as though it ran on UTC; None where absent."""

    clock_at: datetime | None
    utc_offset_minutes: int | None
    make: str
    model: str
    serial: str
    raw: dict[str, str]


def read(data: bytes) -> Exif:
    """The EXIF of JPEG bytes; everything empty where there is none or it is damaged."""
    tags: dict[int, object] = {}
    with contextlib.suppress(Exception), Image.open(io.BytesIO(data)) as picture:
        # Pillow raises a dozen kinds of error on mutated EXIF; none says more than "damaged".
        exif = picture.getexif()
        tags = {**exif, **exif.get_ifd(0x8769)}
    text = {tag: str(tags.get(tag, "")).replace("\x00", "").strip() for tag in
            (_TAKEN, _DIGITISED, _SUBSEC, _OFFSET, _MAKE, _MODEL, _SERIAL)}  # fmt: skip
    # Some phones and old trail cameras state only when the picture was made into a file.
    text[_TAKEN] = text[_TAKEN] or text[_DIGITISED]
    text[_SERIAL] = text[_SERIAL] or _in_maker_note(tags.get(_MAKER_NOTE))
    return Exif(
        clock_at=_instant(text[_TAKEN], text[_SUBSEC]),
        utc_offset_minutes=_offset(text[_OFFSET]),
        make=text[_MAKE][:100],
        model=text[_MODEL][:100],
        serial=text[_SERIAL][:100],
        raw={
            name: text[tag][:100]
            for name, tag in (
                ("DateTimeOriginal", _TAKEN), ("SubSecTimeOriginal", _SUBSEC),
                ("OffsetTimeOriginal", _OFFSET), ("Make", _MAKE), ("Model", _MODEL),
                ("BodySerialNumber", _SERIAL),
            )
            if text[tag]
        },
    )  # fmt: skip


def _in_maker_note(note: object) -> str:
    if isinstance(note, bytes):
        for begins, where in _RECONYX.items():
            if note.startswith(begins):
                text = note[where].decode("utf-16-le", "replace").split("\x00")[0]
                return text if text.isascii() and text.isalnum() else ""
    return ""


def _instant(taken: str, subsec: str) -> datetime | None:
    with contextlib.suppress(ValueError):
        second = datetime.strptime(taken, "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
        fraction = subsec[:6].ljust(6, "0") if subsec.isascii() and subsec.isdigit() else "0"
        return second.replace(microsecond=int(fraction))
    return None


def _offset(text: str) -> int | None:
    with contextlib.suppress(ValueError):
        moment = datetime.strptime(text, "%z").utcoffset()
        return None if moment is None else int(moment.total_seconds() // 60)
    return None
