"""Reviews (append-only), and the settled frames that follow from them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from detection.models import Frame, Run
from lacs_web.models import User


class VerdictChoice(models.TextChoices):
    BOXES = "boxes", _("the boxes are right")
    NOBODY = "nobody", _("nobody here")
    UNREADABLE = "unreadable", _("unreadable")
    SKIP = "skip", _("skipped")
    FLAG = "flag", _("flagged to the ranger")


class LabelChoice(models.TextChoices):
    PERSON = "person", _("person")
    TENT = "tent", _("tent")
    BOAT = "boat", _("boat")
    DOG = "dog", _("dog")
    SHEEP = "sheep", _("sheep")
    CATTLE = "cattle", _("cattle")
    GOAT = "goat", _("goat")
    HORSE = "horse", _("horse or mule")
    VEHICLE = "vehicle", _("vehicle")
    OTHER = "other", _("other")


class ActivityChoice(models.TextChoices):
    BATHING = "bathing", _("bathing")
    ON_WATER = "on_water", _("on the water")
    FISHING = "fishing", _("fishing")
    WALKING = "walking", _("walking")
    RESTING = "resting", _("resting")
    BIVOUAC = "bivouac", _("bivouac")
    PASTORAL = "pastoral", _("pastoral work")
    UNKNOWN = "unknown", _("unknown")


class Review(models.Model):
    """One reviewer's whole statement on one frame; a later one of the same reviewer replaces it.

    Append-only (a database trigger holds it); only the reviewer may be forgotten.
    """

    frame = models.ForeignKey(Frame, models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(User, models.SET_NULL, null=True, related_name="reviews")
    request_id = models.UUIDField(unique=True)  # the same request twice is one review
    verdict = models.CharField(max_length=10, choices=VerdictChoice)
    alone = models.BooleanField()  # given with the right to settle a frame alone
    run = models.ForeignKey(Run, models.PROTECT, null=True, related_name="+")  # boxes shown
    seconds = models.FloatField(default=0)  # time spent on the frame
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=VerdictChoice.values), name="review_verdict_known"
            ),
            models.CheckConstraint(condition=Q(seconds__gte=0), name="review_seconds_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.frame_id}: {self.verdict}"


class ReviewBox(models.Model):
    """One box of a review; x, y, w, h are fractions of the frame, from the top left."""

    review = models.ForeignKey(Review, models.CASCADE, related_name="boxes")
    label = models.CharField(max_length=10, choices=LabelChoice)
    activity = models.CharField(max_length=10, choices=ActivityChoice, blank=True)
    x = models.FloatField()
    y = models.FloatField()
    w = models.FloatField()
    h = models.FloatField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(label__in=LabelChoice.values), name="review_box_label_known"
            ),
            models.CheckConstraint(
                condition=Q(x__gte=0, y__gte=0, w__gt=0, h__gt=0)
                & Q(w__lte=1.000001 - F("x"), h__lte=1.000001 - F("y")),
                name="review_box_within_frame",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} at {self.x:.3f}, {self.y:.3f}"


class SettledFrame(models.Model):
    """A frame whose reviews agree under the rule; the only human truth that figures use.

    Derived from the reviews, and rewritten whenever they change.
    """

    frame = models.OneToOneField(Frame, models.CASCADE, related_name="settled")
    review = models.ForeignKey(Review, models.PROTECT, related_name="+")  # whose boxes count
    readable = models.BooleanField()
    rule = models.JSONField()  # parameters and which clause settled it
    at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return str(self.frame_id)
