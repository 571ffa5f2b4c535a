"""API tokens: a program acts for somebody, may less than they, at a few addresses, for a while.

A request shows one as `Authorization: Bearer lacs_…`. It is looked at only at ADDRESSES; anywhere
else, and on every page, it opens nothing. What its owner may no longer do, it may no longer do.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from lacs_web.access import Action, lakes
from lacs_web.models import ApiToken, AuditEvent, User
from lacs_web.problems import refusal

MARK = "lacs_"  # so that a secret that got out is known for what it is
LONGEST = timedelta(days=366)
SCOPES = {
    ApiToken.Scope.FIGURES: frozenset({Action.READ_FIGURES, Action.READ_FEW}),
    ApiToken.Scope.FRAMES: frozenset({Action.READ_FIGURES, Action.READ_FEW, Action.EXPORT}),
    ApiToken.Scope.CARDS: frozenset({Action.UPLOAD, Action.READ_CARDS}),
}
# Without which a token is of no use for what it was made for.
_NEEDS = {
    ApiToken.Scope.FIGURES: Action.READ_FIGURES,
    ApiToken.Scope.FRAMES: Action.EXPORT,
    ApiToken.Scope.CARDS: Action.UPLOAD,
}
ADDRESSES = {
    "dashboards:attendance-csv", "dashboards:export-figures", "dashboards:export-frames",
    "detection:api-propose", "detection:api-cards", "detection:api-receipt",
    "detection:api-manifest", "detection:api-recognise", "detection:api-file",
    "detection:api-close", "detection:api-deployments", "dashboards:api-lakes",
    "dashboards:api-attendance", "dashboards:api-export-figures", "dashboards:api-export-frames",
    "dashboards:api-kept", "dashboards:api-kept-export", "dashboards:api-kept-file", "api-schema",
}  # fmt: skip


@transaction.atomic
def make(*, user: User, label: str, scope: str, expires_at: datetime) -> tuple[ApiToken, str]:
    """The token and its secret, which nobody can ever be told again. Raises ValidationError."""
    if not timezone.now() < expires_at < timezone.now() + LONGEST:
        raise ValidationError({"expires": _("Choose a day within a year from now.")})
    secret = MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user, label=label, scope=scope, expires_at=expires_at, secret_sha256=_hash(secret)
    )
    detail = {"token": token.pk, "scope": scope, "expires": expires_at.isoformat()}
    AuditEvent.objects.create(user=user, action="API token made", detail=detail)
    return token, secret


@transaction.atomic
def end(*, token: ApiToken) -> None:
    """From now on the token opens nothing. Ending it twice changes nothing."""
    if ApiToken.objects.filter(pk=token.pk, ended_at=None).update(ended_at=timezone.now()):
        AuditEvent.objects.create(
            user=token.user, action="API token ended", detail={"token": token.pk}
        )


def end_unfit(*, user: User) -> None:
    """End those made for what `user` may do nowhere any more, lest a later role wake them up."""
    for token in of(user):
        if not lakes(user, _NEEDS[ApiToken.Scope(token.scope)]).exists():
            end(token=token)


def of(user: User) -> QuerySet[ApiToken]:
    """Those that still open something."""
    return ApiToken.objects.filter(user=user, ended_at=None, expires_at__gt=timezone.now())


def bearer(secret: str) -> User | None:
    """For whom a token acts, with what it may do as `scope`; None where it opens nothing."""
    now = timezone.now()
    token = (
        ApiToken.objects.filter(secret_sha256=_hash(secret), ended_at=None, expires_at__gt=now)
        .select_related("user")
        .first()
    )
    if token is None or not token.user.is_active:
        return None
    lately = Q(used_at__isnull=True) | Q(used_at__lt=now - timedelta(minutes=1))
    ApiToken.objects.filter(lately, pk=token.pk).update(used_at=now)
    token.user.scope = SCOPES[ApiToken.Scope(token.scope)]
    return token.user


class Tokens:
    """Middleware: who shows a token at one of ADDRESSES is its owner there, within its scope."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_args: object) -> HttpResponse | None:
        kind, _space, secret = request.headers.get("Authorization", "").partition(" ")
        match = request.resolver_match
        if kind != "Bearer" or match is None or match.view_name not in ADDRESSES:
            return None
        user = bearer(secret.strip())
        if user is None:
            said = _("This token opens nothing: it is wrong, has ended or has expired.")
            return refusal(401, said, {"WWW-Authenticate": "Bearer"})
        request.user = user
        # No browser sends this header by itself, so no other site can have it sent.
        setattr(request, "_dont_enforce_csrf_checks", True)  # noqa: B010
        return None


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
