"""What figures are read from: sums and packed frames of each day; and what changed.

All of it but what counters counted is derived from frames, boxes and reviews, and can be made anew
at any time (`manage.py rebuild_figures`). Triggers of the database write a Change whenever any of
those change, whoever writes; `dashboards.rollups` works changes off.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from detection.models import Deployment
from lacs_web.models import Lake


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
