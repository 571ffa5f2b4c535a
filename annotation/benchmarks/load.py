"""Fifty reviewers at once while five cards come in: no error, and how long each waits.

A whole installation of its own as in `reliability`, two web processes, on 127.0.0.1. Each reviewer
claims three frames, loads the masked picture of each, keeps a draft, looks for PAUSE seconds, as
somebody quick does, and states; cards are sent file upon file, the next card at once. Workers read
and examine what comes meanwhile. Any answer of 400 or more is an error, and so is none. The clients
run on the same cores, and their waiting for those counts as the server's.

    LACS_BENCH_REVIEWERS=50  LACS_BENCH_UPLOADS=5  LACS_BENCH_SECONDS=60
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import platform
import random
import statistics
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from django.db import connection

from annotation.benchmarks.reliability import (
    NAME,
    Hand,
    drawn_card,
    looking_at,
    place,
    wait_until,
)
from annotation.models import Review
from detection.benchmarks.floor import detector_file
from detection.models import Deployment, Frame
from lacs_web.embedded.trial import Trial
from lacs_web.models import Membership, Role, User

PAUSE = 4.0  # seconds between two frames of one reviewer
FILES, BEFORE = 40, 8  # files of a card; cards that are there when it begins
CARDS = 5  # that each upload has, one after the other


class Clock:
    """Milliseconds by kind of request, and what went wrong."""

    def __init__(self) -> None:
        self.took: dict[str, list[float]] = defaultdict(list)
        self.errors: list[str] = []
        self._lock = threading.Lock()

    def ask(
        self, hand: Hand, kind: str, method: str, path: str, body: bytes | Mapping[str, Any] = b""
    ) -> bytes:
        """One request, never repeated; its body, empty after an error."""
        plain = isinstance(body, bytes)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        sort = "application/octet-stream" if plain else "application/json"
        begun, status, said = time.monotonic(), 0, b""
        link = http.client.HTTPConnection("127.0.0.1", hand.site.port, timeout=60)
        try:
            link.request(method, path, data, hand.headers | {"Content-Type": sort})
            answer = link.getresponse()
            status, said = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as problem:
            said = repr(problem).encode()
        finally:
            link.close()
        with self._lock:
            self.took[kind].append(1000 * (time.monotonic() - begun))
            if not 200 <= status < 400:
                self.errors.append(f"{kind}: {status} {said[:200]!r}")
        return said if 200 <= status < 400 else b""


def measure() -> dict[str, Any]:
    reviewers = int(os.environ.get("LACS_BENCH_REVIEWERS", "50"))
    uploads = int(os.environ.get("LACS_BENCH_UPLOADS", "5"))
    seconds = float(os.environ.get("LACS_BENCH_SECONDS", "60"))
    clock = Clock()
    with (
        tempfile.TemporaryDirectory(prefix="lacs-bench-") as name,
        Trial(Path(name), {"WEB_CONCURRENCY": "2"}) as site,
        looking_at(site),
    ):
        with tempfile.TemporaryDirectory(prefix="lacs-bench-") as folder:
            model = str(detector_file(Path(folder)))
            site.manage("register_detector", model, "--default", "--name", "bench")
        deployment = place()
        ranger = Hand(site, deployment)
        for number in range(BEFORE):
            ranger.hand_over(drawn_card(number, FILES), lambda: None)
        wait_until(lambda: Frame.objects.count() == BEFORE * FILES, "every file read")
        hands = [Hand(site, deployment, _volunteer(deployment, n)) for n in range(reviewers)]
        cards = [
            [drawn_card(100 + CARDS * n + k, FILES) for k in range(CARDS)] for n in range(uploads)
        ]
        connection.close()
        until, load = time.monotonic() + seconds, os.getloadavg()[0]
        with ThreadPoolExecutor(reviewers + uploads) as pool:
            work = [pool.submit(_review, clock, each, until) for each in hands]
            work += [pool.submit(_upload, clock, ranger, each, until) for each in cards]
            stated = sum(one.result() for one in work)
        kept = Review.objects.count()
        doctor = site.manage("doctor").strip()
    if stated != kept:
        clock.errors.append(f"{stated} reviews were answered and {kept} are stored")
    measured = {kind: _said(took) for kind, took in sorted(clock.took.items())}
    return {
        "what": f"errors of {reviewers} reviewers and {uploads} uploads at once",
        "figure": len(clock.errors),
        "unit": "errors",
        "limit": 0,
        "ratio": float(len(clock.errors)),
        "measured": measured,
        "errors": clock.errors[:20],
        "conditions": {
            "requests": sum(map(len, clock.took.values())), "seconds": seconds,
            "pause_seconds": PAUSE,
            "reviews_stored": kept, "doctor": doctor, "load_average_before": round(load, 1),
            "machine": f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}",
        },
    }  # fmt: skip


def _said(took: list[float]) -> dict[str, float]:
    return {
        "requests": len(took),
        "median_ms": round(statistics.median(took), 1),
        "p95_ms": round(statistics.quantiles([*took, *took], n=20, method="inclusive")[-1], 1),
        "slowest_ms": round(max(took), 1),
    }


def _volunteer(deployment: Deployment, number: int) -> User:
    user = User.objects.create_user(f"volunteer-{number}@example.org")
    Membership.objects.create(user=user, role=Role.VOLUNTEER, lake=deployment.lake)
    return user


def _review(clock: Clock, hand: Hand, until: float) -> int:
    """Frames until the time is over; how many reviews were answered."""
    stated, lake = 0, hand.deployment.lake.slug
    time.sleep(random.random() * PAUSE)  # noqa: S311 - they do not begin together
    clock.ask(hand, "page", "GET", f"/lakes/{lake}/review/")
    while time.monotonic() < until:
        wanted = {"want": 3, "holding": [], "day": None}
        said = clock.ask(hand, "claim", "POST", f"/lakes/{lake}/review/claim", wanted)
        frames = json.loads(said)["frames"] if said else []
        for frame in frames:
            where, version = f"/frames/{frame['id']}", frame["version"]
            clock.ask(hand, "picture", "GET", frame["image"])
            box = {"key": "a", "label": "person", "x": 0.4, "y": 0.5, "w": 0.02, "h": 0.05}
            written = {"version": version, "boxes": [box]}
            said = clock.ask(hand, "draft", "PUT", f"{where}/draft", written)
            version = json.loads(said)["version"] if said else version
            time.sleep(PAUSE)
            review = {
                "request_id": str(uuid.uuid4()), "verdict": "boxes", "boxes": [box],
                "seconds": PAUSE, "comment": "", "version": version,
            }  # fmt: skip
            stated += bool(clock.ask(hand, "review", "POST", f"{where}/reviews", review))
        if not frames:
            time.sleep(PAUSE)
    return stated


def _upload(clock: Clock, hand: Hand, cards: list[dict[str, bytes]], until: float) -> int:
    """One card after the other until the time is over."""
    lake = hand.deployment.lake.slug
    for card in cards:
        asked = {
            "deployment": hand.deployment.slug, "source": NAME, "files": len(card),
            "fingerprint": hashlib.sha256("".join(card).encode()).hexdigest(),
        }  # fmt: skip
        said = clock.ask(hand, "card", "POST", f"/api/v1/lakes/{lake}/cards", asked)
        if not said:
            return 0
        batch = json.loads(said)["batch"]
        lines = [{"path": path, "size": len(data)} for path, data in card.items()]
        said = clock.ask(hand, "list", "POST", f"/api/v1/cards/{batch}/manifest", {"files": lines})
        if not said:
            return 0
        for pk, data in zip(json.loads(said)["ids"], card.values(), strict=True):
            if time.monotonic() > until:
                return 0
            sha256 = hashlib.sha256(data).hexdigest()
            clock.ask(hand, "file", "PUT", f"/api/v1/cards/{batch}/files/{pk}/{sha256}", data)
        clock.ask(hand, "close", "POST", f"/api/v1/cards/{batch}/close", {})
    return 0
