"""What came in: batches, the files that they name, the frames that these became."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from detection.models.survey import Deployment
from lacs_web.models import Park


class Batch(models.Model):
    """One uploaded card, or part of one. Open until the manifest is complete, then closed."""

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="batches")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="batches"
    )
    source = models.CharField(max_length=255, blank=True)  # name of the folder chosen
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-opened_at"]

    def __str__(self) -> str:
        return f"{self.source or self.pk}, {self.deployment}"


class Frame(models.Model):
    """One picture, identified within its park by the SHA-256 of its bytes.

    `clock_at` is what the camera's clock said, written as though that clock ran on UTC;
    `captured_at` is derived from it and is null exactly while the frame is quarantined.
    """

    class Quarantine(models.TextChoices):
        NONE = "", _("none")
        NO_DATE = "no_date", _("the file carries no date")
        ABSURD = "absurd", _("the date is that of a camera whose clock was never set")
        FUTURE = "future", _("the date lies in the future")
        OUTSIDE = "outside", _("the date lies outside the deployment")

    park = models.ForeignKey(Park, models.PROTECT, related_name="frames")
    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="frames")
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="frames")
    sha256 = models.CharField(max_length=64)
    path = models.CharField(max_length=1024)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    clock_at = models.DateTimeField(null=True)
    clock_utc_offset_minutes = models.SmallIntegerField(null=True)  # where EXIF states it
    captured_at = models.DateTimeField(null=True, db_index=True)
    quarantine = models.CharField(max_length=10, choices=Quarantine, blank=True, default="")
    exif = models.JSONField(default=dict)
    brightness = models.FloatField()  # mean luma, 0–255
    sharpness = models.FloatField()  # variance of the Laplacian of the preview
    damaged = models.BooleanField(default=False)  # only the lenient decoder could read it
    rank = models.BigIntegerField()  # fixed pseudo-random order of reading

    class Meta:
        ordering = ["captured_at"]
        indexes = [
            models.Index(fields=["deployment", "captured_at"], name="frame_by_time"),
            models.Index(fields=["deployment", "rank"], name="frame_by_rank"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["park", "sha256"], name="frame_once_per_park"),
            models.CheckConstraint(
                condition=Q(captured_at__isnull=True) ^ Q(quarantine=""),
                name="frame_dated_or_quarantined",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.path} ({self.sha256[:12]})"


class CardFile(models.Model):
    """One file that a batch names, from the manifest to its outcome.

    awaited ─ bytes arrive ─▶ stored ─ claimed, read ─▶ new | duplicate | unreadable | quarantined
                                                        | set_aside
    A claim holds until `lease_until`; after that any worker may take the file again.
    """

    class State(models.TextChoices):
        AWAITED = "awaited", _("awaited")
        STORED = "stored", _("being read")
        NEW = "new", _("new")
        DUPLICATE = "duplicate", _("duplicate")
        UNREADABLE = "unreadable", _("unreadable")
        QUARANTINED = "quarantined", _("quarantined")
        SET_ASIDE = "set_aside", _("set aside")

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="files")
    path = models.CharField(max_length=1024)
    size = models.PositiveBigIntegerField()  # bytes
    modified_at = models.DateTimeField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=12, choices=State, default=State.AWAITED)
    reason = models.CharField(max_length=300, blank=True)
    frame = models.ForeignKey(Frame, models.SET_NULL, null=True, related_name="files")
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["path"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "path"], name="file_once_per_batch"),
            models.CheckConstraint(
                condition=Q(state="awaited") | ~Q(sha256=""), name="file_stored_has_hash"
            ),
        ]
        indexes = [
            models.Index(
                fields=["batch", "id"], name="file_owed_reading", condition=Q(state="stored")
            )
        ]

    def __str__(self) -> str:
        return self.path
