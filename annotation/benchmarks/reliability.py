"""Parts of a running installation are killed in the middle of work; what is lost or doubled?

A whole installation of its own (PostgreSQL, Redis, web, workers, beat) in a folder that is thrown
away. Cards go in as the browser sends them, which repeats what was not answered; frames are read by
the worker, examined by a detector, reviewed over HTTP, saved and purged. Each line of the table is
one fault at one stage, with how far the work had come, and what was wrong when it was whole again:
lost is a file, an outcome, a review or a purge that was acknowledged or owed and is not there;
doubled is a second frame, outcome, box, review or row of the ledger. At the end `doctor` must find
nothing.

    LACS_BENCH_FILES=40            files of each card
    LACS_BENCH_SHORT=1             one fault alone: what `make test` does
    LACS_BENCH_FAULTS=connections  only those with this word in their name
    LACS_BENCH_TMPFS=1             no room for PostgreSQL itself, alone: its files on a small disk
                                   in memory, which takes root and Linux
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
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.core.management import CommandError
from django.db import connection
from django.db.models import Count
from django.test import Client
from django.test.utils import override_settings
from PIL import Image

from annotation import retention
from annotation.models import Review
from detection.benchmarks.floor import detector_file
from detection.cards import vault
from detection.models import (
    Batch,
    Camera,
    CardFile,
    Deployment,
    Detection,
    Frame,
    Purge,
    RunFrame,
)
from detection.scenes.model import Moment, View
from detection.scenes.render import render
from lacs_web import env
from lacs_web.embedded.trial import Trial
from lacs_web.models import Lake, Membership, Park, Role, User

LANES = 3
PATIENCE = 120.0  # seconds in which everything must be whole again
PACE = {"LACS_LEASE_SECONDS": "4", "LACS_SWEEP_SECONDS": "2", "WEB_CONCURRENCY": "2"}
NAME = "reliability"
Strike = Callable[[Trial], None]


@dataclass(frozen=True)
class Line:
    """One fault at one stage; `at` of `of` things were done when it struck."""

    fault: str
    stage: str
    at: int
    of: int
    lost: int
    doubled: int
    seconds: float  # until everything was whole


def measure() -> dict[str, Any]:
    files = int(os.environ.get("LACS_BENCH_FILES", "40"))
    with (
        tempfile.TemporaryDirectory(prefix="lacs-bench-") as name,
        Trial(Path(name), PACE) as site,
        looking_at(site),
    ):
        table = list(_tried(site, files))
        said = site.manage("doctor").strip()
    wrong = sum(line.lost + line.doubled for line in table)
    return {
        "what": "things lost or doubled by faults in the middle of work",
        "figure": wrong,
        "unit": "things",
        "limit": 0,
        "ratio": float(wrong),
        "table": [asdict(line) for line in table],
        "conditions": {
            "faults": len(table),
            "files_of_a_card": files,
            "lease_seconds": PACE["LACS_LEASE_SECONDS"],
            "sweep_seconds": PACE["LACS_SWEEP_SECONDS"],
            "doctor": said,
            "load_average": round(os.getloadavg()[0], 1),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        },
    }


@contextlib.contextmanager
def looking_at(site: Trial) -> Iterator[None]:
    """Have this process read and write the database and the folder of `site`."""
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(env.database(site.environment["DATABASE_URL"]))
    try:
        with override_settings(
            MEDIA_ROOT=site.folder / "media", SECRET_KEY=site.environment["SECRET_KEY"]
        ):
            yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def _tried(site: Trial, files: int) -> Iterator[Line]:
    with tempfile.TemporaryDirectory(prefix="lacs-bench-") as folder:
        model = str(detector_file(Path(folder)))
        site.manage("register_detector", model, "--default", "--name", "bench")
    hand = Hand(site, place())
    cards = (drawn_card(number, files) for number in range(1000))
    if os.environ.get("LACS_BENCH_SHORT"):
        card, again = next(cards), partial(_again, "postgres")
        yield _upload(site, hand, card, "PostgreSQL killed", again)
        return
    if os.environ.get("LACS_BENCH_TMPFS"):
        with _small_disk(site):
            fault = "no room for PostgreSQL"
            yield _upload(site, hand, next(cards), fault, _filled)
            yield _reading(site, hand, next(cards), fault, _filled)
            yield _detection(site, hand, next(cards), fault, _filled)
            yield _review(site, hand, fault, _filled)
        return
    word = os.environ.get("LACS_BENCH_FAULTS", "")
    web = partial(_again, "web")
    while_sent: tuple[tuple[str, Strike], ...] = (
        ("web server killed", web),
        ("PostgreSQL killed", partial(_again, "postgres")),
        ("PostgreSQL out of connections", _crowded),
        ("Redis killed", partial(_again, "redis")),
        ("no room on the disk", _full),
    )
    for fault, strike in _with(word, while_sent):
        yield _upload(site, hand, next(cards), fault, strike)
    for queue, stage in (("ingest", _reading), ("inference", _detection)):
        worker = f"worker-{queue}"
        at_work: tuple[tuple[str, Strike], ...] = (
            ("a worker's process killed", partial(_child, worker)),
            ("worker killed", partial(_again, worker)),
            ("Redis flushed", _flush),
            ("Redis killed", partial(_again, "redis")),
            ("PostgreSQL killed", partial(_again, "postgres")),
            ("PostgreSQL out of connections", _crowded),
            ("messages twice and backwards", _again_and_backwards),
        )
        for fault, strike in _with(word, at_work):
            yield stage(site, hand, next(cards), fault, strike)
    while_reviewed: tuple[tuple[str, Strike], ...] = (
        ("web server killed", web),
        ("PostgreSQL killed", partial(_again, "postgres")),
        ("PostgreSQL out of connections", _crowded),
    )
    for fault, strike in _with(word, while_reviewed):
        yield _review(site, hand, fault, strike)
    if word in "backup killed":
        yield _backup(site)
    if word in "purge killed":
        yield _purge(site, hand.deployment.lake)


def _with(word: str, faults: Iterable[tuple[str, Strike]]) -> list[tuple[str, Strike]]:
    return [one for one in faults if word in one[0]]


def _again(part: str, site: Trial) -> None:
    site.kill(part)
    time.sleep(1)
    site.start(part)


def _child(part: str, site: Trial) -> None:
    site.kill_child(part)


def _flush(site: Trial) -> None:
    for _ in range(5):
        redis.Redis.from_url(site.environment["REDIS_URL"]).flushall()
        time.sleep(0.1)


def _crowded(site: Trial) -> None:
    """Others hold every connection that PostgreSQL gives, for three seconds."""
    with contextlib.ExitStack() as held:
        limit = time.monotonic() + 3
        while time.monotonic() < limit:
            try:
                held.enter_context(psycopg.connect(site.environment["DATABASE_URL"]))
            except psycopg.OperationalError:  # all are taken; what comes free is taken too
                time.sleep(0.02)


def _again_and_backwards(site: Trial) -> None:
    """Every message that was ever owed comes twice more, the last ones first."""
    site.manage("shell", "--verbosity", "0", "-c", _MESSAGES)


_MESSAGES = """
from detection import tasks
from detection.models import Batch, Run
for _ in range(2):
    for pk in Run.objects.order_by("-pk").values_list("pk", flat=True):
        tasks.ring(tasks.weigh, pk)
        tasks.ring(tasks.detect, pk)
    for pk in Batch.objects.order_by("-pk").values_list("pk", flat=True):
        tasks.ring(tasks.ingest, pk)
