"""The page of exports, and the files themselves, streamed."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from dashboards import exporting, kept_views, sentences
from dashboards.exporting import FIGURES, FORMATS, FRAMES
from dashboards.periods import WrongPeriod, asked
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import Lake, User


@require_safe
def exports(request: HttpRequest, lake: str) -> HttpResponse:
    place = access.lake_for(request.user, Action.READ_FIGURES, lake)
    rights = access.may(request.user, place)
    context = {
        "lake": place,
        "may": rights,
        "room": "exports",
        "observed": exporting.whole(place),
        "formats": [
            {"key": key, "name": name, "what": what,
             "missing": FORMATS[key].needs_place and place.latitude is None}
            for key, (name, what) in _figures().items()
        ],
        "frame_formats": [
            {"key": key, "name": name, "what": what,
             "missing": FORMATS[key].needs_place and place.latitude is None}
            for key, (name, what) in _frames().items()
        ] if rights.get("export") else [],
        **(kept_views.of(cast("User", request.user), place) if rights.get("export") else {}),
        "kept_hours": settings.EXPORT_KEPT_HOURS,
    }  # fmt: skip
    return render(request, "dashboards/exports.html", context)


@never_cache
@require_GET
def figures(request: HttpRequest, lake: str, kind: str) -> HttpResponseBase:
    return _file(request, access.lake_for(request.user, FIGURES, lake), kind, FIGURES)


@never_cache
@require_GET
def frames(request: HttpRequest, lake: str, kind: str) -> HttpResponseBase:
    return _file(request, access.lake_for(request.user, FRAMES, lake), kind, FRAMES)


def _file(request: HttpRequest, lake: Lake, kind: str, action: Action) -> HttpResponseBase:
    """The file of `kind` over the period of the address; back to the page with what is wrong."""
    if kind not in FORMATS or FORMATS[kind].action != action:
        raise Http404
    try:
        period = asked(request.GET.get("from", ""), request.GET.get("to", ""))
        made = exporting.export(
            kind=kind, lake=lake, period=period, by=cast("User", request.user),
            decimal=request.GET.get("decimal", ""),
        )  # fmt: skip
    except WrongPeriod as problem:
        messages.warning(request, sentences.wrong_period(str(problem)))
    except ValidationError as refusal:
        messages.warning(request, " ".join(refusal.messages))
    else:
        return StreamingHttpResponse(
            made.parts,
            content_type=made.content_type,
            headers={"Content-Disposition": f'attachment; filename="{made.name}"'},
        )
    return redirect("dashboards:exports", lake.slug)


def _figures() -> dict[str, tuple[str, str]]:
    return {
        "xlsx": (
            _("Workbook (XLSX)"),
            _("Every table of the attendance page, with a sheet that says how it was got."),
        ),
        "csv": (
            _("Days (CSV)"),
            _("One line a day: semicolons and decimal commas, as spreadsheets here expect them."),
        ),
        "counters": (
            _("Hourly counters (CSV)"),
            _("For the BiodivTourAlps analysis: compteur;date;donnees, herds apart, and the hours "
              "watched day by day."),
        ),
        "istsos": (
            _("istSOS (CSV)"),
            _("Hour by hour with a quality index, from the machine alone to fully read; “Nan” "
              "where nothing is known."),
        ),
        "geonature": (
            _("GeoNature Monitoring (CSV)"),
            _("The lake as a site, each day watched as a visit, and the hours counted as "
              "observations."),
        ),
    }  # fmt: skip


def _frames() -> dict[str, tuple[str, str]]:
    return {
        "camtrap-dp": (
            _("Camtrap DP"),
            _("Deployments, media and observations in the standard of camera traps; pictures are "
              "left out."),
        ),
        "coco": (
            _("COCO"),
            _("Settled frames with their boxes, for training; persons are masked."),
        ),
        "yolo": (
            _("YOLO"),
            _("The same, one text file beside each picture; persons are masked."),
        ),
        "megadetector": (
            _("MegaDetector JSON"),
            _("Machine boxes, for Timelapse and AddaxAI; no pictures."),
        ),
    }  # fmt: skip
