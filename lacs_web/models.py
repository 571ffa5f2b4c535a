"""Who and where: people, parks, lakes, memberships, and the audit trail."""

from __future__ import annotations

import zoneinfo
from datetime import time
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.contrib.sessions.base_session import AbstractBaseSession
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
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

    # What a token that acts for this person may do at most (lacs_web/tokens.py); None: no token.
    scope: frozenset[str] | None = None

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")

    def __str__(self) -> str:
        return self.name or self.email


class Park(models.Model):
    """The organisation that answers for its lakes."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    slug = models.SlugField(_("short name"), unique=True)
    quota_gb = models.PositiveIntegerField(
        _("room for cards, GB"),
        null=True,
        blank=True,
        help_text=_("Of originals that are kept; empty: as much as the disk takes."),
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("park")
        verbose_name_plural = _("parks")

    def __str__(self) -> str:
        return self.name


def sensitive_activities() -> list[str]:
    """Of which partners are not told where few were seen, as long as a lake says nothing else."""
    return ["bathing", "bivouac"]


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
    mask_cells = models.PositiveSmallIntegerField(
        _("cells of the mask"),
        default=8,
        help_text=_("Squares along a masked person: fewer hide more. 8 leaves a silhouette."),
    )
    # Of fewer persons at once than this, doing one of these, partners are not told; 0: of all.
    discreet_below = models.PositiveSmallIntegerField(_("fewest persons told of"), default=0)
    discreet_activities = ArrayField(
        models.CharField(max_length=20), default=sensitive_activities, blank=True
    )
    country = models.CharField(
        _("public holidays"),
        max_length=2,
        choices=[("FR", _("of France")), ("IT", _("of Italy"))],
        default="FR",
    )
    night_begins = models.TimeField(
        _("night begins"),
        default=time(19),
        help_text=_("Local time from which bivouac is allowed: tents are counted by night."),
    )
    night_ends = models.TimeField(
        _("night ends"),
        default=time(9),
        help_text=_("Local time until which bivouac is allowed; tents seen later stand apart."),
    )
    latitude = models.FloatField(
        _("latitude"), null=True, blank=True, help_text=_("Degrees north, for the map of lakes.")
    )
    longitude = models.FloatField(
        _("longitude"), null=True, blank=True, help_text=_("Degrees east, for the map of lakes.")
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("lake")
        verbose_name_plural = _("lakes")
        constraints = [
            models.UniqueConstraint(fields=["park", "name"], name="lake_name_once_per_park"),
            models.CheckConstraint(
                condition=Q(mask_cells__range=(1, 12)),
                name="lake_mask_hides",
                violation_error_message=_("A mask has 1 to 12 cells along a person."),
            ),
            models.CheckConstraint(
                condition=Q(latitude__isnull=True, longitude__isnull=True)
                | Q(latitude__range=(-90, 90), longitude__range=(-180, 180)),
                name="lake_on_the_map",
                violation_error_message=_(
                    "Give both latitude (-90 to 90) and longitude (-180 to 180), or neither."
                ),
            ),
            models.CheckConstraint(
                condition=Q(country__in=["FR", "IT"]), name="lake_country_known"
            ),
            models.CheckConstraint(
                condition=~Q(night_begins=F("night_ends")),
                name="lake_night_has_hours",
                violation_error_message=_("A night ends at another time than it begins."),
            ),
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


class SchoolHoliday(models.Model):
    """Days without school in one region, both ends included; of one lake or all of a park."""

    class Region(models.TextChoices):
        """The zones of the French ministry, and the Italian regions and provinces (ISO 3166-2)."""

        A = "FR-A", _("France, zone A")
        B = "FR-B", _("France, zone B")
        C = "FR-C", _("France, zone C")
        ABRUZZO = "IT-65", "Abruzzo"
        BASILICATA = "IT-77", "Basilicata"
        BOLZANO = "IT-BZ", "Alto Adige / Südtirol"
        CALABRIA = "IT-78", "Calabria"
        CAMPANIA = "IT-72", "Campania"
        EMILIA = "IT-45", "Emilia-Romagna"
        FRIULI = "IT-36", "Friuli Venezia Giulia"
        LAZIO = "IT-62", "Lazio"
        LIGURIA = "IT-42", "Liguria"
        LOMBARDIA = "IT-25", "Lombardia"
        MARCHE = "IT-57", "Marche"
        MOLISE = "IT-67", "Molise"
        PIEMONTE = "IT-21", "Piemonte"
        PUGLIA = "IT-75", "Puglia"
        SARDEGNA = "IT-88", "Sardegna"
        SICILIA = "IT-82", "Sicilia"
        TOSCANA = "IT-52", "Toscana"
        TRENTO = "IT-TN", "Trentino"
        UMBRIA = "IT-55", "Umbria"
        AOSTA = "IT-23", "Valle d’Aosta"
        VENETO = "IT-34", "Veneto"

    park = models.ForeignKey(
        Park, models.CASCADE, null=True, blank=True, related_name="school_holidays"
    )
    lake = models.ForeignKey(
        Lake, models.CASCADE, null=True, blank=True, related_name="school_holidays"
    )
    region = models.CharField(_("region"), max_length=5, choices=Region)
    name = models.CharField(_("name"), max_length=100)
    first = models.DateField(_("first day"))
    last = models.DateField(_("last day"))

    class Meta:
        ordering = ["first", "region"]
        verbose_name = _("school holiday")
        verbose_name_plural = _("school holidays")
        constraints = [
            models.CheckConstraint(
                condition=Q(park__isnull=True) ^ Q(lake__isnull=True),
                name="school_holiday_of_one_park_or_one_lake",
            ),
            models.CheckConstraint(
                condition=Q(last__gte=F("first")),
                name="school_holiday_ends_after_start",
                violation_error_message=_("The last day lies before the first."),
            ),
            models.UniqueConstraint(
                fields=["park", "lake", "region", "first"],
                nulls_distinct=False,
                name="school_holiday_once",
                violation_error_message=_("This region has a holiday from that day already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_region_display()}: {self.name}, {self.first} – {self.last}"


class SharedLink(models.Model):
    """A secret address that shows the figures of a lake to whoever holds it, without a login.

    It may show other lakes beside it. The secret itself is nowhere: only its SHA-256. What a link
    shows is fixed when it is made.
    """

    lake = models.ForeignKey(Lake, models.CASCADE, related_name="shared_links")
    beside = models.ManyToManyField(Lake, related_name="+", blank=True)
    label = models.CharField(_("for whom"), max_length=200)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    first = models.DateField(_("first day shown"), null=True, blank=True)  # null: no limit
    last = models.DateField(_("last day shown"), null=True, blank=True)
    # Origins, parted by spaces; only they may show the page in a frame.
    framed_by = models.CharField(_("shown in a frame by"), max_length=500, blank=True)
    made_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)
    uses = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(first__isnull=True) | Q(last__isnull=True) | Q(last__gte=F("first")),
                name="shared_link_period_in_order",
            )
        ]

    def __str__(self) -> str:
        return f"{self.lake}: {self.label}"


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


class Session(AbstractBaseSession):
    """One browser that is signed in, or is about to be (lacs_web/sessions.py)."""

    user = models.ForeignKey(User, models.CASCADE, null=True, related_name="sessions")
    agent = models.CharField(max_length=60, blank=True)
    started_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.agent


class SigninAttempt(models.Model):
    """One attempt to get in, kept for minutes (lacs_web/brake.py)."""

    at = models.DateTimeField(auto_now_add=True)
    account = models.CharField(max_length=64)  # SHA-256 of what was guessed at
    address = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=["account", "at"], name="attempt_by_account"),
            models.Index(fields=["address", "at"], name="attempt_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%H:%M:%S} {self.address}"


class SecondFactor(models.Model):
    """The secret that somebody's authenticator app shares with us (lacs_web/codes.py)."""

    user = models.OneToOneField(User, models.CASCADE, related_name="second_factor")
    secret = models.CharField(max_length=32)  # base32, as apps take it
    last_step = models.BigIntegerField(default=0)  # of the last code taken: each counts once
    recovery = models.JSONField(default=list)  # SHA-256 of the recovery codes not used yet

    def __str__(self) -> str:
        return f"{self.user}"


class ApiToken(models.Model):
    """What a program shows to act for somebody: less than they may, and for a while.

    The secret itself is nowhere: only its SHA-256 (lacs_web/tokens.py).
    """

    class Scope(models.TextChoices):
        FIGURES = "figures", _("read figures")
        FRAMES = "frames", _("read figures, and take frames and boxes out")
        CARDS = "cards", _("hand over cards and read their receipts")

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    label = models.CharField(_("what for"), max_length=100)
    scope = models.CharField(_("what it may do"), max_length=10, choices=Scope)
    secret_sha256 = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-made_at", "-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(scope__in=["figures", "frames", "cards"]), name="api_token_scope_known"
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.label}"
