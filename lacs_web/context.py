"""What every page's frame needs to know."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict[str, Any]:
    return {"languages": [("fr", "Français"), ("it", "Italiano"), ("en", "English")]}
