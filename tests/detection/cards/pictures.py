"""JPEG bytes as a camera writes them, made in one call."""

from __future__ import annotations

import io

from PIL import Image


def jpeg(*, taken: str = "2025:07:26 14:00:00", shade: int = 90, serial: str = "") -> bytes:
    """A picture of one colour; different `shade` or `taken`, different bytes."""
    exif = Image.Exif()
    exif[0x010F] = "Trail"
    exif[0x010E] = f"shade {shade}"  # near shades may come out as the same pixels
    details = exif.get_ifd(0x8769)
    if taken:
        details[0x9003] = taken
    if serial:
        details[0xA431] = serial
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, 120, 140)).save(out, "JPEG", exif=exif)
    return out.getvalue()
