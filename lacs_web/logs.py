"""What log lines say: of a request its route, never its address; as JSON with LOG_FORMAT=json.

The address of a sign-in link, an invitation or a shared link is a way in for whoever reads it.
"""

from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from django.urls import Resolver404, ResolverMatch, resolve

UNKNOWN = "(no such address)"
# Who logs what was asked for without knowing Django's requests.
_SERVERS = ("django.server", "gunicorn")


class RouteOnly(logging.Filter):
    """Lets every record through, with the route in place of an address. A refusal (403, 404, …) is
    an answer, no fault of ours: it is logged without the stack that led to it.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest):
            route = _route(request.resolver_match)
            args = record.args if isinstance(record.args, tuple) else ()
            record.msg = _without_addresses(str(record.msg))
            record.args = tuple(
                route if str(each).startswith("/") else _without_addresses(each) for each in args
            )
            if getattr(record, "status_code", 500) < 500:
                record.exc_info = record.exc_text = None
        elif record.name.startswith(_SERVERS):
            said = re.sub(r"(?<=\s)/\S*", lambda found: _resolved(found[0]), record.getMessage())
            record.msg, record.args = said, ()
        return True


def _route(match: ResolverMatch | None) -> str:
    return f"/{match.route}" if match else UNKNOWN


def _resolved(address: str) -> str:
    try:
        return _route(resolve(address.partition("?")[0]))
    except Resolver404:
        return UNKNOWN


def _without_addresses(said: Any) -> Any:
    """A sentence that names a page, as those of CSRF do, with its site alone."""
    return re.sub(r"(https?://[^/\s]+)\S*", r"\1", said) if isinstance(said, str) else said


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        said = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            "process": record.process,
        }
        request = getattr(record, "request", None)
        if request is not None and hasattr(request, "resolver_match"):
            match = request.resolver_match
            said |= {"method": request.method, "route": match.route if match else ""}
        if hasattr(record, "status_code"):
            said["status"] = record.status_code
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)
