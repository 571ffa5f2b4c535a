"""What the editor sends, read strictly: anything else is refused with words, never with a crash."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from annotation.models import ActivityChoice, LabelChoice, VerdictChoice
from detection.labels import Label, Verdict
from lacs_web.api import SmallJSONParser

MOST_BYTES = 1_000_000  # 1,000 boxes take a quarter of that
MOST_BOXES = 1000
MOST_FRAMES = 50
STATED = [each for each in VerdictChoice.choices if each[0] != Verdict.COUNTED]
_ID = 2**63 - 1  # the largest id that the database can hold

S = TypeVar("S", bound=serializers.Serializer[Any])


class PageJSONParser(SmallJSONParser):
    """JSON of the size that an honest page of the editor sends."""

    most_bytes = MOST_BYTES


def read(kind: type[S], request: Request) -> dict[str, Any]:
    """The checked body; raises ParseError, with the place and the reason in words."""
    return _checked(kind(data=request.data))


def read_query(kind: type[S], request: Request) -> dict[str, Any]:
    """The checked query of an address; raises as `read`."""
    return _checked(kind(data=request.query_params))


def _checked(asked: serializers.Serializer[Any]) -> dict[str, Any]:
    if not asked.is_valid():
        place, words = _first(asked.errors)
        raise ParseError(f"{place}: {words}" if place else words)
    return dict(asked.validated_data)


def _first(errors: Any, path: str = "") -> tuple[str, str]:
    """The first complaint, with where it is: ("boxes.3.x", "…")."""
    if isinstance(errors, dict):
        key, inner = next(iter(errors.items()))
        inside = path if key == "non_field_errors" else f"{path}.{key}".lstrip(".")
        return _first(inner, inside)
    for index, inner in enumerate(errors):
        if isinstance(inner, dict | list):
            if inner:
                return _first(inner, f"{path}.{index}")
        else:
            return path, str(inner)
    return path, _("This value is not valid.")


class Number(serializers.FloatField):
    """A finite number; JSON may hold integers too large for a float."""

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        try:
            return float(data)
        except OverflowError:
            self.fail("invalid")


class Box(serializers.Serializer[Any]):
    """A box as the editor holds it; x, y, w, h are fractions of the frame."""

    key = serializers.RegexField(r"^[\w-]{1,64}$")
    label = serializers.ChoiceField(LabelChoice.choices)  # type: ignore[assignment]
    activity = serializers.ChoiceField(ActivityChoice.choices, allow_blank=True, default="")
    x = Number(min_value=0, max_value=1)
    y = Number(min_value=0, max_value=1)
    w = Number(min_value=1e-6, max_value=1)
    h = Number(min_value=1e-6, max_value=1)
    score = Number(min_value=0, max_value=1, allow_null=True, default=None)
    detection = serializers.IntegerField(min_value=1, max_value=_ID, allow_null=True, default=None)
    source_class = serializers.CharField(
        max_length=60, allow_null=True, allow_blank=True, default=None
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["x"] + attrs["w"] > 1.000001 or attrs["y"] + attrs["h"] > 1.000001:
            raise serializers.ValidationError(_("The box lies outside the picture."))
        if attrs["activity"] and attrs["label"] != Label.PERSON:
            raise serializers.ValidationError(_("Only a person has an activity."))
        return attrs


def different(boxes: list[dict[str, Any]]) -> None:
    if len({box["key"] for box in boxes}) < len(boxes):
        raise serializers.ValidationError(_("Two boxes have the same key."))


_KEY = re.compile(r"[\w-]{1,64}", re.ASCII)
_SOURCE = re.compile(r"(?:\w(?:[\w ]{0,58}\w)?)?", re.ASCII)
_LABELS, _ACTIVITIES = frozenset(LabelChoice.values), frozenset(["", *ActivityChoice.values])


def _plain(given: Any) -> dict[str, Any] | None:
    """A box such as every honest page sends, checked; None for any other, which `Box` then reads.

    Of 300 boxes the fields of a serializer take longer than all that is done with them.
    """
    if type(given) is not dict:
        return None
    get: Callable[[str], Any] = given.get
    key, label, activity, source = get("key"), get("label"), get("activity"), get("source_class")
    score, detection = get("score"), get("detection")
    sides = x, y, w, h = [get(side) for side in "xywh"]
    if (
        all(type(side) in (int, float) and 0 <= side <= 1 for side in sides)
        and min(w, h) >= 1e-6
        and x + w <= 1.000001
        and y + h <= 1.000001
        and type(key) is str
        and _KEY.fullmatch(key)
        and type(label) is str
        and label in _LABELS
        and type(activity) is str
        and activity in _ACTIVITIES
        and (label == Label.PERSON or not activity)
        and (score is None or (type(score) in (int, float) and 0 <= score <= 1))
        and (detection is None or (type(detection) is int and 1 <= detection <= _ID))
        and (source is None or (type(source) is str and _SOURCE.fullmatch(source)))
    ):
        return {
            "key": key,
            "label": label,
            "activity": activity,
            **{side: float(given[side]) for side in "xywh"},
            "score": None if score is None else float(score),
            "detection": detection,
            "source_class": source,
        }
    return None


class Boxes(serializers.ListField):
    child = Box()

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        found = [_plain(each) for each in data]
        if None in found:
            return list(super().run_child_validation(data))  # with words for what is wrong
        return found

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MOST_BOXES, validators=[different], **options)


class Claim(serializers.Serializer[Any]):
    want = serializers.IntegerField(min_value=0, max_value=10)
    holding = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=_ID), max_length=MOST_FRAMES
    )
    day = serializers.DateField(allow_null=True, default=None)

    def validate_day(self, day: date | None) -> date | None:
        if day and not 1900 <= day.year <= 2200:
            raise serializers.ValidationError(_("No camera stood at a lake on that day."))
        return day


class Round(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    precision = serializers.FloatField(min_value=0, max_value=1e6, allow_null=True, default=None)

    def validate_since(self, since: datetime) -> datetime:
        return max(since, timezone.now() - timedelta(days=1))


class DraftWritten(serializers.Serializer[Any]):
    version = serializers.IntegerField(min_value=0, max_value=2**31 - 2)
    boxes = Boxes()


class ReviewStated(DraftWritten):
    request_id = serializers.UUIDField()
    verdict = serializers.ChoiceField(STATED)
    seconds = Number(min_value=0, max_value=86_400)
    comment = serializers.CharField(
        max_length=1000, allow_blank=True, default="", trim_whitespace=True
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["boxes"] and attrs["verdict"] != Verdict.BOXES:
            raise serializers.ValidationError(_("Only the verdict “boxes” comes with boxes."))
        return attrs
