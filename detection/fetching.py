"""A file over a poor line: what came is kept, and the next attempt goes on where it broke off.

FOLDER/name.part   what came so far
FOLDER/name.tag    the server's ETag for it: another version never goes on from this one
"""

from __future__ import annotations

import contextlib
import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

MOST_BYTES = 1 << 30
TRIES = 4  # in one go, as long as each brings something
TIMEOUT = 30.0  # seconds without a byte
_CHUNK = 1 << 18


class NotFetched(Exception):
    """str() says why, and what to do."""


def fetch(
    address: str,
    part: Path,
    *,
    most: int = MOST_BYTES,
    tell: Callable[[int, int | None], None] = lambda _done, _of: None,
) -> Path:
    """Bring the file at `address` to `part` (named *.part) and return it; raises NotFetched with
    what came left there. `tell`: bytes so far, and of how many where that is known.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    had = -1
    for _ in range(TRIES):
        try:
            return _go_on(address, part, most, tell)
        except _CutOffError as cut:
            reached = _size(part)
            if reached <= had:
                raise NotFetched(str(cut)) from None
            had = reached
    raise NotFetched(f"the line broke off {TRIES} times; run it again to go on at {had:,} bytes")


class _CutOffError(Exception):
    """The line broke in the middle; another attempt may go on."""


def _go_on(address: str, part: Path, most: int, tell: Callable[[int, int | None], None]) -> Path:
    tag, had = part.with_suffix(".tag"), _size(part)
    asked = urllib.request.Request(address, headers={"User-Agent": "LACS"})  # noqa: S310 - ours
    if had and tag.exists():
        asked.add_header("Range", f"bytes={had}-")
        asked.add_header("If-Range", tag.read_text(encoding="utf-8"))
    try:
        with urllib.request.urlopen(asked, timeout=TIMEOUT) as answer:  # noqa: S310 - ours
            if address.startswith("https:") and not answer.url.startswith("https:"):
                raise NotFetched(f"{address} leads to {answer.url}, which is not encrypted")
            _take(answer, part, tag, most, tell)
    except urllib.error.HTTPError as error:
        if error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
            raise _CutOffError(f"{address} has fewer bytes than came before") from None
        raise NotFetched(f"{address} answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise NotFetched(
            f"{address} cannot be reached ({error.reason}). Without a network, fetch the file on "
            "another machine and give it to manage.py register_detector."
        ) from None
    except (OSError, http.client.HTTPException) as error:
        raise _CutOffError(
            f"the line broke off ({error}); run it again to go on at {_size(part):,} bytes"
        ) from None
    return part


def _take(
    answer: http.client.HTTPResponse,
    part: Path,
    tag: Path,
    most: int,
    tell: Callable[[int, int | None], None],
) -> None:
    if answer.headers.get_content_type() in {"text/html", "application/xhtml+xml"}:
        raise NotFetched(
            f"{answer.url} is a page and no model: is there a sign-in page or a proxy on this line?"
        )
    had = _size(part) if answer.status == http.client.PARTIAL_CONTENT else 0
    length = answer.headers.get("Content-Length", "")
    total = had + int(length) if length.isdigit() else None
    if (total or 0) > most:
        raise NotFetched(f"{answer.url} has {total:,} bytes; at most {most:,} are fetched")
    tag.unlink(missing_ok=True)
    etag = answer.headers.get("ETag", "")
    with part.open("ab" if had else "wb") as file:
        if etag and not etag.startswith("W/"):
            tag.write_text(etag, encoding="utf-8")
        while data := answer.read(_CHUNK):
            had += len(data)
            if had > most:
                file.close()
                part.unlink()
                raise NotFetched(f"{answer.url} has more than {most:,} bytes")
            file.write(data)
            tell(had, total)
    if total is not None and had < total:
        raise _CutOffError(
            f"the line broke off at {had:,} of {total:,} bytes; run it again to go on there"
        )


def forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_suffix(".tag").unlink(missing_ok=True)


def _size(part: Path) -> int:
    with contextlib.suppress(FileNotFoundError):
        return part.stat().st_size
    return 0
