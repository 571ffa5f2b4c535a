"""French and Italian are complete, and say nothing that the English does not fill in."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings
from django.template import Context, Template
from django.utils import translation

from lacs_web import words

LANGUAGES = [code for code, _ in settings.LANGUAGES if code != "en"]
PLACE = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
# What docs/translations.md rules out; a colon in a time or an address is no sign of a sentence.
BAD_SIGNS = {
    "fr": re.compile(r"""['"“”]|[^\u202f][;!?]|[^\u00a0\d]:(?!//)|«[^\u00a0]|[^\u00a0]»"""),
    "it": re.compile(r"""['"“”]|\s[;!?:»]|«\s"""),
}


def catalogue(language: str) -> Catalog:
    with words.po_file(language).open("rb") as stream:
        return read_po(stream, locale=language)


def texts(of: str | Sequence[str] | None) -> list[str]:
    return [of] if isinstance(of, str) else list(of or [])


@pytest.fixture(scope="module")
def wanted() -> Catalog:
    return words.messages()


def test_messages_are_found_in_sources_and_templates(wanted: Catalog) -> None:
    assert "Sign in" in wanted  # a template
    assert "A deployment ends after it starts." in wanted  # a model
    assert "This link signs you in once as %(person)s." in wanted  # a block
    assert "None" not in wanted  # {% translate variable %}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_every_message_and_no_other(language: str, wanted: Catalog) -> None:
    have = {(m.id, m.context): m for m in catalogue(language) if m.id}
    need = {(m.id, m.context) for m in wanted if m.id}
    assert set(have) == need, "run `manage.py words`, then translate what is new"
    missing = [m.id for m in have.values() if not words.is_whole(m.string) or m.fuzzy]
    assert not missing, f"to be translated: {missing}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_survive(language: str) -> None:
    def places(of: str | Sequence[str] | None) -> set[str]:
        return {found for text in texts(of) for found in PLACE.findall(text)}

    def odd(message: Message) -> bool:
        return places(message.id) != places(message.string)

    assert not [m.id for m in catalogue(language) if m.id and odd(m)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_can_be_compiled(language: str) -> None:
    """`make` stops at what Babel refuses; it takes "% f" in "5 % from" for a placeholder."""
    assert not [(message.id, errors) for message, errors in catalogue(language).check()]


@pytest.mark.parametrize("language", LANGUAGES)
def test_signs_are_those_of_the_language(language: str) -> None:
    bad = BAD_SIGNS[language]
    assert not [
        text for m in catalogue(language) if m.id for text in texts(m.string) if bad.search(text)
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_percent_sign_of_a_template_hides_no_translation(language: str) -> None:
    tag = '{% load i18n %}{% translate "Corners, as shares of the picture (%)" %}'
    with translation.override(language):
        said = Template(tag).render(Context())
    assert "Corners" not in said
    assert "%%" not in said


@pytest.mark.parametrize(("language", "word"), [("fr", "Se déconnecter"), ("it", "Esci")])
def test_the_compiled_catalogues_are_used(language: str, word: str) -> None:
    with translation.override(language):
        assert translation.gettext("Sign out") == word
