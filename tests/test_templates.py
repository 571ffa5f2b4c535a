"""Every template of ours compiles, so that no page breaks on a forgotten tag when it is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.template import engines

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = sorted(ROOT.glob("*/templates/**/*.*"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_template_compiles(path: Path) -> None:
    engines["django"].from_string(path.read_text(encoding="utf-8"))
