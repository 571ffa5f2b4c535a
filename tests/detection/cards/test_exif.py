"""What genuine and drawn files say of their camera and their time."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from detection.cards import exif
from detection.cards.decode import decode


def picture(**tags: Any) -> bytes:
    """A JPEG with EXIF tags given as t9003=…; those below 0x8000 lie in the first directory."""
    made = Image.Exif()
    for name, value in tags.items():
        tag = int(name[1:], 16)
        (made if tag < 0x8000 else made.get_ifd(0x8769))[tag] = value
    out = io.BytesIO()
    Image.new("RGB", (60, 40)).save(out, "JPEG", exif=made)
    return out.getvalue()


def test_sub_seconds_and_offsets() -> None:
    said = exif.read(picture(t9003="2025:07:26 14:00:01", t9291="25", t9011="+02:00"))
    assert said.clock_at == datetime(2025, 7, 26, 14, 0, 1, 250_000, tzinfo=UTC)
    assert said.utc_offset_minutes == 120
    assert (
        exif.read(picture(t9003="2025:07:26 14:00:01", t9011="-03:30")).utc_offset_minutes == -210
    )


def test_a_file_that_only_says_when_it_was_made() -> None:
    said = exif.read(picture(t9004="2025:07:26 14:00:01", t0132="2026:01:01 00:00:00"))
    assert said.clock_at == datetime(2025, 7, 26, 14, 0, 1, tzinfo=UTC)
    # When some program last wrote the file is no time of a picture.
    assert exif.read(picture(t0132="2026:01:01 00:00:00")).clock_at is None


@pytest.mark.parametrize("text", ["", "0000:00:00 00:00:00", "    :  :     :  :  ", "2025-07-26"])
def test_a_date_that_is_none(text: str) -> None:
    assert exif.read(picture(t9003=text)).clock_at is None


@pytest.mark.parametrize(("begins", "at"), [(b"RECONYXH2\x00", 0x7E), (b"\x01\xf1", 0x2A)])
def test_reconyx_writes_its_serial_number_into_its_note(begins: bytes, at: int) -> None:
    note = begins.ljust(at, b"\x01") + "H500TEST".encode("utf-16-le") + b"\x00" * 40
    assert exif.read(picture(t927c=note)).serial == "H500TEST"
    assert exif.read(picture(t927c=note, ta431="BODY")).serial == "BODY"
    assert exif.read(picture(t927c=begins + b"\xff" * 200)).serial == ""
    assert exif.read(picture(t927c=begins)).serial == ""


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_stands_upright(orientation: int) -> None:
    """A picture whose upper left quarter is red, however the camera was held."""
    upright = Image.new("RGB", (96, 64))
    upright.paste((255, 0, 0), (0, 0, 48, 32))
    turn = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # the transposition that undoes it
    lying = upright.transpose(Image.Transpose(turn[orientation])) if orientation > 1 else upright
    made = Image.Exif()
    made[0x0112] = orientation
    out = io.BytesIO()
    lying.save(out, "JPEG", exif=made, quality=95)
    found = decode(out.getvalue(), long_side=96, max_pixels=10**6)
    assert (found.width, found.height) == (96, 64)
    assert found.rgb[16, 24, 0] > 200
    assert found.rgb[48, 72, 0] < 60


def test_genuine_cameras(lent_cards: Path) -> None:
    for path in (lent_cards / "reconyx_burst").iterdir():
        data = path.read_bytes()
        said = exif.read(data)
        assert said.make == "RECONYX"
        assert said.serial
        assert said.serial.encode("utf-16-le") in data[:4000]
    for path in (lent_cards / "browning").iterdir():
        said = exif.read(path.read_bytes())
        assert said.clock_at is not None
        assert (said.serial, said.utc_offset_minutes) == ("", None)
