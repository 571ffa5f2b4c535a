"""JPEG bytes to pixels, once, at reduced scale. Pure; knows no files and no database.

simplejpeg in strict mode is the only decoder tried that rejects every kind of damage; what it
rejects is read again leniently and flagged, so that half a picture is never taken for a whole one.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import cv2
import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image


class Undecodable(ValueError):
    """The bytes are no picture that can be read; the message says why, for the receipt."""


@dataclass(frozen=True)
class Picture:
    """`rgb` uint8 [H, W, 3], upright; `width`, `height` of the full picture, upright, in pixels."""

    rgb: NDArray[np.uint8]
    width: int
    height: int
    damaged: bool


def decode(data: bytes, *, long_side: int, max_pixels: int, close: float = 1.0) -> Picture:
    """Decode a JPEG so that its longer side has at most `long_side` pixels.

    It has as many where the picture does, or, with a `close` below 1, at least that share of them:
    a decoder scales by eighths for nothing, and resizing afterwards costs as much as decoding.

    Raises Undecodable for empty files, other formats, bombs and damage beyond reading.
    """
    if not data:
        raise Undecodable("the file is empty")
    if data[:2] != b"\xff\xd8":
        raise Undecodable("not a JPEG picture")
    try:
        with Image.open(io.BytesIO(data)) as header:  # reads the header only
            width, height, mode = header.width, header.height, header.mode
            turned = header.getexif().get(0x0112, 1)
    except Image.DecompressionBombError:
        raise Undecodable("more pixels than this server takes") from None
    except Exception:  # Pillow raises a dozen kinds on mutated headers
        raise Undecodable("the header is damaged") from None
    if width * height > max_pixels:
        raise Undecodable("more pixels than this server takes")
    scale = _scale(max(width, height), long_side, close)
    rgb, damaged = _pixels(data, mode, width, height, scale)
    shrink = long_side / max(rgb.shape[:2])
    if shrink < 1:
        size = (max(1, round(rgb.shape[1] * shrink)), max(1, round(rgb.shape[0] * shrink)))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    if turned in (5, 6, 7, 8):
        width, height = height, width
    return Picture(_upright(rgb, turned), width, height, damaged)


def _pixels(
    data: bytes, mode: str, width: int, height: int, scale: float
) -> tuple[NDArray[np.uint8], bool]:
    if mode == "CMYK":  # office software; simplejpeg does not turn it into RGB
        try:
            with Image.open(io.BytesIO(data)) as picture:
                return np.asarray(picture.convert("RGB"), np.uint8), False
        except (OSError, ValueError, SyntaxError):
            raise Undecodable("the picture data are damaged") from None
    least = {"min_width": max(1, int(width * scale)), "min_height": max(1, int(height * scale))}
    for strict in (True, False):
        try:
            rgb = simplejpeg.decode_jpeg(data, "RGB", fastdct=True, strict=strict, **least)
            return rgb, not strict
        except ValueError:
            continue
    raise Undecodable("the picture data are damaged")


def _scale(long: int, long_side: int, close: float) -> float:
    """At which to decode a picture whose longer side has `long` pixels."""
    scale = min(1.0, long_side / long)
    eighths = int(8 * scale)
    return eighths / 8 if eighths >= close * 8 * scale and eighths else scale


def _upright(rgb: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    """Turn by EXIF orientation 1–8; once, here, and nowhere else."""
    if orientation in (5, 6, 7, 8):
        rgb = rgb.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        rgb = rgb[:, ::-1]
    if orientation in (3, 4, 7, 8):
        rgb = rgb[::-1]
    return np.ascontiguousarray(rgb)
