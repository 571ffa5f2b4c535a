"""One card: how far it has come, then its receipt and its detection."""

from __future__ import annotations

from typing import Any, cast

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from detection import overview
from detection.cards import words
from detection.cards.receipt import counts, duplicates_elsewhere, receipt
from detection.models import Batch, CardFile, Detector, RunFrame
from detection.views.clocks import card_for
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import User

SHOWN = 200  # lines of a list on the page and on paper; the JSON has them all


@never_cache
@require_safe
def batch(request: HttpRequest, batch: int) -> HttpResponse:
    card = card_for(request, batch, Action.READ_CARDS)
    lake = card.deployment.lake
    user = cast("User", request.user)
    context = {
        "lake": lake,
        "may": access.may(user, lake),
        "room": "cards",
        **_context(card, user),
    }
    return render(request, "detection/batch.html", context)


@never_cache
@require_safe
def state(request: HttpRequest, batch: int) -> HttpResponse:
    """What changes on the page of a card, as it asks for again every few seconds."""
    card = card_for(request, batch, Action.READ_CARDS)
    user, lake = cast("User", request.user), card.deployment.lake
    context = {"lake": lake, "may": access.may(user, lake), **_context(card, user)}
    return render(request, "detection/batch_state.html", context)


def _context(card: Batch, user: User) -> dict[str, Any]:
    now = counts(card)
    reading = not now["closed"] or now["being_read"] > 0
    shared = {"batch": card, "now": now, "reading": reading}
    if now["being_read"]:
        stored = card.files.filter(state=CardFile.State.STORED)
        shared["waiting"] = stored.filter(reason=words.NO_PREVIEW).count()
    return shared if reading else {**shared, **_receipt(card, user), "detection": _detection(card)}


def _receipt(card: Batch, user: User) -> dict[str, Any]:
    """The receipt and what its page says in words; of other lakes only what `user` may read."""
    found = receipt(card)
    names = dict(CardFile.State.choices)
    plain = {CardFile.State.NEW, CardFile.State.DUPLICATE}
    special = [
        {**file, "state_words": names[file["state"]]}
        for file in found["files"]
        if file["state"] not in plain
    ]
    frames = found["new"] + found["quarantined"]
    elsewhere, unseen = [], found["duplicate"] - _sum(found["duplicates_of"])
    if unseen:
        elsewhere = duplicates_elsewhere(card, access.lakes(user, Action.READ_CARDS))
        unseen -= _sum(elsewhere)
    return {
        "receipt": found,
        "special": special,
        "elsewhere": elsewhere,
        "unseen": unseen,
        "shown": f":{SHOWN}",
        "shown_most": SHOWN,
        "wrong_serial": bool(found["serials"]) and found["serials"] != [found["expected_serial"]],
        "interval": duration(found["interval_seconds"]),
        "stated_interval": duration(card.deployment.interval_seconds),
        "poor_share": round(100 * (found["dark"] + found["fogged"]) / max(1, frames)),
        "window_differs": found["schedule_inferred"]
        and (found["window_start"], found["window_end"])
        != (card.deployment.window_start, card.deployment.window_end),
    }


def _sum(duplicates: list[dict[str, Any]]) -> int:
    return sum(one["files"] for one in duplicates)


def duration(seconds: int) -> str:
    """An interval in words: "5 min", "1 h 30 min", "45 s"."""
    hours, rest = divmod(seconds, 3600)
    parts = [(hours, _("%(n)d h")), (rest // 60, _("%(n)d min")), (rest % 60, _("%(n)d s"))]
    return " ".join(form % {"n": n} for n, form in parts if n)


def _detection(card: Batch) -> dict[str, Any]:
    """{"works": [overview.Work], "proposed": [(problem in words, frames)], "going_on": …,
    "waits_for_model": …}. What is proposed is the latest run's.
    """
    works = overview.work(card.runs.all())
    problems = dict(RunFrame.Problem.choices)
    rows = RunFrame.objects.filter(run=works[0].run if works else None).exclude(problem="")
    proposed = rows.values_list("problem").annotate(n=Count("pk")).order_by("problem")
    return {
        "works": works,
        "proposed": [(problems[name], n) for name, n in proposed],
        "going_on": any(work.run.finished_at is None for work in works),
        "waits_for_model": not works and not Detector.objects.filter(is_default=True).exists(),
    }
