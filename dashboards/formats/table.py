"""Lines of CSV as bytes, without holding the table. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence


def lines(
    head: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    delimiter: str = ",",
    mark: bool = False,
) -> Iterator[bytes]:
    """UTF-8, `head` first; `mark`: with the byte order mark that Excel needs."""
    out = io.StringIO()
    table = csv.writer(out, delimiter=delimiter)
    out.write("\ufeff" if mark else "")
    table.writerow(head)
    for row in rows:
        table.writerow(row)
        if out.tell() > 60_000:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def decimal(value: float | None, sign: str = ",") -> str:
    """Four digits after `sign` at most; empty, never 0, where nothing is known."""
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".").replace(".", sign)
