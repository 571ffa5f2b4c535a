"""Handing over a card by loopback against a plain copy of it with its hashes.

Upload: three lanes of PUTs to a gunicorn as `make up` starts it, each file streamed to disk,
hashed, flushed and moved, with its row. Peer: `cp` and SHA-256 of the same files. Memory: the
highest of web server and worker after a tenth and after all of a card of many small files; flat
is 1. Makes a lake of its own and removes it.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import io
import json
import os
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.test import Client
from PIL import Image

from detection.benchmarks.ingest import write_card
from detection.models import Batch, Camera, Deployment, Frame
from lacs_web.models import AuditEvent, Lake, Membership, Park, Role, User

FILES, SIZE, TURNS = 80, (4000, 3000), 3
MANY = 15_000
LANES = 3
NAME = "bench-upload"
WORKER = """
import sys, django
from pathlib import Path
django.setup()
from detection.cards.ingest import ingest_some
from detection.models import Batch
batch = Batch.objects.select_related("deployment__lake", "deployment__camera").get(pk=sys.argv[1])
done, tenth = 0, int(sys.argv[2]) // 10
def peak():  # getrusage would tell the memory of whoever started us, too
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(one.split()[1]) // 1024 for one in lines if one.startswith("VmHWM")), 0)
early = 0
while n := ingest_some(batch):
    done += n
    if not early and done >= tenth:
        early = peak()
print(early, peak())
"""


def measure() -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="lacs-bench-") as name:
        folder = Path(name)
        card = write_card(folder / "card", FILES, SIZE)
        files = {path: one.at.read_bytes() for path, one in card.items()}
        megabytes = sum(map(len, files.values())) / 1e6
        with _lake() as deployment, _server(folder) as (port, pids):
            hand = Hand(port, deployment)
            hand.send(dict(list(files.items())[:LANES]))
            uploads, copies = [], []
            for turn in range(TURNS):
                shutil.rmtree(folder / "media", ignore_errors=True)
                uploads.append(hand.send(files))
                copies.append(_copy(folder / "card", folder / f"copy-{turn}"))
            memory = _memory(hand, folder, pids)
    seconds = {"upload": statistics.median(uploads), "copy": statistics.median(copies)}
    return {
        "what": "bytes of a card through the web server by loopback; peer: cp and SHA-256",
        "figure": round(megabytes / seconds["upload"], 1),
        "unit": "MB/s",
        "peer": round(megabytes / seconds["copy"], 1),
        "ratio": round(seconds["copy"] / seconds["upload"], 3),
        "conditions": {
            "files": f"{FILES}, {megabytes / FILES:.1f} MB each, {LANES} lanes",
            "turns": f"{TURNS} of each, alternating; medians",
            "flushed": "each file and its folder, before it counts; cp flushes nothing",
            **memory,
            "load_average": round(os.getloadavg()[0], 1),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        },
    }


class Hand:
    """A signed-in client that hands over cards as the browser does."""

    def __init__(self, port: int, deployment: Deployment) -> None:
        self.port, self.deployment = port, deployment
        client = Client()
        client.force_login(User.objects.get(email=f"{NAME}@example.org"))
        cookies: SimpleCookie = client.cookies
        session = cookies[settings.SESSION_COOKIE_NAME].value
        token = "b" * 32
        self.headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; csrftoken={token}",
            "X-CSRFToken": token,
        }
        self.batch = 0

    def send(self, files: dict[str, bytes]) -> float:
        """Seconds from the opening of a card to its closing."""
        begun = time.perf_counter()
        asked = {
            "deployment": self.deployment.slug,
            "source": NAME,
            "fingerprint": hashlib.sha256(str(begun).encode()).hexdigest(),
            "files": len(files),
        }
        lake = self.deployment.lake.slug
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        self.batch = self._ask(link, "POST", f"/api/v1/lakes/{lake}/cards", asked)["batch"]
        lines = [{"path": path, "size": len(data)} for path, data in files.items()]
        ids: list[int] = []
        for at in range(0, len(lines), 500):
            page = {"files": lines[at : at + 500]}
            ids += self._ask(link, "POST", f"/api/v1/cards/{self.batch}/manifest", page)["ids"]
        todo = iter(list(zip(ids, files.values(), strict=True)))

        def lane(_: int) -> None:
            link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            for pk, data in todo:
                sha256 = hashlib.sha256(data).hexdigest()
                self._ask(link, "PUT", f"/api/v1/cards/{self.batch}/files/{pk}/{sha256}", data)

        with ThreadPoolExecutor(LANES) as pool:
            list(pool.map(lane, range(LANES)))
        link.close()  # an idle connection does not live so long
        self._ask(link, "POST", f"/api/v1/cards/{self.batch}/close", {})
        return time.perf_counter() - begun

    def _ask(
        self, link: http.client.HTTPConnection, method: str, path: str, body: Any
    ) -> dict[str, Any]:
        plain = isinstance(body, bytes)
        kind = "application/octet-stream" if plain else "application/json"
        data = body if plain else json.dumps(body).encode()
        link.request(method, path, data, self.headers | {"Content-Type": kind})
        answer = link.getresponse()
        said = answer.read()
        if answer.status >= 400:
            raise CommandError(f"{method} {path}: {answer.status} {said[:300]!r}")
        result: dict[str, Any] = json.loads(said)
        return result


def _copy(source: Path, target: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(["cp", "-r", str(source), str(target)], check=True)
    for path in source.rglob("*.JPG"):
        hashlib.sha256(path.read_bytes()).digest()
    return time.perf_counter() - begun


def _memory(hand: Hand, folder: Path, pids: list[int]) -> dict[str, Any]:
    """Highest memory in MB of web and worker after a tenth and all of MANY small files."""
    exif, out = Image.Exif(), io.BytesIO()
    exif.get_ifd(0x8769)[0x9003] = "2025:07:26 14:00:00"
    Image.new("RGB", (64, 48), (90, 120, 140)).save(out, "JPEG", exif=exif)
    # Bytes after the end of the picture make each another file.
    many = {f"{n:05}.JPG": out.getvalue() + n.to_bytes(4, "big") for n in range(MANY)}
    hand.send(dict(list(many.items())[: MANY // 10]))
    web_early = max(map(_peak, pids))
    hand.send(many)
    web = max(map(_peak, pids))
    ran = subprocess.run(
        [sys.executable, "-c", WORKER, str(hand.batch), str(MANY)],
        env=_environment(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    early, late = map(int, ran.stdout.split()[-2:])
    return {
        "files_for_memory": MANY,
        "web_peak_mb": f"{web_early} after a tenth, {web} after all",
        "worker_peak_mb": f"{early} after a tenth, {late} after all",
    }


def _peak(pid: int) -> int:
    """MB; 0 where the system does not tell."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) // 1024
    return 0


