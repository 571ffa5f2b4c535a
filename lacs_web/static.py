"""Static files under names that carry their hash, ES module imports included."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles.apps import StaticFilesConfig
from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Rewrites `import … from "./x.js"` too, so that a new release never mixes old modules."""

    support_js_module_import_aggregation = True


class StaticFiles(StaticFilesConfig):
    """Leaves out htmx's extension stubs, whose imports name files that do not exist."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.ignore_patterns = [*self.ignore_patterns, "ext"]
