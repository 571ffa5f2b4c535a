"""The whole site's addresses; each app brings its own."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, path
from django.views.i18n import set_language

from lacs_web import accounts, health, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("signin/", LoginView.as_view(template_name="lacs_web/signin.html"), name="signin"),
    path("signin/<str:key>/<str:token>/", accounts.signin_link, name="signin-link"),
    path("signout/", LogoutView.as_view(), name="signout"),
    # The sign-in page offers it too.
    path("language/", login_not_required(set_language), name="set_language"),
    path("administration/", admin.site.urls),
]
