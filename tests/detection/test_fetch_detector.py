"""A published detector is fetched whole or not at all; the world outside is a server of ours."""

from __future__ import annotations

import hashlib
import io
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from detection import fetching, published
from detection.models import Detector
from tests.onnx_models import tiny_yolox

pytestmark = pytest.mark.django_db


class World:
    """One file under one address, and how its server behaves."""

    def __init__(self, data: bytes) -> None:
        self.data, self.etag = data, '"one"'
        self.status, self.kind = 200, "application/octet-stream"
        self.cut: list[int] = []  # of each answer: bytes after which the line breaks
        self.asked: list[str | None] = []  # Range of each request
        world = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                begin = self.headers.get("Range")
                world.asked.append(begin)
                at = 0
                if begin and self.headers.get("If-Range") == world.etag:
                    at = int(begin.removeprefix("bytes=").rstrip("-"))
                body = world.data[at:]
                self.send_response(206 if at and world.status == 200 else world.status)
                self.send_header("Content-Type", world.kind)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("ETag", world.etag)
                self.end_headers()
                self.wfile.write(body[: world.cut.pop(0)] if world.cut else body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self.server.server_port}/tiny.onnx"


@pytest.fixture
def world(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    settings.DATA_DIR = tmp_path / "data"
    made = World(tiny_yolox(tmp_path / "tiny.onnx").read_bytes())
    publish(monkeypatch, made.address, hashlib.sha256(made.data).hexdigest())
    yield made
    made.server.shutdown()
    made.server.server_close()


def publish(monkeypatch: pytest.MonkeyPatch, address: str, sha256: str) -> None:
    model = published.Published("Tiny", address, "Apache-2.0", "https://x.test", "yolox", sha256)
    monkeypatch.setitem(published.MODELS, "yolox-tiny", model)


def fetch(*more: str) -> str:
    out = io.StringIO()
    call_command("fetch_detector", "yolox-tiny", *more, stdout=out, stderr=out)
    return out.getvalue()


def refused() -> str:
    with pytest.raises(CommandError) as refusal:
        fetch("--accept-licence")
    assert not Detector.objects.exists()
    return str(refusal.value)


def part(settings: Any) -> Path:
    return Path(settings.DATA_DIR) / "fetched/yolox-tiny.part"


def test_it_is_registered_once_its_licence_is_accepted(world: World, settings: Any) -> None:
    with pytest.raises(CommandError, match="--accept-licence"):
        fetch()
    assert world.asked == []
    assert "licence Apache-2.0" in fetch("--accept-licence")
    one = Detector.objects.get()
    assert (one.name, one.licence, one.layout) == ("Tiny", "Apache-2.0", "yolox")
    assert not any(part(settings).parent.iterdir())
    assert "registered already" in fetch("--accept-licence")
    assert len(world.asked) == 1


def test_cut_in_the_middle_it_goes_on(world: World, settings: Any) -> None:
    world.cut = [1000, 500]
    fetch("--accept-licence")
    assert world.asked == [None, "bytes=1000-", "bytes=1500-"]
    assert Detector.objects.get().sha256 == hashlib.sha256(world.data).hexdigest()


def test_what_came_is_kept_for_the_next_time_unless_the_file_changed(
    world: World, settings: Any
) -> None:
    world.cut = [1000, 0]
    assert "broke off at 1,000 of" in refused()
    assert part(settings).stat().st_size == 1000
    world.etag = '"two"'
    fetch("--accept-licence")
    assert world.asked[-1] == "bytes=1000-"  # answered with the whole: never spliced
    assert Detector.objects.get().sha256 == hashlib.sha256(world.data).hexdigest()


def test_another_file_is_thrown_away(world: World, settings: Any) -> None:
    world.data = world.data[:-1] + b"x"
    assert "what came is not Tiny: its SHA-256 is" in refused()
    assert not part(settings).exists()


def test_without_a_published_hash_the_first_is_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, world.address, "")
    assert "recorded" in fetch("--accept-licence")
    one = Detector.objects.get()
    default_storage.delete(one.storage_name)
    good, world.data = world.data, world.data + b"x"
    with pytest.raises(CommandError, match=f"not {one.sha256}"):
        fetch("--accept-licence")
    world.data = good
    fetch("--accept-licence")  # its file was lost
    assert default_storage.exists(one.storage_name)
    assert Detector.objects.get() == one


def test_what_is_no_model_is_said_plainly(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.kind = "text/html; charset=utf-8"
    assert "is a page and no model" in refused()
    world.kind, world.status = "application/octet-stream", 404
    assert "answers 404" in refused()
    world.status, world.data = 200, b"<html>sign in</html>"
    publish(monkeypatch, world.address, "")
    assert "onnx" in refused().lower()
    assert not part(settings).exists()


def test_what_is_too_large_is_not_taken(world: World, tmp_path: Path) -> None:
    with pytest.raises(fetching.NotFetched, match="at most 1,000"):
        fetching.fetch(world.address, tmp_path / "x.part", most=1000)
    assert not (tmp_path / "x.part").exists()


def test_without_a_network_it_says_what_to_do(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # and does not listen
        publish(monkeypatch, f"http://127.0.0.1:{nobody.getsockname()[1]}/x", "")
        assert "fetch the file on another machine" in refused()


def test_what_is_published_is_permissive_and_encrypted() -> None:
    for model in published.MODELS.values():
        assert model.address.startswith("https://")
        assert model.licence in {"Apache-2.0", "MIT", "BSD-3-Clause"}
        assert len(model.sha256) in {0, 64}
