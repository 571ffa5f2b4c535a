"""Static files under names that carry their hash, ES module imports included."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFilesStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """Rewrites `import … from "./x.js"` too, so that a new release never mixes old modules."""

    support_js_module_import_aggregation = True
