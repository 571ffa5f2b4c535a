"""The benchmarks of cards measure in earnest: here a few small files."""

from __future__ import annotations

import os

import pytest
from django.db import connection

from detection.benchmarks import ingest, upload
from detection.models import Batch, Frame
from lacs_web.models import Park, User

KEYS = {"what", "figure", "unit", "ratio", "conditions"}


@pytest.mark.django_db
def test_ingest_is_held_against_bare_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "FILES", 4)
    monkeypatch.setattr(ingest, "TURNS", 1)
    monkeypatch.setattr(ingest, "SIZE", (640, 480))
    found = ingest.measure()
    assert KEYS | {"limit"} <= set(found)
    assert found["figure"] > 0
    assert not Park.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_upload_is_held_against_a_copy_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    database = connection.settings_dict
    url = f"postgresql://{database['USER']}@/{database['NAME']}?host={database['HOST']}"
    monkeypatch.setitem(os.environ, "DATABASE_URL", url)
    monkeypatch.setattr(upload, "FILES", 4)
    monkeypatch.setattr(upload, "TURNS", 1)
    monkeypatch.setattr(upload, "SIZE", (640, 480))
    monkeypatch.setattr(upload, "MANY", 40)
    found = upload.measure()
    assert KEYS | {"peer"} <= set(found)
    assert found["figure"] > 0
    assert found["conditions"]["files_for_memory"] == 40
    assert not (Park.objects.exists())
    assert not (Batch.objects.exists())
    assert not (Frame.objects.exists())
    assert not User.objects.exists()
