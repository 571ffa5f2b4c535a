"""The door for pictures fails closed, masks at once, and writes down who saw what."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import numpy as np
import pytest
import simplejpeg
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from detection import renditions
from detection.cards import vault
from detection.models import Frame, Lifting
from detection.mosaic import Rect
from detection.runs import Box
from lacs_web.models import AuditEvent, Membership, Role
from tests.cast import person
from tests.factories import examine, make_deployment, make_frame

pytestmark = pytest.mark.django_db


@pytest.fixture
def frame() -> Frame:
    """A frame whose preview is noise, so that any mask shows."""
    frame = make_frame(make_deployment())
    rgb = np.random.default_rng(1).integers(0, 256, (240, 320, 3), np.uint8)
    vault.put_preview(frame.sha256, simplejpeg.encode_jpeg(rgb, quality=95, colorspace="RGB"))
    return frame


def pixels(jpeg: bytes) -> Any:
    return simplejpeg.decode_jpeg(jpeg, "RGB").astype(int)


def changed(jpeg: bytes, frame: Frame) -> Any:
    """Share of the pixels of each row and column third that differ from the preview."""
    apart = np.abs(pixels(jpeg) - pixels(vault.preview(frame.sha256))).max(axis=2) > 60
    return [[apart[y : y + 80, x : x + 106].mean() for x in (0, 106, 212)] for y in (0, 80, 160)]


def box(score: float = 0.5, label: str = "person") -> Box:
    return Box(label, label, score, 0.05, 0.05, 0.2, 0.2)


def volunteer(client: Client, frame: Frame) -> None:
    client.force_login(person(Role.VOLUNTEER, frame.deployment.lake))


def test_before_a_detector_looked_the_whole_frame_is_masked(client: Client, frame: Frame) -> None:
    volunteer(client, frame)
    answer = client.get(reverse("detection:picture", args=[frame.pk]))
    assert np.min(changed(answer.content, frame)) > 0.5
    assert not Image.open(BytesIO(answer.content)).getexif()


def test_after_it_persons_alone_are_masked(client: Client, frame: Frame) -> None:
    examine(frame, boxes={frame.pk: [box(), Box("tent", "tent", 0.9, 0.7, 0.7, 0.2, 0.2)]})
    volunteer(client, frame)
    where = reverse("detection:picture", args=[frame.pk])
    shares = changed(client.get(where).content, frame)
    assert shares[0][0] > 0.3
    assert shares[2][2] < 0.02
    assert shares[1][1] < 0.02


def test_a_doubtful_person_is_masked_too(frame: Frame) -> None:
    examine(frame, boxes={frame.pk: [box(0.05), box(0.04)]})
    assert renditions.rendition(frame).people == (Rect(0.05, 0.05, 0.2, 0.2),)


def test_a_new_box_masks_at_once_and_the_browser_asks_again(
    client: Client, frame: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    examine(frame)
    volunteer(client, frame)
    where = reverse("detection:picture", args=[frame.pk])
    first = client.get(where)
    assert first["Cache-Control"] == "private, no-cache"
    assert client.get(where, HTTP_IF_NONE_MATCH=first["ETag"]).status_code == 304
    monkeypatch.setattr(
        renditions,
        "_sources",
        [lambda frames: {one.pk: [Rect(0.7, 0.7, 0.2, 0.2)] for one in frames}],
    )
    second = client.get(where, HTTP_IF_NONE_MATCH=first["ETag"])
    assert second.status_code == 200
    assert changed(second.content, frame)[2][2] > 0.3


def test_the_mask_is_lifted_only_for_whom_it_was_and_for_a_while(
    client: Client, frame: Frame
) -> None:
    examine(frame, boxes={frame.pk: [box()]})
    ranger = person(Role.RANGER, frame.deployment.lake)
    where = reverse("detection:picture", args=[frame.pk]) + "?lifted=1"
    client.force_login(ranger)
    assert client.get(where).status_code == 403
    renditions.lift(frame=frame, user=ranger)
    assert np.max(changed(client.get(where).content, frame)) < 0.02
    event = AuditEvent.objects.get(action="mask lifted")
    assert (event.user, event.lake, event.detail) == (
        ranger, frame.deployment.lake, {"frame": frame.pk},
    )  # fmt: skip
    client.force_login(person(Role.RANGER, frame.deployment.lake, "another"))
    assert client.get(where).status_code == 403
    client.force_login(ranger)
    assert client.get(where)["Cache-Control"] == "private, no-store"
    Membership.objects.filter(user=ranger).update(role=Role.VOLUNTEER)
    assert client.get(where).status_code == 403  # the right is gone, and what it opened with it
    Membership.objects.filter(user=ranger).update(role=Role.RANGER)
    Lifting.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert client.get(where).status_code == 403


def test_a_lifted_and_a_masked_picture_are_never_taken_for_each_other(frame: Frame) -> None:
    examine(frame)
    assert renditions.rendition(frame).tag != renditions.rendition(frame, lifted=True).tag


def test_a_picture_that_was_purged_is_not_found(client: Client, frame: Frame) -> None:
    volunteer(client, frame)
    frame.sha256 = "f" * 64
    frame.save()
    assert client.get(reverse("detection:picture", args=[frame.pk])).status_code == 404


def test_a_picture_costs_few_queries(
    client: Client, frame: Frame, django_assert_num_queries: Any
) -> None:
    examine(frame, boxes={frame.pk: [box()]})
    volunteer(client, frame)
    # session, person, frame, purged, examined, boxes, reviews, drafts
    with django_assert_num_queries(9):
        client.get(reverse("detection:picture", args=[frame.pk]))


@pytest.fixture
def sharp(frame: Frame) -> Any:
    """The original of `frame`, noise of 3200 × 2400 pixels; its preview is half as sharp."""
    rgb = np.random.default_rng(2).integers(0, 256, (2400, 3200, 3), np.uint8)
    jpeg = simplejpeg.encode_jpeg(rgb, quality=95, colorspace="RGB")
    frame.sha256, _size = vault.put([jpeg])
    frame.save()
    half = np.ascontiguousarray(rgb[::2, ::2])
    vault.put_preview(frame.sha256, simplejpeg.encode_jpeg(half, quality=95, colorspace="RGB"))
    return simplejpeg.decode_jpeg(jpeg, "RGB").astype(int)


def test_a_region_has_all_pixels_of_the_original(client: Client, frame: Frame, sharp: Any) -> None:
    examine(frame)
    volunteer(client, frame)
    answer = client.get(reverse("detection:picture", args=[frame.pk]), {"region": ".5,.25,.1,.1"})
    assert np.abs(pixels(answer.content) - sharp[600:840, 1600:1920]).mean() < 20
    whole = client.get(reverse("detection:picture", args=[frame.pk]), {"region": "0,0,1,1"})
    assert pixels(whole.content).shape == (1200, 1600, 3)


def test_a_person_is_the_same_mosaic_in_every_region(frame: Frame, sharp: Any) -> None:
    """Neither the sharper picture nor many overlapping regions tell more of them."""
    examine(frame, boxes={frame.pk: [Box("person", "person", 0.5, 0.5, 0.5, 0.01, 0.01)]})
    width = 0.01 * 3200
    cell = max(3 * 2, width / frame.deployment.lake.mask_cells)
    seen = []
    for left in (0.49, 0.4925, 0.503125):
        made = renditions.rendition(frame, region=Rect(left, 0.49, 0.04, 0.04))
        seen.append(pixels(made.jpeg())[:, round((0.503125 - left) * 3200) :][:, :16])
    inside = seen[0][24:48]  # below the upper edge of the box
    assert len(np.unique(inside[:, 8, 1] // 40)) <= 24 / cell + 2  # cells, not noise
    assert np.abs(seen[0][24:48] - seen[1][24:48]).mean() < 12
    assert np.abs(seen[0][24:48] - seen[2][24:48]).mean() < 12
    assert np.abs(inside - sharp[1200:1224, 1610:1626]).mean() > 40


def test_a_region_of_a_frame_that_no_detector_read_is_masked_whole(
    frame: Frame, sharp: Any
) -> None:
    made = renditions.rendition(frame, region=Rect(0.2, 0.2, 0.02, 0.02))
    assert pixels(made.jpeg()).std(axis=(0, 1)).max() < 8  # one cell of 100 pixels
    assert renditions.rendition(frame, region=Rect(0, 0, 1, 1)).tag != made.tag


def test_where_the_original_is_gone_a_region_is_cut_from_the_preview(frame: Frame) -> None:
    examine(frame)
    made = renditions.rendition(frame, region=Rect(0.25, 0.25, 0.5, 0.5))
    assert pixels(made.jpeg()).shape == (120, 160, 3)


def test_what_was_purged_is_served_from_no_memory_either(frame: Frame, sharp: Any) -> None:
    examine(frame)
    made = renditions.rendition(frame, region=Rect(0.25, 0.25, 0.5, 0.5))
    assert pixels(made.jpeg()).shape == (1200, 1600, 3)
    vault.discard(frame.sha256)
    assert pixels(made.jpeg()).shape == (600, 800, 3)  # of the preview
    assert frame.sha256 not in renditions._kept


@pytest.mark.parametrize(
    "region", ["1", "0,0,0,1", "0.6,0,0.6,1", "-1,0,1,1", "nan,0,1,1", "a,b,c,d"]
)
def test_a_region_outside_the_frame_is_refused(client: Client, frame: Frame, region: str) -> None:
    volunteer(client, frame)
    answer = client.get(reverse("detection:picture", args=[frame.pk]), {"region": region})
    assert answer.status_code == 400
    assert answer["Content-Type"].startswith("text/plain")
