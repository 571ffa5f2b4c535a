"""Frames without a date, why, and the way out for each reason."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from detection.cards import timing
from detection.models import Batch, Frame
from detection.views.clocks import card_for
from detection.views.moving import held
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import User

SHOWN = 100
Reason = Frame.Quarantine


@require_safe
def of_lake(request: HttpRequest, lake: str) -> HttpResponse:
    """The cards that hold frames in quarantine, with how many for each reason."""
    user = cast("User", request.user)
    place = access.lake_for(user, Action.READ_CARDS, lake)
    reasons = [reason for reason in Reason if reason]
    cards = (
        Batch.objects.filter(deployment__lake=place)
        .annotate(
            n_all=Count("frames", filter=~Q(frames__quarantine="")),
            **{f"n_{r.value}": Count("frames", filter=Q(frames__quarantine=r)) for r in reasons},
        )
        .filter(n_all__gt=0)
        .select_related("deployment")
        .order_by("-opened_at")
    )
    rows = [
        (card, [(r.label, n) for r in reasons if (n := getattr(card, f"n_{r.value}"))])
        for card in cards
    ]
    context = {"lake": place, "may": access.may(user, place), "room": "cards", "rows": rows}
    return render(request, "detection/quarantine.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def of_card(request: HttpRequest, batch: int) -> HttpResponse:
    """What a card holds in quarantine; posted `deployment` moves what fits there."""
    posted = request.method == "POST"
    card = card_for(request, batch, Action.UPLOAD if posted else Action.READ_CARDS)
    user, lake = cast("User", request.user), card.deployment.lake
    allowed = access.lakes(user, Action.UPLOAD)
    proposed = [one for one in timing.proposals(card) if one.lake in allowed]
    if posted:
        chosen = next((one for one in proposed if one.slug == request.POST.get("deployment")), None)
        if chosen is None:
            messages.error(request, _("Choose one of the deployments that are proposed."))
        else:
            try:
                n = timing.move(batch=card, deployment=chosen, user=user)
            except timing.Held:
                messages.error(request, held())
            else:
                said = ngettext("%(n)d frame has moved.", "%(n)d frames have moved.", n)
                messages.success(request, said % {"n": n})
        return redirect("detection:quarantine-card", card.pk)
    frames = Frame.objects.filter(batch=card).exclude(quarantine="").order_by("path")
    groups = [
        (reason, reason.label, found.count(), found[:SHOWN])
        for reason in Reason
        if reason and (found := frames.filter(quarantine=reason)).exists()
    ]
    context = {
        "lake": lake,
        "may": access.may(user, lake),
        "room": "cards",
        "batch": card,
        "groups": groups,
        "proposed": proposed,
    }
    return render(request, "detection/quarantine_card.html", context)
