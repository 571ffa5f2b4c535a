"""Renew the catalogues of translations from the sources."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from lacs_web import words


class Command(BaseCommand):
    help = "Renew locale/*/LC_MESSAGES/django.po; says how many messages wait for a translation."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:
        for language, _ in settings.LANGUAGES:
            if language != "en":  # the sources are English
                total, missing = words.renew(language)
                self.stdout.write(f"{language}: {total} messages, {missing} to translate")
