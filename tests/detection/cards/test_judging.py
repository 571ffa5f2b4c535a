"""Views of a drawn camera, through fog, night, a drop and a knock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import cv2
import numpy as np
import pytest
import simplejpeg
from django.core.files.storage import default_storage
from numpy.typing import NDArray

from detection.cards import judging, moved, quality, vault
from detection.cards.receipt import receipt
from detection.models import Batch, Frame
from detection.scenes.model import Moment, View
from detection.scenes.render import render
from tests.factories import make_deployment, make_frame

VIEW = View(640, 480, seed=3)
MORNING = datetime(2025, 7, 25, 8)  # noqa: DTZ001 - the camera's clock carries no zone


def pictures(moments: Sequence[Moment]) -> list[NDArray[np.uint8]]:
    return [render(VIEW, moment, ()).image for moment in moments]


def day(n: int) -> list[Moment]:
    return [
        Moment(MORNING + timedelta(minutes=15 * i), cloud=(i % 5) / 5, ripple=(i % 3) / 3)
        for i in range(n)
    ]


def grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def flags(images: Sequence[NDArray[np.uint8]]) -> list[str]:
    looks = [quality.look(image) for image in images]
    return quality.flags(
        np.array([one.brightness for one in looks], np.float32),
        np.stack([quality.sharpness_of(one.tiles) for one in looks]),
    )


def test_fog_and_night_are_proposed_and_clear_days_are_not() -> None:
    clear = day(12)
    fog = [Moment(MORNING, fog=share) for share in (0.8, 1.0)]
    night = [Moment(MORNING.replace(hour=hour)) for hour in (0, 2, 23)]
    assert flags(pictures(clear + fog + night)) == [""] * 12 + ["fogged"] * 2 + ["dark"] * 3
    assert flags(pictures(night)) == ["dark"] * 3


def test_a_drop_on_the_lens_is_proposed() -> None:
    images = pictures(day(9))
    blurred = cv2.GaussianBlur(images[4], (0, 0), 14)
    drop = np.zeros(images[4].shape[:2], np.float32)
    cv2.circle(drop, (300, 300), 110, 1.0, -1)
    mix = cv2.GaussianBlur(drop, (0, 0), 8)[..., None]
    images[4] = (images[4] * (1 - mix) + blurred * mix).astype(np.uint8)
    assert flags(images) == [""] * 4 + ["wet"] + [""] * 4


@pytest.mark.parametrize("shift", [(8, 4), (-20, 8), (200, 50)])
def test_a_knock_is_found_at_its_frame(shift: tuple[float, float]) -> None:
    moments = day(40)
    knocked = [Moment(one.at, one.cloud, 0.0, one.ripple, shift) for one in moments[23:]]
    images = pictures(moments[:23] + knocked)
    looked = set()

    def view(index: int) -> moved.View:
        looked.add(index)
        return moved.edges(grey(images[index]))

    assert moved.knocked_at(range(40), view) == 23
    assert len(looked) < 30


def test_wind_and_light_are_no_knock() -> None:
    moments = [
        Moment(one.at, one.cloud, 0.0, one.ripple, ((i % 3) - 1.0, (i % 2) * 1.0))
        for i, one in enumerate(day(40))
    ]
    images = pictures(moments)
    gone = moved.knocked_at(range(40), lambda i: moved.edges(grey(images[i])))
    assert gone is None


def test_few_frames_say_nothing() -> None:
    assert moved.knocked_at(range(3), lambda _: np.zeros((10, 10), np.float32)) is None
    assert moved.knocked_at([], lambda _: np.zeros((10, 10), np.float32)) is None


@pytest.mark.django_db
def test_a_card_is_judged_once_it_is_read_and_its_receipt_says_so() -> None:
    deployment = make_deployment()
    moments = day(12) + [Moment(one.at, shift_px=(30, 10)) for one in day(12)]
    moments[3] = Moment(MORNING, fog=1.0)
    start = datetime(2025, 7, 26, 8, tzinfo=UTC)
    for number, image in enumerate(pictures(moments)):
        seen = quality.look(image)
        frame = make_frame(
            deployment,
            start + timedelta(minutes=number),
            brightness=seen.brightness,
            tiles=seen.tiles,
        )
        preview = simplejpeg.encode_jpeg(image, quality=85, colorspace="RGB")
        vault.put_preview(frame.sha256, preview)
    batch = Batch.objects.get()
    assert judging.owed() == []
    Batch.objects.update(closed_at=start)
    assert judging.owed() == [batch.pk]
    judging.judge(batch)
    batch.refresh_from_db()
    assert judging.owed() == []
    ordered = list(Frame.objects.order_by("captured_at"))
    assert batch.moved_from == ordered[12]
    assert [index for index, frame in enumerate(ordered) if frame.flag] == [3]
    found = receipt(batch)
    assert (found["judged"], found["fogged"], found["dark"]) == (True, 1, 0)
    assert found["moved_from"] == ordered[12].captured_at
    judging.judge(batch)  # safe to repeat


@pytest.mark.django_db
def test_a_card_without_previews_is_judged_all_the_same() -> None:
    deployment = make_deployment()
    seen = quality.look(pictures(day(1))[0])
    for _ in range(8):
        frame = make_frame(deployment, brightness=seen.brightness, tiles=seen.tiles)
        default_storage.delete(vault.preview_name(frame.sha256))
    Batch.objects.update(closed_at=datetime.now(UTC))
    batch = Batch.objects.get()
    judging.judge(batch)
    batch.refresh_from_db()
    assert batch.judged_at
    assert batch.moved_from is None
