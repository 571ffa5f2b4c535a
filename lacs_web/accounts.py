"""Signing in by password, or once by a link. Does not send mail and makes no accounts."""

from __future__ import annotations

from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from lacs_web.models import AuditEvent, User


def signin_path(user: User) -> str:
    """Path of a link that signs `user` in once, within PASSWORD_RESET_TIMEOUT seconds.

    Signing in changes last_login, which the token covers: a used link is dead.
    """
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("signin-link", args=[key, default_token_generator.make_token(user)])


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def signin_link(request: HttpRequest, key: str, token: str) -> HttpResponse:
    """Show a button; sign in when it is pressed, so that a link preview does not use it up."""
    user = _owner(key)
    if user is None or not user.is_active or not default_token_generator.check_token(user, token):
        return render(request, "lacs_web/signin_link.html", {"dead": True}, status=410)
    if request.method != "POST":
        return render(request, "lacs_web/signin_link.html", {"person": user})
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    AuditEvent.objects.create(user=user, action="signed in by link")
    return redirect("home")


def _owner(key: str) -> User | None:
    try:
        return User.objects.filter(pk=int(urlsafe_base64_decode(key))).first()
    except (ValueError, OverflowError):
        return None
