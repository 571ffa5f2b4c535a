"""The page of people: who holds which role at a lake, inviting, changing, ending, a new link.

A link is shown in the answer to the press of a button, once, and stored nowhere.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.forms import SetPasswordForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from lacs_web import access, roles
from lacs_web.access import Action
from lacs_web.models import Lake, Membership, Role, User

LAKE, PARK = "lake", "park"


class InviteForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("E-mail address"), max_length=254)
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role)
    scope = forms.ChoiceField(label=gettext_lazy("Where"))

    def __init__(self, *args: Any, lake: Lake, theirs: roles.Places, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        scope = self.fields["scope"]
        assert isinstance(scope, forms.ChoiceField)  # noqa: S101
        scope.choices = [(LAKE, lake.name)]
        if theirs.hold(lake.park, None):
            whole = _("every lake of %(park)s") % {"park": lake.park}
            scope.choices = [(LAKE, lake.name), (PARK, whole)]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest, lake: str) -> HttpResponse:
    here, by = access.lake_for(request.user, Action.PEOPLE, lake), cast("User", request.user)
    theirs = roles.places(by)
    form = InviteForm(request.POST or None, lake=here, theirs=theirs)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            invited = roles.invite(
                email=data["email"],
                role=data["role"],
                lake=here,
                whole_park=data["scope"] == PARK,
                by=by,
            )
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            if invited.link:
                form = InviteForm(lake=here, theirs=theirs)
                return _page(
                    request,
                    here,
                    form,
                    link=invited.link,
                    invited=invited.user,
                    to_take_up=invited.membership is None,
                )
            messages.success(
                request,
                _("%(person)s has an account already, signs in as usual and now finds this lake.")
                % {"person": invited.user},
            )
            return redirect("people", here.slug)
    return _page(request, here, form)


@never_cache
@require_POST
def role(request: HttpRequest, lake: str, membership: int) -> HttpResponse:
    """Change the role to that of the field `role`, or end it with the button `end`."""
    here, one = _fetch(request, lake, membership)
    by = cast("User", request.user)
    try:
        if "end" in request.POST:
            roles.end(membership=one, lake=here, by=by)
            messages.success(
                request, _("%(person)s no longer holds this role.") % {"person": one.user}
            )
        else:
            roles.change(membership=one, role=request.POST.get("role", ""), lake=here, by=by)
            messages.success(request, _("The role is changed."))
    except ValidationError as refusal:
        messages.warning(request, " ".join(refusal.messages))
    if not access.allows(by, Action.PEOPLE, here):  # they ended their own
        return redirect("home")
    return redirect("people", here.slug)


@never_cache
@require_POST
def link(request: HttpRequest, lake: str, membership: int) -> HttpResponse:
    here, one = _fetch(request, lake, membership)
    by = cast("User", request.user)
    try:
        made = roles.renew_link(membership=one, lake=here, by=by)
    except ValidationError as refusal:
        messages.warning(request, " ".join(refusal.messages))
        return redirect("people", here.slug)
    form = InviteForm(lake=here, theirs=roles.places(by))
    return _page(request, here, form, link=made, invited=one.user)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept(request: HttpRequest, invitation: str) -> HttpResponse:
    """Somebody whom another park knows takes up a role here, with a new password."""
    user = cast("User", request.user)
    try:
        said = roles.invitation(text=invitation, user=user)
        form = SetPasswordForm(user, request.POST or None)
        if request.method == "POST" and form.is_valid():
            given = roles.accept(
                text=invitation, user=user, password=form.cleaned_data["new_password1"]
            )
            login(request, given.user, backend="django.contrib.auth.backends.ModelBackend")
            messages.success(request, _("Welcome. Your new password holds from now on."))
            return redirect("home")
    except roles.ForAnother:
        return render(request, "lacs_web/invitation.html", {"another": True}, status=409)
    except roles.DeadInvitation:
        return render(request, "lacs_web/invitation.html", {"dead": True}, status=410)
    context = {"form": form, "role": Role(said["role"]).label, **said}
    return render(request, "lacs_web/invitation.html", context, status=400 if form.errors else 200)


def _fetch(request: HttpRequest, slug: str, pk: int) -> tuple[Lake, Membership]:
    lake = access.lake_for(request.user, Action.PEOPLE, slug)
    return lake, get_object_or_404(roles.members(lake), pk=pk)


def _page(
    request: HttpRequest,
    lake: Lake,
    form: InviteForm,
    link: str = "",
    invited: User | None = None,
    *,
    to_take_up: bool = False,
) -> HttpResponse:
    theirs = roles.places(cast("User", request.user))
    rows = [
        {
            "membership": each,
            "may_change": theirs.hold(each.park, each.lake),
            "may_link": roles.may_link(theirs, each.user),
        }
        for each in roles.members(lake)
    ]
    context = {
        "lake": lake,
        "may": access.may(request.user, lake),
        "room": "people",
        "rows": rows,
        "roles": Role.choices,
        "form": form,
        "link": link,
        "invited": invited,
        "to_take_up": to_take_up,
    }
    return render(request, "lacs_web/people.html", context)
