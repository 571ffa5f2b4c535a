"""A park's own detector: begun from the one at work, taught by what its people settled."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import json
import tempfile
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q
from django.utils import timezone

from annotation import candidates, teaching
from detection import choosing, model_card, runs, shadowing, tasks
from detection.cards import vault
from detection.detecting import is_whole, looking
from detection.labels import COUNTED_SCORE
from detection.model_card import Card, Source
from detection.models import Deployment, Detector, Frame
from detection.onnx.runtime import describe
from detection.registering import register
from detection.splitting import LEAST_BOXES, LEAST_FRAMES, LEAST_HELD, Picture, TooFew, split
from lacs_web.models import Lake, Park

_CARD, _CHOICE = "MODEL_CARD.md", "selection.json"


class Command(BaseCommand):
    help = (
        "Train a detector further on the settled frames of a park's own lakes, and judge it on "
        "cameras that it has not seen. Needs PyTorch (pip install '.[train]'). Killed at any time, "
        "the same command goes on. docs/operations.md says how, step by step."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("place", nargs="+", help="short names of lakes, or of their park")
        parser.add_argument(
            "--from",
            dest="origin",
            default="",
            help="a detector: its name, or how its SHA-256 begins",
        )
        parser.add_argument("--minutes", type=float, default=60.0, help="of training at most")
        parser.add_argument("--steps", type=int, default=4000, help="of training at most")
        parser.add_argument("--threads", type=int, default=1, help="that learn; one more draws")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--output", type=Path, help="a folder (data folder/training/PLACE)")
        parser.add_argument(
            "--register", action="store_true", help="and put it in the shadow at these lakes"
        )

    def handle(self, *, place: list[str], origin: str, **options: Any) -> None:
        lakes = _lakes(place)
        detector = _origin(lakes, origin)
        folder = options["output"] or settings.DATA_DIR / "training" / "-".join(place)
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            chosen = self._selection(folder, lakes, detector, options["seed"])
            made = folder / "detector.onnx"
            if not made.is_file():
                self._train(folder, lakes, detector, chosen, options)
            name = f"{detector.name.split(' · ')[0]} · {lakes[0].park.name} {_day(made)}"
            if not (folder / _CARD).is_file():
                self._judge(folder, name, lakes, detector, chosen)
            self.stdout.write((folder / _CARD).read_text(encoding="utf-8"))
            if options["register"]:
                self._register(made, name, lakes)

    def _selection(
        self, folder: Path, lakes: Sequence[Lake], detector: Detector, seed: int
    ) -> dict[str, Any]:
        """Which frames, as they were chosen when this training began."""
        asked = {"lakes": [lake.slug for lake in lakes], "from": detector.sha256, "seed": seed}
        kept = folder / _CHOICE
        if kept.is_file():
            chosen: dict[str, Any] = json.loads(kept.read_text())
            if {name: chosen[name] for name in asked} != asked:
                raise CommandError(f"{folder} holds another training: name another --output.")
            return chosen
        every = teaching.pictures(lakes, detector)
        try:
            parts = split(every, seed)
        except TooFew as few:
            raise CommandError(_too_few(few, every)) from None
        learn = set(parts.learn)
        beside = teaching.beside([each for each in every if each.frame in learn], parts.by, lakes)
        chosen = asked | asdict(parts) | {"beside": sorted(beside)}
        fresh = kept.with_suffix(".new")
        fresh.write_text(json.dumps(chosen))
        fresh.replace(kept)
        return chosen

    def _train(
        self, folder: Path, lakes: Sequence[Lake], detector: Detector, chosen: dict[str, Any],
        options: dict[str, Any],
    ) -> None:  # fmt: skip
        if not all(importlib.util.find_spec(name) for name in ("torch", "onnx")):
            raise CommandError(
                "Training needs PyTorch, which is not installed here: pip install '.[train]' "
                "(some 1 GB; what runs the product never needs it)."
            )
        frames = teaching.still_allowed(chosen["learn"])
        at = vault.at_hand(detector.storage_name)
        before = describe(at).metadata.get("taught", "").split()
        config = {name: options[name] for name in ("minutes", "steps", "threads", "seed")}
        teaching.tell(lakes, detector, len(frames))
        self.stdout.write(
            f"Learning from {len(frames)} settled frames, at most {options['minutes']:g} minutes. "
            f"{folder}/log.jsonl says how far; the same command goes on if this is stopped."
        )
        with tempfile.TemporaryFile() as pictures:  # no name on the disk: gone with this process
            rows = teaching.gather(frames, teaching.labels(detector), pictures)
            task = {
                "from": str(at),
                "config": config,
                "rows": rows,
                "facts": {
                    "begun from": detector.sha256,
                    "taught": " ".join(sorted({*before, *chosen["beside"]})),
                },
            }
            try:
                teaching.train(task, pictures, folder)
            except teaching.Untrained as problem:
                raise CommandError(f"{detector.name} was not trained: {problem}") from None

    def _judge(
        self, folder: Path, name: str, lakes: Sequence[Lake], detector: Detector,
        chosen: dict[str, Any],
    ) -> None:  # fmt: skip
        made = folder / "detector.onnx"
        held = teaching.still_allowed(chosen["held"])
        known = teaching.labels(detector)
        before = teaching.measure(looking(detector, None, choosing.options()), held, known)
        after = teaching.measure(teaching.as_run(made, detector), held, known)
        config = json.loads((folder / "config.json").read_text())
        config["steps taken"] = describe(made).metadata["steps"]
        card = Card(
            name=name,
            sha256=hashlib.sha256(made.read_bytes()).hexdigest(),
            size=made.stat().st_size,
            begun_from=detector.name,
            begun_sha256=detector.sha256,
            park=lakes[0].park.name,
            by=chosen["by"],
            sources=_sources(teaching.pictures(lakes, detector), chosen),
            config=config,
            score=COUNTED_SCORE,
            before=before,
            after=after,
        )
        fresh = folder / f"{_CARD}.new"
        fresh.write_text(model_card.write(card), encoding="utf-8")
        fresh.replace(folder / _CARD)

    def _register(self, made: Path, name: str, lakes: Sequence[Lake]) -> None:
        """A detector like others; a candidate at each camera that has settled frames for it."""
        licence = f"{lakes[0].park.name}: {model_card.LICENCE}"
        detector = register(path=made, name=name, licence=licence)
        self.stdout.write(f"Registered as {detector.name}.")
        for place in Deployment.objects.filter(lake__in=lakes).select_related("lake"):
            try:
                candidate = shadowing.start(
                    deployment=place,
                    detector=detector,
                    options=place.detection or choosing.options(),
                    frames=candidates.settled(place, detector),
                    user=None,
                )
            except shadowing.Undecided as undecided:
                self.stdout.write(
                    f"{place.slug}: {undecided.candidate.detector} is undecided there."
                )
            except runs.NothingToExamine:
                self.stdout.write(f"{place.slug}: no settled frame that it did not learn from.")
            else:
                tasks.ring(tasks.shadow, candidate.pk)
                self.stdout.write(f"{place.slug}: in the shadow.")


def _lakes(places: Sequence[str]) -> list[Lake]:
    found: dict[int, Lake] = {}
    for slug in places:
        here = Lake.objects.filter(Q(slug=slug) | Q(park__slug=slug)).select_related("park")
        if exact := [lake for lake in here if lake.slug == slug]:
            here_too: Sequence[Lake] = exact
        else:
            here_too = list(here)
        if not here_too:
            known = [*Lake.objects.values_list("slug", flat=True),
                     *Park.objects.values_list("slug", flat=True)]  # fmt: skip
            raise CommandError(f"There is no lake or park “{slug}”: {', '.join(sorted(known))}.")
        found |= {lake.pk: lake for lake in here_too}
    lakes = sorted(found.values(), key=lambda lake: lake.pk)
    if len({lake.park_id for lake in lakes}) > 1:
        raise CommandError("A detector learns from the pictures of one park: name lakes of one.")
    return lakes


def _origin(lakes: Sequence[Lake], named: str) -> Detector:
    here = Detector.objects.here()
    shipped = settings.SHIPPED_DETECTOR
    advice = (
        "Only the background-aware network of this product can be trained (layout centres, six "
        "channels), such as the shipped one: manage.py register_detector "
        f"{shipped.relative_to(settings.BASE_DIR)}, then --from {shipped.stem}."
    )
    if named:
        found = list(here.filter(Q(name=named) | Q(sha256__startswith=named)).order_by("-pk")[:1])
        if not found:
            names = ", ".join(sorted(set(here.values_list("name", flat=True)))) or "none"
            raise CommandError(f"There is no detector “{named}”; registered: {names}.")
        detector = found[0]
    else:
        at_work = teaching.at_work(lakes)
        if at_work is None:
            raise CommandError(f"No detector at work here can be trained. {advice}")
        detector = at_work
    if not teaching.teachable(detector):
        raise CommandError(f"{detector.name} has the layout {detector.layout}. {advice}")
    if not is_whole(detector):
        raise CommandError(
            f"The file of {detector.name} is gone or was changed: register it again."
        )
    return detector


def _too_few(few: TooFew, every: Sequence[Picture]) -> str:
    if not (few.frames or few.boxes):
        return (
            f"Nothing is left to judge by: it takes {LEAST_HELD} boxes on cameras or days that the "
            "detector has not learnt from. Check frames of other days or cameras first."
        )
    has = sum(each.boxes for each in every)
    return (
        f"Too little is settled to learn from: at least {LEAST_FRAMES} frames with {LEAST_BOXES} "
        f"boxes of its classes, their originals kept. There are {len(every)} with {has}: "
        f"{few.frames} frames and {few.boxes} boxes are missing."
    )


def _sources(every: Sequence[Picture], chosen: dict[str, Any]) -> list[Source]:
    boxes = {each.frame: each.boxes for each in every}
    places = dict(
        Frame.objects.filter(pk__in=boxes).values_list("pk", "deployment__camera__serial")
    )
    learn, held = (
        [pk for pk in chosen[part] if pk in boxes] for part in ("learn", "held")
    )  # what was purged since is no longer told
    frames = [Counter(places[pk] for pk in part) for part in (learn, held)]
    counts = [Counter[str](), Counter[str]()]
    for part, count in zip((learn, held), counts, strict=True):
        for pk in part:
            count[places[pk]] += boxes[pk]
    return [
        Source(name, frames[0][name], counts[0][name], frames[1][name], counts[1][name])
        for name in sorted(set(frames[0]) | set(frames[1]))
    ]


def _day(made: Path) -> str:
    zone = timezone.get_current_timezone()
    return datetime.fromtimestamp(made.stat().st_mtime, zone).date().isoformat()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two at once would write over one another."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CommandError(f"Another training is at work in {folder}.") from None
        yield
