"""Pedestrian counters of a lake: a file is chosen, its report is looked at, it is read in."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from dashboards import counting
from dashboards.counting import Asked, Report
from detection.megadetector import Refused
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import Lake, User
from lacs_web.uploads import WaitingForm, takes_files


class CounterForm(WaitingForm):
    """A file of counters: sent now, or before under its SHA-256, `kept`."""

    file = forms.FileField(
        label=gettext_lazy("CSV of Eco-Visio, or compteur;date;donnees"),
        required=False,
        widget=forms.FileInput({"class": "form-control", "accept": ".csv,.txt"}),
    )
    clock = forms.ChoiceField(
        label=gettext_lazy("Its times are"),
        choices=[
            ("local", gettext_lazy("local, with summer time")),
            ("winter", gettext_lazy("in winter time all year")),
        ],
        required=False,
        widget=forms.Select({"class": "form-select"}),
    )
    known = forms.ChoiceField(
        label=gettext_lazy("Hours that are known with another count"),
        choices=[
            ("skip", gettext_lazy("stay as they are")),
            ("replace", gettext_lazy("are replaced")),
        ],
        required=False,
        widget=forms.Select({"class": "form-select"}),
    )
    names = forms.CharField(
        label=gettext_lazy("Names of its counters here"),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"class": "form-control", "rows": 3, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One a line, as in “Channel 1 IN = path, up”; “Total = -” leaves a column out. "
            "Empty: as they are in the file."
        ),
    )


@takes_files(Action.MANAGE, "IMPORT_MAX_BYTES")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def counters(request: HttpRequest, lake: str) -> HttpResponse:
    """POST `file` shows what it holds; then `kept`, its SHA-256, with `sure` reads it in; `remove`
    takes a counter away.
    """
    here = access.lake_for(request.user, Action.MANAGE, lake)
    user = cast("User", request.user)
    if "remove" in request.POST:
        counter = request.POST["remove"].replace("\0", "")[:100]
        if counting.remove(lake=here, counter=counter, user=user):
            messages.success(request, _("The counter is removed."))
        return redirect("dashboards:counters", here.slug)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = CounterForm(*sent)
    report = None
    if getattr(request, "left_out", False):
        form.errors["file"] = form.error_class([counting.refusal(Refused("large"))])
    elif form.is_valid():
        try:
            report, done = _report(form, here, user)
        except Refused as refused:
            form.add_error("file", counting.refusal(refused))
        else:
            if done:
                told = ngettext("%(n)d hour was read in.", "%(n)d hours were read in.",
                                report.written)  # fmt: skip
                messages.success(request, told % {"n": report.written})
                return redirect("dashboards:counters", here.slug)
    context = {
        "lake": here,
        "may": access.may(user, here),
        "room": "figures",
        "form": form,
        "report": report,
        "counters": counting.kept(here),
    }
    return render(request, "dashboards/counters.html", context)


def _report(form: CounterForm, lake: Lake, user: User) -> tuple[Report, bool]:
    """Of the file that was sent, or was sent before, and whether it was read in; raises Refused."""
    data: dict[str, Any] = form.cleaned_data
    path = form.path(user)
    asked = Asked(
        lake=lake,
        path=path,
        name=data["name"],
        winter=data["clock"] == "winter",
        replace=data["known"] == "replace",
        names=data["names"],
    )
    try:
        if form.is_sure:
            report = counting.bring_in(asked, user)
            path.unlink(missing_ok=True)
            return report, True
        return counting.preview(asked), False
    except FileNotFoundError:  # tidied away, or brought in by another click
        raise Refused("gone") from None
