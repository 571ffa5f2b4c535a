"""A card that was handed over for the wrong deployment."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from detection.cards import timing
from detection.models import Deployment
from detection.views.clocks import card_for
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import AuditEvent, User


@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, batch: int) -> HttpResponse:
    """Where the card may go, and where it has been; posted `deployment` has it belong there."""
    card = card_for(request, batch, Action.UPLOAD)
    user, lake = cast("User", request.user), card.deployment.lake
    choices = (
        Deployment.objects.filter(lake__in=access.lakes(user, Action.UPLOAD), lake__park=lake.park)
        .exclude(pk=card.deployment_id)
        .select_related("lake", "camera")
        .order_by("lake__name", "viewpoint", "-starts_at")
    )
    if request.method == "POST":
        chosen = choices.filter(slug=request.POST.get("deployment", "")).first()
        if chosen is None:
            messages.error(request, _("Choose one of the deployments in the list."))
            return redirect("detection:card-move", card.pk)
        try:
            dated = timing.hand_to(batch=card, deployment=chosen, user=user)
        except timing.StillRead:
            messages.error(
                request, _("Files of this card are still to come or being read. Try again then.")
            )
            return redirect("detection:card-move", card.pk)
        except timing.Held:
            messages.error(request, held())
            return redirect("detection:card-move", card.pk)
        said = ngettext(
            "The card has moved; %(n)d of its frames has a date there.",
            "The card has moved; %(n)d of its frames have a date there.",
            dated,
        )
        messages.success(request, said % {"n": dated})
        return redirect("detection:batch", card.pk)
    moves = AuditEvent.objects.filter(lake=lake, action="card moved", detail__batch=card.pk)
    slugs = {moved.detail[end] for moved in moves for end in ("from", "to")}
    places = Deployment.objects.filter(slug__in=slugs).select_related("lake")
    seen = access.lakes(user, Action.READ_CARDS)
    names = dict.fromkeys(slugs, "–") | {
        place.slug: f"{place.lake}, {place.viewpoint}" for place in places.filter(lake__in=seen)
    }
    last = moves.first()
    context = {
        "lake": lake,
        "may": access.may(user, lake),
        "room": "cards",
        "batch": card,
        "choices": choices,
        "moves": [
            (moved, *(names[moved.detail[end]] for end in ("from", "to")))
            for moved in moves.select_related("user")
        ],
        "back": last and choices.filter(slug=last.detail["from"]).first(),
    }
    return render(request, "detection/card_move.html", context)


def held() -> str:
    return _("A hold stands at this lake: nothing may leave it before an officer ends the hold.")
