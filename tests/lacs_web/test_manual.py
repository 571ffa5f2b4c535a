"""The manual: whole in each language, and quoting only what the product's own pages say."""

from __future__ import annotations

import re
from typing import Any

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client
from django.urls import reverse

from lacs_web import manual, words
from lacs_web.access import RIGHTS, Action
from lacs_web.models import Role
from tests.cast import person
from tests.factories import make_lake
from tests.test_translations import BAD_SIGNS

LANGUAGES = [code for code, _ in settings.LANGUAGES]
PAGES = [(role, language) for role in Role.values for language in LANGUAGES]
KEYS = (settings.BASE_DIR / "annotation/static/annotation/keys.js").read_text(encoding="utf-8")


def said(language: str) -> dict[str, str]:
    """English message → what the pages say in `language`."""
    if language == "en":
        return {str(m.id): str(m.id) for m in words.messages() if m.id}
    with words.po_file(language).open("rb") as stream:
        return {str(m.id): str(m.string) for m in read_po(stream, locale=language) if m.id}


@pytest.mark.parametrize(("role", "language"), PAGES)
def test_a_page_has_the_sections_of_the_english_one(role: str, language: str) -> None:
    ids = [each for each, _heading in manual.sections(manual.text(role, language))]
    assert ids == [each for each, _heading in manual.sections(manual.text(role, "en"))]
    assert [each for each in ids if each != "keys"] == ["does", "steps", "figures", "wrong", "ask"]
    assert ("keys" in ids) is (role != Role.PARTNER)


@pytest.mark.parametrize(("role", "language"), PAGES)
def test_what_a_page_quotes_is_there(role: str, language: str) -> None:
    page, have = manual.text(role, language), said(language)
    quoted = re.findall(r"<b>(.+?)</b>", page)
    assert quoted
    there = {each.replace("'", "’") for each in have.values()}
    assert not [each for each in quoted if each.replace("'", "’") not in there]
    caps = {have["Enter"]: "Enter"}
    for key in re.findall(r"<kbd>(.+?)</kbd>", page):
        *held, last = key.split("+")
        assert f'"{"+".join([*held, caps.get(last, last.lower())])}"' in KEYS, key


@pytest.mark.parametrize(("role", "language"), PAGES)
def test_signs_are_those_of_the_language(role: str, language: str) -> None:
    if language in BAD_SIGNS:
        page = re.sub(r"<kbd>.+?</kbd>", "K", manual.text(role, language))
        plain = re.sub(r"<[^>]+>", "", page)
        assert not [line for line in plain.splitlines() if BAD_SIGNS[language].search(line)]


@pytest.mark.django_db
def test_anybody_reads_each_page_and_it_costs_nothing(
    client: Client, django_assert_num_queries: Any
) -> None:
    for role, language in PAGES:
        client.cookies["django_language"] = language
        with django_assert_num_queries(0):
            page = client.get(reverse("manual-role", args=[role])).content.decode()
        assert 'href="#steps"' in page
        assert f'<html lang="{language}">' in page
    assert client.get("/manual/nobody/").status_code == 404
    assert reverse("manual") in client.get(reverse("signin")).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role.values)
def test_the_readers_own_page_comes_first(client: Client, role: str) -> None:
    assert client.get(reverse("manual"))["Location"] == reverse("manual-role", args=["volunteer"])
    lake = make_lake()
    client.force_login(person(role, lake))
    assert client.get(reverse("manual"))["Location"] == reverse("manual-role", args=[role])
    pages = [reverse("home"), reverse("account")]
    if Action.REVIEW in RIGHTS[role]:
        pages.append(reverse("annotation:review", args=[lake.slug]))
    for page in pages:
        assert f'href="{reverse("manual")}"' in client.get(page).content.decode(), page


def test_the_administration_links_to_it(admin_client: Client) -> None:
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert f'href="{reverse("manual")}"' in page
