"""Lines of CSV as bytes, without holding the table. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence

_FORMULA = re.compile(r"[=+\-@\t\r](?![\d.,]+$)")


def lines(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    delimiter: str = ",",
    mark: bool = False,
) -> Iterator[bytes]:
    """UTF-8, `head` first; `mark`: with the byte order mark that Excel needs.

    No text is taken for a formula by a spreadsheet: people choose the names of things.
    """
    out = io.StringIO()
    table = csv.writer(out, delimiter=delimiter)
    out.write("\ufeff" if mark else "")
    table.writerow(head)
    for row in rows:
        table.writerow([f"'{cell}" if _is_formula(cell) else cell for cell in row])
        if out.tell() > 60_000:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _is_formula(cell: object) -> bool:
    return isinstance(cell, str) and _FORMULA.match(cell) is not None


def decimal(value: float | None, sign: str = ",") -> str:
    """Four digits after `sign` at most; empty, never 0, where nothing is known."""
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".").replace(".", sign)
