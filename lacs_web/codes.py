"""The second factor: codes of six digits from an authenticator app (RFC 6238), and recovery codes.

Knows no request. Who guesses is slowed down by who asks (lacs_web/second.py).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time
from urllib.parse import quote

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from lacs_web.models import AuditEvent, SecondFactor, User

STEP = 30  # seconds
DRIFT = 1  # steps that a telephone's clock may be wrong
RECOVERY = 10  # codes


def code_at(secret: str, step: int) -> str:
    """The six digits of one step of STEP seconds since 1970."""
    digest = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 15
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


def address(*, user: User, secret: str) -> str:
    """What an app reads from the square code."""
    label = quote(f"LACS:{user.email}")
    return f"otpauth://totp/{label}?secret={secret}&issuer=LACS"


def of(user: User) -> SecondFactor | None:
    """The factor that `user` is asked for; None where none was set up to its end."""
    return SecondFactor.objects.filter(user=user).first()


def new_secret() -> str:
    """To be confirmed by a first code; nothing is written down until then."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


@transaction.atomic
def confirm(*, user: User, secret: str, said: str) -> list[str]:
    """Ask `user` for codes from now on; returns the recovery codes, which nobody is told again.

    Raises ValidationError unless the first code is right, and where codes are asked for already.
    """
    User.objects.select_for_update().get(pk=user.pk)
    factor = SecondFactor(user=user, secret=secret)
    if of(user) is not None or not _take(factor, said):
        raise ValidationError(
            _("That is not the code. See that the telephone's clock is right, and try again.")
        )
    codes = [
        f"{secrets.randbelow(10**5):05}-{secrets.randbelow(10**5):05}" for _ in range(RECOVERY)
    ]
    factor.recovery = [_hash(code) for code in codes]
    factor.save()
    AuditEvent.objects.create(user=user, action="sign-in code set up")
    return codes


@transaction.atomic
def check(*, user: User, said: str) -> bool:
    """Whether `said` is a code of `user`, of the app or for recovery; it counts once."""
    factor = SecondFactor.objects.select_for_update().filter(user=user).first()
    if factor is None:
        return False
    if _take(factor, said):
        factor.save()
        return True
    if (used := _hash(said)) not in factor.recovery:
        return False
    factor.recovery.remove(used)
    factor.save()
    detail = {"left": len(factor.recovery)}
    AuditEvent.objects.create(user=user, action="recovery code used", detail=detail)
    return True


@transaction.atomic
def forget(*, user: User, by: User | None) -> bool:
    """Ask `user` for no code any more (by None: at the console); whether they were asked."""
    gone, _more = SecondFactor.objects.filter(user=user).delete()
    if gone:
        AuditEvent.objects.create(
            user=by, action="sign-in code removed", detail={"person": user.pk}
        )
    return bool(gone)


def _take(factor: SecondFactor, said: str) -> bool:
    now, said = int(time.time()) // STEP, said.replace(" ", "")
    for step in range(max(factor.last_step + 1, now - DRIFT), now + DRIFT + 1):
        if constant_time_compare(code_at(factor.secret, step), said):
            factor.last_step = step
            return True
    return False


def _hash(code: str) -> str:
    return hashlib.sha256(code.strip().encode()).hexdigest()
