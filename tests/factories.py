"""The places that tests need, made in one call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import numpy as np
import simplejpeg

from detection.cards import vault
from detection.models import (
    Batch,
    Camera,
    Deployment,
    Detection,
    Detector,
    Frame,
    Run,
    RunFrame,
)
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


def make_frame(deployment: Deployment, captured_at: datetime | None = None, **fields: Any) -> Frame:
    """A frame of `deployment` with a preview in the storage, in the deployment's first batch."""
    number = Frame.objects.count()
    batch = deployment.batches.first() or Batch.objects.create(deployment=deployment)
    sha256 = f"{number:064x}"
    picture = np.full((120, 160, 3), (90 + number % 60, 140, 160), np.uint8)
    vault.put_preview(sha256, simplejpeg.encode_jpeg(picture, quality=80, colorspace="RGB"))
    instant = captured_at or datetime(2025, 7, 26, 10, tzinfo=UTC) + timedelta(minutes=5 * number)
    return Frame.objects.create(
        **{
            "park": deployment.lake.park,
            "deployment": deployment,
            "batch": batch,
            "sha256": sha256,
            "path": f"DCIM/{number:04}.JPG",
            "width": 1600,
            "height": 1200,
            "captured_at": None if fields.get("quarantine") else instant,
            "clock_at": instant + timedelta(hours=1),
            "brightness": 100,
            "sharpness": 100,
            "rank": number,
            **fields,
        }
    )


def make_detector() -> Detector:
    return Detector.objects.get_or_create(
        sha256="d" * 64, defaults={"name": "Tiny", "layout": "yolox", "is_default": True}
    )[0]


def examine(*frames: Frame, boxes: dict[int, list[Any]] | None = None) -> Run:
    """A finished run that examined `frames`; `boxes`: frame id → runs.Box that it found there."""
    batch = frames[0].batch
    run = Run.objects.filter(batch=batch).first() or Run.objects.create(
        batch=batch, detector=make_detector(), software="test", finished_at=datetime.now(UTC)
    )
    for frame in frames:
        RunFrame.objects.create(run=run, frame=frame, state=RunFrame.State.DONE)
        Detection.objects.bulk_create(
            Detection(run=run, frame=frame, **vars(box)) for box in (boxes or {}).get(frame.pk, [])
        )
    return run


@contextmanager
def another_click_first(module: Any) -> Iterator[None]:
    """Within, the file that `module`.bring_in is asked for is gone when its turn comes."""
    real = module.bring_in

    def late(asked: Any, user: Any) -> Any:
        asked.path.unlink()
        return real(asked, user)

    with patch.object(module, "bring_in", late):
        yield
