"""Errors as programs read them: problem details (RFC 9457), in API views and outside."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

PROBLEM = "application/problem+json"


class Problem(serializers.Serializer[Any]):
    """What went wrong: `detail` in words, `errors` by field where fields are wrong."""

    type = serializers.CharField(default="about:blank")
    title = serializers.CharField(help_text="The name of the status, in English.")
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text="Field → what is wrong with it, as deep as the request is."
    )
    why = serializers.CharField(
        required=False, help_text="The cause for programs, where several have one status."
    )


def problem(status: int, detail: str, **more: Any) -> dict[str, Any]:
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": status, "detail": detail} | more


def handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Whatever a view refuses, as problem details; what it says besides stands beside them."""
    answer = exception_handler(error, context)
    if answer is None:
        return None
    said = answer.data
    if isinstance(error, ValidationError):
        errors = said if isinstance(said, dict) else {"": said}
        said = {"detail": _words(said), "errors": errors}
    answer.data = problem(answer.status_code, **cast("dict[str, Any]", said))
    answer.content_type = PROBLEM
    return answer


def _words(said: Any) -> str:
    if isinstance(said, Mapping):
        said = list(said.values())
    return " ".join(filter(None, map(_words, said))) if isinstance(said, list) else str(said)


def refusal(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """Problem details outside of API views."""
    return JsonResponse(
        problem(status, detail), status=status, content_type=PROBLEM, headers=dict(headers or {})
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return refusal(404, _("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return refusal(400, _("This request cannot be read."))
    return defaults.bad_request(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    if request.path.startswith("/api/"):
        return refusal(500, _("Something went wrong here, and is on record. Try again later."))
    return defaults.server_error(request)
