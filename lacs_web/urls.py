"""The whole site's addresses; each app brings its own."""

from __future__ import annotations

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import URLPattern, URLResolver, include, path

from lacs_web import accounts, health, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.home, name="home"),
    path("healthz", health.healthz, name="healthz"),
    path("signin/", LoginView.as_view(template_name="lacs_web/signin.html"), name="signin"),
    path("signin/<str:key>/<str:token>/", accounts.signin_link, name="signin-link"),
    path("signout/", LogoutView.as_view(), name="signout"),
    path("language/", include("django.conf.urls.i18n")),
    path("administration/", admin.site.urls),
]
