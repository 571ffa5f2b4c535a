"""One's own API tokens, as pages."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from lacs_web import tokens as verbs
from lacs_web.models import ApiToken, User


class TokenForm(forms.Form):
    label = forms.CharField(label=gettext_lazy("What it is for"), max_length=100)
    scope = forms.ChoiceField(label=gettext_lazy("What it may do"), choices=ApiToken.Scope.choices)
    expires = forms.DateField(
        label=gettext_lazy("Last day"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        initial=lambda: timezone.localdate() + timedelta(days=90),
    )


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """Those that open something, and a form for one more; its secret is shown once."""
    user, secret = cast("User", request.user), ""
    form = TokenForm(request.POST or None, label_suffix="")
    if request.method == "POST" and form.is_valid():
        last = datetime.combine(form.cleaned_data["expires"], time(23, 59, 59))
        try:
            _token, secret = verbs.make(
                user=user,
                label=form.cleaned_data["label"],
                scope=form.cleaned_data["scope"],
                expires_at=timezone.make_aware(last),
            )
        except ValidationError as refusal:
            form.add_error(None, refusal)
        else:
            form = TokenForm(label_suffix="")
    context = {"form": form, "secret": secret, "tokens": verbs.of(user)}
    return render(
        request, "lacs_web/account_tokens.html", context, status=400 if form.errors else 200
    )


@require_safe
def guide(_request: HttpRequest) -> HttpResponse:
    """What programs may ask, with examples that the tests run."""
    text = (settings.BASE_DIR / "docs/api.md").read_text()
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@never_cache
@require_POST
def token_end(request: HttpRequest, api_token: int) -> HttpResponse:
    token = ApiToken.objects.filter(user=cast("User", request.user), pk=api_token).first()
    if token is not None:
        verbs.end(token=token)
        messages.success(request, _("That token opens nothing any more."))
    return redirect("account-tokens")
