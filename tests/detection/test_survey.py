"""What the database itself refuses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from detection.models import Camera, Deployment
from tests.factories import make_deployment

pytestmark = pytest.mark.django_db


def test_a_camera_stands_at_one_place_at_a_time() -> None:
    first = make_deployment(
        starts_at=datetime(2025, 6, 1, tzinfo=UTC), ends_at=datetime(2025, 7, 1, tzinfo=UTC)
    )
    same = {"lake": first.lake, "camera": first.camera, "viewpoint": "South shore"}
    with pytest.raises(IntegrityError, match="camera_at_one_place"), transaction.atomic():
        Deployment.objects.create(
            slug="overlap", starts_at=datetime(2025, 6, 20, tzinfo=UTC), **same
        )
    overlapping = Deployment(slug="overlap", starts_at=datetime(2025, 6, 20, tzinfo=UTC), **same)
    with pytest.raises(ValidationError, match="__all__"):
        overlapping.full_clean()
    overlapping.camera = Camera.objects.create(park=first.lake.park, make="Trail", serial="other")
    overlapping.full_clean()  # the same time, but another camera
    Deployment.objects.create(slug="after", starts_at=datetime(2025, 7, 1, tzinfo=UTC), **same)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ends_at": datetime(2009, 1, 1, tzinfo=UTC)},
        {"interval_seconds": 0},
        {"clock_offset_minutes": 900},
    ],
)
def test_a_deployment_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError):
        make_deployment(**wrong)
