"""What the machine said: detectors, runs, and their immutable boxes."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from detection.labels import Label
from detection.models.cards import Batch, Frame
from lacs_web.models import User


class Detector(models.Model):
    """A registered ONNX file: its hash, layout and class map. The bytes lie in the storage."""

    name = models.CharField(_("name"), max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    layout = models.CharField(max_length=40)
    class_map = models.JSONField(default=dict)  # class index → label, or null where unknown
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    is_default = models.BooleanField(default=False)
    registered_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("detector")
        verbose_name_plural = _("detectors")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_detector"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def storage_name(self) -> str:
        return f"detectors/{self.sha256}.onnx"


class Run(models.Model):
    """One detector with fixed settings over one batch; kept for good."""

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="runs")
    detector = models.ForeignKey(Detector, models.PROTECT, related_name="runs")
    settings = models.JSONField(default=dict)
    software = models.CharField(max_length=40)
    started_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    paused = models.BooleanField(default=False)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "detector"],
                condition=Q(finished_at__isnull=True),
                name="one_open_run_per_batch_and_detector",
            )
        ]

    def __str__(self) -> str:
        return f"{self.detector}, {self.batch}"


class RunFrame(models.Model):
    """One frame that a run owes, examined exactly once: pending ─ claimed ─▶ done | failed.

    A done row without detections says that the machine looked and found nothing.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    run = models.ForeignKey(Run, models.CASCADE, related_name="run_frames")
    frame = models.ForeignKey(Frame, models.CASCADE, related_name="run_frames")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    reason = models.CharField(max_length=300, blank=True)
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "frame"], name="frame_once_per_run")]
        indexes = [
            models.Index(fields=["run", "id"], name="run_frame_owed", condition=Q(state="pending"))
        ]

    def __str__(self) -> str:
        return f"{self.frame_id} {self.state}"


class Detection(models.Model):
    """A machine box; immutable (a database trigger holds it). Fractions of the frame."""

    LABELS: ClassVar = [(label.value, label.value) for label in Label]

    run = models.ForeignKey(Run, models.CASCADE, related_name="detections")
    frame = models.ForeignKey(Frame, models.CASCADE, related_name="detections")
    label = models.CharField(max_length=10, choices=LABELS, blank=True)  # "": class not ours
    source_class = models.CharField(max_length=60)
    score = models.FloatField()
    x = models.FloatField()
    y = models.FloatField()
    w = models.FloatField()
    h = models.FloatField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(x__gte=0, y__gte=0, w__gt=0, h__gt=0)
                & Q(w__lte=1.000001 - F("x"), h__lte=1.000001 - F("y")),
                name="detection_within_frame",
            ),
            models.CheckConstraint(condition=Q(score__range=(0, 1)), name="detection_score_0_1"),
        ]

    def __str__(self) -> str:
        return f"{self.label or self.source_class} {self.score:.2f}"
