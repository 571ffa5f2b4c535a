"""What was counted elsewhere: a file is chosen, its report is looked at, it comes in; or goes."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from annotation import importing
from annotation.importing import Asked, Report
from annotation.models import ActivityChoice, Import, LabelChoice
from detection.labels import Label
from detection.megadetector import Refused
from detection.models import Deployment
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import Lake, User
from lacs_web.uploads import WaitingForm, takes_files

MOST = 50  # earlier imports on the page


class ImportForm(WaitingForm):
    """A file of another tool: sent now, or before under its SHA-256, `kept`."""

    kind = forms.ChoiceField(
        label=gettext_lazy("Kind of file"),
        choices=Import.Kind.choices,
        widget=forms.Select({"class": "form-select"}),
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=forms.FileInput({"class": "form-control", "accept": ".zip,.csv,.json"}),
    )
    deployment = forms.ModelChoiceField(
        Deployment.objects.none(),
        label=gettext_lazy("Frames of"),
        required=False,
        empty_label=gettext_lazy("every deployment of this lake"),
        widget=forms.Select({"class": "form-select"}),
        help_text=gettext_lazy("Where cameras have files of the same names."),
    )
    words = forms.CharField(
        label=gettext_lazy("What its words mean"),
        required=False,
        max_length=5000,
        widget=forms.Textarea({"class": "form-control", "rows": 4, "spellcheck": "false"}),
    )
    empty_is_nobody = forms.BooleanField(
        label=gettext_lazy("Pictures without boxes were looked at and show nobody (COCO, YOLO)"),
        required=False,
        widget=forms.CheckboxInput({"class": "form-check-input"}),
        help_text=gettext_lazy("Else they are passed over: perhaps nobody came to them yet."),
    )

    def __init__(self, data: Any = None, files: Any = None, *, lake: Lake) -> None:
        super().__init__(data, files)
        places = Deployment.objects.filter(lake=lake)
        self.fields["deployment"].queryset = places  # type: ignore[attr-defined]
        self.fields["words"].help_text = _(
            "One a line, as in “hiker = person”, “swimmer = person/bathing”, “chamois = -” (to "
            "leave out). Of Timelapse the columns: “Persons = person”, “Tents = tent”, or "
            "“Number = count” with “Species = class” and “Doing = activity”; “Fog = unreadable”. "
            "Classes: %(classes)s."
        ) % {"classes": ", ".join(Label)}


@takes_files(Action.DETECT, "IMPORT_MAX_BYTES")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def bring_in(request: HttpRequest, lake: str) -> HttpResponse:
    """POST `file` shows what it would bring in; then `kept`, its SHA-256, with `sure` does it."""
    here = access.lake_for(request.user, Action.DETECT, lake)
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ImportForm(*sent, lake=here)
    report = None
    if getattr(request, "left_out", False):
        form.errors["file"] = form.error_class([importing.refusal(Refused("large"))])
    elif form.is_valid():
        try:
            report = _report(form, here, cast("User", request.user))
        except Refused as refused:
            form.add_error("file", importing.refusal(refused))
    if report and report.made:
        told = ngettext("%(n)d frame was brought in.", "%(n)d frames were brought in.",
                        report.made.frames)  # fmt: skip
        messages.success(request, told % {"n": report.made.frames})
        return redirect("annotation:import", here.slug)
    why = report.refusal if report else None
    context = {
        "lake": here,
        "may": access.may(request.user, here),
        "room": "deployments",
        "form": form,
        "most": settings.IMPORT_MAX_BYTES,
        "report": report,
        "kinds": [
            (LabelChoice(label).label, ActivityChoice(activity).label if activity else "–", n)
            for label, activity, n in (report.kinds if report else ())
        ],
        "refusal": importing.refusal(why) if why else "",
        "imports": here.imports.select_related("by", "undone_by")[:MOST],
        "deployments": Deployment.objects.filter(lake=here),
    }
    return render(request, "annotation/import.html", context)


@require_POST
def undo(request: HttpRequest, brought: int) -> HttpResponse:
    one = access.fetch(
        Import.objects.select_related("lake"),
        user=request.user,
        action=Action.DETECT,
        pk=brought,
    )
    importing.take_back(one, cast("User", request.user))
    messages.success(request, _("It was taken back: its frames wait to be checked."))
    return redirect("annotation:import", one.lake.slug)


def _report(form: ImportForm, lake: Lake, user: User) -> Report:
    """Of the file that was sent, or was sent before; raises Refused."""
    data: dict[str, Any] = form.cleaned_data
    path = form.path(user)
    asked = Asked(
        lake=lake,
        kind=data["kind"],
        path=path,
        name=data["name"],
        words=data["words"],
        empty_is_nobody=data["empty_is_nobody"],
        deployment=data["deployment"],
    )
    try:
        if form.is_sure:
            report = importing.bring_in(asked, user)
            path.unlink(missing_ok=True)
            return report
        return importing.preview(asked)
    except FileNotFoundError:  # tidied away, or brought in by another click
        raise Refused("gone") from None