"""


def _full(site: Trial) -> None:
    """Below its reserve the server takes nothing; then there is room again."""
    site.stop("web")
    site.start("web", LACS_RESERVE_MB=str(1 << 40))
    time.sleep(2)
    site.stop("web")
    site.start("web")


@contextlib.contextmanager
def _small_disk(site: Trial) -> Iterator[None]:
    """PostgreSQL's files on a disk of their own with 48 MB to spare; they come back at the end."""
    place, beside = site.folder / "postgres", site.folder / "postgres.beside"

    def copy(source: Path, target: Path) -> None:
        subprocess.run(["cp", "-a", f"{source}/.", target], check=True)

    site.stop("postgres")
    place.rename(beside)
    place.mkdir()
    size = sum(path.stat().st_size for path in beside.rglob("*") if path.is_file()) + (48 << 20)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "lacs-bench", str(place)]
    subprocess.run(mount, check=True)
    try:
        copy(beside, place)
        site.start("postgres")
        yield
        site.stop("postgres")
        shutil.rmtree(beside)
        beside.mkdir()
        copy(place, beside)
    finally:
        site.stop("postgres")
        subprocess.run(["umount", place], check=True)
    place.rmdir()
    beside.rename(place)
    site.start("postgres")


def _filled(site: Trial) -> None:
    """Not a byte is left beside PostgreSQL's files for as long as five leases; then there is room.

    A server that ended of it is started again, as its supervisor does.
    """
    filler = site.folder / "postgres" / "filler"
    limit = time.monotonic() + 5 * float(PACE["LACS_LEASE_SECONDS"])
    with filler.open("wb", buffering=0) as file:
        while time.monotonic() < limit:
            with contextlib.suppress(OSError):
                while file.write(bytes(1 << 16)):
                    pass
            time.sleep(0.05)
    filler.unlink()
    if site.has_ended("postgres"):
        site.start("postgres")


