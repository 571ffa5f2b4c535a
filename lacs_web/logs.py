"""Log lines as JSON objects, one a line, for whatever gathers them (LOG_FORMAT=json)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


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
            # The route, never the address: that of a one-time link is a way in.
            said |= {"method": request.method, "route": match.route if match else ""}
        if hasattr(record, "status_code"):
            said["status"] = record.status_code
        if record.exc_info:
            said["exception"] = self.formatException(record.exc_info)
        return json.dumps(said, ensure_ascii=False, default=str)
