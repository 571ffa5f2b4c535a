"""What the machine said: detectors, runs, and their immutable boxes."""

from __future__ import annotations

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from detection.labels import COUNTED_SCORE, Label
from detection.models.cards import Batch, Frame
from detection.models.survey import Deployment
from lacs_web.models import User


class DetectorQuerySet(models.QuerySet["Detector"]):
    def here(self) -> Self:
        """Those whose file was registered: they can be run."""
        return self.exclude(layout=Detector.ELSEWHERE)


class Detector(models.Model):
    """A registered ONNX file: its hash, layout and class map. The bytes lie in the storage.

    Or the name, in the place of a file, of one that only ran elsewhere (importing.py); its SHA-256
    is then that of its name and classes.
    """

    ELSEWHERE = "elsewhere"  # the layout of what ran elsewhere

    name = models.CharField(_("name"), max_length=200)
    sha256 = models.CharField(max_length=64, unique=True)
    layout = models.CharField(max_length=40)
    class_map = models.JSONField(default=dict)  # class index → label, or null where unknown
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    is_default = models.BooleanField(default=False)
    registered_at = models.DateTimeField(auto_now_add=True)
    # {"verdict", "described", "pictures", "evidence"} (onnx/probe.py) and what it found there,
    # {"boxes", "seconds"} (registering.py); null: not yet tried on real pictures.
    probe = models.JSONField(null=True)
    probes = models.PositiveSmallIntegerField(default=0, db_default=0)  # how often that was begun

    objects = DetectorQuerySet.as_manager()

    class Meta:
        verbose_name = _("detector")
        verbose_name_plural = _("detectors")
        constraints = [
            models.CheckConstraint(
                condition=~Q(layout="elsewhere", is_default=True),
                name="default_detector_is_here",
                violation_error_message=_("Only a detector whose file is here can be run."),
            ),
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_detector"
            ),
        ]

    def __str__(self) -> str:
        if self.layout == self.ELSEWHERE:
            return str(_("%(detector)s (made elsewhere)") % {"detector": self.name})
        return self.name

    @property
    def storage_name(self) -> str:
        return f"detectors/{self.sha256}.onnx"


class TaughtFrame(models.Model):
    """A frame that a detector learnt from, or that was settled beside those: what it finds there
    tells nothing of what it finds elsewhere. It judges no candidate, and is no part of a sample.
    """

    detector = models.ForeignKey(Detector, models.CASCADE, related_name="taught")
    frame = models.ForeignKey(Frame, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["detector", "frame"], name="taught_once_by_a_frame")
        ]

    def __str__(self) -> str:
        return f"{self.detector_id} by {self.frame_id}"


class Run(models.Model):
    """One detector, or two together, with fixed settings over one batch; kept for good.

    A frame's boxes are those of the latest run that examined it: a later run supersedes, frame by
    frame, and the earlier one stays as it was. A run that was a mistake is set aside: its frames
    are those of the run before it, if any, and its boxes only mask.
    """

    batch = models.ForeignKey(Batch, models.PROTECT, related_name="runs")
    detector = models.ForeignKey(Detector, models.PROTECT, related_name="runs")
    # Looks at each frame too: for people far away, say, where the first is for those near.
    second_detector = models.ForeignKey(
        Detector, models.PROTECT, null=True, blank=True, related_name="+"
    )
    settings = models.JSONField(default=dict)
    software = models.CharField(max_length=40)
    # Version and providers that it ran on.
    engine = models.CharField(max_length=200, blank=True, default="", db_default="")
    repeats = models.ForeignKey("self", models.PROTECT, null=True, related_name="repeated_by")
    started_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    # SHA-256 of the file that brought its boxes from elsewhere; "": made here.
    imported_from = models.CharField(max_length=64, blank=True, default="", db_default="")
    # Whether it names everybody who is to be masked; else its frames stay masked whole.
    finds_people = models.BooleanField(default=True, db_default=True)
    paused = models.BooleanField(default=False)
    finished_at = models.DateTimeField(null=True)
    set_aside_at = models.DateTimeField(null=True)
    # When its boxes came to be weighed anew (detection/weighing.py); null: nothing is owed.
    weigh_owed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["batch", "detector"],
                condition=Q(finished_at__isnull=True),
                name="one_open_run_per_batch_and_detector",
            ),
            models.UniqueConstraint(
                fields=["batch", "imported_from"],
                condition=~Q(imported_from=""),
                name="file_imported_once_per_batch",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.detector}, {self.batch}"