# What is done ----------------------------------------------------------------------------------


def place() -> Deployment:
    park = Park.objects.create(name=NAME, slug=NAME)
    lake = Lake.objects.create(park=park, name=NAME, slug=NAME)
    user = User.objects.create_user(f"{NAME}@example.org")
    Membership.objects.create(user=user, role=Role.RANGER, lake=lake)
    return Deployment.objects.create(
        lake=lake,
        camera=Camera.objects.create(park=park, make="Bench", serial="R"),
        slug=NAME,
        viewpoint=NAME,
        starts_at=datetime(2020, 1, 1, tzinfo=UTC),
    )


def drawn_card(number: int, files: int) -> dict[str, bytes]:
    """Path → bytes of pictures of one day, no two cards the same."""
    start = datetime(2025, 6, 1, 6) + timedelta(days=number)  # noqa: DTZ001 - a camera's clock
    picture = Image.fromarray(render(View(1280, 960), Moment(start)).image)
    card = {}
    for n in range(files):
        exif, out = Image.Exif(), io.BytesIO()
        when = start + timedelta(minutes=10 * n)
        exif.get_ifd(0x8769)[0x9003] = when.strftime("%Y:%m:%d %H:%M:%S")
        picture.save(out, "JPEG", quality=85, exif=exif)
        card[f"{number:03}-{n:04}.JPG"] = out.getvalue()
    return card


class Hand:
    """A ranger's browser: repeats what was not answered, until it is."""

    def __init__(self, site: Trial, deployment: Deployment, user: User | None = None) -> None:
        self.site, self.deployment, self.sent = site, deployment, 0
        client = Client()
        client.force_login(user or User.objects.get(email=f"{NAME}@example.org"))
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        token = "b" * 32
        self.headers = {
            "Cookie": f"{settings.SESSION_COOKIE_NAME}={session}; csrftoken={token}",
            "X-CSRFToken": token,
        }

    def ask(self, method: str, path: str, body: bytes | Mapping[str, Any]) -> dict[str, Any]:
        """The answer, at last. Raises CommandError for a refusal or after PATIENCE."""
        plain = isinstance(body, bytes)
        kind = "application/octet-stream" if plain else "application/json"
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        limit, said = time.monotonic() + PATIENCE, b""
        while time.monotonic() < limit:
            link = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=20)
            try:
                link.request(method, path, data, self.headers | {"Content-Type": kind})
                answer = link.getresponse()
                said = answer.read()
                if answer.status < 400:
                    found: dict[str, Any] = json.loads(said)
                    return found
                if answer.status < 500:
                    raise CommandError(f"{method} {path}: {answer.status} {said[:300]!r}")
            except (OSError, http.client.HTTPException) as problem:
                said = repr(problem).encode()
            finally:
                link.close()
            time.sleep(0.2)
        raise CommandError(f"{method} {path}: no answer in {PATIENCE} s, the last: {said[:300]!r}")

    def hand_over(self, card: dict[str, bytes], during: Callable[[], None]) -> Batch:
        """Send a card by LANES at once; `during` is called meanwhile."""
        self.sent, lake = 0, self.deployment.lake.slug
        asked = {
            "deployment": self.deployment.slug,
            "source": NAME,
            "fingerprint": hashlib.sha256("".join(card).encode()).hexdigest(),
            "files": len(card),
        }
        batch = self.ask("POST", f"/api/v1/lakes/{lake}/cards", asked)["batch"]
        lines = [{"path": path, "size": len(data)} for path, data in card.items()]
        ids = self.ask("POST", f"/api/v1/cards/{batch}/manifest", {"files": lines})["ids"]

        def send(pk: int, data: bytes) -> None:
            sha256 = hashlib.sha256(data).hexdigest()
            self.ask("PUT", f"/api/v1/cards/{batch}/files/{pk}/{sha256}", data)
            self.sent += 1

        with ThreadPoolExecutor(LANES) as pool:
            sending = [pool.submit(send, *one) for one in zip(ids, card.values(), strict=True)]
            during()
            for one in sending:
                one.result()
        self.ask("POST", f"/api/v1/cards/{batch}/close", {})
        return Batch.objects.get(pk=batch)


