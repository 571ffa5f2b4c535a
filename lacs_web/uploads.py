"""Files sent by forms: only the administration takes any, and pages that say so, up to a size.

Django reads a form's files before any view is asked, so the limit must stand here: else anybody
could fill the disk from the sign-in page. Cards do not come by forms.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from django.conf import settings
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler

from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import User


def waiting(user: User, sha256: str) -> Path:
    """Where a file waits for somebody to be sure; what waits for a day is tidied away."""
    folder = Path(settings.MEDIA_ROOT) / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"import-{user.pk}-{sha256}"


def keep(sent: Path, user: User, sha256: str) -> None:
    """Have a file wait: all of it, or none where it is looked for."""
    path = waiting(user, sha256)
    part = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
    try:
        shutil.copyfile(sent, part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


V = TypeVar("V", bound=Callable[..., Any])


def takes_files(action: Action, limit: str) -> Callable[[V], V]:
    """Have a view take files of whoever may do `action` anywhere, up to the setting `limit`."""

    def mark(view: V) -> V:
        view.takes_files = action, limit  # type: ignore[attr-defined]
        return view

    return mark


class LimitedFile(TemporaryFileUploadHandler):
    """Streams to a temporary file; what is too large is dropped and `request.left_out` set."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        self.most = self._most()
        self.size = 0
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.size += len(raw_data)
        if self.size > self.most:
            setattr(self.request, "left_out", True)  # noqa: B010 - the request knows no such field
            raise SkipFile
        super().receive_data_chunk(raw_data, start)

    def _most(self) -> int:
        """Bytes that are taken of this person here; raises SkipFile where none are."""
        user = getattr(self.request, "user", None)
        page = getattr(self.request, "resolver_match", None)
        action, limit = getattr(page and page.func, "takes_files", (None, "DETECTOR_MAX_BYTES"))
        if user is None or not (access.lakes(user, action).exists() if action else user.is_staff):
            raise SkipFile
        most: int = getattr(settings, limit)
        return most
