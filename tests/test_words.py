"""What is written in two places for a reason says the same in both."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.db.models import TextChoices
from django.utils import timezone, translation
from django.utils.formats import date_format

from annotation.models import ActivityChoice, LabelChoice, VerdictChoice
from detection.labels import Activity, Label, Verdict


@pytest.mark.parametrize(
    ("words", "choices"),
    [(Label, LabelChoice), (Activity, ActivityChoice), (Verdict, VerdictChoice)],
)
def test_the_pure_words_and_their_translated_choices(
    words: type[Label | Activity | Verdict], choices: type[TextChoices]
) -> None:
    assert [word.value for word in words] == choices.values


def test_the_version() -> None:
    project = tomllib.loads((Path(settings.BASE_DIR) / "pyproject.toml").read_text())["project"]
    assert project["version"] == settings.VERSION


def test_english_dates_have_the_day_first_and_24_hours() -> None:
    moment = datetime(2025, 7, 5, 14, 5, tzinfo=UTC)
    with translation.override("en"), timezone.override(UTC):
        assert date_format(moment, "DATETIME_FORMAT") == "5 July 2025, 14:05"
        assert date_format(moment, "SHORT_DATE_FORMAT") == "05/07/2025"