@contextlib.contextmanager
def _lake() -> Iterator[Deployment]:
    """A lake, its deployment and somebody who may hand over there; gone afterwards."""
    _clear()
    park = Park.objects.create(name=NAME, slug=NAME)
    lake = Lake.objects.create(park=park, name=NAME, slug=NAME)
    user = User.objects.create_user(f"{NAME}@example.org")
    Membership.objects.create(user=user, role=Role.RANGER, lake=lake)
    try:
        yield Deployment.objects.create(
            lake=lake,
            camera=Camera.objects.create(park=park, make="Bench", serial="B"),
            slug=NAME,
            viewpoint="Bench",
            starts_at=datetime(2020, 1, 1, tzinfo=UTC),
        )
    finally:
        _clear()


def _clear() -> None:
    batches = Batch.objects.filter(deployment__slug=NAME)
    batches.update(moved_from=None)
    for batch in batches:
        batch.files.all().delete()
    Frame.objects.filter(deployment__slug=NAME).delete()
    batches.delete()
    AuditEvent.objects.filter(lake__slug=NAME).delete()
    Deployment.objects.filter(slug=NAME).delete()
    User.objects.filter(email=f"{NAME}@example.org").delete()
    Camera.objects.filter(park__slug=NAME).delete()
    Lake.objects.filter(slug=NAME).delete()
    Park.objects.filter(slug=NAME).delete()


def _environment(folder: Path) -> dict[str, str]:
    return os.environ | {
        "LACS_DATA": str(folder),
        "DJANGO_SETTINGS_MODULE": "lacs_web.settings",
        "SECRET_KEY": settings.SECRET_KEY,
        # Nobody is rung for: the worker is measured by itself.
        "REDIS_URL": "redis://127.0.0.1:9/0",
        "LOG_LEVEL": "ERROR",
    }


@contextlib.contextmanager
def _server(folder: Path) -> Iterator[tuple[int, list[int]]]:
    """A web server with its data in `folder`: its port and its processes."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "lacs_web.wsgi:application"),
            *("--bind", f"127.0.0.1:{port}", "--log-level", "error", "--no-control-socket"),
            *("--worker-class", "gthread", "--threads", "8", "--workers", "2"),
        ],
        env=_environment(folder),
        start_new_session=True,
    )
    try:
        limit = time.monotonic() + 60
        while not _answers(port):
            if time.monotonic() > limit or process.poll() is not None:
                raise CommandError("The web server did not start.")
            time.sleep(0.1)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        pids = list(map(int, children.read_text().split())) if children.exists() else []
        yield port, [process.pid, *pids]
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(port: int) -> bool:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", "/healthz")
        return link.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        link.close()
