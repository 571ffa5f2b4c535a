"""The page of a lake's shared links, and the page that such a link opens without a login."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from dashboards import sharing
from dashboards.attendance import span
from dashboards.periods import Period, WrongPeriod, asked
from dashboards.views import lake_page
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import Lake, SharedLink, User

# Neither a search engine nor another site may learn of the address: it is the secret.
PRIVATE = {"X-Robots-Tag": "noindex, nofollow, noarchive", "Referrer-Policy": "no-referrer"}


class LinkForm(forms.Form):
    label = forms.CharField(
        label=gettext_lazy("For whom"),
        max_length=200,
        help_text=gettext_lazy("For your own list; the page does not show it."),
    )
    expires = forms.DateField(
        label=gettext_lazy("Last day on which it opens"),
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text=gettext_lazy("Left empty, it opens until you end it."),
    )
    first = forms.DateField(
        label=gettext_lazy("Shows figures from"),
        required=False,
        widget=forms.DateInput({"type": "date"}),
    )
    last = forms.DateField(
        label=gettext_lazy("Shows figures to"),
        required=False,
        widget=forms.DateInput({"type": "date"}),
        help_text=gettext_lazy("Left empty, it shows whatever comes in."),
    )
    framed_by = forms.CharField(
        label=gettext_lazy("Sites that may show it in a frame"),
        required=False,
        max_length=500,
        help_text=gettext_lazy(
            "Their addresses, parted by spaces: https://www.example.org. Left empty, none may."
        ),
    )
    beside = forms.ModelMultipleChoiceField(
        Lake.objects.none(),
        label=gettext_lazy("Other lakes that it shows too"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, others: QuerySet[Lake], **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        beside = self.fields["beside"]
        assert isinstance(beside, forms.ModelMultipleChoiceField)  # noqa: S101
        beside.queryset = others
        if not others:
            del self.fields["beside"]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def links(request: HttpRequest, lake: str) -> HttpResponse:
    place = access.lake_for(request.user, Action.SHARE, lake)
    others = access.lakes(request.user, Action.SHARE).exclude(pk=place.pk)
    form = LinkForm(request.POST or None, others=others)
    made, framed = "", False
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            link, made = sharing.make(
                lake=place,
                label=data["label"],
                by=cast("User", request.user),
                expires_at=_end_of(data["expires"], place),
                first=data["first"],
                last=data["last"],
                framed_by=data["framed_by"],
                beside=data.get("beside", ()),
            )
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            framed = bool(link.framed_by)
            form = LinkForm(others=others)
    context = {
        "lake": place,
        "may": access.may(request.user, place),
        "room": "sharing",
        "form": form,
        "made": made,
        "framed": framed,
        "now": timezone.now(),
        "links": SharedLink.objects.filter(Q(lake=place) | Q(beside=place))
        .select_related("made_by", "lake")
        .prefetch_related("beside")
        .distinct(),
    }
    return render(request, "dashboards/links.html", context)


@never_cache
@require_POST
def link_end(request: HttpRequest, lake: str, link: int) -> HttpResponse:
    one = access.fetch(
        SharedLink.objects.select_related("lake"),
        user=request.user,
        action=Action.SHARE,
        pk=link,
        lake__slug=lake,
    )
    sharing.end(link=one, by=cast("User", request.user))
    messages.success(
        request, _("The link for “%(label)s” opens nothing now.") % {"label": one.label}
    )
    return redirect("dashboards:links", one.lake.slug)


@never_cache
@login_not_required
@require_safe
def shared(request: HttpRequest, secret: str, lake: str = "") -> HttpResponse:
    """A lake's figures, of `lake` if the link shows it; 404 alike for a link that never was, was
    ended or ran out, and for a lake that it does not show.

    `?language=` chooses one: by a cookie, which a frame on another site does not keep; there the
    address is asked again with each choice.
    """
    language = request.GET.get("language", "")
    chosen = language if language in dict(settings.LANGUAGES) else ""
    if chosen and request.headers.get("Sec-Fetch-Dest") != "iframe":
        answer: HttpResponse = redirect(request.path)
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME, chosen, samesite="Lax", httponly=True,
            secure=settings.SESSION_COOKIE_SECURE,
        )  # fmt: skip
    elif (link := sharing.opened(secret)) and (place := _place(link, lake)):
        if chosen:
            translation.activate(chosen)
        answer = lake_page(
            request,
            place,
            query=_within(request, link),
            observed=_shown(link, place),
            rights={},  # no door leads from here to anywhere else
            template="dashboards/shared.html",
            beside=_beside(link, secret, place),
        )
        if link.framed_by:
            _let_frame(answer, link.framed_by.split())
    else:
        answer = render(request, "dashboards/shared_gone.html", status=404)
    for name, value in PRIVATE.items():
        answer[name] = value
    return answer


def _let_frame(answer: HttpResponse, origins: list[str]) -> None:
    """Only these sites may show `answer` in a frame; of the rest of the policy nothing changes."""
    vars(answer)["_csp_replace"] = {"frame-ancestors": origins}
    vars(answer)["xframe_options_exempt"] = True  # older, and knows no list of sites


def _end_of(day: date | None, lake: Lake) -> datetime | None:
    """The instant at which `day` is over at `lake`."""
    return datetime.combine(day + timedelta(days=1), time(), lake.zone) if day else None


def _place(link: SharedLink, slug: str) -> Lake | None:
    """The lake of that short name among those of `link`; its first one without a name."""
    found = [each for each in (link.lake, *link.beside.all()) if slug in ("", each.slug)]
    return found[0] if found else None


def _beside(link: SharedLink, secret: str, shown: Lake) -> list[dict[str, Any]]:
    """The lakes of `link` with their addresses; none where there is but one."""
    every = sorted((link.lake, *link.beside.all()), key=lambda lake: lake.name)
    if len(every) == 1:
        return []
    return [
        {
            "name": lake.name,
            "url": reverse("dashboards:shared-lake", args=[secret, lake.slug]),
            "current": lake.pk == shown.pk,
        }
        for lake in every
    ]


def _shown(link: SharedLink, lake: Lake) -> Period | None:
    """What was observed at `lake` of the days that the link shows; None if nothing."""
    ends = span([lake]).get(lake.pk)
    return (
        Period(*ends).meet(Period(link.first or date.min, link.last or date.max)) if ends else None
    )


def _within(request: HttpRequest, link: SharedLink) -> dict[str, str]:
    """The period asked for, cut to the days that the link shows."""
    query: dict[str, Any] = request.GET.dict()
    try:
        wanted = asked(query.get("from", ""), query.get("to", ""))
    except WrongPeriod:
        return query
    if met := wanted.meet(Period(link.first or date.min, link.last or date.max)):
        return query | {"from": met.first.isoformat(), "to": met.last.isoformat()}
    return {}
