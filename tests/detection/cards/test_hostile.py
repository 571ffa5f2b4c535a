"""Whatever a card holds, nothing leaves the ingest but outcomes, and the counts add up."""

from __future__ import annotations

import functools
import io
import itertools
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from detection.cards import exif, manifest, receive
from detection.cards.decode import Undecodable, decode
from detection.cards.ingest import ingest_some
from detection.cards.receipt import receipt
from detection.cards.words import UNDECODABLE
from detection.models import Batch, CardFile, Deployment
from lacs_web.models import Role
from tests.cast import person
from tests.detection.cards.pictures import jpeg
from tests.factories import make_deployment

LOOSE = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
number = itertools.count()


@functools.cache
def odd_pictures() -> list[bytes]:
    """Good pictures of every kind that must be survived, before anybody harms them."""
    dots = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    picture = Image.fromarray(dots)
    made = [jpeg(), jpeg(serial="S", taken="2199:99:99 99:99:99")]
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("RGB", {"progressive": True}),
        ("L", {}),
        ("CMYK", {}),
        ("RGB", {"quality": 1}),
        ("RGB", {"restart_marker_blocks": 1}),
    ]
    for mode, options in kinds:
        out = io.BytesIO()
        picture.convert(mode).save(out, "JPEG", **options)
        made.append(out.getvalue())
    for suffix in ("PNG", "TIFF", "GIF"):
        out = io.BytesIO()
        picture.convert("L").save(out, suffix)
        made.append(out.getvalue())
    return made


@st.composite
def harmed(draw: st.DrawFn) -> bytes:
    """A picture with bytes changed, cut out, doubled or cut off; mostly near its head."""
    data = bytearray(draw(st.sampled_from(odd_pictures())))
    for _ in range(draw(st.integers(0, 6))):
        if not data:
            break
        near = draw(st.sampled_from([60, 400, len(data)]))
        at = draw(st.integers(0, min(near, len(data)) - 1))
        what = draw(st.sampled_from(["change", "cut", "double", "end"]))
        if what == "change":
            data[at] = draw(st.integers(0, 255))
        elif what == "cut":
            del data[at : at + draw(st.integers(1, 40))]
        elif what == "double":
            data[at:at] = data[at : at + draw(st.integers(1, 40))]
        else:
            del data[at:]
    return bytes(data)


@LOOSE
@given(data=harmed() | st.binary(max_size=400))
def test_decoding_gives_a_picture_or_a_reason(data: bytes) -> None:
    picture, reason = None, ""
    try:
        picture = decode(data, long_side=64, max_pixels=1_000_000)
    except Undecodable as problem:
        reason = str(problem)
    if picture is None:
        assert reason in UNDECODABLE
    else:
        assert max(picture.rgb.shape[:2]) <= 64
        assert picture.width > 0


@LOOSE
@given(data=harmed() | st.binary(max_size=400))
def test_exif_says_something_or_nothing(data: bytes) -> None:
    said = exif.read(data)
    assert said.clock_at is None or said.clock_at.tzinfo
    assert all(len(value) <= 100 and "\x00" not in value for value in said.raw.values())


@LOOSE
@given(path=st.text(max_size=3000))
def test_any_name_can_be_stored(path: str) -> None:
    named = manifest.label(path)
    assert "\x00" not in named
    assert len(named.encode()) <= 2700
    assert manifest.label(path) == named


@pytest.fixture
def deployment() -> Deployment:
    return make_deployment()


@pytest.mark.django_db
@settings(LOOSE, max_examples=25)
@given(
    files=st.lists(
        st.tuples(st.text(min_size=1, max_size=40) | st.just("1.jpg"), harmed()),
        min_size=1,
        max_size=6,
    )
)
def test_every_file_of_any_card_has_one_outcome(
    deployment: Deployment, files: list[tuple[str, bytes]]
) -> None:
    batch = receive.open_batch(deployment=deployment, source=f"card {next(number)}", user=None)
    told = [receive.Announced(path, len(data)) for path, data in files]
    rows = receive.announce(batch=batch, files=told)
    assert len({row.pk for row in rows}) == len(files)
    for row, (_, data) in zip(rows, files, strict=True):
        receive.store(file=row, chunks=[data])
    receive.close_batch(batch=batch, user=None)
    for _ in range(len(files) + 2):
        ingest_some(batch)
    result = receipt(Batch.objects.get(pk=batch.pk))
    parts = ("new", "duplicate", "unreadable", "quarantined", "set_aside")
    assert result["received"] == result["announced"] == len(files)
    assert result["received"] == sum(result[part] for part in parts)
    assert result["complete"]
    odd = CardFile.objects.filter(batch=batch, state="unreadable")
    assert set(odd.values_list("reason", flat=True)) <= UNDECODABLE
    assert connection.connection is not None  # no error has broken the transaction


@pytest.mark.django_db
@settings(LOOSE, max_examples=40)
@given(
    body=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["files", "path", "size", "modified", "id", "sha256", "problems"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
@pytest.mark.parametrize("name", ["api-manifest", "api-recognise", "api-close", "api-cards"])
def test_no_manifest_breaks_the_server(name: str, body: Any, deployment: Deployment) -> None:
    client = Client(raise_request_exception=True)
    client.force_login(person(Role.RANGER, deployment.lake))
    batch = Batch.objects.create(deployment=deployment)
    target = deployment.lake.slug if name == "api-cards" else batch.pk
    answer = client.post(
        reverse(f"detection:{name}", args=[target]), body, content_type="application/json"
    )
    assert answer.status_code in (200, 400, 409, 413)
