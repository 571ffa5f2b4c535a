"""What every API view shares."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import JSONParser
from rest_framework.request import Request

# What Django REST framework says and has no Italian or no French for: one answer, one language.
SAID_ELSEWHERE = [
    gettext_noop("Not a valid string."),
    gettext_noop("Must be a valid boolean."),
    gettext_noop("Must be a valid UUID."),
    gettext_noop("Invalid input."),
    gettext_noop("Ensure this field has at least {min_length} elements."),
    gettext_noop("Ensure this field has no more than {max_length} elements."),
    gettext_noop("Datetime value out of range."),
    gettext_noop("Integer value too large to convert to float"),
]


class Session(SessionAuthentication):
    """Django's session; somebody not signed in hears 401, so that a script knows what to say."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


class OneKind(DefaultContentNegotiation):
    """An address answers in one kind, whatever is asked for: files are no JSON, problems are."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class SmallJSONParser(JSONParser):
    """JSON of the size and depth that an honest page sends; anything else is refused with 400."""

    most_bytes: int | None = None  # None: what Django holds of a body

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Any:
        request = (parser_context or {})["request"]
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0
        if length > (self.most_bytes or settings.DATA_UPLOAD_MAX_MEMORY_SIZE):
            raise ParseError(_("This is more than a page of LACS ever sends."))
        try:
            return super().parse(stream, media_type, parser_context)
        except RecursionError:
            raise ParseError(_("This is more than a page of LACS ever sends.")) from None
        except ParseError:
            raise ParseError(_("This is not JSON.")) from None
