"""Links by which partners read the figures of some lakes without an account.

A link shows figures and nothing else: no picture, no person, no lake but those it was made for.
What it shows is fixed when it is made; ending one is for good. The secret is in the address alone,
which is shown once.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable
from datetime import date, datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from lacs_web.models import AuditEvent, Lake, SharedLink, User


@transaction.atomic
def make(
    *,
    lake: Lake,
    label: str,
    by: User,
    expires_at: datetime | None = None,
    first: date | None = None,
    last: date | None = None,
    framed_by: str = "",
    beside: Iterable[Lake] = (),
) -> tuple[SharedLink, str]:
    """The link and its address, which nobody can ever be told again.

    It shows `lake` from `first` to `last` (None: without limit) until `expires_at`. `framed_by`:
    sites that may show it in a frame, their addresses parted by spaces. `beside`: other lakes that
    it shows too; who calls has made sure that `by` may share them. Raises ValidationError where it
    could never show anything.
    """
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires": _("Choose a day that is still to come.")})
    if first and last and last < first:
        raise ValidationError({"last": _("The last day lies before the first.")})
    origins = " ".join(dict.fromkeys(_origin(site) for site in framed_by.split()))
    if len(origins) > 500:
        raise ValidationError({"framed_by": _("These are too many sites for one link.")})
    secret = secrets.token_urlsafe(32)
    link = SharedLink.objects.create(
        lake=lake,
        label=label,
        secret_sha256=_hash(secret),
        first=first,
        last=last,
        framed_by=origins,
        made_by=by,
        expires_at=expires_at,
    )
    link.beside.set(beside)
    _record("figures shared", link, by)
    return link, f"{settings.PUBLIC_URL}{reverse('dashboards:shared', args=[secret])}"


@transaction.atomic
def end(*, link: SharedLink, by: User) -> None:
    """From now on the link opens nothing. Ending it twice changes nothing."""
    ended = SharedLink.objects.filter(pk=link.pk, ended_at=None).update(ended_at=timezone.now())
    if ended:
        _record("figures no longer shared", link, by)


def opened(secret: str) -> SharedLink | None:
    """The live link of `secret` with its lakes, its use counted; None if there is none, it ended or
    expired.
    """
    now = timezone.now()
    live = SharedLink.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now), secret_sha256=_hash(secret), ended_at=None
    )
    link = live.select_related("lake__park").prefetch_related("beside__park").first()
    if link and not live.filter(pk=link.pk).update(used_at=now, uses=F("uses") + 1):
        return None  # it was ended between the two
    return link


def _origin(site: str) -> str:
    """The part of a site's address that a browser compares: scheme, host and port."""
    try:
        parts = urlsplit(site if "://" in site else f"https://{site}")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    # Nothing but a plain name may reach a header.
    if parts.scheme != "https" or not re.fullmatch(r"[a-z0-9.-]+", parts.hostname or ""):
        raise ValidationError(
            {
                "framed_by": ValidationError(
                    _("“%(site)s” is no address of a site; write it as https://www.example.org."),
                    params={"site": site},
                )
            }
        )
    return f"https://{parts.hostname}{port}"


def _hash(secret: str) -> str:
    """Secrets are 32 random bytes, so that a plain hash cannot be turned round."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _record(action: str, link: SharedLink, by: User) -> None:
    detail = {
        "link": link.pk,
        "for": link.label,
        "expires": link.expires_at and link.expires_at.isoformat(),
        "from": link.first and link.first.isoformat(),
        "to": link.last and link.last.isoformat(),
        "framed by": link.framed_by,
        "lakes beside": sorted(lake.slug for lake in link.beside.all()),
    }
    AuditEvent.objects.create(user=by, lake=link.lake, action=action, detail=detail)
