"""The demo lake: a drawn card that goes the way of every ranger's card, and is read in part.

The reader of the demo is the drawing's own truth. What it states goes through the same verb as
anybody's review, under an account of its own that holds the ranger's role at the demo lake while
it reads, and is made inactive afterwards: nobody can sign in as it, and it settles nothing more.
The card stays in the data folder until it is read: a start that was stopped is taken up again.
It reads two days whole, which counts exactly, and of the rest what the estimates ask for, in their
order, once the detector has examined the card: so the demo shows figures with their intervals,
reached as all figures are. Where no detector is, it reads a part of the rest by rank.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from annotation.reviewing import StatedBox, submit
from dashboards import planning, rollups
from detection import runs
from detection.models import Camera, Deployment, Detector, Frame, Run, Zone
from detection.scenes.valley import zones
from lacs_web.models import Lake, Membership, Park, Role, User

SLUG = "demo"
READER = "demo-reader@localhost"
WHOLE_DAYS = 2  # read to the last frame
PART = 0.75  # of the other days at most: each of their strata has its first readings then
ROUND = 20  # readings between two plans
SECONDS = 6.0  # a frame; what the reader states as its pace


class Command(BaseCommand):
    help = "Load the demo lake, once: draw a card, import it, read a part, wait for its detection."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--wait", type=int, default=300, help="seconds to wait for detection")
        parser.add_argument("--interval", default="15", help="minutes between pictures")
        parser.add_argument("--size", default="1280x960", help="WIDTHxHEIGHT of the pictures")

    def handle(self, *, wait: int, interval: str, size: str, **options: Any) -> None:
        deployment = self._place()
        card = settings.DEMO_CARD
        if not card.exists() and deployment.batches.filter(closed_at__isnull=False).exists():
            self.stdout.write("The demo lake is already there.")
            return
        truth = self._draw(card, f"--interval={interval}", f"--size={size}")
        self._schedule(deployment, truth)
        if not deployment.batches.filter(closed_at__isnull=False).exists():
            # A card holds pictures; what was drawn on them is nothing that a ranger would have.
            call_command("import_batch", str(card / "DCIM"), deployment=SLUG, stdout=self.stdout)
        detecting = Detector.objects.filter(is_default=True).exists()
        if detecting:
            self._watch(deployment, wait)
        else:
            self.stdout.write("Detection waits for a model.")
        read = self._read(deployment, truth)
        self.stdout.write(f"Reading: {read} frames")
        shutil.rmtree(card)

    def _draw(self, card: Path, *drawing: str) -> dict[str, Any]:
        """Draw the card unless a start that was stopped has; its truth is written last."""
        truth = card / "truth.json"
        if not truth.exists():
            shutil.rmtree(card, ignore_errors=True)
            call_command("render_demo", str(card), *drawing, stdout=self.stdout)
        stated: dict[str, Any] = json.loads(truth.read_text())
        return stated

    def _place(self) -> Deployment:
        park, _ = Park.objects.get_or_create(slug=SLUG, defaults={"name": "Demo"})
        lake, _ = Lake.objects.get_or_create(
            slug=SLUG, defaults={"name": "Demo lake", "park": park}
        )
        camera, _ = Camera.objects.get_or_create(
            park=park, make="LACS", defaults={"serial": "unknown until the card is drawn"}
        )
        deployment, _ = Deployment.objects.get_or_create(
            slug=SLUG,
            defaults={
                "lake": lake,
                "camera": camera,
                "viewpoint": "Drawn shore",
                "starts_at": datetime(2025, 6, 1, tzinfo=UTC),
            },
        )
        for kind, outline in zones().items():
            Zone.objects.get_or_create(
                deployment=deployment, kind=kind, defaults={"polygon": outline}
            )
        return deployment

    def _schedule(self, deployment: Deployment, truth: dict[str, Any]) -> None:
        """The camera's rhythm, as the card has it, by the camera's own clock."""
        taken = [datetime.fromisoformat(frame["clock"]).time() for frame in truth["frames"]]
        Camera.objects.filter(pk=deployment.camera_id).update(serial=truth["serial"])
        deployment.interval_seconds = truth["interval_seconds"]
        deployment.clock_offset_minutes = truth["clock_offset_minutes"]
        deployment.window_start, deployment.window_end = min(taken), max(taken)
        deployment.save()

    def _read(self, deployment: Deployment, truth: dict[str, Any]) -> int:
        """State what is on a part of the frames; how many were read."""
        reader, _ = User.objects.get_or_create(email=READER, defaults={"name": "Demo reader"})
        reader.set_unusable_password()
        reader.is_active = True
        reader.save()
        Membership.objects.get_or_create(user=reader, role=Role.RANGER, lake=deployment.lake)
        known = {frame["path"].removeprefix("DCIM/"): frame for frame in truth["frames"]}
        read = 0
        try:
            for frame, picked in self._chosen(deployment):
                self._state(frame, reader, known[frame.path], picked)
                read += 1
        finally:
            reader.is_active = False
            reader.save()
        return read

    def _chosen(self, deployment: Deployment) -> Iterator[tuple[Frame, bool]]:
        """Every frame of the first days, chosen by hand; then those that the estimates ask for, or
        else by rank."""
        days: dict[date, list[Frame]] = {}
        for frame in deployment.frames.filter(quarantine="").order_by("rank"):
            assert frame.captured_at is not None  # noqa: S101 - a dated frame is not quarantined
            day = frame.captured_at.astimezone(deployment.lake.zone).date()
            days.setdefault(day, []).append(frame)
        for day in sorted(days)[:WHOLE_DAYS]:
            yield from ((frame, True) for frame in days[day])
        rest = [frame for day in sorted(days)[WHOLE_DAYS:] for frame in days[day]]
        by_id = {frame.pk: frame for frame in rest}
        left = round(PART * len(rest))
        while left > 0 and (asked := self._asked(deployment, by_id)):
            for pk in asked[: min(ROUND, left)]:
                left -= 1
                yield by_id.pop(pk), False
        if len(by_id) == len(rest):  # nothing was examined
            yield from ((frame, False) for frame in sorted(rest, key=lambda f: f.rank)[:left])

    def _asked(self, deployment: Deployment, known: Mapping[int, Frame]) -> list[int]:
        """What the estimates ask for next; nothing once the figure is known well enough."""
        rollups.catch_up([deployment.lake], at_once=False)
        asked = planning.ask(*planning.kept(deployment.lake))
        return [] if asked.more == 0 else [pk for pk in asked.turns if pk in known]

    def _state(self, frame: Frame, reader: User, drawn: dict[str, Any], picked: bool) -> None:
        boxes = [StatedBox(**{**box, "activity": box["activity"] or ""}) for box in drawn["boxes"]]
        verdict = "boxes" if boxes else "nobody" if drawn["readable"] else "unreadable"
        submit(
            frame=frame,
            reviewer=reader,
            # The same frame is stated once, however often the command is started.
            request_id=uuid.uuid5(uuid.NAMESPACE_URL, f"lacs:demo:{frame.sha256}"),
            verdict=verdict,
            boxes=boxes,
            seconds=SECONDS,
            picked=picked,
        )

    def _watch(self, deployment: Deployment, seconds: int) -> None:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            run = Run.objects.filter(batch__deployment=deployment).first()
            if run:
                counts = runs.progress(run)
                examined = counts["total"] - counts["pending"]
                self.stdout.write(f"Detection: {examined} of {counts['total']} frames")
                if run.finished_at:
                    return
            time.sleep(5)
        self.stdout.write("Detection goes on in the background.")
