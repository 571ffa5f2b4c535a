"""What every API view shares."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser
from rest_framework.request import Request


class Session(SessionAuthentication):
    """Django's session; somebody not signed in hears 401, so that a script knows what to say."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"


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
