"""What programs are promised: addresses under PUBLIC, described at its `schema`; pages by cursor.

What other addresses answer, our own pages read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import ValidationError as Unfit
from django.db import DataError, models
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from lacs_web import tokens
from lacs_web.access import Action
from lacs_web.problems import PROBLEM, Problem

PUBLIC = "/api/v1/"
M = TypeVar("M", bound=models.Model)
F = TypeVar("F", bound=Callable[..., Any])


class Cursor(CursorPagination):
    """Pages that neither skip nor repeat a row while others are added."""

    page_size_query_param = "page_size"
    max_page_size = 100
    page_size = 25

    def __init__(self, ordering: str = "") -> None:
        self.ordering = (ordering,)

    def rows(self, found: models.QuerySet[M], request: Request) -> list[M]:
        """Those of the page that is asked for. Raises NotFound."""
        asked = PageAsked(data=request.query_params)
        asked.is_valid(raise_exception=True)
        try:
            return list(self.paginate_queryset(found, request) or [])
        except (ValueError, OverflowError, DataError, Unfit):  # a cursor that nobody was given
            raise NotFound(self.invalid_cursor_message) from None

    def answer(
        self, found: models.QuerySet[M], request: Request, form: type[serializers.Serializer[Any]]
    ) -> Response:
        return self.get_paginated_response(form(self.rows(found, request), many=True).data)


def page_of(form: type[serializers.Serializer[Any]]) -> type[serializers.Serializer[Any]]:
    """The form of a page of `form`."""
    fields = {
        "next": serializers.URLField(allow_null=True, help_text="The page after; null: the last."),
        "previous": serializers.URLField(allow_null=True),
        "results": form(many=True),
    }
    return type(f"{form.__name__}Page", (serializers.Serializer,), fields)


class PageAsked(serializers.Serializer[Any]):
    cursor = serializers.CharField(required=False, help_text="From `next` of the page before.")
    page_size = serializers.IntegerField(
        required=False, min_value=1, max_value=Cursor.max_page_size, default=Cursor.page_size
    )


@extend_schema_field({"type": "string", "pattern": r"^\d\d:\d\d:\d\d(\.\d+)?$"})
class ClockTime(serializers.TimeField):
    """An hour of the day without a time zone, which is not what a schema calls a time."""


def public(*, needs: Action | None, refuses: str, answers: Any, **more: Any) -> Callable[[F], F]:
    """Describe a view in the schema: which scopes of a token open it, and the statuses of its
    problems, each after a space. 401 is added, and 403 and 404 where it belongs to a lake.
    """
    scopes = [scope.value for scope, may in tokens.SCOPES.items() if needs is None or needs in may]
    statuses = {401, *map(int, refuses.split())} | ({403, 404} if needs else set())
    wrong = {(status, PROBLEM): Problem for status in sorted(statuses)}
    if not isinstance(answers, dict):
        answers = {200: answers}
    auth: Any = [{"token": scopes}, {"session": []}]
    return extend_schema(responses={**answers, **wrong}, auth=auth, **more)


def only_public(endpoints: list[Any]) -> list[Any]:
    """Of all addresses, those that the schema describes."""
    return [each for each in endpoints if each[0].startswith(PUBLIC)]
