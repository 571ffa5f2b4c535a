"""Forms of a deployment: itself (local times, clocks by name, a camera chosen or described), and
how its frames are to be examined.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from detection import choosing, registering, wording
from detection.models import EARLIEST_START, Batch, Camera, Deployment, Detector
from detection.onnx.layouts import FAMILIES
from detection.onnx.runtime import ModelRefused
from lacs_web import access
from lacs_web.models import Lake, User
from lacs_web.uploads import WaitingForm

OTHER = "other"
LOCAL = "%Y-%m-%dT%H:%M"


def between(first: datetime, last: datetime | None = None) -> Callable[[datetime], None]:
    """A validator of moments that every page can show; up to ten years from now unless told."""

    def check(moment: datetime) -> None:
        latest = last or timezone.now() + timedelta(days=3652)
        if not first <= moment <= latest:
            ends = {"first": first, "last": latest}
            raise ValidationError(
                _("Choose a date between %(first)s and %(last)s.")
                % {name: date_format(end, "DATE_FORMAT") for name, end in ends.items()}
            )

    return check


in_our_time = between(EARLIEST_START)
clock_reading = between(datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


class DeploymentForm(forms.ModelForm):  # type: ignore[type-arg]
    """Make it, and render it, with the lake's time zone active: its times are local ones."""

    make = forms.CharField(label=gettext_lazy("Make"), max_length=100, required=False)
    model = forms.CharField(label=gettext_lazy("Model"), max_length=100, required=False)
    serial = forms.CharField(
        label=gettext_lazy("Serial number"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("As the camera writes it into its pictures, or as on its label."),
    )
    clock = forms.ChoiceField(label=gettext_lazy("The camera's clock runs on"))

    class Meta:
        model = Deployment
        fields = [
            "viewpoint", "slug", "camera", "starts_at", "ends_at", "interval_seconds",
            "window_start", "window_end", "clock_offset_minutes", "clock_correction_seconds",
        ]  # fmt: skip
        widgets = {
            "starts_at": forms.DateTimeInput({"type": "datetime-local"}, format=LOCAL),
            "ends_at": forms.DateTimeInput({"type": "datetime-local"}, format=LOCAL),
            "window_start": forms.TimeInput({"type": "time"}, format="%H:%M"),
            "window_end": forms.TimeInput({"type": "time"}, format="%H:%M"),
        }
        help_texts = {
            "viewpoint": gettext_lazy("Where the camera stands, as people of the park say it."),
            "slug": gettext_lazy(
                "For addresses and commands; made from the viewpoint where left empty."
            ),
            "ends_at": gettext_lazy("Leave empty while the camera still stands there."),
            "window_start": gettext_lazy(
                "By the camera's clock. Leave both empty where it works day and night."
            ),
            "clock_offset_minutes": gettext_lazy("Only for another clock; 60 is one hour east."),
            "clock_correction_seconds": gettext_lazy(
                "Added to what the camera says: 120 where its clock is two minutes slow."
            ),
        }

    def __init__(self, *args: Any, lake: Lake, user: User, **kwargs: Any) -> None:
        """`user` chooses among the cameras that stood at lakes they see, and those never used."""
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.lake = lake
        standing = self.instance
        if standing.pk is None:
            standing.lake = lake
            self.fields["slug"].required = False
            self.initial["clock_offset_minutes"] = None
        else:
            del self.fields["slug"]  # addresses and commands go on working
        cameras = self.fields["camera"]
        assert isinstance(cameras, forms.ModelChoiceField)  # noqa: S101
        seen = Q(deployments=None) | Q(deployments__lake__in=access.lakes(user))
        cameras.queryset = Camera.objects.filter(seen, park=lake.park).distinct()
        cameras.empty_label = _("a camera that is not in this list")
        cameras.required = False
        limits = {
            "interval_seconds": (1, 86_400),
            "clock_offset_minutes": (-840, 840),
            "clock_correction_seconds": (-2_000_000_000, 2_000_000_000),
        }
        for name, (least, most) in limits.items():
            number = self.fields[name]
            self.fields[name] = forms.IntegerField(
                label=number.label, help_text=number.help_text, initial=number.initial,
                min_value=least, max_value=most, required=name == "interval_seconds",
            )  # fmt: skip
        for name in ("starts_at", "ends_at"):
            self.fields[name].validators.append(in_our_time)
        self._offer_clocks()

    def _offer_clocks(self) -> None:
        standing = self.instance
        year = (standing.starts_at or timezone.now()).year
        known = wording.clocks(self.lake, year)
        choices = {
            str(minutes): name if name == "UTC" else f"{name} ({wording.utc_offset(minutes)})"
            for minutes, name in known.items()
        }
        clock = self.fields["clock"]
        assert isinstance(clock, forms.ChoiceField)  # noqa: S101
        clock.choices = [*choices.items(), (OTHER, _("another offset from UTC"))]
        clock.initial = next(iter(choices))  # cameras usually stay on winter time
        if standing.pk is not None:
            clock.initial = str(standing.clock_offset_minutes)
            if clock.initial in choices:
                self.initial["clock_offset_minutes"] = None
            else:
                clock.initial = OTHER

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        starts, ends = data.get("starts_at"), data.get("ends_at")
        if starts and ends and ends <= starts:
            self.add_error("ends_at", _("A deployment ends after it starts."))
        if bool(data.get("window_start")) != bool(data.get("window_end")):
            self.add_error("window_end", _("Give both ends of the daily window, or neither."))
        self._clean_clock(data)
        self._clean_camera(data)
        if "slug" in self.fields and not data.get("slug") and data.get("viewpoint"):
            data["slug"] = _free_slug(f"{self.lake.slug}-{data['viewpoint']}")
        return data

    def _clean_clock(self, data: dict[str, Any]) -> None:
        if data.get("clock_correction_seconds") is None:
            data["clock_correction_seconds"] = 0
        chosen = data.get("clock")
        if chosen and chosen != OTHER:
            data["clock_offset_minutes"] = int(chosen)
        elif data.get("clock_offset_minutes") is None and "clock_offset_minutes" in data:
            self.add_error("clock_offset_minutes", _("How many minutes is it ahead of UTC?"))

    def _clean_camera(self, data: dict[str, Any]) -> None:
        if data.get("camera") or "camera" not in data:
            return
        for name in ("make", "serial"):
            if not data.get(name):
                self.add_error(name, _("Choose a camera above, or describe it here."))
        if data.get("make") and data.get("serial"):
            camera = Camera(
                park=self.lake.park,
                make=data["make"],
                model=data["model"],
                serial=data["serial"],
            )
            field = self.fields["camera"]
            assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
            if field.queryset and field.queryset.filter(serial=camera.serial).exists():
                self.add_error(
                    "serial", _("The park has a camera of this number: choose it above.")
                )
            elif Camera.objects.filter(park=camera.park_id, serial=camera.serial).exists():
                words = _("This number cannot be used here: ask an administrator of your park.")
                self.add_error("serial", words)
            else:
                data["camera"] = camera

    def _get_validation_exclusions(self) -> set[str]:
        """A camera that is still to be saved stands nowhere yet: nothing to validate."""
        left_out: set[str] = super()._get_validation_exclusions()  # type: ignore[misc]
        camera = self.cleaned_data.get("camera")
        unsaved = camera is not None and camera.pk is None
        return left_out | ({"camera"} if unsaved else set())


def _free_slug(text: str) -> str:
    stem = slugify(text)[:45] or "deployment"
    taken = set(Deployment.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(
        slug
        for slug in (stem, *(f"{stem}-{n}" for n in range(2, len(taken) + 3)))
        if slug not in taken
    )


class DetectionForm(forms.Form):
    """Which detector, how, and over which frames of `deployment`."""

    CHECKS = ("second_look", "keep")

    detector = forms.ModelChoiceField(
        Detector.objects.here().order_by("-is_default", "name"),
        label=gettext_lazy("Detector"),
        empty_label=None,
    )
    second = forms.ModelChoiceField(
        Detector.objects.here().order_by("name"),
        label=gettext_lazy("Second detector"),
        required=False,
        empty_label=pgettext_lazy("detector", "none"),  # French tells genders apart
        help_text=gettext_lazy("Looks at each frame too, for what the first does not know."),
    )
    tiling = forms.ChoiceField(
        choices=choosing.Tiling.choices,
        label=gettext_lazy("Look at"),
        initial=choosing.DEFAULT_TILING,
    )
    long_side = forms.TypedChoiceField(
        choices=[(each, f"{each} px") for each in choosing.LONG_SIDES],
        coerce=int,
        label=gettext_lazy("Size of the whole frame"),
        initial=choosing.DEFAULT_LONG_SIDE,
    )
    second_look = forms.BooleanField(
        label=gettext_lazy("Look again, closer, where nothing was found but something changed"),
        required=False,
    )
    layout = forms.ChoiceField(
        choices=[("", gettext_lazy("as recognised")), *((each, each) for each in sorted(FAMILIES))],
        label=gettext_lazy("The detector's layout"),
        required=False,
        help_text=gettext_lazy("Only where what it finds makes no sense at all."),
    )
    keep = forms.BooleanField(
        label=gettext_lazy("Examine new cards of this deployment in this way too"),
        required=False,
    )
    batch = forms.ModelChoiceField(
        Batch.objects.none(),
        label=gettext_lazy("Frames of"),
        required=False,
        empty_label=gettext_lazy("every card of this deployment"),
    )

    def __init__(self, data: Any = None, *, deployment: Deployment) -> None:
        super().__init__(data, label_suffix="", auto_id="detection-%s")
        if (kept := deployment.detection) is not None:
            self.initial = {
                "detector": deployment.detector_id,
                "second": deployment.second_detector_id,
                "tiling": choosing.tiling(kept),
                "long_side": kept["long_side"],
                "second_look": kept["second_look"],
                "layout": kept.get("layout") or "",
            }
        batches = Batch.objects.filter(deployment=deployment).select_related("deployment")
        for name in ("detector", "second"):
            self.fields[name].label_from_instance = _detector  # type: ignore[attr-defined]
        self.fields["batch"].queryset = batches  # type: ignore[attr-defined]
        self.fields["batch"].label_from_instance = _card  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            look = "form-check-input" if name in self.CHECKS else "form-select"
            field.widget.attrs["class"] = look

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        detector, layout = data.get("detector"), data.get("layout")
        if detector and layout and layout != detector.layout:
            try:
                registering.check_layout(detector, layout)
            except ModelRefused as refusal:
                self.add_error("layout", str(refusal))
        return data

    def options(self) -> dict[str, Any]:
        """The run's settings."""
        data = self.cleaned_data
        return choosing.options(
            tiling=data["tiling"],
            long_side=data["long_side"],
            second_look=data["second_look"],
            layout=data["layout"] or None,
        )


class ImportForm(WaitingForm):
    """A file of detections made elsewhere: sent now, or before under its SHA-256, `kept`."""

    file = forms.FileField(
        label=gettext_lazy("MegaDetector JSON"),
        required=False,
        widget=forms.FileInput({"class": "form-control", "accept": ".json"}),
    )
    card = forms.ModelChoiceField(
        Batch.objects.none(),
        label=gettext_lazy("Frames of"),
        required=False,
        empty_label=gettext_lazy("every card of this deployment"),
        widget=forms.Select({"class": "form-select"}),
        help_text=gettext_lazy("Where cards have files of the same names."),
    )
    below = forms.CharField(
        label=gettext_lazy("Only images below this folder"),
        required=False,
        max_length=1000,
        widget=forms.TextInput({"class": "form-control"}),
        help_text=gettext_lazy("Where the file is of several cards: the folder that is this one."),
    )

    def __init__(self, data: Any = None, files: Any = None, *, deployment: Deployment) -> None:
        super().__init__(data, files)
        cards = Batch.objects.filter(deployment=deployment).select_related("deployment")
        self.fields["card"].queryset = cards  # type: ignore[attr-defined]
        self.fields["card"].label_from_instance = _card  # type: ignore[attr-defined]


def _card(batch: Batch) -> str:
    day = date_format(timezone.localtime(batch.opened_at), "SHORT_DATE_FORMAT")
    return f"{batch.source or batch.pk} ({day})"


def _detector(detector: Detector) -> str:
    if detector.probe and detector.probe["verdict"] == "otherwise":
        return _("%(name)s – seems to be fed wrongly") % {"name": detector.name}
    return detector.name
