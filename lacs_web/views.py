"""The first page: the lakes that a person may see."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from lacs_web.access import lakes


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    return render(
        request, "lacs_web/home.html", {"lakes": lakes(request.user).select_related("park")}
    )
