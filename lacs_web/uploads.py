"""Files sent by forms: only the administration takes any, and pages that say so, up to a size.

Django reads a form's files before any view is asked, so the limit must stand here: else anybody
could fill the disk from the sign-in page. Cards do not come by forms.
"""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import SkipFile, TemporaryFileUploadHandler
from django.utils.translation import gettext as _

from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import User


class WaitingForm(forms.Form):
    """A file that is looked at before it is taken in: sent as `file`, a field of the form that asks
    for it, it waits for its sender; then `kept`, its SHA-256, with `sure` takes it in.
    """

    kept = forms.RegexField(r"[0-9a-f]{64}", max_length=64, required=False)
    name = forms.CharField(max_length=255, required=False)
    sure = forms.BooleanField(required=False)

    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, label_suffix="")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("file") and not data.get("kept"):
            self.add_error("file", _("Choose a file."))
        return data

    @property
    def is_sure(self) -> bool:
        """Whether it is to be taken in, as it was looked at."""
        return self.cleaned_data["file"] is None and self.cleaned_data["sure"]

    def path(self, user: User) -> Path:
        """Where the file of a valid form waits; nothing may be there by now. What waits for a day
        is tidied away.
        """
        data, folder = self.cleaned_data, Path(settings.MEDIA_ROOT) / "incoming"
        folder.mkdir(parents=True, exist_ok=True)
        sent: TemporaryUploadedFile | None = data["file"]
        if sent is None:
            return folder / f"import-{user.pk}-{data['kept']}"
        with open(sent.temporary_file_path(), "rb") as file:  # noqa: PTH123
            data["name"], data["kept"] = sent.name, hashlib.file_digest(file, "sha256").hexdigest()
        path = folder / f"import-{user.pk}-{data['kept']}"
        part = path.with_name(f"{path.name}.{uuid.uuid4().hex}")
        try:
            shutil.copyfile(sent.temporary_file_path(), part)
            part.replace(path)  # all of it, or none where it is looked for
        finally:
            part.unlink(missing_ok=True)
        return path


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
