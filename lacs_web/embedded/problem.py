"""What stops `make up` or `make test`, said in words that tell what to do."""

from __future__ import annotations


class Problem(RuntimeError):
    """Something outside LACS is missing or in the way; the message says what, and the way out."""
