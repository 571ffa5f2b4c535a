"""Pages of checking."""

from __future__ import annotations

from typing import Any, cast

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from annotation import progress
from annotation.models import ActivityChoice, LabelChoice, Review
from annotation.queue import Desk
from annotation.review_text import review_text
from lacs_web.access import Action, lake_for
from lacs_web.models import Lake, User


@require_safe
@ensure_csrf_cookie
def review(request: HttpRequest, lake: str) -> HttpResponse:
    """The frame view; `?day=2025-07-26` keeps to one day at the lake."""
    user = cast("User", request.user)
    found = lake_for(user, Action.REVIEW, lake)
    context = editor(user, found) | {
        "owner": user.pk,
        "claim_url": reverse("annotation:claim", args=[found.slug]),
        "frame_url_template": reverse("annotation:frame", args=[0]).replace("0", "{id}"),
        "day": _day(request.GET.get("day", "")),
        "new_here": not Review.objects.filter(reviewer=user).exists(),
    }
    return render(request, "annotation/review.html", context)


def editor(user: User, lake: Lake) -> dict[str, Any]:
    """What the page of the editor needs whatever it works on."""
    precision = progress.precision(Desk.of(user, lake))
    return {
        "lake": lake,
        "round_url": reverse("annotation:round", args=[lake.slug]),
        "since": timezone.now().isoformat(),
        "precision": "" if precision is None else f"{precision:.6f}",
        "home_url": reverse("dashboards:lake", args=[lake.slug]),
        "labels": [{"value": value, "text": text} for value, text in LabelChoice.choices],
        "activities": [{"value": value, "text": text} for value, text in ActivityChoice.choices],
        "text": review_text(),
    }


def _day(given: str) -> str:
    """The day asked for as an ISO date, "" for none."""
    try:
        day = parse_date(given) if given else None
    except ValueError:
        day = None
    if given and day is None:
        raise Http404(_("“%(day)s” is not a day; write it as in 2025-07-26.") % {"day": given})
    return day.isoformat() if day else ""
