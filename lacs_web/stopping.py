"""That a worker is to end: who works through many rows then hands back what is not begun."""

from __future__ import annotations

import mmap

from celery.signals import worker_shutting_down

_asked = mmap.mmap(-1, 1)  # one byte, shared with the processes that are forked from ours


def asked() -> bool:
    return _asked[0] == 1


@worker_shutting_down.connect
def _ask(**_more: object) -> None:
    """Called in the worker's first process, which waits for the others to finish their tasks."""
    _asked[0] = 1
