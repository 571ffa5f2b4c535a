"""What stands in a document that Chromium printed: its sheets and its words.

It reads what that printer writes and no other PDF: one font for each run of text, whose glyphs are
named by a table beside it.
"""

from __future__ import annotations

import re
import unicodedata
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj(.*?)endobj", re.DOTALL)
_STREAM = re.compile(rb"stream\r?\n(.*?)\r?\nendstream", re.DOTALL)
_BOX = re.compile(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]")
_PIECE = re.compile(rb"/F(\d+) [\d.]+ Tf|<([0-9A-F]+)>|(\bET\b)")
_GLYPHS = re.compile(rb"<([0-9A-F]{4})> <([0-9A-F]{4})>(?: <([0-9A-F]+)>)?\n")


def sheets(pdf: bytes) -> list[tuple[float, float]]:
    """Width and height of each, in points (1/72 inch)."""
    return [(float(width), float(height)) for width, height in _BOX.findall(pdf)]


def words(pdf: bytes) -> str:
    """All text in the order in which it was drawn, as `plain` has it."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    fonts = {
        number: _glyphs(_unpacked(objects[int(table[1])]))
        for number, body in objects.items()
        if (table := re.search(rb"/ToUnicode (\d+) 0 R", body))
    }
    said: list[str] = []
    for body in objects.values():
        if b"/Length1" in body or b"/Subtype /Image" in body or not _STREAM.search(body):
            continue
        font: dict[int, str] = {}
        for name, glyphs, end in _PIECE.findall(_unpacked(body)):
            if name:
                font = fonts[int(name)]
            said += [" "] if end else []
            numbers = range(0, len(glyphs) - 3, 4)
            said += [font.get(int(glyphs[n : n + 4], 16), "") for n in numbers]
    return plain("".join(said))


def plain(text: str) -> str:
    """`text` as fonts may draw it: no ligatures, no kinds of blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _unpacked(body: bytes) -> bytes:
    found = _STREAM.search(body)
    assert found
    return zlib.decompress(found[1]) if b"/FlateDecode" in body else found[1]


def _glyphs(table: bytes) -> dict[int, str]:
    """Number of a glyph → what it reads as; "<from> <to> <first>" names several in a row."""
    known: dict[int, str] = {}
    for first, second, third in _GLYPHS.findall(table):
        if third:
            begins, start = int(first, 16), int(third, 16)
            known |= {begins + n: chr(start + n) for n in range(int(second, 16) - begins + 1)}
        else:
            known[int(first, 16)] = chr(int(second, 16))
    return known
