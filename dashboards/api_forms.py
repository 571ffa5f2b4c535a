"""Figures as the schema tells them, field by field as `attendance.attendance` gives them."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from dashboards.calendar import Kind
from dashboards.kept import KINDS
from dashboards.models import KeptExport
from lacs_web.access import Action
from lacs_web.models import Lake
from lacs_web.public_api import ClockTime

Form = serializers.Serializer[Any]


class Period(Form):
    to = serializers.DateField(help_text="The last day, in the lake's own days.")

    def get_fields(self) -> dict[str, Any]:
        first = serializers.DateField(help_text="The first day.", required=self._asked())
        return {"from": first, **super().get_fields()}

    def _asked(self) -> bool:
        return True


class KeptAsked(Period):
    """A file that a worker is to make."""

    kind = serializers.ChoiceField(choices=KINDS)


class Kept(serializers.ModelSerializer[KeptExport]):
    """A file that a worker makes, or made."""

    file = serializers.IntegerField(source="pk", help_text="Its number, for its addresses.")
    lake = serializers.SlugField(source="lake.slug")
    kind = serializers.ChoiceField(choices=KINDS)
    to = serializers.DateField(source="last")
    minutes = serializers.IntegerField(
        allow_null=True, help_text="Left at the pace so far; null where it is not known."
    )

    class Meta:
        model = KeptExport
        fields = [
            "file", "lake", "kind", "to", "asked_at", "state", "done", "total", "minutes", "size",
            "ready_at", "ends_at",
        ]  # fmt: skip
        extra_kwargs: ClassVar = {
            "state": {"help_text": "withdrawn: what it shows may not be shown any more."},
            "done": {"help_text": "Frames written, of `total`."},
            "size": {"help_text": "Bytes so far."},
            "ends_at": {"help_text": "Until when it is kept; null while it is made."},
        }

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(source="first"), **super().get_fields()}


class Figured(Period):
    decimal = serializers.ChoiceField(
        choices=["comma", "point"],
        required=False,
        help_text="The sign of decimals in `csv` and `counters`; a comma unless asked.",
    )


class Asked(Period):
    """Both days, or the name of a period that the lake's page offers."""

    to = serializers.DateField(required=False)
    period = serializers.CharField(
        required=False,
        help_text="week, month, season, all or a year that was watched; others: the season.",
    )

    def _asked(self) -> bool:
        return False


class Ends(Form):
    """First and last day of something."""

    to = serializers.DateField()

    def get_fields(self) -> dict[str, Any]:
        return {"from": serializers.DateField(), **super().get_fields()}


class SeenLake(serializers.ModelSerializer[Lake]):
    """A lake in the list."""

    lake = serializers.SlugField(source="slug")
    park = serializers.SlugField(source="park.slug")
    may = serializers.SerializerMethodField()
    observed = serializers.SerializerMethodField()

    class Meta:
        model = Lake
        fields = ["lake", "name", "park", "time_zone", "may", "observed"]

    def get_may(self, lake: Lake) -> list[str]:
        mine: dict[str, bool] = self.context["may"][lake.pk]
        return sorted(Action[name.upper()].value for name in mine)

    @extend_schema_field(Ends(allow_null=True))
    def get_observed(self, lake: Lake) -> dict[str, Any] | None:
        """Local days of the first and the last dated picture; null without any."""
        ends = self.context["observed"].get(lake.pk)
        return ends and {"from": ends[0], "to": ends[1]}


class Interval(Form):
    value = serializers.FloatField()
    low = serializers.FloatField(help_text="of 95 %")
    high = serializers.FloatField()


class Figure(Form):
    value = serializers.FloatField()
    low = serializers.FloatField(allow_null=True, help_text="of 95 %; null: too little is read")
    high = serializers.FloatField(allow_null=True)
    basis = serializers.ChoiceField(choices=["fully read", "corrected", "partly read"])


class Activity(Figure):
    share = serializers.FloatField(allow_null=True)


class Units(Form):
    person_hours = Figure(allow_null=True)
    bather_hours = Figure(allow_null=True)
    angler_hours = Figure(allow_null=True)
    boat_hours = Figure(allow_null=True)
    herd_hours = Figure(allow_null=True)


class Tally(Form):
    """What was counted; null is not known, and never zero."""

    frames = serializers.IntegerField()
    frames_read = serializers.IntegerField()
    watched_hours = serializers.FloatField()
    read_hours = serializers.FloatField()
    validated_person_hours = serializers.FloatField(allow_null=True)
    machine_only_hours = serializers.FloatField()
    machine_only_person_hours = serializers.FloatField(allow_null=True)
    peak_persons = serializers.IntegerField(allow_null=True)
    basis = serializers.CharField(allow_null=True)
    share_read = serializers.FloatField(allow_null=True)


class Method(Form):
    detectors = serializers.ListField(child=serializers.CharField())
    rules = serializers.ListField(child=serializers.CharField())


class Day(Tally, Method):
    day = serializers.DateField()
    activities = serializers.DictField(
        child=serializers.FloatField(), help_text="Person-hours on the frames read."
    )


class Group(Tally, Ends):
    days_observed = serializers.IntegerField()
    person_hours = Figure(allow_null=True)
    present = Interval(allow_null=True)


