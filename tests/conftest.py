"""What every test stands on: a data folder of its own, and the pictures lent for development."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

LENT = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    # Hashed names need a collectstatic first; tests/lacs_web/embedded/test_up.py runs the real one.
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    return tmp_path


@pytest.fixture
def lent_cards() -> Path:
    if not (LENT / "data/cards").is_dir():
        pytest.skip("the genuine camera files of ../shared/data/cards are not on this machine")
    return LENT / "data/cards"
