"""Signing in by password, or once by a link; one's own name, password, browsers, and the end of it.

Does not send mail and makes no accounts. Whoever guesses is slowed down (lacs_web/brake.py).
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm, SetPasswordForm
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from lacs_web import brake, codes, leaving, sessions, tokens
from lacs_web.models import AuditEvent, Lake, User
from lacs_web.second import enter


class SigninForm(AuthenticationForm):
    """E-mail address and password, with the brake on guessing."""

    request: HttpRequest

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).lower()  # as people are looked up

    def clean(self) -> dict[str, Any]:
        if not (self.cleaned_data.get("username") and self.cleaned_data.get("password")):
            return self.cleaned_data
        with brake.guess(
            account=self.cleaned_data["username"], address=brake.address_of(self.request)
        ):
            return super().clean()


class SigninView(LoginView):
    form_class = SigninForm
    template_name = "lacs_web/signin.html"
    http_method_names = ["get", "head", "post"]

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        return enter(self.request, form.get_user(), how="signed in", then=self.get_success_url())

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        found = [one for one in form.non_field_errors().as_data() if one.code == "paused"]
        context = self.get_context_data(form=form, paused=found[0].messages[0] if found else "")
        return self.render_to_response(context, status=429 if found else 200)


class _Links(PasswordResetTokenGenerator):
    """A link dies when it is used (which changes last_login), and when what it opens changes:
    whoever holds a link to a volunteer's account must not find an officer's behind it.
    """

    key_salt = "lacs_web.accounts.signin"

    def _make_hash_value(self, user: AbstractBaseUser, timestamp: int) -> str:
        assert isinstance(user, User)  # noqa: S101
        held = sorted(user.memberships.values_list("pk", "role"))
        opens = f"{held} {user.is_staff} {user.is_superuser}"
        return super()._make_hash_value(user, timestamp) + opens


_links = _Links()


def signin_path(user: User) -> str:
    """Path of a link that signs `user` in once, within PASSWORD_RESET_TIMEOUT seconds."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("signin-link", args=[key, _links.make_token(user)])


def make_link(*, user: User, by: User | None, lake: Lake | None = None) -> str:
    """The address of a one-time link for `user`, made by `by` (None: at the console), on record.

    It lets whoever holds it in as `user`: show it once, to somebody entitled to hand it over.
    """
    AuditEvent.objects.create(
        user=by, lake=lake, action="sign-in link made", detail={"person": user.pk}
    )
    return f"{settings.PUBLIC_URL}{signin_path(user)}"


@never_cache
@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def signin_link(request: HttpRequest, key: str, token: str) -> HttpResponse:
    """Show a button; sign in when it is pressed, so that a link preview does not use it up."""
    here = brake.address_of(request)
    try:
        # A link of one's own must not pay for guesses at those of others.
        with brake.guess(account=f"links tried at {here}", address=here, clears=False):
            user = _owner(key, token)
        if request.method == "POST":
            return _let_in(request, key, token)
    except brake.TooMany as refusal:
        context = {"dead": True, "pause": refusal.messages[0]}
        return render(request, "lacs_web/signin_link.html", context, status=429)
    except DeadLink:
        return render(request, "lacs_web/signin_link.html", {"dead": True}, status=410)
    return render(request, "lacs_web/signin_link.html", {"person": user})


@transaction.atomic
def _let_in(request: HttpRequest, key: str, token: str) -> HttpResponse:
    """Sign in whom the link is for, the first of those who use it at once. Raises DeadLink."""
    user = _owner(key, token, lock=True)
    then = reverse("home" if user.has_usable_password() else "account")
    return enter(request, user, how="signed in by link", then=then)


class ChangeForm(PasswordChangeForm):
    """The old password is a guess too, of whoever found a browser open."""

    address = ""

    def clean_old_password(self) -> str:
        with brake.guess(account=self.user.email, address=self.address):
            return super().clean_old_password()


class NameForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ["name"]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """One's own name and password; whoever has a password must give it to change it."""
    user = cast("User", request.user)
    kind = ChangeForm if user.has_usable_password() else SetPasswordForm
    sent = request.POST.get("form")
    name_form = NameForm(request.POST if sent == "name" else None, instance=user)
    password_form = kind(user, request.POST if sent == "password" else None)
    if isinstance(password_form, ChangeForm):
        password_form.address = brake.address_of(request)
    if sent == "name" and name_form.is_valid():
        name_form.save()
        messages.success(request, _("Your name is saved."))
        return redirect("account")
    if sent == "password" and password_form.is_valid():
        password_form.save()
        update_session_auth_hash(request, user)  # other sessions of this person end
        AuditEvent.objects.create(user=user, action="password changed")
        messages.success(request, _("Your password is saved; other browsers are signed out."))
        return redirect("home")
    here = request.session.session_key
    context = {
        "name_form": name_form,
        "password_form": password_form,
        "code": codes.of(user),
        "tokens": tokens.of(user),
        "browsers": [
            {"id": sessions.public_id(each.pk), "here": each.pk == here, "session": each}
            for each in sessions.of(user)
        ],
    }
    return render(request, "lacs_web/account.html", context, status=400 if sent else 200)


@never_cache
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End the session that the field `session` names, or without it every other one."""
    ended = sessions.end(
        user=cast("User", request.user),
        named=request.POST.get("session", ""),
        keep=request.session.session_key,
    )
    if ended:
        messages.success(request, _("Those browsers are signed out."))
    return redirect("account")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Delete one's own account; whoever has a password must give it."""
    user = cast("User", request.user)
    refusal = ""
    if request.method == "POST":
        try:
            if "sure" not in request.POST:
                raise ValidationError(_("Tick the box if you are sure."))
            if user.has_usable_password():
                _check_password(request, user)
            leaving.forget(user=user)
        except ValidationError as problem:
            refusal = " ".join(problem.messages)
        else:
            request.session.flush()
            messages.success(request, _("Your account is deleted."))
            return redirect("signin")
    return render(
        request,
        "lacs_web/account_delete.html",
        {"refusal": refusal},
        status=400 if refusal else 200,
    )


def _check_password(request: HttpRequest, user: User) -> None:
    with brake.guess(account=user.email, address=brake.address_of(request)):
        if not user.check_password(request.POST.get("password", "")):
            raise ValidationError(_("That is not your password."))


class DeadLink(ValueError):
    """Used, too old, made up, or of somebody who may not come in."""


def _owner(key: str, token: str, *, lock: bool = False) -> User:
    """Whom a link signs in. Raises DeadLink."""
    people = User.objects.select_for_update(no_key=True) if lock else User.objects
    try:
        user = people.get(pk=int(urlsafe_base64_decode(key)), is_active=True)
    except (ValueError, OverflowError, User.DoesNotExist):
        raise DeadLink from None
    if not _links.check_token(user, token):
        raise DeadLink
    return user