class RunFrameQuerySet(models.QuerySet["RunFrame"]):
    def showing(self) -> Self:
        """Of frames of which it is known who is to be masked: the rest of them may be shown."""
        return self.filter(state=RunFrame.State.DONE, run__finds_people=True)


class RunFrame(models.Model):
    """One frame that a run owes, examined exactly once: pending ─ claimed ─▶ done | failed; what is
    done is aside while its run is.

    A done row without detections says that the machine looked and found nothing.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"
        ASIDE = "aside"

    class Problem(models.TextChoices):
        """Why the frame may be unreadable, seen against its neighbours (onnx/quality.py): proposed,
        reviewers decide. "" where the card itself said so already (Frame.flag).
        """

        DARK = "dark", _("dark")
        FOG = "fog", _("fog")
        WET = "wet", _("drop on the lens")
        SNOW = "snow", _("snow on the lens")
        MOVED = "moved", _("camera moved")

    run = models.ForeignKey(Run, models.CASCADE, related_name="run_frames")
    frame = models.ForeignKey(Frame, models.CASCADE, related_name="run_frames")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    reason = models.CharField(max_length=300, blank=True)
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    examined_at = models.DateTimeField(null=True)
    problem = models.CharField(max_length=5, choices=Problem, blank=True, default="", db_default="")
    light = models.BinaryField(null=True)  # what frames of like light share (weighing.py)

    objects = RunFrameQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "frame"], name="frame_once_per_run")]
        indexes = [
            models.Index(fields=["run", "id"], name="run_frame_owed", condition=Q(state="pending"))
        ]

    def __str__(self) -> str:
        return f"{self.frame_id} {self.state}"


class DetectionQuerySet(models.QuerySet["Detection"]):
    def counted(self) -> Self:
        """Those that count in figures and are suggested to reviewers: sure enough, of a class of
        ours, not suppressed. The figures' own SQL says the same (dashboards/attendance.py).
        """
        return self.sure().filter(suppression__isnull=True)

    def sure(self) -> Self:
        """Those that would count but for their suppression."""
        return self.filter(score__gte=COUNTED_SCORE).exclude(label="")


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
    # Share of the box that differs from the still background; null where there was none.
    evidence = models.FloatField(null=True)

    objects = DetectionQuerySet.as_manager()

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


class Suppression(models.Model):
    """That a machine box does not count, and why; derived (detection/weighing.py), never stated.

    The box itself stays, and is shown to who asks for it.
    """

    class Reason(models.TextChoices):
        IGNORED = "ignored", _("in a zone to ignore")
        RECURS = "recurs", _("comes back where nothing changed")
        DISMISSED = "dismissed", _("somebody said that it is a thing")

    detection = models.OneToOneField(Detection, models.CASCADE, primary_key=True)
    reason = models.CharField(max_length=9, choices=Reason)

    def __str__(self) -> str:
        return f"{self.detection_id}: {self.reason}"


class Decision(models.Model):
    """What people said, in a settled frame, of a box where nothing had changed: a visitor who
    stays (a tent, say), or a thing that is none (a rock). Counts at that place for the season, on
    all cards of the deployment that the frame's card belongs to now; derived from the frame
    (detection/deciding.py), and gone when the frame is settled no more.
    """

    frame = models.ForeignKey(Frame, models.CASCADE, related_name="decisions")
    label = models.CharField(max_length=10, choices=Detection.LABELS)
    x = models.FloatField()
    y = models.FloatField()
    w = models.FloatField()
    h = models.FloatField()
    visitor = models.BooleanField()
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["at", "pk"]

    def __str__(self) -> str:
        return f"{self.label} at {self.x:.3f}, {self.y:.3f}: {self.visitor}"


class Trial(models.Model):
    """Detector and settings tried on a few frames of a deployment; counts nowhere.

    pending ─ claimed ─▶ done | failed. `results`: [{"frame", "seconds", "boxes": [{"label",
    "source_class", "score", "x", "y", "w", "h"}]} or {"frame", "reason"}], in the order of time.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        DONE = "done"
        FAILED = "failed"

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="trials")
    detector = models.ForeignKey(Detector, models.CASCADE, related_name="+")
    second_detector = models.ForeignKey(Detector, models.CASCADE, null=True, related_name="+")
    settings = models.JSONField(default=dict)
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    reason = models.CharField(max_length=300, blank=True)
    results = models.JSONField(default=list)
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["-asked_at"]

    def __str__(self) -> str:
        return f"{self.detector}, {self.deployment}"


