"""The administration: people, parks, lakes, roles, and the trail of what was done.

What is done here goes into the audit trail too. Rights at lakes come from lacs_web.access alone;
these pages are for those who run the site.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from lacs_web.accounts import make_link
from lacs_web.models import AuditEvent, Lake, Membership, Park, User

admin.site.site_header = admin.site.site_title = "LACS"
admin.site.index_title = _("Administration")


class Audited(admin.ModelAdmin):  # type: ignore[type-arg]
    """Writes what is added, changed or deleted here to the audit trail."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _audit(request, "added in the administration", [obj])
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _audit(request, "changed in the administration", [obj], what=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        _audit(request, "deleted in the administration", queryset)
        return super().log_deletions(request, queryset)


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """To look at: rows that other parts of the site write."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    extra = 0


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()  # as people are looked up


@admin.register(User)
class UserAdmin(Audited):
    """People have no password here: they set one on their own page, and come by a link first."""

    form = UserForm
    list_display = ["email", "name", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    fields = ["email", "name", "is_active", "is_staff", "is_superuser", "groups", "last_login"]
    readonly_fields = ["last_login"]
    inlines: ClassVar = [MembershipInline]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Only superusers say who may open these pages, and what they may do there."""
        if _is_superuser(request):
            return list(self.readonly_fields)
        return [*self.readonly_fields, "is_staff", "is_superuser", "groups"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        above = obj is not None and obj.is_superuser and not _is_superuser(request)
        return not above and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        above = obj is not None and obj.is_superuser and not _is_superuser(request)
        return not above and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.set_unusable_password()
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        link = self.admin_site.admin_view(self.link)
        return [path("<int:pk>/link/", link, name="lacs_web_user_link"), *super().get_urls()]

    def link(self, request: HttpRequest, pk: int) -> HttpResponse:
        """A one-time link that signs in as this person: shown once, to a superuser."""
        if not _is_superuser(request):
            raise PermissionDenied
        user = get_object_or_404(User, pk=pk, is_active=True)
        made = ""
        if request.method == "POST":
            made = make_link(user=user, by=cast("User", request.user))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("One-time link"),
            "person": user,
            "link": made,
        }
        return render(request, "admin/lacs_web/user/link.html", context)


class ParkInline(MembershipInline):
    fields = ["user", "role"]


@admin.register(Park)
class ParkAdmin(Audited):
    list_display = ["name", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    inlines: ClassVar = [ParkInline]


@admin.register(Lake)
class LakeAdmin(Audited):
    list_display = ["name", "park", "time_zone", "reviewers_may_unmask"]
    list_filter = ["park"]
    list_select_related = ["park"]
    search_fields = ["name"]
    prepopulated_fields = {"slug": ["name"]}
    # Set on the lake's page of privacy.
    exclude: ClassVar = ["discreet_below", "discreet_activities"]
    inlines: ClassVar = [ParkInline]


@admin.register(Membership)
class MembershipAdmin(Audited):
    list_display = ["user", "role", "park", "lake"]
    list_filter = ["role", "park", "lake"]
    list_select_related = ["user", "park", "lake"]
    search_fields = ["user__email", "user__name"]


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnly):
    list_display = ["at", "action", "user", "lake", "detail"]
    list_filter = ["action", "lake"]
    list_select_related = ["user", "lake"]
    date_hierarchy = "at"
    search_fields = ["action", "user__email"]


def _is_superuser(request: HttpRequest) -> bool:
    return bool(cast("User", request.user).is_superuser)


def _audit(request: HttpRequest, action: str, rows: Iterable[Any], **more: Any) -> None:
    """`what` in `more`: Django's own account of the change."""
    for row in rows:
        detail = {"model": row._meta.label, "id": row.pk, "named": str(row)[:200], **more}
        AuditEvent.objects.create(user=cast("User", request.user), action=action, detail=detail)
