"""The room of a lake's cards, and the page where one is handed over."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from detection.handing_over_text import handing_over_text
from detection.models import Batch, Deployment
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import User

PER_PAGE = 25


@require_safe
def cards(request: HttpRequest, lake: str) -> HttpResponse:
    """The cards handed over at a lake, the newest first."""
    user = cast("User", request.user)
    place = access.lake_for(user, Action.READ_CARDS, lake)
    batches = (
        Batch.objects.filter(deployment__lake=place)
        .select_related("deployment", "uploaded_by")
        .counted()
        .order_by("-opened_at", "-pk")
    )
    page = Paginator(batches, PER_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "detection/cards.html",
        {"lake": place, "may": access.may(user, place), "room": "cards", "page": page},
    )


@require_safe
def hand_over(request: HttpRequest, lake: str) -> HttpResponse:
    """Choose a card's folder and its deployment; the scripts do the rest through the API."""
    user = cast("User", request.user)
    place = access.lake_for(user, Action.UPLOAD, lake)
    deployments = Deployment.objects.filter(lake=place).select_related("camera")
    return render(
        request,
        "detection/card_new.html",
        {
            "lake": place,
            "may": access.may(user, place),
            "room": "cards",
            "deployments": deployments,
            "chosen": request.GET.get("deployment", ""),
            "text": handing_over_text(),
            "limits": {
                "files": settings.CARD_MAX_FILES,
                "bytes": settings.FILE_MAX_BYTES,
            },
        },
    )
