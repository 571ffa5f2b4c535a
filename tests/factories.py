"""The places that tests need, made in one call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from detection.models import Camera, Deployment
from lacs_web.models import Lake, Park


def make_lake(slug: str = "lauvitel", park: str = "ecrins") -> Lake:
    owner, _ = Park.objects.get_or_create(slug=park, defaults={"name": park.title()})
    return Lake.objects.create(park=owner, name=slug.title(), slug=slug)


def make_deployment(lake: Lake | None = None, slug: str = "shore", **fields: Any) -> Deployment:
    lake = lake or make_lake()
    camera = Camera.objects.create(park=lake.park, make="Trail", serial=f"S-{slug}")
    return Deployment.objects.create(
        **{
            "lake": lake,
            "camera": camera,
            "slug": slug,
            "viewpoint": "North shore",
            "starts_at": datetime(2010, 1, 1, tzinfo=UTC),
            **fields,
        }
    )
