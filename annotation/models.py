"""Who works on which frame, reviews (append-only), and the settled frames that follow from them."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from detection.models import Frame, Run
from lacs_web.models import Lake, User


class VerdictChoice(models.TextChoices):
    BOXES = "boxes", _("the boxes are right")
    NOBODY = "nobody", _("nobody here")
    UNREADABLE = "unreadable", _("unreadable")
    SKIP = "skip", _("skipped")
    FLAG = "flag", _("flagged to the ranger")
    COUNTED = "counted", _("counted elsewhere, without boxes")


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


class Hold(models.Model):
    """That a reviewer works on a frame, until the lease runs out: one at a time for each frame."""

    frame = models.OneToOneField(Frame, models.CASCADE, related_name="hold")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="holds")
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.frame_id} until {self.until:%H:%M:%S}"


class Turn(models.Model):
    """When the estimates ask for a frame: the lowest `place` first, what has none after all.

    Written by the estimates (dashboards/planning.py), which import us and not the other way.
    """

    frame = models.OneToOneField(Frame, models.CASCADE, related_name="turn")
    place = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.frame_id} at place {self.place}"


class Plan(models.Model):
    """What the estimates knew of a lake when they last gave out turns; written by them.

    Person-hours of all its readable frames, with a 95 % interval; null before every stratum has
    been read. `more`: frames to read until the interval is narrow enough, 0 when it is.
    """

    lake = models.OneToOneField(Lake, models.CASCADE, related_name="plan")
    made_at = models.DateTimeField(null=True)
    basis = models.CharField(max_length=200, blank=True, default="")  # what it was made from
    frames = models.PositiveIntegerField(default=0)  # sampled, of which …
    read = models.PositiveIntegerField(default=0)  # … in the settled prefixes
    total = models.FloatField(null=True)
    low = models.FloatField(null=True)
    high = models.FloatField(null=True)
    more = models.PositiveIntegerField(null=True)

    def __str__(self) -> str:
        return f"{self.lake_id}: {self.read} of {self.frames}"


class LakeRule(models.Model):
    """The parameters of the rule at a lake, where they are not the usual ones (settling.Rule)."""

    lake = models.OneToOneField(Lake, models.CASCADE, related_name="rule")
    least_iou = models.FloatField(_("least overlap of two boxes"), default=0.5)
    tiny_px = models.FloatField(_("size below which boxes match by their distance"), default=24.0)
    tiny_distance = models.FloatField(_("largest distance, in sizes of the box"), default=1.0)
    least_trust = models.FloatField(_("least trust to settle with the machine"), default=0.8)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(least_iou__gt=0, least_iou__lte=1)
                & Q(tiny_px__gte=0, tiny_px__lte=200)
                & Q(tiny_distance__gt=0, tiny_distance__lte=5)
                & Q(least_trust__gte=0.5, least_trust__lte=1),
                name="lake_rule_within_reason",
            )
        ]

    def __str__(self) -> str:
        return str(self.lake_id)


class Check(models.Model):
    """A settled frame laid up for a volunteer, to be mixed unseen into what they are served.

    Deleted when it is served (Draft.check_frame says so then). Only the queue reads this table.
    """

    frame = models.ForeignKey(Frame, models.CASCADE, related_name="+")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["reviewer", "frame"], name="check_once_per_reviewer")
        ]

    def __str__(self) -> str:
        return f"{self.frame_id} for {self.reviewer_id}"


class Draft(models.Model):
    """One reviewer's unfinished statement on one frame; nobody else ever sees its boxes.

    served ─ boxes changed ─▶ open ─ reviewed ─▶ closed ─ decision taken back ─▶ open …
    `version` counts every change, a review included, so that a write from a tab that has not
    seen the last one is a conflict and never silently wins.
    """

    frame = models.ForeignKey(Frame, models.CASCADE, related_name="drafts")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="drafts")
    run = models.ForeignKey(Run, models.SET_NULL, null=True, related_name="+")  # boxes shown
    version = models.PositiveIntegerField(default=0)
    boxes = models.JSONField(null=True)  # as the editor holds them; null: the machine's, untouched
    open = models.BooleanField(default=True)  # false between a review and the next change
    picked = models.BooleanField(default=False, db_default=False)  # by hand, not by the queue
    check_frame = models.BooleanField(default=False, db_default=False)  # was settled when served
    bare = models.BooleanField(default=False, db_default=False)  # machine's boxes not shown
    at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["frame", "reviewer"], name="draft_once_per_reviewer")
        ]

    def __str__(self) -> str:
        return f"{self.frame_id}, version {self.version}"


class Import(models.Model):
    """A file by which what people of another tool counted came in; it settles frames on which
    nobody here has spoken, until it is taken back.
    """

    class Kind(models.TextChoices):
        CAMTRAP = "camtrap-dp", _("Camtrap DP package")
        TIMELAPSE = "timelapse", _("Timelapse (CSV)")
        COCO = "coco", _("COCO (JSON)")
        YOLO = "yolo", _("YOLO (text files)")

    lake = models.ForeignKey(Lake, models.CASCADE, related_name="imports")
    kind = models.CharField(max_length=10, choices=Kind)
    file = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    settings = models.JSONField(default=dict)  # what its words were said to mean
    frames = models.PositiveIntegerField()
    by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["lake", "sha256"], condition=Q(undone_at=None), name="import_once_per_lake"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.sha256[:12]}"


class ReviewQuerySet(models.QuerySet["Review"]):
    def standing(self) -> ReviewQuerySet:
        """All but those of imports that were taken back."""
        return self.filter(imported_from__undone_at=None)

    def latest_words(self) -> ReviewQuerySet:
        """Those that no later one of their author replaces, and that were not taken back."""
        later = Review.objects.filter(
            frame=OuterRef("frame"), author=OuterRef("author"), pk__gt=OuterRef("pk")
        )
        return self.standing().filter(~Exists(later))


class Review(models.Model):
    """One reviewer's whole statement on one frame; a later one of the same reviewer replaces it.

    Append-only (a database trigger holds it); only the reviewer may be forgotten. `author` then
    still says which reviews of a frame are one person's, and nothing else: it is drawn anew for
    each frame.
    """

    frame = models.ForeignKey(Frame, models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(User, models.SET_NULL, null=True, related_name="reviews")
    author = models.UUIDField(default=uuid.uuid4, db_default=RandomUUID())
    request_id = models.UUIDField(unique=True)  # the same request twice is one review
    verdict = models.CharField(max_length=10, choices=VerdictChoice)
    alone = models.BooleanField()  # given with the right to settle a frame alone
    run = models.ForeignKey(Run, models.PROTECT, null=True, related_name="+")  # boxes shown
    seconds = models.FloatField(default=0)  # time spent on the frame
    comment = models.TextField(blank=True, max_length=1000, default="", db_default="")
    # The frame was chosen by hand (a day, a ranger browsing): it is no part of the sample.
    picked = models.BooleanField(default=False, db_default=False)
    # The machine's boxes were not shown: measures how much people lean on them.
    bare = models.BooleanField(default=False, db_default=False)
    # Kind → trust in the reviewer at that moment (trust.py); {} for who may settle alone.
    trust = models.JSONField(default=dict, db_default=Value({}, models.JSONField()))
    at = models.DateTimeField(auto_now_add=True)
    # Whose words these are nobody here knows: they came in with a file. Such reviews are `picked`.
    imported_from = models.ForeignKey(Import, models.PROTECT, null=True, related_name="reviews")

    objects = ReviewQuerySet.as_manager()

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


class ReviewCount(models.Model):
    """So many of a kind on a frame, without a box for each; only of what was counted elsewhere.

    Beside the boxes of the review, not instead of them.
    """

    MOST = 1000

    review = models.ForeignKey(Review, models.CASCADE, related_name="counts")
    label = models.CharField(max_length=10, choices=LabelChoice)
    activity = models.CharField(max_length=10, choices=ActivityChoice, blank=True)
    n = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["review", "label", "activity"], name="review_count_once_per_kind"
            ),
            models.CheckConstraint(
                condition=Q(label__in=LabelChoice.values, n__gte=1, n__lte=1000),
                name="review_count_within_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.n} × {self.label}"


class SettledFrame(models.Model):
    """A frame whose reviews agree under the rule; the only human truth that figures use.

    Derived from the reviews, and rewritten whenever they change.
    """

    frame = models.OneToOneField(Frame, models.CASCADE, related_name="settled")
    review = models.ForeignKey(Review, models.PROTECT, related_name="+")  # whose boxes count
    readable = models.BooleanField()
    rule = models.JSONField()  # parameters and which clause settled it
    voices = ArrayField(models.BigIntegerField(), default=list, db_default=[])  # ids of reviews
    at = models.DateTimeField(auto_now=True)  # last written anew
    since = models.DateTimeField(default=timezone.now, db_default=Now())  # settled without a break

    def __str__(self) -> str:
        return str(self.frame_id)


class Comment(models.Model):
    """A word about a frame, to those who have stated on it and to who may settle it."""

    frame = models.ForeignKey(Frame, models.CASCADE, related_name="comments")
    author = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    text = models.TextField(max_length=1000)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.frame_id}: {self.text[:40]}"


class Dispute(models.Model):
    """A frame that volunteers cannot settle: flagged, or three of them differ. Derived."""

    frame = models.OneToOneField(Frame, models.CASCADE, related_name="dispute")
    # Person-hours in question: how far the opinions lie apart, times the frame's hours.
    weight = models.FloatField(default=0)
    since = models.DateTimeField()

    class Meta:
        ordering = ["-weight", "since"]

    def __str__(self) -> str:
        return str(self.frame_id)


class Judgement(models.Model):
    """One volunteer's last word on a frame, held against the machine and what others settled.

    Derived, like SettledFrame, for every last word of a volunteer we still know.
    """

    review = models.OneToOneField(Review, models.CASCADE, related_name="judgement")
    reviewer = models.ForeignKey(User, models.CASCADE, related_name="judgements")
    # Kind → "right", "extra" or "missed" (trust.py); {} unless others settled the frame.
    answers = models.JSONField(default=dict)
    with_machine = models.BooleanField(null=True)  # agrees with it; null where none has looked

    def __str__(self) -> str:
        return f"{self.review_id}: {self.answers}"
