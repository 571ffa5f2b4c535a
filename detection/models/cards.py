"""What came in: batches, the files that they name, the frames that these became."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Count, Exists, F, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from detection.models.survey import Deployment
from lacs_web.models import Lake, Park


class BatchQuerySet(models.QuerySet["Batch"]):
    def counted(self) -> Self:
        """With the number of its files by state as n_awaited, n_stored, n_new, …, and n_files."""
        return self.annotate(
            n_files=Count("files"),
            **{
                f"n_{state}": Count("files", filter=Q(files__state=state))
                for state in CardFile.State.values
            },
        )

    def to_be_continued(self) -> Self:
        """Open, or closed while files were still awaited: the same card may go on here."""
        owed = CardFile.objects.filter(batch=OuterRef("pk"), state=CardFile.State.AWAITED)
        return self.filter(Q(closed_at__isnull=True) | Exists(owed), continued_by=None)


class Batch(models.Model):
    """One uploaded card, or part of one. Open until the manifest is complete, then closed."""

    deployment = models.ForeignKey(Deployment, models.PROTECT, related_name="batches")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="batches"
    )
    source = models.CharField(max_length=255, blank=True)  # name of the folder chosen
    # Says that two manifests are of the same card (cards/manifest.py); "" where nobody said.
    fingerprint = models.CharField(max_length=64, blank=True, default="")
    expected_files = models.PositiveIntegerField(default=0)  # that the manifest will name
    # What was not taken, for a computer had left it or it is no file: how much, and first names.
    left_out_count = models.PositiveIntegerField(default=0)
    left_out = models.JSONField(default=list)
    opened_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True)
    # The same card, handed over again whole after some of its files had changed.
    continued_by = models.ForeignKey("self", models.SET_NULL, null=True, related_name="continues")
    clock_right = models.BooleanField(null=True)  # what somebody said who compared the stamps
    # Set once its frames have been compared with one another (cards/judging.py).
    judged_at = models.DateTimeField(null=True)
    # The first frame after the camera was knocked, as far as the views tell.
    moved_from = models.ForeignKey("Frame", models.SET_NULL, null=True, related_name="+")

    objects = BatchQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["deployment", "fingerprint"],
                condition=Q(closed_at__isnull=True) & ~Q(fingerprint=""),
                name="card_open_once_per_deployment",
            )
        ]

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
        CAMERA = "camera", _("the picture is from another camera")
        SUPERSEDED = "superseded", _("half of a file that came whole later")

    class Flag(models.TextChoices):
        """What the statistics of its card say of a frame before any detector looks, and what
        figures go by until somebody has read it. What a run notices besides is RunFrame.problem.
        """

        DARK = "dark", _("dark")
        FOGGED = "fogged", _("fogged")
        WET = "wet", _("drop on the lens")
        MOVED = "moved", _("camera moved")
        ERASED = "erased", _("erased on request")  # nobody can read it any more

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
    # Mean luma and sharpness of 16 × 12 tiles, a byte each (cards/quality.py).
    tiles = models.BinaryField(default=b"")
    flag = models.CharField(max_length=6, choices=Flag, blank=True, default="")
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


class ClockCorrection(models.Model):
    """What a camera's clock was found to be worth: one anchor is an offset, two are a drift.

    `clock_n` is what the clock said, written as though it ran on UTC; `true_n` the instant that
    it was. Holds for one card, or for a deployment where `batch` is null; the latest that was not
    undone counts. Kept for good.
    """

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="corrections")
    batch = models.ForeignKey(Batch, models.CASCADE, null=True, related_name="corrections")
    clock_1 = models.DateTimeField()
    true_1 = models.DateTimeField()
    clock_2 = models.DateTimeField(null=True)
    true_2 = models.DateTimeField(null=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    made_at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(clock_2__isnull=True, true_2__isnull=True)
                | (Q(clock_2__gt=F("clock_1")) & Q(true_2__gt=F("true_1"))),
                name="correction_anchors_in_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.batch or self.deployment}: {self.clock_1} → {self.true_1}"


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
            ),
            models.Index(fields=["sha256"], name="file_by_hash"),
        ]

    def __str__(self) -> str:
        return self.path


class Lifting(models.Model):
    """That somebody saw a frame without its mask, or may until `until`. Kept: who saw what."""

    frame = models.ForeignKey(Frame, models.CASCADE, related_name="liftings")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="liftings"
    )
    at = models.DateTimeField(auto_now_add=True)
    until = models.DateTimeField()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.frame_id} until {self.until:%Y-%m-%d %H:%M}"


class Retention(models.Model):
    """How long the originals of a lake are kept; without a row, or without any rule, for good."""

    lake = models.OneToOneField(Lake, models.CASCADE, related_name="retention")
    days = models.PositiveIntegerField(null=True)  # after the frame was settled
    # After its card was handed over, of what nobody settled: unread, without a date, no picture.
    unsettled_days = models.PositiveIntegerField(null=True)
    on = models.DateField(null=True)  # from this day on, of all that was taken before it
    hold = models.CharField(max_length=300, blank=True)  # why nothing may be purged; "": it may
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.lake}: {self.days} days, on {self.on}"


class Purge(models.Model):
    """The ledger: that an original went, or is to go at once, when and by which rule.

    Of a frame, or of a file that became none. Written before the bytes go, so that what was cut
    off is taken up again; `done_at` after.
    """

    frame = models.OneToOneField(Frame, models.PROTECT, null=True, related_name="purge")
    file = models.OneToOneField(CardFile, models.PROTECT, null=True, related_name="purge")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )  # null: the rule alone
    rule = models.JSONField()  # {"days" | "unsettled": n} | {"on": day} | {"erased": why}
    freed = models.PositiveBigIntegerField(default=0)  # bytes
    at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(
                condition=Q(frame__isnull=True) ^ Q(file__isnull=True),
                name="purge_of_one_frame_or_one_file",
            )
        ]

    def __str__(self) -> str:
        return f"{self.path}: {self.rule}"

    @property
    def what(self) -> Frame | CardFile:
        found = self.frame or self.file
        assert found is not None  # noqa: S101 - the constraint says so
        return found

    @property
    def sha256(self) -> str:
        return self.what.sha256

    @property
    def path(self) -> str:
        return self.what.path
