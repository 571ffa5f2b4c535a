"""Where and when a picture belongs: by its camera, its clock and the deployments' periods.

A card may span two deployments of one camera, and may be handed over for the wrong one: a frame
goes to the deployment of the same lake that it fits, the one chosen first. What fits none is
quarantined where it was handed over, with the reason; other lakes are only ever proposed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from detection.cards import clock
from detection.cards.exif import Exif
from detection.models import Batch, Camera, ClockCorrection, Deployment, Frame

Anchors = list[tuple[datetime, datetime]]


@dataclass(frozen=True)
class Fit:
    """`instant` is None exactly where `doubt` names a reason of Frame.Quarantine."""

    deployment: Deployment
    instant: datetime | None
    doubt: str


class Fitting:
    """What is known of one batch's deployments; made once for many pictures. Five queries."""

    def __init__(self, batch: Batch) -> None:
        self.chosen = batch.deployment
        lake = self.chosen.lake
        self._serial = self.chosen.camera.serial
        others = Deployment.objects.filter(lake=lake).exclude(pk=self.chosen.pk)
        self._others = list(others.select_related("camera", "lake"))
        self._known = set(Camera.objects.filter(park=lake.park_id).values_list("serial", flat=True))
        found = ClockCorrection.objects.filter(
            Q(batch=batch) | Q(batch=None, deployment__lake=lake), undone_at=None
        )
        self._of_batch: Anchors = []
        self._of_deployment: dict[int, Anchors] = {}
        for one in reversed(found):  # the latest counts
            if one.batch_id:
                self._of_batch = anchors(one)
            else:
                self._of_deployment[one.deployment_id] = anchors(one)

    def fit(self, said: Exif) -> Fit:
        """Asks the database nothing: many threads may ask."""
        foreign = said.serial in self._known and said.serial != self._serial
        first = Fit(self.chosen, *self._dated(said, self.chosen))
        if not foreign and first.doubt != Frame.Quarantine.OUTSIDE:
            return first
        serial = said.serial if foreign else self._serial
        for other in self._others:
            if other.camera.serial == serial:
                instant, doubt = self._dated(said, other)
                if not doubt:
                    return Fit(other, instant, "")
        doubt = Frame.Quarantine.CAMERA if foreign and said.clock_at else first.doubt
        return Fit(self.chosen, None, str(doubt))

    def _dated(self, said: Exif, deployment: Deployment) -> tuple[datetime | None, str]:
        instant = None
        if said.clock_at is not None:
            found = self._of_batch or self._of_deployment.get(deployment.pk)
            stated = said.utc_offset_minutes
            instant = (
                clock.corrected(said.clock_at, found)
                if found
                else clock.captured_at(
                    said.clock_at,
                    offset_minutes=deployment.clock_offset_minutes if stated is None else stated,
                    correction_seconds=deployment.clock_correction_seconds,
                )
            )
        doubt = clock.doubt(
            instant,
            starts_at=deployment.starts_at,
            ends_at=deployment.ends_at,
            now=timezone.now(),
        )
        return (None if doubt else instant), doubt


def anchors(correction: ClockCorrection) -> Anchors:
    found = [(correction.clock_1, correction.true_1)]
    if correction.clock_2 and correction.true_2:
        found.append((correction.clock_2, correction.true_2))
    return found
