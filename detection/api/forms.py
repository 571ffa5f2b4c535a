"""What the API answers of cards and deployments, as the schema tells it and lists are written."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from detection.models import Batch, CardFile, Deployment
from lacs_web.public_api import ClockTime

Form = serializers.Serializer[Any]


class Proposed(Form):
    make = serializers.CharField()
    model = serializers.CharField()
    serial = serializers.CharField()
    clock_at = serializers.CharField(
        allow_null=True, help_text="What the camera's clock said, ISO 8601 without a time zone."
    )
    deployment = serializers.SlugField(allow_null=True)


class Opened(Form):
    batch = serializers.IntegerField()
    stored = serializers.IntegerField(help_text="How many of its files are here already.")
    opened_at = serializers.DateTimeField()


class Announced(Form):
    ids = serializers.ListField(
        child=serializers.IntegerField(allow_null=True),
        help_text="An id for each line; null: that file is here already.",
    )


class Recognised(Form):
    stored = serializers.ListField(child=serializers.IntegerField())


class Stored(Form):
    stored = serializers.IntegerField()


class Counts(Form):
    announced = serializers.IntegerField()
    safe = serializers.IntegerField()
    received = serializers.IntegerField()
    new = serializers.IntegerField()
    duplicate = serializers.IntegerField()
    unreadable = serializers.IntegerField()
    quarantined = serializers.IntegerField()
    set_aside = serializers.IntegerField()
    awaited = serializers.IntegerField()
    being_read = serializers.IntegerField()
    closed = serializers.BooleanField()
    complete = serializers.BooleanField(help_text="Alone this says that a card may be erased.")


class NamedFile(Form):
    path = serializers.CharField()
    reason = serializers.CharField(allow_blank=True)


class Outcome(NamedFile):
    state = serializers.ChoiceField(choices=CardFile.State.choices)


class Gap(Form):
    after = serializers.DateTimeField()
    before = serializers.DateTimeField()
    missing = serializers.IntegerField()


class DuplicatesOf(Form):
    batch = serializers.IntegerField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    opened_at = serializers.DateTimeField()
    place = serializers.CharField()
    files = serializers.IntegerField()


class LeftOut(Form):
    count = serializers.IntegerField()
    names = serializers.ListField(child=serializers.CharField())


class Receipt(Counts):
    batch = serializers.IntegerField()
    deployment = serializers.SlugField()
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)
    continued_by = serializers.IntegerField(allow_null=True)
    first_captured_at = serializers.DateTimeField(allow_null=True)
    last_captured_at = serializers.DateTimeField(allow_null=True)
    interval_seconds = serializers.IntegerField()
    window_start = ClockTime(allow_null=True, help_text="By the camera's clock.")
    window_end = ClockTime(allow_null=True)
    schedule_inferred = serializers.BooleanField()
    schedule_differs = serializers.BooleanField()
    missing_frames = serializers.IntegerField()
    gaps = Gap(many=True)
    judged = serializers.BooleanField()
    dark = serializers.IntegerField()
    fogged = serializers.IntegerField()
    wet = serializers.IntegerField()
    moved_from = serializers.DateTimeField(allow_null=True)
    clock_right = serializers.BooleanField(allow_null=True)
    serials = serializers.ListField(child=serializers.CharField())
    expected_serial = serializers.CharField()
    damaged = serializers.ListField(child=serializers.CharField())
    duplicates_of = DuplicatesOf(many=True)
    missing = NamedFile(many=True)
    left_out = LeftOut()
    waiting = NamedFile(many=True)
    files = Outcome(many=True)


class Card(serializers.ModelSerializer[Batch]):
    """A card in the list; its receipt says more."""

    batch = serializers.IntegerField(source="pk")
    deployment = serializers.SlugField(source="deployment.slug")
    files = serializers.IntegerField(source="n_files")
    new = serializers.IntegerField(source="n_new")
    awaited = serializers.IntegerField(source="n_awaited")
    being_read = serializers.IntegerField(source="n_stored")

    class Meta:
        model = Batch
        fields = [
            "batch", "deployment", "source", "opened_at", "closed_at", "files", "new", "awaited",
            "being_read",
        ]  # fmt: skip


class PlacedCamera(serializers.ModelSerializer[Deployment]):
    """A deployment in the list."""

    deployment = serializers.SlugField(source="slug")
    camera = serializers.CharField(source="camera.serial", help_text="Its serial number.")
    frames = serializers.IntegerField(source="n_frames")
    cards = serializers.IntegerField(source="n_batches")
    window_start = ClockTime(allow_null=True, help_text="By the camera's clock.")
    window_end = ClockTime(allow_null=True)
    last_frame_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        model = Deployment
        fields = [
            "deployment", "viewpoint", "camera", "starts_at", "ends_at", "interval_seconds",
            "window_start", "window_end", "frames", "cards", "last_frame_at",
        ]  # fmt: skip
