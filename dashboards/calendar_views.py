"""The page of a lake's calendar: its public holidays, and the school holidays that people keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from dashboards import school
from dashboards.calendar import public_holidays
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import Lake, SchoolHoliday, User

LAKE, PARK = "lake", "park"


class HolidayForm(forms.ModelForm):  # type: ignore[type-arg]
    scope = forms.ChoiceField(label=gettext_lazy("Where"))

    class Meta:
        model = SchoolHoliday
        fields = ["region", "name", "first", "last", "scope"]
        widgets = {
            name: forms.DateInput({"type": "date"}, format="%Y-%m-%d") for name in ("first", "last")
        }

    def __init__(self, *args: Any, scopes: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        scope = self.fields["scope"]
        assert isinstance(scope, forms.ChoiceField)  # noqa: S101
        scope.choices = list(scopes)

    def placed(self, lake: Lake) -> SchoolHoliday:
        """The row as the form says, at `lake` or at its whole park."""
        row: SchoolHoliday = self.instance
        row.park = lake.park if self.cleaned_data["scope"] == PARK else None
        row.lake = None if row.park else lake
        return row

    def _post_clean(self) -> None:
        """Fields only: where the row belongs is known later, and `school.keep` checks it whole."""
        for name, value in self.cleaned_data.items():
            if name != "scope":
                setattr(self.instance, name, value)


class DaysForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Lake
        fields = ["country", "night_begins", "night_ends"]
        widgets = {
            name: forms.TimeInput({"type": "time"}, format="%H:%M")
            for name in ("night_begins", "night_ends")
        }

    def _post_clean(self) -> None:
        """Fields only: `school.set_days` checks and writes the lake."""


@require_http_methods(["GET", "HEAD", "POST"])
def calendar(request: HttpRequest, lake: str) -> HttpResponse:
    """The list, and a form that adds to it."""
    place = access.lake_for(request.user, Action.MANAGE, lake)
    form = HolidayForm(request.POST or None, scopes=_scopes(request, place))
    if request.method == "POST" and _keep(form, place, request):
        messages.success(request, _("The school holiday is added."))
        return redirect("dashboards:calendar", place.slug)
    return _page(request, place, form)


@require_http_methods(["GET", "HEAD", "POST"])
def holiday(request: HttpRequest, lake: str, holiday: int) -> HttpResponse:
    """Change one row, or take it away with the button `remove`."""
    place = access.lake_for(request.user, Action.MANAGE, lake)
    row = get_object_or_404(school.of(place), pk=holiday)
    if row.park_id and not access.at_park(request.user, Action.MANAGE, place):
        raise PermissionDenied
    if "remove" in request.POST:
        school.remove(holiday=row, lake=place, by=cast("User", request.user))
        messages.success(request, _("The school holiday is removed."))
        return redirect("dashboards:calendar", place.slug)
    form = HolidayForm(
        request.POST or None,
        instance=row,
        scopes=_scopes(request, place),
        initial={"scope": PARK if row.park_id else LAKE},
    )
    if request.method == "POST" and _keep(form, place, request):
        messages.success(request, _("The school holiday is changed."))
        return redirect("dashboards:calendar", place.slug)
    context = {"lake": place, "may": access.may(request.user, place), "room": "calendar",
               "form": form, "row": row}  # fmt: skip
    return render(request, "dashboards/holiday.html", context)


@require_POST
def days(request: HttpRequest, lake: str) -> HttpResponse:
    """Whose public holidays hold, and when the night is; the calendar again where it is wrong."""
    place = access.lake_for(request.user, Action.MANAGE, lake)
    form = DaysForm(request.POST, instance=place, label_suffix="")
    if form.is_valid():
        try:
            school.set_days(lake=place, by=cast("User", request.user), **form.cleaned_data)
        except ValidationError as refusal:
            form.add_error(None, ValidationError(refusal.messages))
            place.refresh_from_db()
        else:
            messages.success(
                request, _("The days of this lake are set; its figures follow in a moment.")
            )
            return redirect("dashboards:calendar", place.slug)
    return _page(request, place, HolidayForm(scopes=_scopes(request, place)), days=form)


@require_POST
def school_year(request: HttpRequest, lake: str) -> HttpResponse:
    """Fill in the French zones for the school year of the field `year`."""
    place = access.lake_for(request.user, Action.MANAGE, lake)
    wanted = request.POST.get("year", "")
    try:
        if not (wanted.isascii() and wanted.isdigit() and len(wanted) == 4):
            raise ValidationError(_("Choose a school year."))
        added = school.fill(
            year=int(wanted),
            lake=place,
            whole_park=access.at_park(request.user, Action.MANAGE, place),
            by=cast("User", request.user),
        )
    except ValidationError as refusal:
        messages.warning(request, " ".join(refusal.messages))
    else:
        messages.success(
            request,
            ngettext("%(n)d row added.", "%(n)d rows added.", added) % {"n": added}
            if added
            else _("Every row of that school year is there already."),
        )
    return redirect("dashboards:calendar", place.slug)


def _keep(form: HolidayForm, lake: Lake, request: HttpRequest) -> bool:
    if not form.is_valid():
        return False
    try:
        school.keep(holiday=form.placed(lake), lake=lake, by=cast("User", request.user))
    except ValidationError as refusal:
        form.add_error(None, ValidationError(refusal.messages))
        return False
    return True


def _scopes(request: HttpRequest, lake: Lake) -> list[tuple[str, str]]:
    """Where this person may write rows; a whole park first, for schools close for all its lakes."""
    here = [(LAKE, lake.name)]
    if access.at_park(request.user, Action.MANAGE, lake):
        return [(PARK, _("every lake of %(park)s") % {"park": lake.park}), *here]
    return here


def _page(
    request: HttpRequest, lake: Lake, form: HolidayForm, days: DaysForm | None = None
) -> HttpResponse:
    today = timezone.now().astimezone(lake.zone).date()
    begun = today.year if today.month >= 9 else today.year - 1
    context = {
        "lake": lake,
        "may": access.may(request.user, lake),
        "room": "calendar",
        "form": form,
        "days": days or DaysForm(instance=lake, label_suffix=""),
        "whole_park": access.at_park(request.user, Action.MANAGE, lake),
        "rows": school.of(lake).order_by("-first", "region"),
        "year": today.year,
        "public": public_holidays(lake.country, today.year, get_language() or "fr"),
        "school_years": [(year, f"{year}–{year + 1}") for year in range(begun + 1, begun - 4, -1)],
        "begun": begun,
    }
    return render(request, "dashboards/calendar.html", context)
