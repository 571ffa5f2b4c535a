"""Every message of ours that can be translated, read from the sources and templates.

Babel instead of GNU gettext, so that a machine with only Python can renew and compile the
catalogues (docs/decisions/0002-babel.md). Translates nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.template import Node, Template, engines
from django.template.backends.django import DjangoTemplates
from django.templatetags.i18n import BlockTranslateNode, TranslateNode

APPS = ("lacs_web", "detection", "annotation", "dashboards")
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
# Without dates and names: a renewed catalogue differs only where its messages do.
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""
Message = tuple[str | tuple[str, str], str | None]  # (msgid or (one, other), context)


def messages() -> Catalog:
    """A catalogue without translations of all that the sources ask for."""
    catalog = Catalog(project="LACS", charset="utf-8")
    for app in APPS:
        folder = settings.BASE_DIR / app
        for path in sorted(folder.rglob("*.py")):
            for found, context in _in_python(path):
                catalog.add(found, context=context)
        for path in sorted(folder.glob("templates/**/*.*")):
            for found, context in _in_template(path):
                catalog.add(found, context=context)
    return catalog


def po_file(language: str) -> Path:
    return Path(settings.LOCALE_PATHS[0]) / language / "LC_MESSAGES/django.po"


def renew(language: str) -> tuple[int, int]:
    """Bring the catalogue of `language` up to the sources; returns (messages, untranslated).

    What the sources no longer ask for is dropped; nothing is guessed from similar messages.
    """
    file = po_file(language)
    catalog = Catalog(locale=language, project="LACS", charset="utf-8", fuzzy=False)
    if file.exists():
        with file.open("rb") as stream:
            catalog = read_po(stream, locale=language)
    catalog.update(messages(), no_fuzzy_matching=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        stream.write(HEADER.format(language=language, plurals=catalog.plural_forms).encode())
        write_po(
            stream,
            catalog,
            width=100,
            omit_header=True,
            no_location=True,
            sort_output=True,
            ignore_obsolete=True,
        )
    ours = [message for message in catalog if message.id]
    return len(ours), sum(not is_whole(message.string) for message in ours)


def is_whole(string: str | Sequence[str] | None) -> bool:
    """Whether a translation has all its forms."""
    return bool(string and all(string))  # of a text every letter, of plural forms every form


def _in_python(path: Path) -> Iterator[Message]:
    with path.open("rb") as stream:
        for _line, found, _comments, context in extract("python", stream, keywords=KEYWORDS):
            if isinstance(found, tuple):
                one, other = found[0], found[1]
                yield (one, other), context
            else:
                yield found, context


def _in_template(path: Path) -> Iterator[Message]:
    engine = engines["django"]
    assert isinstance(engine, DjangoTemplates)  # noqa: S101
    template = Template(path.read_text(encoding="utf-8"), engine=engine.engine)
    for node in _nodes(template, TranslateNode):
        assert isinstance(node, TranslateNode)  # noqa: S101
        words, context = node.filter_expression.var.literal, node.message_context
        if words is not None:  # a variable's words are marked where they are made
            # The tag looks its words up with percent signs doubled, as those of a block are.
            yield str(words).replace("%", "%%"), str(context.var) if context else None
    for node in _nodes(template, BlockTranslateNode):
        assert isinstance(node, BlockTranslateNode)  # noqa: S101
        one, _ = node.render_token_list(node.singular)
        context = node.message_context
        if node.plural:
            other, _ = node.render_token_list(node.plural)
            yield (one, other), str(context.var) if context else None
        else:
            yield one, str(context.var) if context else None


def _nodes(template: Template, kind: type[Node]) -> list[Node]:
    return list(template.nodelist.get_nodes_by_type(kind))
