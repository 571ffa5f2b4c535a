"""The brake on guessing: so many failures for one account or one address, then a pause.

Kept in PostgreSQL, for every web process must count the same ones and Redis may forget. An attempt
is written before the guess is looked at, so that a hundred at once are a hundred; one that is
refused is not counted, so that a pause ends however often somebody tries meanwhile.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from lacs_web.models import AuditEvent, SigninAttempt, User

WINDOW = timedelta(minutes=15)
# Failures within the window. One address may be a whole office; one account may be tried from
# many, and its owner must not be locked out by a handful of strangers' guesses.
MOST_TOGETHER, MOST_OF_ACCOUNT, MOST_OF_ADDRESS = 5, 20, 60


class TooMany(Exception):
    """Wait until `until`."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until:%H:%M:%S}")
        self.until = until


def pause(refusal: TooMany) -> str:
    """The words for somebody who must wait."""
    until = formats.time_format(timezone.localtime(refusal.until), "H:i:s")
    return _("Too many attempts. Nothing is lost: try again after %(time)s.") % {"time": until}


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, as far as the proxies that are ours say."""
    said = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
    if settings.PROXIES and len(said) >= settings.PROXIES and said[-settings.PROXIES]:
        return str(said[-settings.PROXIES])[:64]
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


def begin(*, account: str, address: str) -> SigninAttempt:
    """Count one attempt on `account` (an e-mail address, or what else is guessed at).

    Raises TooMany; the first refusal in a window is written to the audit trail.
    """
    SigninAttempt.objects.filter(at__lt=timezone.now() - WINDOW).delete()
    mine = SigninAttempt.objects.create(account=_digest(account), address=address)
    same_account, same_address = Q(account=mine.account), Q(address=address)
    for which, most in (
        (same_account & same_address, MOST_TOGETHER),
        (same_account, MOST_OF_ACCOUNT),
        (same_address, MOST_OF_ADDRESS),
    ):
        counted = SigninAttempt.objects.filter(which, at__gte=timezone.now() - WINDOW)
        if counted.count() <= most:
            continue
        oldest = counted.order_by("-at")[most : most + 1].get().at
        mine.delete()
        _tell(account, address)
        raise TooMany(oldest + WINDOW)
    return mine


def succeed(attempt: SigninAttempt) -> None:
    """It was no guess: forget what failed for this account from this address."""
    SigninAttempt.objects.filter(account=attempt.account, address=attempt.address).delete()


def _tell(account: str, address: str) -> None:
    person = User.objects.filter(email__iexact=account).first()
    detail = {"person": person.pk if person else None, "address": address}
    lately = AuditEvent.objects.filter(at__gte=timezone.now() - WINDOW)
    if not lately.filter(action="sign-in paused", detail=detail).exists():
        AuditEvent.objects.create(action="sign-in paused", detail=detail)


def _digest(account: str) -> str:
    return hashlib.sha256(account.strip().lower().encode()).hexdigest()
