"""Which language an answer is in: the reader's choice, else French; for programs, as they ask."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation
from django.utils.translation import trans_real

from detection.models import Batch, CardFile
from lacs_web.models import Lake, Role
from tests.cast import person
from tests.factories import make_deployment

pytestmark = pytest.mark.django_db
FIRST = {"fr": "fr-FR,fr;q=0.9", "it": "it,en;q=0.5", "en": "en-GB", "": "de"}


@pytest.fixture
def lake() -> Lake:
    return make_deployment().lake


@pytest.fixture
def client(lake: Lake) -> Client:
    client = Client()
    client.force_login(person(Role.RANGER, lake))
    return client


def ask(client: Client, lake: Lake, **headers: str) -> Any:
    where = reverse("detection:api-cards", args=[lake.slug])
    return client.post(where, "{", content_type="application/json", headers=headers)


@pytest.mark.parametrize("language", FIRST)
def test_an_api_answers_as_it_is_asked(client: Client, lake: Lake, language: str) -> None:
    answer = ask(client, lake, accept_language=FIRST[language])
    assert (answer.status_code, answer["Content-Language"]) == (400, language or "fr")
    assert "Accept-Language" in answer["Vary"]
    with translation.override(language or "fr"):
        assert answer.json()["detail"] == translation.gettext("This is not JSON.")


def test_a_choice_and_a_page_come_first(client: Client, lake: Lake) -> None:
    page = "https://testserver/lakes/lauvitel/cards/new/"
    assert ask(client, lake, accept_language="en", referer=page)["Content-Language"] == "fr"
    assert client.get("/", headers={"accept-language": "en"})["Content-Language"] == "fr"
    client.cookies["django_language"] = "it"
    assert ask(client, lake, accept_language="en")["Content-Language"] == "it"


def test_no_answer_speaks_two_languages(
    client: Client, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a catalogue that marks what it was asked for, nothing comes unmarked."""
    batch = Batch.objects.create(deployment=lake.deployments.get())
    CardFile.objects.create(
        batch=batch,
        path="1.jpg",
        size=0,
        sha256="0" * 64,
        state="unreadable",
        reason="the file is empty",
    )
    french = trans_real.translation("fr")
    monkeypatch.setattr(french, "gettext", lambda said: f"§{said}")
    receipt = client.get(reverse("detection:api-receipt", args=[batch.pk])).json()
    assert receipt["files"][0]["reason"] == "§the file is empty"
    sent = {"deployment": 7, "source": 7, "fingerprint": 7, "files": "x", "left_out": ["x"] * 9999}
    where = reverse("detection:api-cards", args=[lake.slug])
    refused = client.post(where, json.dumps(sent), content_type="application/json").json()
    errors = refused["errors"]
    assert set(errors) >= {"source", "fingerprint", "files", "left_out"}
    assert all(words.startswith("§") for said in errors.values() for words in said), refused
    assert refused["detail"] == " ".join(words for said in errors.values() for words in said)
