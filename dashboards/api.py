"""Lakes, their figures and their files, for programs: the same figures as the pages'."""

from __future__ import annotations

from typing import cast

from django.core.exceptions import ValidationError as Unfit
from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.decorators import api_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from dashboards import api_forms as forms
from dashboards import exporting, kept, kept_views, ranges, rollups, sentences
from dashboards.attendance import span
from dashboards.exporting import FIGURES, FORMATS, FRAMES
from dashboards.periods import Period, WrongPeriod, asked
from dashboards.tasks import make_export
from detection.tasks import ring
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import Lake, User
from lacs_web.problems import PROBLEM, problem
from lacs_web.public_api import Cursor, PageAsked, page_of, public


@public(needs=None, parameters=[PageAsked], answers=page_of(forms.SeenLake), refuses="400 404")
@api_view(["GET"])
def lakes(request: Request) -> Response:
    """The lakes that the owner of the token sees, and what the token may do at each."""
    user = cast("User", request.user)
    page = Cursor("slug")
    rows = page.rows(access.lakes(user).select_related("park"), request)
    context = {"may": access.may_each(user, rows), "observed": span(rows)}
    return page.get_paginated_response(forms.SeenLake(rows, many=True, context=context).data)


@public(needs=FIGURES, parameters=[forms.Asked], answers=forms.Figures, refuses="400")
@api_view(["GET"])
def attendance(request: Request, lake: str) -> Response:
    """The figures of the lake's page over a period that is asked for in the same way."""
    place = _lake(request, FIGURES, lake)
    in_step = rollups.catch_up([place])
    try:
        period = exporting.period(place, request.query_params)
    except WrongPeriod as wrong:
        raise _wrong(wrong) from None
    by = cast("User", request.user)
    return Response(
        exporting.figures(lake=place, period=period, by=by, in_step=in_step, format="json")
    )


def _files(action: Action) -> dict[str, object]:
    """What the schema says of files that ask for `action`."""
    kinds = [key for key, each in FORMATS.items() if each.action == action]
    types = {FORMATS[kind].content_type.partition(";")[0] for kind in kinds}
    return {
        "parameters": [
            OpenApiParameter("kind", str, "path", enum=kinds),
            forms.Period if action is FRAMES else forms.Figured,
        ],
        "answers": {
            (200, kind): OpenApiTypes.OBJECT if kind == "application/json" else OpenApiTypes.BINARY
            for kind in sorted(types)
        },
    }


@public(needs=FIGURES, refuses="400", **_files(FIGURES))
@api_view(["GET"])
def export_figures(request: Request, lake: str, kind: str) -> HttpResponseBase:
    """A file of figures, as the page of exports makes it."""
    return _file(request, _lake(request, FIGURES, lake), kind, FIGURES)


@public(needs=FRAMES, refuses="400", **_files(FRAMES))
@api_view(["GET"])
def export_frames(request: Request, lake: str, kind: str) -> HttpResponseBase:
    """A file of frames and boxes, as the page of exports makes it."""
    return _file(request, _lake(request, FRAMES, lake), kind, FRAMES)


def _file(request: Request, lake: Lake, kind: str, action: Action) -> HttpResponseBase:
    if kind not in FORMATS or FORMATS[kind].action != action:
        raise Http404
    try:
        period = _period(request)
        made = exporting.export(
            kind=kind, lake=lake, period=period, by=cast("User", request.user),
            decimal=request.query_params.get("decimal", ""),
        )  # fmt: skip
    except WrongPeriod as wrong:
        raise _wrong(wrong) from None
    except Unfit as refusal:
        by_field = hasattr(refusal, "error_dict")
        raise ValidationError(
            refusal.message_dict if by_field else {"kind": refusal.messages}
        ) from None
    return StreamingHttpResponse(
        made.parts,
        content_type=made.content_type,
        headers={"Content-Disposition": f'attachment; filename="{made.name}"'},
    )


@public(
    needs=FRAMES, refuses="400 404", methods=["GET"], parameters=[PageAsked],
    answers=page_of(forms.Kept),
)  # fmt: skip
@public(
    needs=FRAMES, refuses="400 415", methods=["POST"], request=forms.KeptAsked,
    answers={200: forms.Kept, 201: forms.Kept},
)  # fmt: skip
@api_view(["GET", "POST"])
def kept_exports(request: Request, lake: str) -> Response:
    """The files of frames that a worker makes for you here. POST: have one made; 200 where it is
    being made already. One that is ready makes place for the new one.
    """
    place, by = _lake(request, FRAMES, lake), cast("User", request.user)
    if request.method != "POST":
        return Cursor("-pk").answer(kept.mine(by).filter(lake=place), request, forms.Kept)
    asked_for = forms.KeptAsked(data=request.data)
    asked_for.is_valid(raise_exception=True)
    said = asked_for.validated_data
    try:
        period = asked(str(said["from"]), str(said["to"]))
        row, new = kept.ask(kind=said["kind"], lake=place, period=period, by=by)
    except WrongPeriod as wrong:
        raise _wrong(wrong) from None
    except Unfit as refusal:
        raise ValidationError({"kind": refusal.messages}) from None
    ring(make_export, row.pk)
    return Response(forms.Kept(row).data, status=201 if new else 200)


@public(needs=FRAMES, refuses="404", methods=["GET"], answers=forms.Kept)
@public(needs=FRAMES, refuses="404", methods=["DELETE"], answers={204: None})
@api_view(["GET", "DELETE"])
def kept_export(request: Request, kept_export: int) -> Response:
    """How far a file is. DELETE: stop making it, or keep it no longer."""
    row = kept_views.mine(request.user, kept_export)
    if request.method != "DELETE":
        return Response(forms.Kept(row).data)
    kept.end(kept=row, by=cast("User", request.user))
    return Response(status=204)


@public(
    needs=FRAMES, refuses="409 410 416", parameters=[
        OpenApiParameter("Range", str, "header", description="bytes=FIRST- or bytes=FIRST-LAST"),
        OpenApiParameter("If-Range", str, "header", description="The ETag that the rest is of."),
    ], answers={
        (status, "application/octet-stream"): OpenApiTypes.BINARY for status in (200, 206)
    },
)  # fmt: skip
@api_view(["GET"])
def kept_file(request: Request, kept_export: int) -> HttpResponseBase:
    """The file, or the bytes that `Range` asks for. `why` of 409 is "pending"; of 410 "failed",
    "gone", or "changed": what people may see of its pictures is not what it shows. Make it again.
    """
    row = kept_views.mine(request.user, kept_export)
    try:
        return kept_views.answer(request, row)
    except ranges.Unsatisfiable:
        said = problem(416, _("The file has no such bytes."))
        size = {"Content-Range": f"bytes */{row.size}"}
        return Response(said, status=416, headers=size, content_type=PROBLEM)
    except kept.NotServed as refusal:
        status = 409 if refusal.why == "pending" else 410
        detail = kept_views.why(refusal.why)
        said = problem(status, detail, why=refusal.why)
        return Response(said, status=status, content_type=PROBLEM)


def _period(request: Request) -> Period:
    return asked(request.query_params.get("from", ""), request.query_params.get("to", ""))


def _wrong(problem: WrongPeriod) -> ValidationError:
    return ValidationError({"from": [sentences.wrong_period(str(problem))]})


def _lake(request: Request, action: Action, slug: str) -> Lake:
    return access.lake_for(cast("User", request.user), action, slug)
