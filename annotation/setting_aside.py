"""A run that was a mistake: set aside, and counted again. Frames that were settled with the word of
a machine are settled anew, by what the machine says without it, or with it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from annotation import resettling
from annotation.opinions import rule_of
from detection import runs, tasks
from detection.models import Frame, Run
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import User


@transaction.atomic
def settle_anew(verb: Callable[..., bool], *, run: Run, user: User) -> bool:
    """Do `verb` (runs.set_aside, runs.count_again), and what follows from it for settled frames."""
    lake = run.batch.deployment.lake
    resettling.hold_back(lake)
    if not verb(run=run, user=user):
        return False
    rule = rule_of(lake)
    for outcomes in resettling.anew(Frame.objects.filter(run_frames__run=run), rule):
        resettling.write(outcomes, rule)
    return True


@require_POST
def aside(request: HttpRequest, run: int) -> HttpResponse:
    """Set a run aside, or have it count again: POST aside=1 or aside=0."""
    one = access.fetch(
        Run.objects.select_related("batch__deployment__lake__park", "detector"),
        user=request.user,
        action=Action.DETECT,
        lake="batch__deployment__lake",
        pk=run,
    )
    wanted = request.POST.get("aside") == "1"
    verb = runs.set_aside if wanted else runs.count_again
    try:
        settle_anew(verb, run=one, user=cast("User", request.user))
    except runs.AlreadyRunning:
        messages.warning(
            request,
            _("This detector is at work there already, or paused: wait for it, or resume it."),
        )
    else:
        if wanted:
            messages.success(request, _("The run is set aside: nothing that it found counts."))
        else:
            messages.success(request, _("The run counts again."))
            tasks.ring_for(one)
    return redirect("detection:run", one.pk)
