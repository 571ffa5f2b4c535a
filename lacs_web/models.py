"""Who and where: people, parks, lakes, memberships, and the audit trail."""

from __future__ import annotations

import zoneinfo
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


def valid_time_zone(value: str) -> None:
    """Raise ValidationError unless `value` is a name of the IANA time zone database."""
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        raise ValidationError(
            _("“%(zone)s” is not a time zone; write it as in Europe/Paris."), params={"zone": value}
        ) from None


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        if not email:
            raise ValueError("A person is known by an e-mail address; none was given.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by e-mail address. Without a password one signs in by a one-time link."""

    email = models.EmailField(_("e-mail address"), unique=True)
    name = models.CharField(_("name"), max_length=150, blank=True)
    is_staff = models.BooleanField(_("may open the administration"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "email"

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name or self.email


class Park(models.Model):
    """The organisation that answers for its lakes."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    slug = models.SlugField(_("short name"), unique=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("park")
        verbose_name_plural = _("parks")

    def __str__(self) -> str:
        return self.name


class Lake(models.Model):
    """The body of water that figures are given for."""

    park = models.ForeignKey(Park, models.PROTECT, related_name="lakes", verbose_name=_("park"))
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("short name"), unique=True)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default=settings.TIME_ZONE, validators=[valid_time_zone]
    )
    reviewers_may_unmask = models.BooleanField(
        _("reviewers may lift the mask"),
        default=False,
        help_text=_("On a frame that they hold; each lifting is written to the audit trail."),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("lake")
        verbose_name_plural = _("lakes")
        constraints = [
            models.UniqueConstraint(fields=["park", "name"], name="lake_name_once_per_park")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.time_zone)


class Role(models.TextChoices):
    RANGER = "ranger", _("ranger")
    VOLUNTEER = "volunteer", _("volunteer")
    OFFICER = "officer", _("scientific officer")
    PARTNER = "partner", _("partner")
    ADMINISTRATOR = "administrator", _("administrator")


class Membership(models.Model):
    """A role that a person holds at one lake or, through the park, at all of its lakes."""

    user = models.ForeignKey(
        User, models.CASCADE, related_name="memberships", verbose_name=_("person")
    )
    role = models.CharField(_("role"), max_length=20, choices=Role)
    park = models.ForeignKey(
        Park, models.CASCADE, null=True, blank=True, related_name="memberships",
        verbose_name=_("park"),
    )  # fmt: skip
    lake = models.ForeignKey(
        Lake, models.CASCADE, null=True, blank=True, related_name="memberships",
        verbose_name=_("lake"),
    )  # fmt: skip

    class Meta:
        verbose_name = _("membership")
        verbose_name_plural = _("memberships")
        constraints = [
            models.CheckConstraint(
                condition=Q(park__isnull=True) ^ Q(lake__isnull=True),
                name="membership_of_one_park_or_one_lake",
                violation_error_message=_("Choose a park or a lake, not both."),
            ),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="membership_role_known"),
            models.UniqueConstraint(
                fields=["user", "role", "park", "lake"],
                nulls_distinct=False,
                name="membership_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_role_display()}, {self.park or self.lake}"


class AuditEvent(models.Model):
    """Who did what that matters, when, to what. Written by verbs, never edited."""

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    lake = models.ForeignKey(Lake, models.SET_NULL, null=True, related_name="audit_events")
    action = models.CharField(max_length=60)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.action}"
