"""The Celery application. Tasks live in the apps; state lives in rows, never in Redis."""

from __future__ import annotations

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lacs_web.settings")
app = Celery("lacs")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
