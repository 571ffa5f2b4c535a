"""Files that a worker makes: asked for, followed, ended and taken by who asked for them."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from dashboards import exporting, kept, ranges, sentences
from dashboards.exporting import FRAMES
from dashboards.models import KeptExport
from dashboards.periods import Period, WrongPeriod, asked
from dashboards.tasks import make_export
from detection.tasks import ring
from lacs_web import access
from lacs_web.models import Lake, User


@never_cache
@require_safe
def files(request: HttpRequest, lake: str) -> HttpResponse:
    """What changes while files are made, as the page of exports asks for it again."""
    place = access.lake_for(request.user, FRAMES, lake)
    context = {"lake": place, **of(cast("User", request.user), place)}
    return render(request, "dashboards/kept.html", context)


@require_POST
def make(request: HttpRequest, lake: str, kind: str) -> HttpResponse:
    """Have a worker make a file of `kind`: POST from and to."""
    place = access.lake_for(request.user, FRAMES, lake)
    if kind not in kept.KINDS:
        raise Http404
    try:
        period = asked(request.POST.get("from", ""), request.POST.get("to", ""))
        row, _new = kept.ask(kind=kind, lake=place, period=period, by=cast("User", request.user))
    except WrongPeriod as problem:
        messages.warning(request, sentences.wrong_period(str(problem)))
    except ValidationError as refusal:
        messages.warning(request, " ".join(refusal.messages))
    else:
        ring(make_export, row.pk)
    return redirect("dashboards:exports", place.slug)


def of(user: User, lake: Lake) -> dict[str, Any]:
    """The files of `user` at `lake` for dashboards/kept.html. One query."""
    rows = list(kept.mine(user).filter(lake=lake))
    return {
        "files": [{"row": row, "name": name_of(row)} for row in rows],
        "going_on": any(row.state == kept.State.PENDING for row in rows),
    }


def name_of(row: KeptExport) -> str:
    return exporting.name_of(row.kind, row.lake, Period(row.first, row.last))


@never_cache
@require_POST
def end(request: HttpRequest, kept_export: int) -> HttpResponse:
    row = mine(request.user, kept_export)
    kept.end(kept=row, by=cast("User", request.user))
    return redirect("dashboards:exports", row.lake.slug)


@never_cache
@require_safe
def file(request: HttpRequest, kept_export: int) -> HttpResponseBase:
    """The file, or the rest of it; back to the page with why there is none."""
    row = mine(request.user, kept_export)
    try:
        return answer(request, row)
    except ranges.Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{row.size}"})
    except kept.NotServed as refusal:
        said = why(refusal.why)
    if "Range" in request.headers:  # of a download that goes on: a page would be taken for the rest
        return HttpResponse(said, status=410, content_type="text/plain; charset=utf-8")
    messages.warning(request, said)
    return redirect("dashboards:exports", row.lake.slug)


def mine(user: Any, pk: int) -> KeptExport:
    """The one of that number, if `user` asked for it and may still take frames out there."""
    return access.fetch(kept.mine(user), user=user, action=FRAMES, pk=pk)


def answer(request: HttpRequest, row: KeptExport) -> HttpResponseBase:
    """Its bytes, or those that the request asks for. Raises NotServed, Unsatisfiable."""
    kept.check(row)
    user, size, tag = cast("User", request.user), row.size, f'"{kept.tag(row)}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Content-Disposition": f'attachment; filename="{name_of(row)}"',
        "X-Content-Type-Options": "nosniff",
    }
    sent = request.headers
    part = ranges.asked(sent.get("Range", ""), sent.get("If-Range", ""), tag, size)
    first, last = (part.first, part.last) if part else (0, size - 1)
    if part:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    headers["Content-Length"] = str(last - first + 1)
    kind = "application/octet-stream"  # a part of JSON is none
    status = 206 if part else 200
    if request.method == "HEAD":
        return HttpResponse(status=status, content_type=kind, headers=headers)
    exporting.write_down(
        lake=row.lake, period=Period(row.first, row.last), by=user, format=row.kind,
        file=str(row.pk), **({"bytes": f"{first}-{last}"} if part else {}),
    )  # fmt: skip
    return StreamingHttpResponse(
        kept.parts(row, first, last, user), status=status, content_type=kind, headers=headers
    )


def why(cause: str) -> str:
    """Why there is no file, in words."""
    return {
        "pending": _("The file is still being made."),
        "failed": _("The file could not be made: ask for it again."),
        "changed": _("What people may see of these pictures has changed since the file was made, "
                     "so nobody can have it: make it again."),
        "gone": _("The file is no longer kept: make it again."),
    }[cause]  # fmt: skip
