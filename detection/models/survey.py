"""Where and when a camera looked."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from lacs_web.models import Lake, Park

EARLIEST_START = datetime(1990, 1, 1, tzinfo=UTC)  # no survey is older


class Camera(models.Model):
    """The physical device."""

    park = models.ForeignKey(Park, models.PROTECT, related_name="cameras", verbose_name=_("park"))
    make = models.CharField(_("make"), max_length=100)
    model = models.CharField(_("model"), max_length=100, blank=True)
    serial = models.CharField(_("serial number"), max_length=100)

    class Meta:
        ordering = ["make", "serial"]
        verbose_name = _("camera")
        verbose_name_plural = _("cameras")
        constraints = [
            models.UniqueConstraint(fields=["park", "serial"], name="camera_serial_once_per_park")
        ]

    def __str__(self) -> str:
        return f"{self.make} {self.model} {self.serial}".replace("  ", " ")


class Deployment(models.Model):
    """One camera at one viewpoint over one period, with its schedule and its clock.

    captured_at = camera clock − clock_offset_minutes + clock_correction_seconds.
    """

    lake = models.ForeignKey(
        Lake, models.PROTECT, related_name="deployments", verbose_name=_("lake")
    )
    camera = models.ForeignKey(
        Camera, models.PROTECT, related_name="deployments", verbose_name=_("camera")
    )
    slug = models.SlugField(_("short name"), unique=True)
    viewpoint = models.CharField(_("viewpoint"), max_length=200)
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("to"), null=True, blank=True)
    interval_seconds = models.PositiveIntegerField(
        _("interval between frames (seconds)"), default=300
    )
    window_start = models.TimeField(_("first frame of the day"), null=True, blank=True)
    window_end = models.TimeField(_("last frame of the day"), null=True, blank=True)
    clock_offset_minutes = models.SmallIntegerField(
        _("offset of the camera clock from UTC (minutes)"),
        default=60,
        help_text=_("60 is winter time in France and Italy, on which cameras usually stay."),
    )
    clock_correction_seconds = models.IntegerField(_("clock correction (seconds)"), default=0)
    # How new cards are examined where somebody chose it here; else the default detector, as usual.
    detector = models.ForeignKey(
        "detection.Detector", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    second_detector = models.ForeignKey(  # looks too
        "detection.Detector", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    detection = models.JSONField(null=True, blank=True)  # a run's settings

    class Meta:
        ordering = ["-starts_at"]
        verbose_name = _("deployment")
        verbose_name_plural = _("deployments")
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="deployment_ends_after_start",
                violation_error_message=_("A deployment ends after it starts."),
            ),
            models.CheckConstraint(
                condition=Q(starts_at__gte=EARLIEST_START)
                & (Q(ends_at__isnull=True) | Q(ends_at__gte=EARLIEST_START)),
                name="deployment_since_1990",
            ),
            models.CheckConstraint(
                condition=Q(interval_seconds__gt=0), name="deployment_interval_positive"
            ),
            models.CheckConstraint(
                condition=Q(clock_offset_minutes__range=(-840, 840)),
                name="deployment_clock_offset_in_range",
            ),
            models.CheckConstraint(
                condition=Q(window_start__isnull=True, window_end__isnull=True)
                | Q(window_end__gt=F("window_start")),
                name="deployment_window_whole",
                violation_error_message=_("The daily window ends after it starts."),
            ),
            # Ranges on both sides: the GiST index then needs no extension. F("camera"), not
            # F("camera_id"): validation puts the instance's own value only in fields' names.
            ExclusionConstraint(
                name="camera_at_one_place_at_a_time",
                expressions=[
                    (
                        Func(F("camera"), F("camera"), Value("[]"), function="int8range"),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(F("starts_at"), F("ends_at"), function="tstzrange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                violation_error_message=_("This camera stands elsewhere at that time."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.viewpoint} ({self.starts_at:%Y-%m-%d})"


class Zone(models.Model):
    """A polygon drawn once per deployment; points are fractions of the frame."""

    class Kind(models.TextChoices):
        WATER = "water", _("water")
        SHORE = "shore", _("shore")
        MEADOW = "meadow", _("meadow")
        PATH = "path", _("path")
        IGNORE = "ignore", _("ignore")

    deployment = models.ForeignKey(
        Deployment, models.CASCADE, related_name="zones", verbose_name=_("deployment")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    polygon = models.JSONField(_("corners"), help_text=_("[[x, y], …], fractions of the frame"))

    class Meta:
        verbose_name = _("zone")
        verbose_name_plural = _("zones")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["water", "shore", "meadow", "path", "ignore"]),
                name="zone_kind_known",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.deployment}"
