"""Files sent by forms: only the administration takes any, and no larger than a detector may be.

Django reads a form's files before any view is asked, so the limit must stand here: else anybody
could fill the disk from the sign-in page. Cards do not come by forms.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler


class LimitedFile(TemporaryFileUploadHandler):
    """Streams to a temporary file; what is too large is dropped and `request.left_out` set."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        user = getattr(self.request, "user", None)
        if user is None or not user.is_staff:
            raise SkipFile
        self.size = 0
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.size += len(raw_data)
        if self.size > settings.DETECTOR_MAX_BYTES:
            setattr(self.request, "left_out", True)  # noqa: B010 - the request knows no such field
            raise SkipFile
        super().receive_data_chunk(raw_data, start)
