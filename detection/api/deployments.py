"""Deployments of a lake, for programs."""

from __future__ import annotations

from typing import cast

from rest_framework.decorators import api_view
from rest_framework.request import Request
from rest_framework.response import Response

from detection import overview
from detection.api import forms
from lacs_web.access import Action, lake_for
from lacs_web.models import User
from lacs_web.public_api import Cursor, PageAsked, page_of, public


@public(
    needs=Action.READ_CARDS,
    parameters=[PageAsked],
    answers=page_of(forms.PlacedCamera),
    refuses="400",
)
@api_view(["GET"])
def deployments(request: Request, lake: str) -> Response:
    """The deployments of a lake, the latest first."""
    place = lake_for(cast("User", request.user), Action.READ_CARDS, lake)
    return Cursor("-starts_at").answer(overview.deployments(place), request, forms.PlacedCamera)
