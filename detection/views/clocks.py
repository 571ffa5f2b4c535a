"""The clock of a camera: compare, correct, take back; its schedule; the knock that ends a view."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from detection import renditions
from detection.cards import timing
from detection.cards.receipt import receipt
from detection.cards.schedule import Schedule
from detection.forms import clock_reading, in_our_time
from detection.models import Batch, ClockCorrection, Frame
from detection.wording import dated_anew
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import User


class Moment(forms.DateTimeField):
    """A date and time to the second, as a browser's own field writes it; local time."""

    def __init__(self, **options: Any) -> None:
        formats = [f"%Y-%m-%d{gap}%H:%M{second}" for gap in "T " for second in (":%S", "")]
        widget = forms.DateTimeInput(
            attrs={"type": "datetime-local", "step": 1, "class": "form-control"},
            format="%Y-%m-%dT%H:%M:%S",
        )
        super().__init__(input_formats=formats, widget=widget, **options)


class Reading(Moment):
    """What a clock says, which knows of no zone and no summer time: written as though it ran on
    UTC, and shown as it stands.
    """

    def prepare_value(self, value: Any) -> Any:
        return value.replace(tzinfo=None) if isinstance(value, datetime) else value

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(UTC):
            moment: datetime | None = super().to_python(value)
        return moment and moment.replace(tzinfo=UTC)


