"""The manual: one short page for each role, written in each language as a template of its own."""

from __future__ import annotations

import re

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import translation
from django.views.decorators.http import require_GET

from lacs_web.models import Role, User

_SECTION = re.compile(r'<h2 id="([a-z]+)">(.+?)</h2>')


def text(role: str, language: str) -> str:
    return render_to_string(f"lacs_web/manual/{language}/{role}.html")


def sections(page: str) -> list[tuple[str, str]]:
    """(id, heading) of each section, in order."""
    return _SECTION.findall(page)


@login_not_required
@require_GET
def manual(request: HttpRequest) -> HttpResponse:
    """The page of the reader's role that may do most; a volunteer's for whoever has none."""
    held: set[str] = set()
    if isinstance(request.user, User):
        held = set(request.user.memberships.values_list("role", flat=True))
        if request.user.is_superuser:
            held.add(Role.ADMINISTRATOR)
    most = (Role.ADMINISTRATOR, Role.OFFICER, Role.RANGER, Role.VOLUNTEER, Role.PARTNER)
    return redirect("manual-role", next((one for one in most if one in held), Role.VOLUNTEER))


@login_not_required
@require_GET
def manual_role(request: HttpRequest, role: str) -> HttpResponse:
    if role not in Role.values:
        raise Http404
    page = text(role, translation.get_language() or "en")
    context = {
        "role": Role(role),
        "roles": Role,
        "text": page,
        "sections": sections(page),
    }
    return render(request, "lacs_web/manual.html", context)