class Candidate(models.Model):
    """A detector in the shadow of the one at work at a deployment: it looks at frames that people
    have settled, and what it finds lies in CandidateFrame and counts nowhere.

    at work ─▶ finished ─▶ promoted | rejected; a decision can be taken back.
    """

    class Decision(models.TextChoices):
        PROMOTED = "promoted", _("promoted")
        REJECTED = "rejected", _("rejected")

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="candidates")
    detector = models.ForeignKey(Detector, models.CASCADE, related_name="+")
    second_detector = models.ForeignKey(Detector, models.CASCADE, null=True, related_name="+")
    settings = models.JSONField(default=dict)
    asked_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    decision = models.CharField(max_length=8, choices=Decision, blank=True, default="")
    decided_at = models.DateTimeField(null=True)
    # {"detector", "second_detector", "detection"} of the deployment before the promotion.
    before = models.JSONField(null=True)

    class Meta:
        ordering = ["-asked_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["deployment"],
                condition=Q(decision=""),
                name="one_undecided_candidate_per_deployment",
            )
        ]

    def __str__(self) -> str:
        return f"{self.detector}, {self.deployment}"


class CandidateFrame(models.Model):
    """A frame that a candidate owes: pending ─ claimed ─▶ done | failed. `boxes`: as a trial's."""

    State = RunFrame.State

    candidate = models.ForeignKey(Candidate, models.CASCADE, related_name="frames")
    frame = models.ForeignKey(Frame, models.CASCADE, related_name="+")
    state = models.CharField(max_length=8, choices=RunFrame.State, default=RunFrame.State.PENDING)
    reason = models.CharField(max_length=300, blank=True)
    boxes = models.JSONField(default=list)
    claim = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["candidate", "frame"], name="frame_once_per_candidate")
        ]

    def __str__(self) -> str:
        return f"{self.frame_id} {self.state}"


class Calibration(models.Model):
    """What scores of a detector, with a run's settings, are worth at a deployment, learnt from
    `frames` settled frames. Kept for good; the last one is in force. Detections keep their scores,
    and no figure rests on this (docs/decisions/0014).
    """

    deployment = models.ForeignKey(Deployment, models.CASCADE, related_name="calibrations")
    detector = models.ForeignKey(Detector, models.CASCADE, related_name="+")
    second_detector = models.ForeignKey(Detector, models.CASCADE, null=True, related_name="+")
    settings = models.JSONField(default=dict)
    frames = models.PositiveIntegerField()
    settled = models.PositiveIntegerField()  # frames of the deployment, at that time
    curves = models.JSONField(default=dict)  # label → calibrating.Curve, absent without enough
    software = models.CharField(max_length=40)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"{self.detector}, {self.deployment}: {self.frames} frames"
