"""Who and where, and the site itself: accounts, parks, lakes, rights, settings, wiring."""

from __future__ import annotations

from lacs_web.celery import app as celery_app  # shared tasks bind to it from the first import

__all__ = ["celery_app"]
