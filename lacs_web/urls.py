"""The whole site's addresses; each app brings its own."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LogoutView
from django.urls import URLPattern, URLResolver, include, path
from django.views.decorators.http import require_POST
from django.views.generic import RedirectView
from django.views.i18n import set_language
from drf_spectacular.views import SpectacularJSONAPIView

from lacs_web import accounts, health, manual, people, second, token_pages, trail

handler400 = "lacs_web.problems.bad_request"
handler404 = "lacs_web.problems.not_found"
handler500 = "lacs_web.problems.server_error"
urlpatterns: list[URLPattern | URLResolver] = [
    path("healthz", health.healthz, name="healthz"),
    path("manual/", manual.manual, name="manual"),
    path("manual/<slug:role>/", manual.manual_role, name="manual-role"),
    path("signin/", accounts.SigninView.as_view(), name="signin"),
    path("signin/code/", second.signin_code, name="signin-code"),
    path("signin/<str:key>/<str:token>/", accounts.signin_link, name="signin-link"),
    path("account/", accounts.account, name="account"),
    path("account/sessions/", accounts.end_sessions, name="account-sessions"),
    path("account/code/", second.account_code, name="account-code"),
    path("account/tokens/", token_pages.tokens, name="account-tokens"),
    path("account/tokens/<int:api_token>/end", token_pages.token_end, name="account-token-end"),
    path("account/delete/", accounts.delete, name="account-delete"),
    path("invitation/<str:invitation>/", people.accept, name="invitation"),
    path("signout/", LogoutView.as_view(), name="signout"),
    # The sign-in page offers it too.
    path("language/", login_not_required(require_POST(set_language)), name="set_language"),
    path("lakes/<slug:lake>/trail/", trail.trail, name="trail"),
    path("lakes/<slug:lake>/people/", people.people, name="people"),
    path("lakes/<slug:lake>/people/<int:membership>/", people.role, name="people-role"),
    path("lakes/<slug:lake>/people/<int:membership>/link", people.link, name="people-link"),
    # One way in, for there a code may be asked for.
    path(
        "administration/login/",
        login_not_required(RedirectView.as_view(pattern_name="signin", query_string=True)),
        name="administration-signin",
    ),
    # Where guesses at the old password are slowed down, and the change is on record.
    path(
        "administration/password_change/",
        RedirectView.as_view(pattern_name="account"),
        name="administration-password",
    ),
    path("administration/", admin.site.urls),
    path("api/v1/", token_pages.guide, name="api-guide"),
    path("api/v1/schema", SpectacularJSONAPIView.as_view(), name="api-schema"),
    path("", include("detection.urls")),
    path("", include("annotation.urls")),
    path("", include("dashboards.urls")),
]
