"""French first: on pages the visitor's own choice decides the language, not what the browser asks
for; a program, which has no switch to press, says in Accept-Language what it wants to read. And the
login, which is asked for only where one is needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers


class PreferredLanguageMiddleware:
    """The language cookie set by the language switch; else LANGUAGE_CODE, or as programs ask.

    Django's LocaleMiddleware would follow Accept-Language, and volunteers' tablets often
    ask for English; the park's language is the better first guess.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
        if program := _is_program(request):
            language = translation.get_language_from_request(request)  # the cookie first
        else:
            known = {code for code, _ in settings.LANGUAGES}
            language = chosen if chosen in known else settings.LANGUAGE_CODE
        with translation.override(language):
            request.LANGUAGE_CODE = translation.get_language()
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language())
            if program:
                patch_vary_headers(response, ["Accept-Language"])
            return response


def _is_program(request: HttpRequest) -> bool:
    """What our own pages ask for names the page, and is to be in the page's language."""
    asks = request.path.startswith("/api/") or "Authorization" in request.headers
    return asks and "Referer" not in request.headers


class LoginRequired(LoginRequiredMiddleware):
    """Django's asks who somebody is, so the database, also where nobody need be: a probe must
    answer while the database is away, whatever cookies come with it.
    """

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., Any],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        if not getattr(view_func, "login_required", True):
            return None
        return super().process_view(request, view_func, view_args, view_kwargs)
