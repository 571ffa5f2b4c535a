"""The page of who answers for privacy: what is kept, for how long, who saw what, and erasure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from annotation import discretion, retention, tasks
from annotation.sign import signs
from detection.models import Frame, Lifting, Purge
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import Lake, User

SHOWN = 50


class RuleForm(forms.Form):
    days = forms.IntegerField(
        label=gettext_lazy("Days after a frame is settled"),
        min_value=0,
        max_value=3650,
        required=False,
        help_text=gettext_lazy("Empty: a settled frame keeps its original."),
    )
    unsettled_days = forms.IntegerField(
        label=gettext_lazy("Days after its card came, for all that nobody settled"),
        min_value=0,
        max_value=3650,
        required=False,
        help_text=gettext_lazy(
            "Unread frames, frames without a date, videos and files that cannot be read."
        ),
    )
    on = forms.DateField(
        label=gettext_lazy("Day on which all that was taken before it goes"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Read or not: what nobody read by then stays unread."),
    )


class FewForm(forms.Form):
    below = forms.IntegerField(
        label=gettext_lazy("Fewest persons at once that partners are told of"),
        min_value=0,
        max_value=100,
        help_text=gettext_lazy(
            "0: partners see all. With 5, a day on which 0 to 4 persons at once were seen bathing "
            "has them in “other activities”, on pages, shared links and in files."
        ),
    )
    activities = forms.MultipleChoiceField(
        label=gettext_lazy("Sensitive activities"),
        choices=discretion.CHOICES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Bivouac takes the tents along, on the water the boats."),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("below") and not data.get("activities"):
            raise ValidationError(
                _("Choose at least one sensitive activity, or 0 persons to tell partners all.")
            )
        return data


class HoldForm(forms.Form):
    why = forms.CharField(label=gettext_lazy("Why nothing may be purged"), max_length=300)


class EraseForm(forms.Form):
    day = forms.DateField(
        label=gettext_lazy("Day"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    first = forms.TimeField(
        label=gettext_lazy("From"), widget=forms.TimeInput(attrs={"type": "time"})
    )
    last = forms.TimeField(label=gettext_lazy("To"), widget=forms.TimeInput(attrs={"type": "time"}))
    why = forms.CharField(label=gettext_lazy("Who asked, or why"), max_length=200)
    undated = forms.BooleanField(
        label=gettext_lazy("Also everything whose time nobody knows"),
        required=False,
        help_text=gettext_lazy(
            "Frames without a date, videos and unreadable files of the cameras that stood here "
            "then: they may show that time too."
        ),
    )

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        if data.get("first") and data.get("last") and data["last"] < data["first"]:
            raise ValidationError(_("The end lies before the beginning."))
        return data


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def privacy(request: HttpRequest, lake: str) -> HttpResponse:
    """`form` in what is posted says which: rule, few, hold, free, purge or erase."""
    here = access.lake_for(request.user, Action.PRIVACY, lake)
    user, sent = cast("User", request.user), request.POST.get("form", "")
    rule = retention.of(here)
    forms_: dict[str, forms.Form] = {
        "rule": RuleForm(
            request.POST if sent == "rule" else None,
            initial={"days": rule.days, "unsettled_days": rule.unsettled_days, "on": rule.on},
            label_suffix="",
        ),
        "few": FewForm(
            request.POST if sent == "few" else None,
            initial={"below": here.discreet_below, "activities": here.discreet_activities},
            label_suffix="",
        ),
        "hold": HoldForm(request.POST if sent == "hold" else None, label_suffix=""),
        "erase": EraseForm(
            request.POST if sent == "erase" else None, label_suffix="", prefix="erase"
        ),
    }
    chosen = forms_.get(sent)
    if request.method == "POST" and (chosen is None or chosen.is_valid()):
        try:
            messages.success(request, _act(sent, here, user, chosen.cleaned_data if chosen else {}))
        except ValidationError as refusal:
            assert chosen is not None  # noqa: S101 - only erasing is refused
            chosen.add_error(None, refusal)
        else:
            return redirect("annotation:privacy", here.slug)
    context = _context(here) | {f"{name}_form": form for name, form in forms_.items()}
    context |= {"lake": here, "may": access.may(user, here), "room": "privacy"}
    status = 400 if any(form.errors for form in forms_.values()) else 200
    return render(request, "annotation/privacy.html", context, status=status)


def _act(what: str, lake: Lake, user: User, data: dict[str, Any]) -> str:
    """Do what a form asked; returns what to say of it. Raises ValidationError."""
    match what:
        case "rule":
            retention.set_rule(lake=lake, user=user, **data)
            return _("The rule is saved. Originals that are due go within the hour.")
        case "few":
            discretion.set_discretion(lake=lake, user=user, **data)
            return _("Saved: partners see figures so from now on.")
        case "hold":
            retention.hold(lake=lake, why=data["why"], user=user)
            return _("Nothing is purged here until the hold ends.")
        case "free":
            retention.hold(lake=lake, why="", user=user)
            return _("The hold has ended.")
        case "purge":
            count = retention.purge(lake=lake, user=user)
            tasks.purge_rest()
            return ngettext("%(n)s original is purged.", "%(n)s originals are purged.", count) % {
                "n": count
            }
        case "erase":
            zone = lake.zone
            first = datetime.combine(data["day"], data["first"], zone)
            # Where clocks go back, an hour comes twice: both are meant.
            end = datetime.combine(data["day"], data["last"], zone) + timedelta(seconds=59)
            last = end.replace(fold=1)
            count = retention.erase(
                lake=lake,
                first=first,
                last=last,
                why=data["why"],
                user=user,
                undated=data["undated"],
            )
            return ngettext("%(n)s picture is erased.", "%(n)s pictures are erased.", count) % {
                "n": count
            }
    return _("Nothing was changed.")


def _context(lake: Lake) -> dict[str, Any]:
    rule = retention.of(lake)
    frames = Frame.objects.filter(deployment__lake=lake)
    kept = frames.aggregate(
        frames=Count("pk"),
        originals=Count("pk", filter=Q(purge=None)),
        unread=Count("pk", filter=Q(purge=None, settled=None)),
    )
    here = Q(frame__deployment__lake=lake) | Q(file__batch__deployment__lake=lake)
    ledger = Purge.objects.filter(here)
    return {
        "rule": rule,
        "due": retention.preview(rule),
        "kept": kept,
        "others": retention.kept_files(lake.pk).aggregate(n=Count("pk"), size=Sum("size")),
        "purged": ledger.aggregate(n=Count("pk"), freed=Sum("freed")),
        "ledger": ledger.select_related("frame", "file", "by")[:SHOWN],
        "liftings": Lifting.objects.filter(frame__deployment__lake=lake).select_related(
            "frame", "user"
        )[:SHOWN],
        "shown": SHOWN,
        "signs": signs(
            lake=lake.name,
            park=lake.park.name,
            days=rule.days,
            unsettled_days=rule.unsettled_days,
            on=f"{rule.on:%d/%m/%Y}" if rule.on else "",
        ),
    }
