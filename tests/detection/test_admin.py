"""Detectors by the administration: uploaded, refused with words, one of them the default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from detection.models import Detector
from detection.registering import register
from lacs_web.models import AuditEvent, User
from tests.factories import make_deployment
from tests.onnx_models import tiny_yolox

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]
ADD = "admin:detection_detector_add"


@pytest.fixture(autouse=True)
def boss(client: Client) -> User:
    user = User.objects.create_superuser("boss@example.org")
    client.force_login(user)
    client.cookies["django_language"] = "en"
    return user


def upload(client: Client, content: bytes, **fields: str) -> Any:
    file = SimpleUploadedFile("lake people.onnx", content)
    return client.post(reverse(ADD), {"file": file, "name": "", "licence": "Apache-2.0", **fields})


def test_a_file_becomes_a_detector(client: Client, tmp_path: Path, boss: User) -> None:
    model = tiny_yolox(tmp_path / "tiny.onnx").read_bytes()
    assert upload(client, model).status_code == 302
    one = Detector.objects.get()
    assert (one.name, one.layout, one.licence, one.is_default) == (
        "lake people", "yolox", "Apache-2.0", True,
    )  # fmt: skip
    with default_storage.open(one.storage_name) as kept:
        assert kept.read() == model
    event = AuditEvent.objects.get()
    assert (event.action, event.user, event.detail["detector"]) == (
        "detector registered", boss, one.sha256,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no model at all", "lake people.onnx is not an ONNX file"),
        (b"", "submitted file is empty"),
    ],
)
def test_what_is_no_detector_is_refused_with_the_reason(
    client: Client, content: bytes, words: str
) -> None:
    answer = upload(client, content)
    assert answer.status_code == 200
    assert "file" in answer.context["form"].errors
    assert words in answer.content.decode()
    assert not Detector.objects.exists()


def test_what_is_too_large_is_not_kept(client: Client, settings: Any) -> None:
    settings.DETECTOR_MAX_BYTES = 100_000
    answer = upload(client, b"x" * 300_000)
    (told,) = answer.context["form"].errors["file"]
    assert told.replace("\xa0", " ").startswith("The file is larger than 97.7 KB")


def test_a_new_default_takes_the_place_of_the_old(client: Client, tmp_path: Path) -> None:
    first = register(path=tiny_yolox(tmp_path / "a.onnx"))
    second = register(path=tiny_yolox(tmp_path / "b.onnx", score=0.8))
    change = reverse("admin:detection_detector_change", args=[second.pk])
    assert client.post(change, {"is_default": "on", "name": "other"}).status_code == 302
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.is_default, second.is_default, second.name) == (False, True, "b")
    client.post(change, {})
    assert not Detector.objects.filter(is_default=True).exists()
    delete = reverse("admin:detection_detector_delete", args=[second.pk])
    assert client.post(delete, {"post": "yes"}).status_code == 403


def test_saving_what_is_no_default_leaves_the_default(client: Client, tmp_path: Path) -> None:
    first = register(path=tiny_yolox(tmp_path / "a.onnx"))
    second = register(path=tiny_yolox(tmp_path / "b.onnx", score=0.8))
    client.post(reverse("admin:detection_detector_change", args=[second.pk]), {})
    first.refresh_from_db()
    assert first.is_default


def test_a_deployment_leads_to_its_room(client: Client) -> None:
    one = make_deployment()
    page = client.get(reverse("admin:detection_deployment_change", args=[one.pk]))
    assert reverse("detection:deployment", args=[one.slug]) in page.content.decode()
