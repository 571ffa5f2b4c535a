"""Claiming rows that are owed work: one conditional UPDATE, a lease, an attempt count.

Rows need the columns claim, lease_until and attempts. A row that was tried before is claimed
alone, so that one poisoned picture cannot take its neighbours down with it. A lease is made and
read by the database's clock, for those of the workers' machines may be hours apart.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

from django.conf import settings
from django.db import transaction
from django.db.models import F, Model, Q, QuerySet
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Now

M = TypeVar("M", bound=Model)
LAPSED = Q(lease_until__lt=Now())


def free(owed: QuerySet[M]) -> QuerySet[M]:
    """Those of the rows owed work that nobody holds, with attempts left."""
    unheld = Q(lease_until__isnull=True) | LAPSED
    return owed.filter(unheld, attempts__lt=settings.MAX_ATTEMPTS)


def poisoned(owed: QuerySet[M]) -> QuerySet[M]:
    """Those that stopped whoever held them MAX_ATTEMPTS times."""
    return owed.filter(LAPSED, attempts__gte=settings.MAX_ATTEMPTS)


def claim(owed: QuerySet[M], limit: int) -> tuple[uuid.UUID, list[M]]:
    """Take up to `limit` rows; returns the claim and the rows, none when nothing is owed."""
    token = uuid.uuid4()
    with transaction.atomic():
        ids = list(
            free(owed)
            .select_for_update(skip_locked=True, of=("self",))
            .order_by("attempts", "pk")
            .values_list("pk", "attempts")[:limit]
        )
        if ids and ids[0][1] > 0:
            ids = ids[:1]
        ids = [row for row in ids if row[1] == ids[0][1]]
        taken = owed.model._default_manager.filter(pk__in=[pk for pk, _ in ids])
        taken.update(claim=token, lease_until=lease_end(), attempts=F("attempts") + 1)
    return token, list(owed.filter(claim=token).order_by("pk"))


def renew(model: type[M], token: uuid.UUID) -> None:
    """Hold on to what is still claimed by `token`."""
    model._default_manager.filter(claim=token).update(lease_until=lease_end())


def hand_back(model: type[M], token: uuid.UUID, rows: Sequence[M] | None = None) -> None:
    """Let go of what is still claimed by `token` (of `rows` alone, where given), as though it had
    not been tried.
    """
    held = model._default_manager.filter(claim=token)
    if rows is not None:
        held = held.filter(pk__in=[row.pk for row in rows])
    held.update(claim=None, lease_until=None, attempts=F("attempts") - 1)


def lease_end(leases: int = 1) -> CombinedExpression:
    """When what is held from now on comes free, after so many leases."""
    return Now() + timedelta(seconds=leases * settings.LEASE_SECONDS)
