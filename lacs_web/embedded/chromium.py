"""Print the path of a Chromium for the browser tests, installing one when that is possible.

python -m lacs_web.embedded.chromium

Looks at LACS_CHROMIUM, then on the PATH, then asks the package manager, then Playwright. The
product itself needs no browser.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from lacs_web.embedded.problem import Problem

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def find() -> str | None:
    """A Chromium that starts, or None. Raises Problem where LACS_CHROMIUM names none."""
    if named := os.environ.get("LACS_CHROMIUM"):
        if not _starts(named):
            raise Problem(f"LACS_CHROMIUM names {named}, which does not start.")
        return named
    candidates = [found for name in NAMES if (found := shutil.which(name))]
    candidates += [str(MAC)] if MAC.exists() else []
    # Ubuntu's `chromium-browser` may be a stub that only says to install a snap.
    return next((path for path in candidates if _starts(path)), None)


def install() -> str:
    """Install one and return its path. Raises Problem with what to install by hand."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _say("installing Chromium with apt-get")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update"], ["install", "-y", "--no-install-recommends", "chromium"]):
            subprocess.run(
                ["apt-get", "-q", *step],
                env=quiet,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr,
                check=False,
            )
        if found := find():
            return found
    _say("installing Chromium with Playwright")
    os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(Path(sys.prefix) / "browsers"))
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        check=False,
    )
    if (found := _playwright()) and _starts(found):
        return found
    raise Problem(
        "The browser tests need Chromium, and it could not be installed: install the package "
        "`chromium` (Debian: apt-get install chromium), or name one: make test LACS_CHROMIUM=PATH."
    )


def _playwright() -> str | None:
    places = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH", Path(sys.prefix) / "browsers"))
    for pattern in ("chromium-*/chrome-linux*/chrome", "chromium-*/chrome-mac*/*.app/*/MacOS/*"):
        for path in sorted(places.glob(pattern), reverse=True):
            return str(path)
    return None


def _starts(path: str) -> bool:
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _say(line: str) -> None:
    sys.stderr.write(f"lacs: {line}\n")


if __name__ == "__main__":
    try:
        sys.stdout.write((find() or _playwright() or install()) + "\n")
    except Problem as problem:
        sys.exit(f"lacs: {problem}")
