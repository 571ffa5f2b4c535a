"""The door for pictures, as an address."""

from __future__ import annotations

from typing import cast

from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBadRequest,
    HttpResponseNotModified,
)
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from detection import renditions
from detection.models import Frame
from detection.mosaic import Rect
from lacs_web.access import Action, allows, fetch
from lacs_web.models import User


@require_safe
def picture(request: HttpRequest, frame: int) -> HttpResponse:
    """The frame as a JPEG, people masked; with `?lifted=1` as somebody who lifted the mask sees it.

    `?region=x,y,w,h` (fractions of the frame) is that part alone, as sharp as the original.

    Browsers must ask again each time (and mostly hear 304): a new box masks at once.
    """
    user = cast("User", request.user)
    found = fetch(
        Frame.objects.select_related("deployment__lake"),
        user=user,
        action=Action.SEE_PICTURES,
        lake="deployment__lake",
        pk=frame,
    )
    lifted = "lifted" in request.GET
    if lifted and not (_may_lift(user, found) and renditions.is_lifted(found, user)):
        raise PermissionDenied
    try:
        region = _region(request.GET.get("region", ""))
    except ValueError:
        words = _("A region is four fractions of the picture: left, top, width and height.")
        return HttpResponseBadRequest(words, content_type="text/plain; charset=utf-8")
    made = renditions.rendition(found, lifted=lifted, region=region)
    tag = f'"{made.tag}"'
    if request.headers.get("If-None-Match") == tag:
        answer: HttpResponse = HttpResponseNotModified()
    else:
        try:
            answer = HttpResponse(made.jpeg(), content_type="image/jpeg")
        except FileNotFoundError:
            raise Http404 from None
    answer["ETag"] = tag
    # An unmasked picture stays on no disk: tablets are shared.
    answer["Cache-Control"] = "private, no-store" if lifted else "private, no-cache"
    answer["X-Content-Type-Options"] = "nosniff"
    patch_vary_headers(answer, ["Cookie"])
    return answer


@require_safe
def behind(request: HttpRequest, frame: int) -> HttpResponse:
    """The still background in the light of the frame, as a JPEG; 204 where there is none."""
    found = fetch(
        Frame.objects.select_related("deployment__lake").filter(captured_at__isnull=False),
        user=request.user,
        action=Action.SEE_PICTURES,
        lake="deployment__lake",
        pk=frame,
    )
    try:
        made = renditions.behind(found)
    except FileNotFoundError:
        raise Http404 from None
    if made is None:
        return HttpResponse(status=204)
    answer = HttpResponse(made, content_type="image/jpeg")
    answer["Cache-Control"] = "private, no-cache"
    answer["X-Content-Type-Options"] = "nosniff"
    patch_vary_headers(answer, ["Cookie"])
    return answer


def _region(given: str) -> Rect | None:
    """The part asked for; None for all of it. Raises ValueError unless it lies in the frame."""
    if not given:
        return None
    x, y, w, h = (float(each) for each in given.split(","))
    # Written so that "nan" is refused too.
    if not (x >= 0 and y >= 0 and w > 0 and h > 0 and x + w <= 1.0001 and y + h <= 1.0001):
        raise ValueError(given)
    return Rect(x, y, w, h)


def _may_lift(user: User, frame: Frame) -> bool:
    """Asked at every look: a right that was taken away ends what it opened."""
    lake = frame.deployment.lake
    return lake.reviewers_may_unmask or allows(user, Action.UNMASK, lake)
