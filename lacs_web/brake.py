"""The brake on guessing: so many failures for one account or one address, then a pause.

Kept in PostgreSQL, for every web process must count the same ones and Redis may forget. An attempt
is written before the guess is looked at, and one after the other, so that a hundred at once are a
hundred; one that is refused is not counted, so that a pause ends however often somebody tries
meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from lacs_web.models import AuditEvent, SigninAttempt, User

WINDOW = timedelta(minutes=15)
# Failures within the window. One address may be a whole office; one account may be tried from
# many, and its owner must not be locked out by a handful of strangers' guesses.
MOST_TOGETHER, MOST_OF_ACCOUNT, MOST_OF_ADDRESS = 5, 20, 60


_LOCK = 0x4C414353  # of PostgreSQL's advisory locks: whoever counts attempts, alone


class TooMany(ValidationError):
    """Wait until `until`; it says so to whoever must."""

    def __init__(self, until: datetime) -> None:
        said = formats.time_format(timezone.localtime(until), "H:i:s")
        super().__init__(
            _("Too many attempts. Nothing is lost: try again after %(time)s."),
            code="paused",
            params={"time": said},
        )


def address_of(request: HttpRequest) -> str:
    """Where a request comes from, as far as the proxies that are ours say."""
    said = [one.strip() for one in request.headers.get("X-Forwarded-For", "").split(",")]
    if settings.PROXIES and len(said) >= settings.PROXIES and said[-settings.PROXIES]:
        return str(said[-settings.PROXIES])[:64]
    return str(request.META.get("REMOTE_ADDR", ""))[:64]


@contextmanager
def guess(*, account: str, address: str, clears: bool = True) -> Iterator[None]:
    """Around one guess at `account` (an e-mail address, or what else is guessed at).

    It counts if what is inside raises. Else it was none, and what failed before for this account
    from this address is forgotten too (`clears`). Raises TooMany before anything is looked at.
    """
    mine = _count(account, address)
    yield
    same = Q(account=mine.account, address=address) if clears else Q(pk=mine.pk)
    SigninAttempt.objects.filter(same).delete()


def _count(account: str, address: str) -> SigninAttempt:
    """The attempt, written down; the first refusal in a window goes to the audit trail."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        SigninAttempt.objects.filter(at__lt=timezone.now() - WINDOW).delete()
        until = _pause(_digest(account), address)
        if until is None:
            return SigninAttempt.objects.create(account=_digest(account), address=address)
        _tell(account, address)
    raise TooMany(until)


def _pause(account: str, address: str) -> datetime | None:
    """Until when no more attempts are taken; None where one more is."""
    for which, most in (
        (Q(account=account, address=address), MOST_TOGETHER),
        (Q(account=account), MOST_OF_ACCOUNT),
        (Q(address=address), MOST_OF_ADDRESS),
    ):
        failed = SigninAttempt.objects.filter(which).order_by("-at")
        if oldest := failed[most - 1 : most].first():
            return oldest.at + WINDOW
    return None


def _tell(account: str, address: str) -> None:
    person = User.objects.filter(email__iexact=account).first()
    detail = {"person": person.pk if person else None, "address": address}
    lately = AuditEvent.objects.filter(at__gte=timezone.now() - WINDOW)
    if not lately.filter(action="sign-in paused", detail=detail).exists():
        AuditEvent.objects.create(action="sign-in paused", detail=detail)


def _digest(account: str) -> str:
    return hashlib.sha256(account.strip().lower().encode()).hexdigest()
