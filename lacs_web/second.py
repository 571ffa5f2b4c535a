"""Pages of the second factor: the code at sign-in, and setting it up.

Whoever holds an officer's or an administrator's role must set one up where LACS_REQUIRE_CODE says
so (`Required`, a middleware); anybody may.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import cast

import cv2
import numpy as np
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from lacs_web import brake, codes
from lacs_web.models import AuditEvent, Role, User
from lacs_web.problems import refusal

BACKEND = "django.contrib.auth.backends.ModelBackend"
WAITING = "second"  # in the session of who gave a password, or a link, and owes a code
PENDING = "new code"  # in the session of who is setting one up: its secret
PATIENCE = 600  # seconds from the first step to the second
OPEN_TO_ALL = {"account", "account-code", "signout", "set_language", "healthz"}


def enter(request: HttpRequest, user: User, *, how: str, then: str) -> HttpResponse:
    """Sign `user` in and go to `then`, or ask for the code first; `how`: for the audit trail."""
    if codes.of(user) is not None:
        request.session.cycle_key()
        owed = {"user": user.pk, "how": how, "then": then, "until": time.time() + PATIENCE}
        request.session[WAITING] = owed
        return redirect("signin-code")
    return _admit(request, user, how=how, then=then)


def _admit(
    request: HttpRequest, user: User, *, how: str, then: str, **detail: bool
) -> HttpResponse:
    login(request, user, backend=BACKEND)
    AuditEvent.objects.create(user=user, action=how, detail=detail)
    return redirect(then)


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def signin_code(request: HttpRequest) -> HttpResponse:
    """The second step of signing in; without a first one, back to it."""
    owed = request.session.get(WAITING)
    if owed is not None and owed["until"] < time.time():
        owed = None
    user = User.objects.filter(pk=owed["user"], is_active=True).first() if owed else None
    if owed is None or user is None:
        return redirect("signin")
    problem = status = None
    if request.method == "POST":
        try:
            _guess(request, user)
        except ValidationError as refusal:
            problem = refusal.messages[0]
            status = 429 if isinstance(refusal, brake.TooMany) else 400
        else:
            del request.session[WAITING]
            return _admit(request, user, how=owed["how"], then=owed["then"], code=True)
    return render(request, "lacs_web/signin_code.html", {"problem": problem}, status=status or 200)


def _guess(request: HttpRequest, user: User) -> None:
    """Raises ValidationError for a wrong code, and as TooMany."""
    with brake.guess(account=f"code of {user.pk}", address=brake.address_of(request)):
        if not codes.check(user=user, said=request.POST.get("code", "")):
            raise ValidationError(_("That is not the code, or it was used already."))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account_code(request: HttpRequest) -> HttpResponse:
    """Set up the code, or have it removed; both ask for one."""
    user = cast("User", request.user)
    factor, problem, fresh = codes.of(user), "", []
    if request.method == "POST":
        try:
            if factor is None:
                said = request.POST.get("code", "")
                fresh = codes.confirm(user=user, secret=_pending(request), said=said)
                del request.session[PENDING]
            else:
                _guess(request, user)
                codes.forget(user=user, by=user)
                messages.success(request, _("No code is asked for any more."))
                return redirect("account")
        except ValidationError as refusal:
            problem = refusal.messages[0]
    context = {"problem": problem, "fresh": fresh, "factor": factor, "must": must(user)}
    if factor is None and not fresh:
        secret = _pending(request)
        key = " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))
        context |= {"key": key, "square": _square(codes.address(user=user, secret=secret))}
    return render(request, "lacs_web/account_code.html", context, status=400 if problem else 200)


def _pending(request: HttpRequest) -> str:
    """The secret that this browser is setting up. Another browser of the same person has its own:
    whoever looked into one that was left open must not know what its owner confirms elsewhere.
    """
    return cast("str", request.session.setdefault(PENDING, codes.new_secret()))


def _square(text: str) -> str:
    """The square code of `text`, as an address of data for an image."""
    small = cv2.QRCodeEncoder.create().encode(text)
    wide = cv2.copyMakeBorder(small, 4, 4, 4, 4, cv2.BORDER_CONSTANT, value=255)
    large = cv2.resize(wide, None, fx=5, fy=5, interpolation=cv2.INTER_NEAREST)
    png = np.asarray(cv2.imencode(".png", large)[1]).tobytes()
    return "data:image/png;base64," + base64.b64encode(png).decode()


def must(user: User) -> bool:
    """Whether `user` may not do without: who answers for others, where the setting says so."""
    strong = [Role.OFFICER, Role.ADMINISTRATOR]
    return settings.REQUIRE_CODE and (
        user.is_superuser or user.is_staff or user.memberships.filter(role__in=strong).exists()
    )


class Required:
    """Leads whoever must set up a code to that page, wherever they want to go. Middleware.

    What is no page says so instead.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_args: object) -> HttpResponse | None:
        match = request.resolver_match
        if not settings.REQUIRE_CODE or (match is not None and match.view_name in OPEN_TO_ALL):
            return None
        user = request.user  # not before: the probe answers without a database
        if not isinstance(user, User):
            return None
        if not must(user) or codes.of(user) is not None:
            return None
        if request.path.startswith("/api/"):
            return refusal(403, _("Set up a code at sign-in on the page of your account first."))
        return redirect("account-code")
