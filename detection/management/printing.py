"""What commands share of writing to a terminal."""

from __future__ import annotations

from django.core.management.base import OutputWrapper


def print_any_name(out: OutputWrapper) -> None:
    """Have `out` spell what its encoding lacks: a name on a card must never end a command."""
    reconfigure = getattr(out._out, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")
