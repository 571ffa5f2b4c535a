"""Placing a camera, changing a deployment, drawing its zones: the verbs behind the forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from detection import runs
from detection.cards.redate import redate
from detection.models import Camera, Deployment, Zone
from detection.zoning import Drawn
from lacs_web.models import AuditEvent, User

DATING = ("starts_at", "ends_at", "clock_offset_minutes", "clock_correction_seconds")
KEPT = ("camera_id", "viewpoint", "interval_seconds", "window_start", "window_end", *DATING)


@transaction.atomic
def place(*, deployment: Deployment, user: User) -> dict[str, int]:
    """Save a new or changed deployment, its new camera first; returns what `redate` counted, or {}.

    Frames are dated anew when clock or period changed. Raises ValidationError where the database
    would refuse: the camera is locked, so nobody else can place it meanwhile.
    """
    before = Deployment.objects.filter(pk=deployment.pk).values(*KEPT).first()
    if deployment.camera.pk is None:
        deployment.camera.full_clean()
        deployment.camera.save()
        deployment.camera = deployment.camera  # takes over its new key
    Camera.objects.select_for_update().get(pk=deployment.camera_id)
    deployment.full_clean()
    deployment.save()
    changed = [name for name in KEPT if before and before[name] != getattr(deployment, name)]
    counted = redate(deployment) if set(changed) & set(DATING) else {}
    detail: dict[str, Any] = {"deployment": deployment.slug}
    if before:
        detail |= {"before": {name: _plain(before[name]) for name in changed}, **counted}
    AuditEvent.objects.create(
        user=user,
        lake=deployment.lake,
        action="deployment changed" if before else "deployment placed",
        detail=detail,
    )
    return counted


class Overtaken(Exception):
    """Somebody else drew zones since these were read."""


@transaction.atomic
def draw(*, deployment: Deployment, zones: Sequence[Drawn], seen: str, user: User) -> None:
    """Put `zones` in the place of all that stood; `seen` is their `fingerprint` when read.

    The boxes of all runs are weighed anew. Raises Overtaken, changing nothing, when others stand
    there by now.
    """
    Deployment.objects.select_for_update().get(pk=deployment.pk)
    if fingerprint(deployment) != seen:
        raise Overtaken
    Zone.objects.filter(deployment=deployment).delete()
    Zone.objects.bulk_create(
        Zone(deployment=deployment, kind=each.kind, polygon=each.polygon) for each in zones
    )
    runs.owe_weighing(deployment)
    AuditEvent.objects.create(
        user=user,
        lake=deployment.lake,
        action="zones drawn",
        detail={"deployment": deployment.slug, "kinds": [each.kind for each in zones]},
    )


def fingerprint(deployment: Deployment) -> str:
    """Changes whenever the zones do. One query."""
    zones = list(
        Zone.objects.filter(deployment=deployment).order_by("pk").values_list("kind", "polygon")
    )
    return hashlib.sha256(json.dumps(zones).encode()).hexdigest()[:16]


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, int | str) else value.isoformat()
