"""What figures are read from: sums and packed frames of each day; and what changed. Kept exports.

Figures are derived from frames, boxes and reviews, and can be made anew at any time
(`manage.py rebuild_figures`); what counters counted is brought in. Triggers of the database write a
Change whenever any of those change, whoever writes; `dashboards.rollups` works changes off.
"""

from __future__ import annotations

import math

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from detection.models import Deployment
from lacs_web.models import Lake, User


class DeploymentFigures(models.Model):
    """How far the strata of a deployment are read; locked while its days are written.

    One number for each stratum: its frames; its sample, those settled in the order of reading
    before the first that is not (dashboards/estimators/sampling.py); the place of that first one.
    """

    deployment = models.OneToOneField(Deployment, models.CASCADE, primary_key=True)
    sizes = ArrayField(models.IntegerField(), default=list)
    read = ArrayField(models.IntegerField(), default=list)
    ends = ArrayField(models.IntegerField(), default=list)
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.deployment_id}, {self.at:%Y-%m-%d %H:%M}"


class DayFigures(models.Model):
    """One local day of one deployment. A day without a readable frame has no row: no zero.

    `frames`, `readings`, `population` and `features` are packed arrays (dashboards/sheets.py).
    """

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="+")
    day = models.DateField()
    n_frames = models.IntegerField()  # not known to be unreadable
    n_read = models.IntegerField()
    watched_hours = models.FloatField()
    read_hours = models.FloatField()
    validated_person_hours = models.FloatField(null=True)  # null: nothing was read
    machine_only_hours = models.FloatField()
    machine_only_person_hours = models.FloatField(null=True)  # null: no detector alone
    peak_persons = models.IntegerField(null=True)
    seconds = models.FloatField()  # that reviewers spent on the day's frames
    n_brought = models.IntegerField(default=0, db_default=0)  # settled by a file, in nobody's time
    runs = ArrayField(models.BigIntegerField())
    rules = ArrayField(models.TextField())
    frames = models.BinaryField()
    readings = models.BinaryField()
    population = models.BinaryField()
    features = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deployment", "day"], name="figures_once_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.deployment_id}, {self.day}"


class Change(models.Model):
    """That something under the figures of a deployment changed; written by triggers only.

    `instant`: of the one frame that was read; null where the whole deployment is to be made anew.
    Never updated and not unique, so that writers never wait for one another.
    """

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="+")
    instant = models.DateTimeField(null=True)
    at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.deployment_id}, {self.instant or 'whole'}"


class PassageHour(models.Model):
    """What a pedestrian counter, or one direction of it, counted in one hour; brought in by file.

    An hour without a row was not counted: no zero.
    """

    lake = models.ForeignKey(Lake, models.CASCADE, related_name="passages")
    counter = models.CharField(max_length=100)
    at = models.DateTimeField()  # at which the hour begins
    n = models.FloatField()  # passages; counters that are calibrated have fractions

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lake", "counter", "at"], name="passages_once_an_hour"),
            models.CheckConstraint(condition=models.Q(n__gte=0), name="passages_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.counter}, {self.at:%Y-%m-%d %H:%M}"


class KeptExport(models.Model):
    """A file that a worker makes, piece by piece, and keeps for a while for who asked for it.

    pending ─ claimed, piece by piece ─▶ ready ─▶ deleted. Withdrawn: what it shows changed since,
    or a frame of it went; its bytes are gone, and nobody ever gets it.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        READY = "ready"
        FAILED = "failed"
        WITHDRAWN = "withdrawn"

    lake = models.ForeignKey(Lake, models.CASCADE, related_name="+")
    asked_by = models.ForeignKey(User, models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)  # of exporting.FORMATS
    first = models.DateField()
    last = models.DateField()
    language = models.CharField(max_length=10)
    asked_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=9, choices=State, default=State.PENDING)
    done = models.PositiveIntegerField(default=0)  # frames worked off
    total = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField(default=0)  # bytes of its pieces
    seconds = models.FloatField(default=0)  # that they took
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)  # since the last piece
    ready_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)  # from when on it is no longer kept

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["asked_by", "lake", "kind", "first", "last"],
                condition=Q(state="pending"),
                name="export_made_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="pending") | Q(ends_at__isnull=False), name="export_kept_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}, {self.first} – {self.last}"

    @property
    def minutes(self) -> int | None:
        """Left at the pace so far; None where nothing is known of it."""
        if self.state != self.State.PENDING or not self.done or not self.seconds:
            return None
        left = max(0, self.total - self.done)
        return math.ceil(left * self.seconds / self.done / 60)


class KeptPiece(models.Model):
    """Bytes of a kept export that lie in the storage, and what the pieces after them must know.

    `frames`: those of which it shows a picture; `masks`: a digest of how each was masked then;
    `done`: its part of the export's, None where an older version made it.
    """

    export = models.ForeignKey(KeptExport, models.CASCADE, related_name="pieces")
    number = models.PositiveIntegerField()
    name = models.CharField(max_length=100)  # in the storage
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    entries = models.JSONField(default=list)
    facts = models.JSONField(default=dict)
    frames = ArrayField(models.BigIntegerField(), default=list)
    masks = models.CharField(max_length=64)
    done = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["export", "number"], name="piece_of_export_once")
        ]

    def __str__(self) -> str:
        return self.name