def wait_until(until: Callable[[], bool], what: str) -> None:
    """Until the database says so; a server that is away is asked again."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        with contextlib.suppress(Exception):
            if until():
                return
        connection.close()
        time.sleep(0.05)
    raise CommandError(f"after {PATIENCE} s still not: {what}")


def _read(batch: Batch) -> int:
    return batch.files.exclude(state__in=["awaited", "stored"]).count()


def _examined(batch: Batch) -> int:
    return RunFrame.objects.filter(run__batch=batch).exclude(state="pending").count()


def _whole(batch: Batch, of: int) -> None:
    wait_until(lambda: _read(batch) == of, "every file read")
    wait_until(lambda: _examined(batch) >= of, "every frame examined")


def _upload(site: Trial, hand: Hand, card: dict[str, bytes], fault: str, strike: Strike) -> Line:
    begun, at = time.monotonic(), 0

    def during() -> None:
        nonlocal at
        wait_until(lambda: hand.sent >= len(card) // 3, "a third sent")
        at = hand.sent
        strike(site)

    batch = hand.hand_over(card, during)
    _whole(batch, len(card))
    return _line(fault, "upload", at, card, batch, begun)


def _reading(site: Trial, hand: Hand, card: dict[str, bytes], fault: str, strike: Strike) -> Line:
    site.stop("worker-ingest")
    batch = hand.hand_over(card, lambda: None)
    begun = time.monotonic()
    site.start("worker-ingest")
    wait_until(lambda: _read(batch) > 0, "a file read")
    at = _read(batch)
    strike(site)
    _whole(batch, len(card))
    return _line(fault, "reading", at, card, batch, begun)


def _detection(site: Trial, hand: Hand, card: dict[str, bytes], fault: str, strike: Strike) -> Line:
    site.stop("worker-inference")
    batch = hand.hand_over(card, lambda: None)
    wait_until(lambda: batch.runs.exists(), "a run")
    begun = time.monotonic()
    site.start("worker-inference")
    wait_until(lambda: _examined(batch) >= len(card) // 8, "frames examined")
    at = _examined(batch)
    strike(site)
    _whole(batch, len(card))
    return _line(fault, "detection", at, card, batch, begun)


def _line(
    fault: str, stage: str, at: int, card: dict[str, bytes], batch: Batch, begun: float
) -> Line:
    """Every file of the card held against bytes, rows and outcomes."""
    seconds = time.monotonic() - begun
    lost = doubled = 0
    for path, data in card.items():
        rows = CardFile.objects.filter(batch=batch, path=path, state="new")
        whole = vault.holds(hashlib.sha256(data).hexdigest()) and (
            vault.original(hashlib.sha256(data).hexdigest()) == data
        )
        lost += not (whole and rows.exists())
        doubled += max(0, rows.count() - 1)
    frames = Frame.objects.filter(batch=batch)
    lost += max(0, len(card) - frames.filter(run_frames__state="done").distinct().count())
    doubled += max(0, frames.count() - len(card))
    doubled += max(0, RunFrame.objects.filter(frame__batch=batch).count() - frames.count())
    doubled += max(0, batch.runs.count() - 1)
    same = ("run", "frame", "label", "x", "y", "w", "h")
    boxes = Detection.objects.filter(frame__batch=batch).values(*same).annotate(n=Count("pk"))
    doubled += sum(one["n"] - 1 for one in boxes.filter(n__gt=1))
    return Line(fault, stage, at, len(card), lost, doubled, round(seconds, 1))


def _review(site: Trial, hand: Hand, fault: str, strike: Strike) -> Line:
    """Every frame that is served is stated empty, by LANES at once."""
    begun, lake = time.monotonic(), hand.deployment.lake.slug
    wanted = {"want": 10, "holding": [], "day": None}
    served = hand.ask("POST", f"/lakes/{lake}/review/claim", wanted)["frames"]
    done: list[str] = []
    before = Review.objects.count()

    def state(frame: dict[str, Any]) -> None:
        said = str(uuid.uuid4())
        time.sleep(0.2)
        hand.ask(
            "POST",
            f"/frames/{frame['id']}/reviews",
            {
                "request_id": said, "verdict": "nobody", "boxes": [], "seconds": 4.0,
                "comment": "", "version": frame["version"],
            },
        )  # fmt: skip
        done.append(said)

    with ThreadPoolExecutor(LANES) as pool:
        stating = [pool.submit(state, frame) for frame in served]
        wait_until(lambda: len(done) >= len(served) // 3, "a third reviewed")
        at = len(done)
        strike(site)
        for one in stating:
            one.result()
    connection.close()
    kept = Review.objects.filter(request_id__in=done).count()
    more = Review.objects.count() - before - len(done)
    seconds = round(time.monotonic() - begun, 1)
    return Line(fault, "review", at, len(served), len(done) - kept, max(0, more), seconds)


def _killed(process: subprocess.Popen[bytes], when: Callable[[], bool], what: str) -> None:
    wait_until(lambda: when() or process.poll() is not None, what)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _backup(site: Trial) -> Line:
    """Cut off at a third of the files; the same command again must bring all of them."""
    begun = time.monotonic()
    due = CardFile.objects.filter(state="new").count() + Frame.objects.count() + 1
    with tempfile.TemporaryDirectory(prefix="lacs-bench-") as name:
        target = Path(name)

        def copied() -> int:
            return sum(1 for each in (target / "files").rglob("*.jpg"))

        _killed(site.begin("backup", name), lambda: copied() >= due // 3, "a third copied")
        at = copied()
        site.manage("backup", name)
        (said,) = (json.loads(each.read_text()) for each in target.rglob("manifest.json"))
        left = len(list(target.rglob("*.part")))
    lost = len(said["lost"]) + max(0, due - said["files"])
    seconds = round(time.monotonic() - begun, 1)
    return Line("backup killed", "backup", at, due, lost, left, seconds)


def _purge(site: Trial, lake: Lake) -> Line:
    """Cut off at a third of the frames; the next hour's purge must take the rest."""
    begun, due = time.monotonic(), Frame.objects.count()
    user = User.objects.get(email=f"{NAME}@example.org")
    retention.set_rule(lake=lake, days=None, on=date(2026, 1, 1), user=user)
    work = ("shell", "--verbosity", "0", "-c", "from annotation.tasks import purge; purge()")
    _killed(site.begin(*work), lambda: Purge.objects.count() >= due // 3, "a third purged")
    at = Purge.objects.filter(done_at__isnull=False).count()
    site.manage(*work)
    gone = Purge.objects.filter(done_at__isnull=False).count()
    left = sum(
        vault.holds(frame.sha256) or not vault.preview(frame.sha256)
        for frame in Frame.objects.iterator()
    )
    seconds = round(time.monotonic() - begun, 1)
    doubled = max(0, Purge.objects.count() - due)
    return Line("purge killed", "purge", at, due, due - gone + left, doubled, seconds)
