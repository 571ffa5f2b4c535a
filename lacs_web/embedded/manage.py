"""Run a manage.py command inside the LACS that `make up` runs: what `make manage` does.

python -m lacs_web.embedded.manage signin_link ranger@example.org
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from lacs_web.embedded.problem import Problem

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "LACS_DATA")


def note_environment(data: Path) -> None:
    """Write down what a command needs to reach this LACS, readable by its owner alone."""
    path = _note(data)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({name: os.environ[name] for name in NAMES}, file)


def environment(data: Path) -> dict[str, str]:
    """What `note_environment` wrote; raises Problem where LACS never ran from `data`."""
    try:
        noted: dict[str, str] = json.loads(_note(data).read_text())
    except (FileNotFoundError, ValueError):
        raise Problem(
            f"LACS does not run from {data}: start it with `make up` in another terminal, or name "
            "its folder with LACS_DATA."
        ) from None
    return noted


def _note(data: Path) -> Path:
    return data / "run/environment.json"


if __name__ == "__main__":
    folder = Path(os.environ.get("LACS_DATA") or ROOT / "var").expanduser().resolve()
    try:
        os.environ |= environment(folder)
    except Problem as problem:
        sys.exit(f"lacs: {problem}")
    os.execv(sys.executable, [sys.executable, str(ROOT / "manage.py"), *sys.argv[1:]])  # noqa: S606
