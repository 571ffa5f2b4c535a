"""What every test stands on: a data folder of its own, and the pictures lent for development."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from django.utils import translation

from annotation import checks

# A slow machine is no counterexample.
hypothesis.settings.register_profile("lacs", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("lacs")

LENT = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.DEMO_CARD = tmp_path / "demo-card"
    # Hashed names need a collectstatic first; tests/lacs_web/embedded/test_up.py runs the real one.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    return tmp_path


@pytest.fixture(autouse=True)
def nothing_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """No check frame and no hidden box unless a test asks for it."""
    for chance in ("RATE", "BARE", "REFILL"):
        monkeypatch.setattr(checks, chance, 0.0)


@pytest.fixture
def lent_cards() -> Path:
    if not (LENT / "data/cards").is_dir():
        pytest.skip("the genuine camera files of ../shared/data/cards are not on this machine")
    return LENT / "data/cards"


@pytest.fixture
def in_english() -> Iterator[None]:
    """Messages in English also where no request asks for a language."""
    with translation.override("en"):
        yield