class Mean(Form):
    watched_hours = serializers.FloatField()
    read_hours = serializers.FloatField()
    persons_present = serializers.FloatField(allow_null=True)


class Cell(Mean):
    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text="0: Monday")
    hour = serializers.IntegerField(min_value=0, max_value=23)


class Weekday(Mean):
    weekday = serializers.IntegerField(min_value=0, max_value=6)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class Hour(Mean):
    hour = serializers.IntegerField(min_value=0, max_value=23)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    validated_person_hours = serializers.FloatField(allow_null=True)


class Rated(Form):
    days_observed = serializers.IntegerField()
    watched_hours = serializers.FloatField()
    present = Interval(allow_null=True)


class PresentByHour(Form):
    hour = serializers.IntegerField(min_value=0, max_value=23)
    persons_present = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)


class DayType(Rated):
    kind = serializers.CharField()
    read_hours = serializers.FloatField()
    hours = PresentByHour(many=True)


class School(Form):
    region = serializers.CharField()
    holidays = Rated()
    term = Rated()


class Year(Ends):
    now = Interval()
    then = Interval()


class Season(Ends):
    """What an extrapolation to scheduled hours that were not watched gives."""

    total = serializers.FloatField()
    low = serializers.FloatField(allow_null=True, help_text="Null: too few days were watched.")
    high = serializers.FloatField(allow_null=True)
    observed = serializers.FloatField()
    watched_hours = serializers.FloatField()
    unwatched_hours = serializers.FloatField()
    blind_hours = serializers.FloatField()
    label = serializers.CharField()  # type: ignore[assignment]


class Sampled(Form):
    frames = serializers.IntegerField()
    read = serializers.IntegerField()
    certain = serializers.IntegerField()


class Precision(Form):
    """What is still to read."""

    more = serializers.IntegerField()
    minutes = serializers.FloatField(allow_null=True)
    seconds_a_frame = serializers.FloatField(allow_null=True)
    first = serializers.BooleanField()
    done = serializers.BooleanField()
    absolute = serializers.BooleanField()
    tolerance = serializers.FloatField(allow_null=True)
    half = serializers.FloatField(allow_null=True)
    proxy = serializers.CharField(allow_null=True)


class Missed(Form):
    frames = serializers.IntegerField()
    missed = serializers.FloatField(allow_null=True)
    extra = serializers.FloatField(allow_null=True)


class Peak(Form):
    persons = serializers.IntegerField()
    day = serializers.DateField()
    hour = serializers.IntegerField()


class Night(Form):
    night = serializers.DateField(help_text="The day on which it ends.")
    tents = serializers.IntegerField(allow_null=True)


class NightHours(Form):
    begins = ClockTime()
    ends = ClockTime()


class CalendarDay(Form):
    day = serializers.DateField()
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind])
    school = serializers.ListField(child=serializers.CharField(), help_text="Regions on holiday.")


class PassageDay(Form):
    day = serializers.DateField()
    hours_counted = serializers.IntegerField(help_text="Hours without a count are gaps, no zeros.")
    passages = serializers.FloatField()


class PassageCounter(Form):
    """A pedestrian counter, or one direction of it; passages are no person-hours."""

    counter = serializers.CharField()
    days_counted = serializers.IntegerField()
    hours_counted = serializers.IntegerField()
    passages = serializers.FloatField()
    days = PassageDay(many=True)


class Few(Form):
    """Of fewer persons at once than this, these activities are not told apart."""

    fewer_than = serializers.IntegerField()
    activities = serializers.ListField(child=serializers.CharField())


class WholeMethod(Method):
    counted_score = serializers.FloatField()


class Figures(Tally, Ends):
    lake = serializers.SlugField()
    interval_95 = serializers.ListField(
        child=serializers.FloatField(), min_length=2, max_length=2, allow_null=True
    )
    units = Units()
    activities = serializers.DictField(child=Activity())
    watched = Interval(allow_null=True)
    present = Interval(allow_null=True)
    unseen_hours = serializers.FloatField()
    sampled = Sampled()
    precision = Precision(allow_null=True)
    to_read = serializers.DictField(child=Precision(allow_null=True))
    missed = Missed(allow_null=True)
    representative = serializers.BooleanField()
    peak = Peak(allow_null=True)
    hours = Hour(many=True)
    week = Cell(many=True)
    weekdays = Weekday(many=True)
    day_types = DayType(many=True)
    school = School(many=True)
    night = NightHours()
    tent_nights = serializers.IntegerField(allow_null=True)
    nights_read = serializers.IntegerField()
    tents_outside_hours = serializers.IntegerField(allow_null=True)
    nights = Night(many=True)
    herd_days = serializers.IntegerField(allow_null=True)
    months = Group(many=True)
    fortnights = Group(many=True)
    seasons = Group(many=True)
    years = Year(many=True)
    season = Season(allow_null=True)
    days_observed = serializers.IntegerField()
    cameras = serializers.IntegerField()
    days = Day(many=True)
    calendar = CalendarDay(many=True)
    not_observed = serializers.ListField(child=serializers.DateField())
    in_step = serializers.BooleanField(help_text="false: some changes are not counted yet.")
    passages = PassageCounter(many=True)
    discretion = Few(allow_null=True)
    method = WholeMethod()
