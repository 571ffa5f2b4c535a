"""Detections made elsewhere: a file is chosen, its report is looked at, its runs are made."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from detection import importing, tasks
from detection.forms import ImportForm
from detection.importing import Report
from detection.megadetector import Refused
from detection.models import Deployment
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import User
from lacs_web.uploads import takes_files


@takes_files(Action.DETECT, "IMPORT_MAX_BYTES")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def bring_in(request: HttpRequest, deployment: str) -> HttpResponse:
    """POST `file` shows what it would bring in; then `kept`, its SHA-256, with `sure` does it."""
    one = access.fetch(
        Deployment.objects.select_related("lake__park"),
        user=request.user,
        action=Action.DETECT,
        slug=deployment,
    )
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = ImportForm(*sent, deployment=one)
    report = None
    if getattr(request, "left_out", False):
        form.errors["file"] = form.error_class([importing.refusal(Refused("large"))])
    elif form.is_valid():
        try:
            report = _report(form, one, cast("User", request.user))
        except Refused as refused:
            form.add_error("file", importing.refusal(refused))
    if report and report.runs:
        tasks.ring_to_weigh(*(run.pk for run in report.runs))
        told = ngettext("%(n)d frame was brought in.", "%(n)d frames were brought in.",
                        report.matched)  # fmt: skip
        messages.success(request, told % {"n": report.matched})
        return redirect("detection:deployment", one.slug)
    why = report.refusal if report else None
    context = {
        "lake": one.lake,
        "may": access.may(request.user, one.lake),
        "room": "deployments",
        "deployment": one,
        "form": form,
        "most": settings.IMPORT_MAX_BYTES,
        "report": report,
        "refusal": importing.refusal(why) if why else "",
        "masked_from": settings.MASK_SCORE,
    }
    return render(request, "detection/import.html", context)


def _report(form: ImportForm, one: Deployment, user: User) -> Report:
    """Of the file that was sent, or was sent before; raises Refused."""
    data: dict[str, Any] = form.cleaned_data
    path = form.path(user)
    asked: dict[str, Any] = {
        "deployment": one,
        "path": path,
        "name": data["name"],
        "card": data["card"],
        "below": data["below"],
    }
    try:
        if form.is_sure:
            report = importing.bring_in(user=user, **asked)
            path.unlink(missing_ok=True)
            return report
        return importing.preview(**asked)
    except FileNotFoundError:  # tidied away, or brought in by a click just before
        raise Refused("gone") from None
