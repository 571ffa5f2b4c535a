"""The receipt of a batch: what may be erased, and what became of each file."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, QuerySet

from detection.cards import schedule
from detection.models import Batch, CardFile, Deployment, Frame
from lacs_web.models import Lake

State = CardFile.State
OUTCOMES = (State.NEW, State.DUPLICATE, State.UNREADABLE, State.QUARANTINED, State.SET_ASIDE)


def counts(batch: Batch) -> dict[str, Any]:
    """Where the files of `batch` stand, as often asked while a card comes in. One query.

    received = new + duplicates + unreadable + quarantined + set aside. `complete` is true only
    when every file that was announced is safe and has its outcome: nothing else may tell a ranger
    to erase a card.
    """
    by_state = dict(batch.files.order_by().values_list("state").annotate(n=Count("pk")))
    outcomes = {state.value: by_state.get(state, 0) for state in OUTCOMES}
    stored = by_state.get(State.STORED, 0)
    announced = max(sum(by_state.values()), batch.expected_files)
    received = sum(outcomes.values())
    return {
        "announced": announced,
        "safe": received + stored,
        "received": received,
        **outcomes,
        "awaited": announced - received - stored,
        "being_read": stored,
        "closed": batch.closed_at is not None,
        # A batch that names no file says nothing of any card.
        "complete": batch.closed_at is not None and 0 < announced == received,
    }


def receipt(batch: Batch) -> dict[str, Any]:
    """All that is known of a card; the same on screen, on paper and as JSON. Four queries.

    Instants are UTC; what the pages show, they show in the lake's own time.
    """
    named = batch.files.exclude(state=State.NEW).exclude(state=State.STORED, reason="")
    files: list[Any] = list(
        named.order_by("path").values("path", "state", "reason", "frame__batch")
    )
    frames = list(
        Frame.objects.filter(batch=batch)
        .order_by("captured_at", "path")
        .values("path", "captured_at", "damaged", "flag", "exif")
    )
    return {
        "batch": batch.pk,
        "deployment": batch.deployment.slug,
        "source": batch.source,
        "opened_at": batch.opened_at,
        "closed_at": batch.closed_at,
        "continued_by": batch.continued_by_id,
        **counts(batch),
        **_times(batch.deployment, [f["captured_at"] for f in frames if f["captured_at"]]),
        "judged": batch.judged_at is not None,
        **{flag: sum(f["flag"] == flag for f in frames) for flag in ("dark", "fogged", "wet")},
        "moved_from": batch.moved_from and batch.moved_from.captured_at,
        "clock_right": batch.clock_right,
        "serials": sorted({f["exif"].get("BodySerialNumber", "") for f in frames} - {""}),
        "expected_serial": batch.deployment.camera.serial,
        # Kept as frames, since what is left of them may show somebody, but named.
        "damaged": sorted(f["path"] for f in frames if f["damaged"]),
        "duplicates_of": _duplicates(batch.deployment.lake_id, files),
        "missing": [
            {"path": f["path"], "reason": f["reason"]} for f in files if f["state"] == State.AWAITED
        ],
        "left_out": {"count": batch.left_out_count, "names": batch.left_out},
        # Of those that are being read: what this machine cannot do now, and will try again.
        "waiting": [
            {"path": f["path"], "reason": f["reason"]} for f in files if f["state"] == State.STORED
        ],
        "files": [
            {key: f[key] for key in ("path", "state", "reason")}
            for f in files
            if f["state"] not in (State.AWAITED, State.STORED)
        ],
    }


def _times(deployment: Deployment, instants: list[datetime]) -> dict[str, Any]:
    """First, last, schedule and gaps of sorted `instants`, worked out on the camera's own clock."""
    ahead = timedelta(
        minutes=deployment.clock_offset_minutes, seconds=-deployment.clock_correction_seconds
    )
    clock = [instant + ahead for instant in instants]
    stated = schedule.Schedule(
        deployment.interval_seconds, deployment.window_start, deployment.window_end
    )
    inferred = schedule.infer(clock)
    followed = inferred or stated
    gaps = schedule.gaps(clock, followed)
    return {
        "first_captured_at": instants[0] if instants else None,
        "last_captured_at": instants[-1] if instants else None,
        "interval_seconds": followed.interval_seconds,
        "window_start": followed.start,
        "window_end": followed.end,
        "schedule_inferred": inferred is not None,
        "schedule_differs": inferred is not None
        and inferred.interval_seconds != stated.interval_seconds,
        "missing_frames": sum(gap.missing for gap in gaps),
        "gaps": [
            {"after": gap.after - ahead, "before": gap.before - ahead, "missing": gap.missing}
            for gap in gaps
        ],
    }


def _duplicates(lake_id: int, files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """[{"batch": id, "source": folder, "opened_at": when, "place": viewpoint, "files": how many}];
    none of another lake. One query.
    """
    per_batch = Counter(f["frame__batch"] for f in files if f["state"] == State.DUPLICATE)
    return [
        {**batch, "files": per_batch[batch["batch"]]}
        for batch in Batch.objects.filter(
            pk__in=[pk for pk in per_batch if pk], deployment__lake=lake_id
        ).values("source", "opened_at", batch=F("pk"), place=F("deployment__viewpoint"))
    ]


def duplicates_elsewhere(batch: Batch, lakes: QuerySet[Lake]) -> list[dict[str, Any]]:
    """As the receipt's `duplicates_of`, but of other lakes, those among `lakes`; with "lake", its
    name, and "card", its id, for "batch".
    """
    found = batch.files.filter(state=State.DUPLICATE, frame__batch__deployment__lake__in=lakes)
    found = found.exclude(frame__batch__deployment__lake=batch.deployment.lake_id)
    of = "frame__batch__deployment"
    rows = (
        found.order_by()
        .values(
            card=F("frame__batch"),
            source=F("frame__batch__source"),
            opened_at=F("frame__batch__opened_at"),
            place=F(f"{of}__viewpoint"),
            lake=F(f"{of}__lake__name"),
        )
        .annotate(files=Count("pk"))
    )
    return [{**row} for row in rows]
