"""Pages of deployments: the list, one of them, its form, its zones."""

from __future__ import annotations

import json
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from detection import (
    calibrating,
    choosing,
    overview,
    placing,
    renditions,
    tasks,
    zoning,
    zoning_text,
)
from detection.forms import DeploymentForm, DetectionForm
from detection.labels import COUNTED_SCORE
from detection.models import Deployment, Frame, Zone
from detection.views import runs
from detection.wording import dated_anew
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import Lake, User

CANDIDATES = 3  # the latest, named on the page of a deployment


@require_safe
def deployments(request: HttpRequest, lake: str) -> HttpResponse:
    here = access.lake_for(request.user, Action.READ_CARDS, lake)
    return _page(request, "deployments", here, {"deployments": overview.deployments(here)})


@require_safe
def deployment(request: HttpRequest, deployment: str) -> HttpResponse:
    one = _fetch(request, Action.READ_CARDS, deployment)
    frame = overview.picture_to_draw_on(one)
    zones = list(one.zones.order_by("pk"))
    context = {
        "deployment": one,
        "batches": overview.batches(one),
        **runs.of(one),
        "worth": overview.worth(one),
        "counted_score": COUNTED_SCORE,
        "least_boxes": calibrating.LEAST,
        "candidates": one.candidates.select_related("detector")[:CANDIDATES],
        "detection_form": DetectionForm(deployment=one),
        "kept_tiling": choosing.tiling(one.detection).label if one.detection else "",
        "frame": frame,
        "examined": frame is not None and renditions.examined(frame),
        "name_size": frame.height // 28 if frame else 0,
        "zones": zones,
        "shapes": [_shape(zone, frame) for zone in zones] if frame else [],
        "editor": {
            "zones": [{"kind": zone.kind, "polygon": zone.polygon} for zone in zones],
            "seen": placing.fingerprint(one),
            "kinds": [{"value": kind.value, "text": str(kind.label)} for kind in Zone.Kind],
            "most": zoning.MOST,
            "text": zoning_text.words(),
        },
    }
    return _page(request, "deployment", one.lake, context)


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, lake: str) -> HttpResponse:
    here = access.lake_for(request.user, Action.MANAGE, lake)
    return _form(request, Deployment(lake=here), here)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, deployment: str) -> HttpResponse:
    one = _fetch(request, Action.MANAGE, deployment)
    return _form(request, one, one.lake)


@require_POST
def zones(request: HttpRequest, deployment: str) -> HttpResponse:
    """Body: {"seen": fingerprint, "zones": [{"kind", "polygon"}, …]}; 400, 409 with a message."""
    one = _fetch(request, Action.MANAGE, deployment)
    try:
        sent = json.loads(request.body)
        drawn = zoning.read(sent.get("zones") if isinstance(sent, dict) else None)
    except zoning.Refused as refusal:
        return JsonResponse({"message": zoning_text.refusal(refusal)}, status=400)
    except (ValueError, RecursionError):
        return JsonResponse({"message": zoning_text.refusal(zoning.Refused("shape"))}, status=400)
    try:
        placing.draw(
            deployment=one, zones=drawn, seen=str(sent.get("seen")), user=cast("User", request.user)
        )
    except placing.Overtaken:
        return JsonResponse({"message": zoning_text.overtaken()}, status=409)
    tasks.ring_to_weigh(*one.batches.exclude(runs=None).values_list("runs", flat=True))
    return JsonResponse({"seen": placing.fingerprint(one)})


def _fetch(request: HttpRequest, action: Action, slug: str) -> Deployment:
    with_place = Deployment.objects.select_related(
        "lake__park", "camera", "detector", "second_detector"
    )
    return access.fetch(with_place, user=request.user, action=action, slug=slug)


def _form(request: HttpRequest, one: Deployment, lake: Lake) -> HttpResponse:
    with timezone.override(lake.zone):
        user = cast("User", request.user)
        form = DeploymentForm(request.POST or None, instance=one, lake=lake, user=user)
        if request.method == "POST" and form.is_valid():
            try:
                counted = placing.place(deployment=one, user=user)
            except ValidationError as refusal:
                form.add_error(None, refusal.messages)
            except IntegrityError:
                form.add_error(
                    NON_FIELD_ERRORS,
                    _("Somebody saved the same at this moment. Look at the list, then try again."),
                )
            else:
                told = _("The deployment is saved.")
                if counted.get("frames"):
                    told += " " + dated_anew(counted)
                messages.success(request, told)
                return redirect("detection:deployment", one.slug)
        context = {"form": form, "deployment": one if form.instance.pk else None}
        return _page(request, "deployment_form", lake, context)


def _shape(zone: Zone, frame: Frame) -> dict[str, Any]:
    """`zone` in pixels of `frame`, for an SVG that has its size."""
    corners = [(x * frame.width, y * frame.height) for x, y in zone.polygon]
    # Between two corners across from each other: inside a long bent shore too, as the mean is not.
    across = corners[len(corners) // 4], corners[3 * len(corners) // 4]
    middle = [sum(axis) / 2 for axis in zip(*across, strict=True)]
    return {
        "kind": zone.kind,
        "label": zone.get_kind_display(),
        "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in corners),
        "x": f"{middle[0]:.1f}",
        "y": f"{middle[1]:.1f}",
    }


def _page(request: HttpRequest, name: str, lake: Lake, context: dict[str, Any]) -> HttpResponse:
    frame = {"lake": lake, "may": access.may(request.user, lake), "room": "deployments"}
    return render(request, f"detection/{name}.html", frame | context)
