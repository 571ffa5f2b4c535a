"""The tutorial: the review page over drawn lessons. Counts nowhere and stores nothing."""

from __future__ import annotations

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from rest_framework.request import Request
from rest_framework.response import Response

from annotation import lessons, parsing, views
from annotation.api import as_json
from lacs_web.access import Action, lake_for
from lacs_web.models import User

_DONE = "lessons done"  # of this visit of the page, in the session


@require_safe
@ensure_csrf_cookie
def tutorial(request: HttpRequest, lake: str) -> HttpResponse:
    user = cast("User", request.user)
    found = lake_for(user, Action.REVIEW, lake)
    request.session[_DONE] = []
    context = views.editor(user, found) | {
        "tutorial": True,
        "owner": f"tutorial-{user.pk}",  # nothing kept in the browser is mixed up with real work
        "claim_url": reverse("annotation:tutorial-claim", args=[found.slug]),
        "frame_url_template": reverse("annotation:lesson", args=[0]).replace("0", "{id}"),
        "day": "",
    }
    return render(request, "annotation/review.html", context)


@as_json("POST")
def claim(request: Request, lake: str) -> Response:
    """The lessons that come next, as `api.claim` gives frames."""
    found = lake_for(cast("User", request.user), Action.REVIEW, lake)
    asked = parsing.read(parsing.Claim, request)
    done = request.session.get(_DONE, [])
    numbers = range(1, len(lessons.LESSONS) + 1)
    left = [number for number in numbers if number not in done]
    wanted = [number for number in left if number not in asked["holding"]][: asked["want"]]
    rest = {
        "title": _("You know how it goes"),
        "text": _("These were drawn pictures. The real ones come from the lake, and they count."),
        "url": reverse("annotation:review", args=[found.slug]),
        "action": _("Check real frames"),
    }
    return Response(
        {
            "frames": [_lesson(number) for number in wanted],
            "left": len(left),
            "done_today": len(done),
            "rest": None if left else rest,
        }
    )


@as_json("GET")
def lesson(request: Request, lesson: int) -> Response:
    return Response(_lesson(_known(lesson)))


@as_json("PUT")
def draft(request: Request, lesson: int) -> Response:
    _known(lesson)
    return Response({"version": parsing.read(parsing.DraftWritten, request)["version"] + 1})


@as_json("POST")
def reviews(request: Request, lesson: int) -> Response:
    number = _known(lesson)
    asked = parsing.read(parsing.ReviewStated, request)
    done = sorted({*request.session.get(_DONE, []), number})
    request.session[_DONE] = done
    return Response(
        {
            "version": asked["version"] + 1,
            "done_today": len(done),
            "feedback": lessons.answer(number, asked["verdict"], asked["boxes"]),
        }
    )


@require_safe
def picture(request: HttpRequest, lesson: int) -> HttpResponse:
    """A drawn picture: of nobody, and from no camera."""
    answer = HttpResponse(lessons.picture(_known(lesson)), content_type="image/jpeg")
    patch_cache_control(answer, private=True, max_age=86_400)
    return answer


def _known(number: int) -> int:
    if not 1 <= number <= len(lessons.LESSONS):
        raise Http404
    return number


def _lesson(number: int) -> dict[str, Any]:
    return lessons.lesson(number, reverse("annotation:lesson-picture", args=[number]))
