"""A candidate: put in the shadow, compared with the detector at work, promoted or rejected."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from annotation import candidates
from annotation.models import LabelChoice
from detection import choosing, runs, shadowing, tasks
from detection.contesting import LEAST_DAYS, MEASURES
from detection.forms import DetectionForm
from detection.models import Candidate, Deployment
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import User

_VERDICTS = {
    "better": gettext_lazy("better"),
    "worse": gettext_lazy("worse"),
    "chance": gettext_lazy("within what chance gives"),
    "few": gettext_lazy("too few days to tell"),
    "": gettext_lazy("nothing to compare"),
}
_HEIGHTS = {
    "": gettext_lazy("All"),
    "<12": gettext_lazy("under 12 px high"),
    "12-24": gettext_lazy("12–24 px high"),
    "24-48": gettext_lazy("24–48 px high"),
    ">48": gettext_lazy("48 px high and more"),
}
_DONE = {
    "promote": gettext_lazy("It examines this deployment’s new cards from now on."),
    "reject": gettext_lazy("The candidate is rejected; everything stays as it is."),
    "again": gettext_lazy("It looks at what was settled since."),
    "undo": gettext_lazy("The decision is taken back."),
}


@require_POST
def start(request: HttpRequest, deployment: str) -> HttpResponse:
    """Put what the form says in the shadow of the deployment's detector; POST where=lake: at every
    deployment of its lake that has settled frames.
    """
    with_place = Deployment.objects.select_related("lake__park")
    one = access.fetch(with_place, user=request.user, action=Action.DETECT, slug=deployment)
    form = DetectionForm(request.POST, deployment=one)
    if not form.is_valid():
        for name, errors in form.errors.items():
            messages.error(request, f"{form.fields[name].label}: {' '.join(map(str, errors))}")
        return redirect("detection:deployment", one.slug)
    whole_lake = request.POST.get("where") == "lake"
    started: list[Candidate] = []
    standing: Candidate | None = None
    for place in one.lake.deployments.all() if whole_lake else [one]:
        try:
            candidate = shadowing.start(
                deployment=place,
                detector=form.cleaned_data["detector"],
                second=form.cleaned_data["second"],
                options=form.options(),
                frames=candidates.settled(
                    place, form.cleaned_data["detector"], form.cleaned_data["second"]
                ),
                user=cast("User", request.user),
            )
        except shadowing.Undecided as undecided:
            standing = undecided.candidate
        except runs.NothingToExamine:
            continue
        else:
            tasks.ring(tasks.shadow, candidate.pk)
            started.append(candidate)
    if whole_lake and started:
        told = ngettext("In the shadow at %(n)d camera.", "In the shadow at %(n)d cameras.",
                        len(started))  # fmt: skip
        messages.success(request, told % {"n": len(started)})
    elif standing:
        messages.warning(request, _("Decide on this candidate first, or reject it."))
    elif not started:
        told = _("No frame of this deployment is settled yet, with its original kept: check some.")
        messages.warning(request, told)
        return redirect("detection:deployment", one.slug)
    shown = [each for each in (*started, standing) if each is not None]
    shown.sort(key=lambda each: each.deployment_id != one.pk)
    return redirect("annotation:candidate", shown[0].pk)


@never_cache
@require_safe
def candidate(request: HttpRequest, candidate: int) -> HttpResponse:
    found = _fetch(request, candidate)
    lake = found.deployment.lake
    frame = {"may": access.may(request.user, lake), "room": "deployments"}
    return render(request, "annotation/candidate.html", frame | _context(request, found))


@never_cache
@require_safe
def state(request: HttpRequest, candidate: int) -> HttpResponse:
    """What the page asks for again until the candidate is finished."""
    context = _context(request, _fetch(request, candidate))
    return render(request, "annotation/candidate_state.html", context)


@require_POST
def decide(request: HttpRequest, candidate: int) -> HttpResponse:
    """POST decision=promote, reject, again (look at what was settled since) or undo."""
    found, user = _fetch(request, candidate), cast("User", request.user)
    decision = request.POST.get("decision", "")
    if decision not in _DONE:
        return HttpResponseBadRequest(_("Promote, reject, look again or undo."))
    try:
        if decision == "undo":
            shadowing.take_back(candidate=found, user=user)
        elif decision == "again":
            again = candidates.settled(found.deployment, found.detector, found.second_detector)
            shadowing.go_on(candidate=found, frames=again, user=user)
            tasks.ring(tasks.shadow, found.pk)
        else:
            verb = shadowing.promote if decision == "promote" else shadowing.reject
            held = candidates.hold(found, LabelChoice.PERSON)
            verb(candidate=found, figures=candidates.figures(held), user=user)
    except runs.NothingToExamine:
        messages.warning(request, _("Nothing was settled since: check more frames first."))
    except shadowing.TooLate:
        messages.warning(
            request,
            _("Nothing was changed: it is not finished, or somebody chose otherwise meanwhile."),
        )
    else:
        messages.success(request, _DONE[decision])
    return redirect("annotation:candidate", found.pk)


def _fetch(request: HttpRequest, pk: int) -> Candidate:
    whole = Candidate.objects.select_related(
        "deployment__lake__park", "detector", "second_detector"
    )
    return access.fetch(
        whole, user=request.user, action=Action.DETECT, lake="deployment__lake", pk=pk
    )


def _context(request: HttpRequest, found: Candidate) -> dict[str, Any]:
    context: dict[str, Any] = {
        "candidate": found,
        "deployment": found.deployment,
        "lake": found.deployment.lake,
        "tiling": choosing.tiling(found.settings).label,
        "progress": shadowing.progress(found),
        "at_work": found.finished_at is None and not found.decision,
    }
    if found.finished_at is None:
        return context
    label = request.GET.get("label", "")
    if label not in LabelChoice.values:
        label = LabelChoice.PERSON
    held = candidates.hold(found, label)
    names = dict(LabelChoice.choices)
    others = [each for each in held.labels if each != label]
    return context | {
        "held": held,
        "contest": held.contest,
        "least_days": LEAST_DAYS,
        "label": names[label],
        "others": [(each, names[each]) for each in others],
        "rows": [
            {
                "name": _HEIGHTS[row.height]
                if row.camera == found.deployment_id
                else held.places[row.camera].viewpoint,
                "row": row,
                "cells": [
                    {
                        "measure": getattr(row, name),
                        "verdict": _VERDICTS[getattr(row, name).verdict],
                    }
                    for name in MEASURES
                ],
            }
            for row in held.contest.rows
        ],
    }
