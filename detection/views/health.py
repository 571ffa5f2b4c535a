"""The health of the installation: a page for officers, and figures for Prometheus."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from detection import health as measuring
from lacs_web import access
from lacs_web.access import Action


@never_cache
@require_safe
def health(request: HttpRequest) -> HttpResponse:
    if not _may_see(request):
        raise PermissionDenied
    parts = measuring.parts()
    context = {"parts": parts, "wrong": [part for part in parts if part.state != "good"]}
    return render(request, "detection/health.html", context)


@never_cache
@login_not_required
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For Prometheus, which shows LACS_METRICS_TOKEN as its bearer token; and for officers."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    wanted = settings.METRICS_TOKEN
    if not (wanted and constant_time_compare(given, wanted)):
        if not request.user.is_authenticated:
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
        if not _may_see(request):
            raise PermissionDenied
    text = measuring.exposition(measuring.parts())
    return HttpResponse(text, content_type="text/plain; version=0.0.4; charset=utf-8")


def _may_see(request: HttpRequest) -> bool:
    """Who manages a lake, any lake: the machine is everybody's."""
    return access.lakes(request.user, Action.MANAGE).exists() or (
        request.user.is_authenticated and request.user.is_superuser
    )
