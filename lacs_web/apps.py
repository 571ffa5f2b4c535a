"""The site itself, as an app: it has models."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LacsWeb(AppConfig):
    name = "lacs_web"
    verbose_name = _("Places and people")