class CorrectionForm(forms.Form):
    """Clock readings are taken as they stand; true times are the lake's own."""

    clock_1 = Reading(label=gettext_lazy("The camera's clock said"), validators=[clock_reading])
    true_1 = Moment(label=gettext_lazy("It really was (local time)"), validators=[in_our_time])
    clock_2 = Reading(
        label=gettext_lazy("Later, the camera's clock said"),
        validators=[clock_reading],
        required=False,
    )
    true_2 = Moment(
        label=gettext_lazy("It really was (local time)"), validators=[in_our_time], required=False
    )
    scope = forms.ChoiceField(
        label=gettext_lazy("Correct"),
        choices=[
            ("card", gettext_lazy("this card")),
            ("deployment", gettext_lazy("the whole deployment")),
        ],
        widget=forms.RadioSelect,
        initial="card",
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        second = [given.get(name) for name in ("clock_2", "true_2")]
        if any(second) and not all(second):
            raise ValidationError(
                _("For a clock that drifts give both the second reading and its true time.")
            )
        if all(second) and None not in (given.get("clock_1"), given.get("true_1")):
            if not (second[0] > given["clock_1"] and second[1] > given["true_1"]):
                raise ValidationError(_("The second reading must be later than the first."))
            rate = (second[1] - given["true_1"]) / (second[0] - given["clock_1"])
            if not 0.9 < rate < 1.1:
                raise ValidationError(
                    _("No clock drifts by more than a tenth: check the four times.")
                )
        return given

    def anchors(self) -> list[tuple[datetime, datetime]]:
        """[(clock, instant)]; the clock's reading is written as though it ran on UTC."""
        given = self.cleaned_data
        pairs = [(given["clock_1"], given["true_1"]), (given["clock_2"], given["true_2"])]
        return [(a, b) for a, b in pairs if a and b]


@require_http_methods(["GET", "HEAD", "POST"])
def clock(request: HttpRequest, batch: int) -> HttpResponse:
    """The stamps beside the clock, the corrections made, and the form for another."""
    posted = request.method == "POST"
    card = card_for(request, batch, Action.UPLOAD if posted else Action.READ_CARDS)
    lake, user = card.deployment.lake, cast("User", request.user)
    shown = _compared(card)
    with timezone.override(lake.zone):
        first = {"clock_1": shown[0].clock_at} if shown else {}
        form = CorrectionForm(request.POST or None, initial=first)
        if posted and form.is_valid():
            whole = form.cleaned_data["scope"] == "deployment"
            if whole and not access.allows(user, Action.MANAGE, lake):
                raise PermissionDenied
            if not whole:
                _may_date(user, card)
            counted = timing.correct(
                deployment=card.deployment,
                batch=None if whole else card,
                anchors=form.anchors(),
                user=user,
            )
            messages.success(request, dated_anew(counted))
            return redirect("detection:clock", card.pk)
        context = {
            "lake": lake,
            "may": access.may(user, lake),
            "room": "cards",
            "batch": card,
            "frames": shown,
            "form": form,
            "corrections": ClockCorrection.objects.filter(
                Q(batch=card) | Q(batch=None), deployment=card.deployment
            ).select_related("made_by"),
        }
        return render(request, "detection/clock.html", context, status=400 if posted else 200)


def _may_date(user: User, card: Batch) -> None:
    """Frames may have been moved to other lakes: their dates are not to be changed from here by
    somebody who may not do so there.
    """
    frames = Frame.objects.filter(batch=card)
    if frames.exclude(deployment__lake__in=access.lakes(user, Action.UPLOAD)).exists():
        raise PermissionDenied


def _compared(card: Batch) -> list[Frame]:
    """The first, the middle and the last frame whose clock says something."""
    frames = Frame.objects.filter(batch=card, clock_at__isnull=False).order_by("clock_at", "pk")
    ids = list(frames.values_list("pk", flat=True))
    if not ids:
        return []
    chosen = {ids[0], ids[len(ids) // 2], ids[-1]}
    return list(frames.filter(pk__in=chosen).select_related("deployment__lake"))


@require_POST
def right(request: HttpRequest, batch: int) -> HttpResponse:
    card = card_for(request, batch, Action.UPLOAD)
    timing.answer(batch=card, right=True, user=cast("User", request.user))
    messages.success(request, _("Noted: the clock is right."))
    return redirect("detection:batch", card.pk)


@require_POST
def undo(request: HttpRequest, correction: int) -> HttpResponse:
    one = access.fetch(
        ClockCorrection.objects.select_related("deployment__lake", "batch"),
        user=request.user,
        action=Action.UPLOAD,
        lake="deployment__lake",
        pk=correction,
    )
    user = cast("User", request.user)
    if one.batch is None and not access.allows(user, Action.MANAGE, one.deployment.lake):
        raise PermissionDenied
    if one.batch is not None:
        _may_date(user, one.batch)
    counted = timing.undo(correction=one, user=user)
    messages.success(request, _("The correction is undone.") + " " + dated_anew(counted))
    back = one.batch_id or request.POST.get("batch", "")
    if str(back).isdecimal():
        return redirect("detection:clock", int(back))
    return redirect("detection:cards", one.deployment.lake.slug)


@require_POST
def schedule(request: HttpRequest, batch: int) -> HttpResponse:
    """The deployment shall state the schedule that this card's frames show."""
    card = card_for(request, batch, Action.MANAGE)
    found = receipt(card)
    if found["schedule_inferred"]:
        shown = Schedule(found["interval_seconds"], found["window_start"], found["window_end"])
        timing.adopt_schedule(
            deployment=card.deployment, found=shown, user=cast("User", request.user)
        )
        messages.success(request, _("The deployment now states the schedule of its frames."))
    return redirect("detection:batch", card.pk)


@require_POST
def split(request: HttpRequest, batch: int) -> HttpResponse:
    """Where the camera was knocked one deployment ends and another begins."""
    card = card_for(request, batch, Action.MANAGE)
    frame = card.moved_from
    if frame is None or frame.captured_at is None:
        messages.error(request, _("No frame of this card shows that the camera was moved."))
        return redirect("detection:batch", card.pk)
    try:
        new = timing.split(frame=frame, user=cast("User", request.user))
    except ValidationError as problem:
        messages.error(request, " ".join(problem.messages))
        return redirect("detection:batch", card.pk)
    messages.success(request, _("A new deployment begins there; draw its zones."))
    return redirect("detection:deployment", new.slug)


@require_safe
def stamp(request: HttpRequest, frame: int) -> HttpResponse:
    """The strips of a frame that hold the burned-in time, as a JPEG."""
    found = access.fetch(
        Frame.objects.select_related("deployment__lake"),
        user=request.user,
        action=Action.UNMASK,
        lake="deployment__lake",
        pk=frame,
    )
    try:
        answer = HttpResponse(renditions.stamp(found), content_type="image/jpeg")
    except FileNotFoundError:
        raise Http404 from None
    answer["Cache-Control"] = "private, no-store"
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def card_for(request: HttpRequest, pk: int, action: Action) -> Batch:
    return access.fetch(
        Batch.objects.select_related(
            "deployment__lake__park", "deployment__camera", "uploaded_by", "moved_from"
        ),
        user=request.user,
        action=action,
        lake="deployment__lake",
        pk=pk,
    )
