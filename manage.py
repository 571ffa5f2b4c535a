#!/usr/bin/env python
"""Django's command line for LACS; `python manage.py help` lists what it can do."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

# These use neither database nor sessions: whoever tries the engine alone need not set them up.
ALONE = ("detect", "render_demo")

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in ALONE:
        os.environ.setdefault("SECRET_KEY", "unused")
        os.environ.setdefault("DATABASE_URL", "postgresql://unused.invalid/unused")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "lacs_web.settings")
    execute_from_command_line(sys.argv)
