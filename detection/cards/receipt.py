"""The receipt of a batch: what may be erased, and what became of each file."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Max, Min

from detection.models import Batch, CardFile, Frame

State = CardFile.State
OUTCOMES = (State.NEW, State.DUPLICATE, State.UNREADABLE, State.QUARANTINED, State.SET_ASIDE)


def receipt(batch: Batch) -> dict[str, Any]:
    """Counts that add up: received = new + duplicates + unreadable + quarantined + set aside.

    `complete` is true only when every file that was announced is safe and has its outcome:
    nothing else may tell a ranger to erase a card. Four queries.
    """
    counts = dict(batch.files.order_by().values_list("state").annotate(n=Count("pk")))
    outcomes = {state.value: counts.get(state, 0) for state in OUTCOMES}
    frames_of = Frame.objects.filter(batch=batch).order_by("path")
    span = frames_of.filter(captured_at__isnull=False).aggregate(
        first=Min("captured_at"), last=Max("captured_at")
    )
    named = batch.files.exclude(state__in=[State.NEW, State.AWAITED, State.STORED])
    awaited, stored = counts.get(State.AWAITED, 0), counts.get(State.STORED, 0)
    return {
        "batch": batch.pk,
        "deployment": batch.deployment.slug,
        "announced": sum(counts.values()),
        "received": sum(outcomes.values()),
        **outcomes,
        "awaited": awaited,
        "being_read": stored,
        "complete": batch.closed_at is not None and not awaited and not stored,
        "first_captured_at": span["first"],
        "last_captured_at": span["last"],
        # Kept as frames, since what is left of them may show somebody, but named.
        "damaged": list(frames_of.filter(damaged=True).values_list("path", flat=True)),
        "files": list(named.order_by("path").values("path", "state", "reason")),
    }
