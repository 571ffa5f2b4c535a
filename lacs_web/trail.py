"""The audit trail of a lake, for who answers for it: who did what that matters, and when.

With what was done at the lake it shows how its members sign in, which belongs to no lake. Verbs
write it; nothing is changed here.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from lacs_web import access, trail_text
from lacs_web.access import Action
from lacs_web.models import AuditEvent, Lake, User

SHOWN = 100
# Of a person and at no lake.
PERSONAL = {
    "signed in": _("signed in"),
    "signed in by link": _("signed in by a link"),
    "sign-in code set up": _("set up the code at sign-in"),
    "sign-in code removed": _("had the code at sign-in removed"),
    "recovery code used": _("signed in with a recovery code"),
    "password changed": _("changed the password"),
    "sessions ended": _("signed other browsers out"),
    "API token made": _("made an API token"),
    "API token ended": _("ended an API token"),
}
WORDS = PERSONAL | {
    "batch closed": _("handed over a card"),
    "batch continued by another": _("went on with another’s card"),
    "batch reopened": _("went on with a card"),
    "calendar changed": _("changed the calendar of a lake"),
    "candidate decision taken back": _("took a decision on a candidate detector back"),
    "candidate promoted": _("promoted a candidate detector"),
    "candidate rejected": _("rejected a candidate detector"),
    "candidate started": _("put a detector in the shadow"),
    "card moved": _("moved a card to another deployment"),
    "clock checked": _("said that a clock is right"),
    "clock corrected": _("corrected a clock"),
    "clock correction undone": _("took a clock correction back"),
    "deployment changed": _("changed a deployment"),
    "deployment placed": _("placed a camera"),
    "deployment split": _("split a deployment"),
    "detection chosen": _("chose how cards are examined"),
    "detection taken back": _("had cards examined as usual again"),
    "detections imported": _("brought in detections of another program"),
    "detector tried": _("tried a detector out"),
    "discretion changed": _("changed what partners are told of few persons"),
    "export asked for": _("asked for a file of frames"),
    "export ended": _("had a file of frames deleted"),
    "exported": _("exported"),
    "figures no longer shared": _("ended a shared link"),
    "figures shared": _("shared figures by a link"),
    "frames moved": _("moved frames to another deployment"),
    "instant erased": _("erased an instant"),
    "invitation made": _("invited somebody"),
    "mask lifted": _("lifted a mask"),
    "originals purged": _("purged originals"),
    "passages read in": _("read in a pedestrian counter"),
    "passages removed": _("removed a pedestrian counter"),
    "purge held": _("held purges back"),
    "purge let go": _("ended a hold"),
    "reviews imported": _("brought in what was counted with another tool"),
    "reviews taken back": _("took back what was counted with another tool"),
    "retention changed": _("changed how long originals are kept"),
    "role changed": _("changed a role"),
    "role ended": _("ended a role"),
    "role given": _("gave a role"),
    "rule changed": _("changed the rule of settling"),
    "run counted again": _("had a run count again"),
    "run paused": _("paused a run"),
    "run resumed": _("went on with a run"),
    "run set aside": _("set a run aside"),
    "run started": _("started a run"),
    "schedule adopted": _("took over a camera’s rhythm"),
    "school holiday added": _("added a school holiday"),
    "school holiday changed": _("changed a school holiday"),
    "school holiday removed": _("removed a school holiday"),
    "school year filled in": _("filled in a school year"),
    "sign-in link made": _("made a sign-in link"),
    "training begun": _("had a detector learn from the pictures of this lake"),
    "zones drawn": _("drew zones"),
}


def words(action: str) -> str:
    """What was done, in the reader's language; what is rare is shown as it is written."""
    return str(WORDS.get(action, action))


class Filter(forms.Form):
    who = forms.CharField(label=_("Person (part of name or address)"), required=False)
    what = forms.ChoiceField(label=_("What"), required=False)
    first = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    last = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    before = forms.IntegerField(required=False, widget=forms.HiddenInput, min_value=1)

    def __init__(self, data: Any) -> None:
        super().__init__(data, label_suffix="")
        named = sorted(((key, str(said)) for key, said in WORDS.items()), key=lambda pair: pair[1])
        field = self.fields["what"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = [("", _("anything")), *named]


def of(lake: Lake) -> QuerySet[AuditEvent]:
    """What was done at `lake`, and how its members signed in."""
    members = User.objects.filter(Q(memberships__lake=lake) | Q(memberships__park=lake.park_id))
    personal = Q(lake=None, action__in=PERSONAL, user__in=members)
    return AuditEvent.objects.filter(Q(lake=lake) | personal).order_by("-pk")


@never_cache
@require_safe
def trail(request: HttpRequest, lake: str) -> HttpResponse:
    """`?who=&what=&first=&last=`, and `before` for the next page. Five queries."""
    here = access.lake_for(request.user, Action.PRIVACY, lake)
    form = Filter(request.GET or None)
    events = of(here)
    if form.is_bound and form.is_valid():
        asked = form.cleaned_data
        if asked["who"]:
            name = asked["who"]
            events = events.filter(Q(user__name__icontains=name) | Q(user__email__icontains=name))
        if asked["what"]:
            events = events.filter(action=asked["what"])
        if asked["first"]:
            events = events.filter(at__gte=datetime.combine(asked["first"], time(), here.zone))
        if asked["last"]:
            after = asked["last"] + timedelta(days=1)
            events = events.filter(at__lt=datetime.combine(after, time(), here.zone))
        if asked["before"]:
            events = events.filter(pk__lt=asked["before"])
    found = list(events.select_related("user")[: SHOWN + 1])
    older = request.GET.copy()
    if len(found) > SHOWN:
        older["before"] = str(found[SHOWN - 1].pk)
    context = {
        "lake": here,
        "may": access.may(request.user, here),
        "room": "privacy",
        "form": form,
        "events": [
            {
                "event": one,
                "words": words(one.action),
                # Of no lake: what a person's own deed tells is theirs.
                "details": trail_text.told(one.detail) if one.lake_id else "",
            }
            for one in found[:SHOWN]
        ],
        "older": older.urlencode() if len(found) > SHOWN else "",
    }
    return render(request, "lacs_web/trail.html", context, status=400 if form.errors else 200)
