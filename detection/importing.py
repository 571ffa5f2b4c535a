"""Detections made elsewhere: MegaDetector's JSON becomes runs, one for each card that it names.

All or nothing. A preview goes the same way and writes nothing. What needs the pictures is left out:
evidence that something changed, the kind of light, problems of frames. So repeats go by the hour
and by days, and people decide nothing about things that stay there; zones and all else apply.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from detection import runs
from detection.cards import vault
from detection.labels import Label
from detection.megadetector import Head, Image, Refused, head, images, parts
from detection.models import Batch, Deployment, Detection, Detector, Frame, Run, RunFrame
from detection.onnx.classmap import propose
from detection.zoning import Polygon
from lacs_web.models import AuditEvent, User

CHUNK = 500  # images
NAMED = 5  # of what does not fit
State = RunFrame.State


@dataclass
class Report:
    """What a file says of a deployment's frames, and what of it does not fit."""

    file: str
    sha256: str
    head: Head
    frames: int = 0  # of the deployment, or of the one card
    images: int = 0
    matched: int = 0  # frames
    failed: int = 0  # of them
    unexamined: int = 0  # images that say neither what was found nor why not
    unmatched: list[str] = field(default_factory=list)
    ambiguous: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    boxes: Counter[str] = field(default_factory=Counter)
    flat: int = 0
    lowest: float = 1.0
    highest: float = 0.0
    lowest_person: float = 1.0
    known: Run | None = None  # that this file brought in before
    runs: list[Run] = field(default_factory=list)

    @cached_property
    def labels(self) -> dict[str, str]:
        """Class of the file → ours, or ""."""
        found = propose(self.head.categories.values())
        return {name: label or "" for name, label in found.items()}

    @property
    def classes(self) -> list[tuple[str, str, int]]:
        """(the file's, ours or "", boxes)."""
        return [(name, label, self.boxes[name]) for name, label in self.labels.items()]

    @property
    def finds_people(self) -> bool:
        """Whether persons were kept down to the score from which they are masked here."""
        return self.lowest_person <= settings.MASK_SCORE

    @property
    def refusal(self) -> Refused | None:
        """Why it is not brought in, if so."""
        if self.known:
            return _twice(self.known)
        for why in ("ambiguous", "twice"):
            found: list[str] = getattr(self, why)
            if found:
                return Refused(why, n=len(found), first=found[0])
        return None if self.matched else Refused("nothing", first=", ".join(self.unmatched[:1]))

    @property
    def some_unmatched(self) -> list[str]:
        return self.unmatched[:NAMED]


def preview(
    *, deployment: Deployment, path: Path, name: str, card: Batch | None = None, below: str = ""
) -> Report:
    """What `bring_in` would bring in; raises Refused where the file cannot be read as one."""
    report = _report(path, name)
    cards = {batch for _frame, batch, _image in _matched(report, deployment, path, card, below)}
    report.known = _known(report, cards)
    return report


@transaction.atomic
def bring_in(
    *,
    deployment: Deployment,
    path: Path,
    name: str,
    user: User | None,
    card: Batch | None = None,
    below: str = "",
) -> Report:
    """The runs that the file at `path`, called `name`, makes over cards of `deployment`.

    Only frames of `card`, and images below the folder `below`, if given. Raises Refused, with
    nothing written; also for a file whose boxes are here already: they would only hide, frame by
    frame, what later runs said.
    """
    Deployment.objects.select_for_update(no_key=True).get(pk=deployment.pk)  # one file at a time
    report = _report(path, name)
    detector = _detector(report.head)
    ignored = runs.ignored(deployment)
    made: dict[int, Run] = {}
    rows = _matched(report, deployment, path, card, below)
    while chunk := list(islice(rows, CHUNK)):
        for batch in {batch for _frame, batch, _image in chunk} - made.keys():
            report.known = _known(report, [batch])
            if report.known:
                raise _twice(report.known)
            made[batch] = Run.objects.create(
                batch_id=batch,
                detector=detector,
                settings={"file": report.file, "format_version": report.head.version},
                software=settings.VERSION,
                started_by=user,
                imported_from=report.sha256,
            )
        _store(
            [(frame, made[batch], image) for frame, batch, image in chunk], report.labels, ignored
        )
    if report.refusal:
        raise report.refusal
    report.runs = list(made.values())
    mine = Run.objects.filter(pk__in=[run.pk for run in report.runs])
    mine.update(finds_people=report.finds_people)
    for run in report.runs:
        runs.finish_if_done(run)
    AuditEvent.objects.create(
        user=user,
        lake=deployment.lake,
        action="detections imported",
        detail={
            "deployment": deployment.slug,
            "file": report.sha256,
            "name": detector.name,
            "run": [run.pk for run in report.runs],
            "frames": report.matched,
        },
    )
    return report


def _known(report: Report, cards: Iterable[int]) -> Run | None:
    return Run.objects.filter(batch__in=cards, imported_from=report.sha256).first()


def _twice(known: Run) -> Refused:
    return Refused("known", when=date_format(timezone.localtime(known.started_at)))


def _report(path: Path, name: str) -> Report:
    if path.stat().st_size > settings.IMPORT_MAX_BYTES:
        raise Refused("large")
    return Report(name, vault.digest_of(path), head(path))


def _detector(head: Head) -> Detector:
    """By its name and classes, for what repeats is seen over all that one detector found."""
    names = sorted(set(head.categories.values()))
    said = json.dumps([Detector.ELSEWHERE, head.detector, names])
    return Detector.objects.get_or_create(
        sha256=hashlib.sha256(said.encode()).hexdigest(),
        defaults={
            "name": head.detector,
            "layout": Detector.ELSEWHERE,
            "class_map": propose(names),
        },
    )[0]


def _matched(
    report: Report, deployment: Deployment, path: Path, card: Batch | None, below: str
) -> Iterator[tuple[int, int, Image]]:
    """(frame, its card, image) of what fits, each frame once; `report` is told all."""
    frames = _Frames(deployment, card)
    report.frames = frames.number
    root = parts(below) or ((deployment.slug,) if deployment.slug in report.head.roots else ())
    taken: set[int] = set()
    for image in images(path, report.head):
        report.images += 1
        where = parts(image.file)
        found = frames.at(where[len(root) :]) if where[: len(root)] == root else []
        if not found:
            report.unmatched.append(image.file)
        elif len(found) > 1:
            report.ambiguous.append(image.file)
        elif found[0][0] in taken:
            report.twice.append(image.file)
        elif image.boxes is None and not image.failure:
            report.unexamined += 1
        else:
            taken.add(found[0][0])
            _count(report, image)
            yield (*found[0], image)


def _count(report: Report, image: Image) -> None:
    report.matched += 1
    report.failed += image.boxes is None
    report.flat += image.flat
    for box in image.boxes or ():
        report.boxes[box.name] += 1
        report.lowest, report.highest = (
            min(report.lowest, box.score),
            max(report.highest, box.score),
        )
        if report.labels[box.name] == Label.PERSON:
            report.lowest_person = min(report.lowest_person, box.score)


class _Frames:
    """Where frames of a deployment lie on their cards: by path, or by its end."""

    def __init__(self, deployment: Deployment, card: Batch | None) -> None:
        rows = Frame.objects.filter(batch__deployment=deployment).exclude(
            quarantine=Frame.Quarantine.SUPERSEDED
        )
        rows = rows.exclude(flag=Frame.Flag.ERASED).order_by()
        if card is not None:
            rows = rows.filter(batch=card)
        self.number = 0
        self._whole: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        self._ends: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        for pk, batch, path in rows.values_list("pk", "batch", "path").iterator():
            self.number += 1
            self._whole.setdefault(parts(path), []).append((pk, batch))

    def at(self, where: tuple[str, ...]) -> list[tuple[int, int]]:
        """(frame, card) at the path `where`: without folders that only the file has before it, or
        with those that only the card has.
        """
        for start in range(len(where)):
            if found := self._whole.get(where[start:]):
                return found
        if not self._ends:
            for path, frames in self._whole.items():
                for start in range(1, len(path)):
                    self._ends.setdefault(path[start:], []).extend(frames)
        return self._ends.get(where, [])


def _store(
    rows: Sequence[tuple[int, Run, Image]], labels: dict[str, str], ignored: Sequence[Polygon]
) -> None:
    """Two queries, and one more where something is found, or two in zones to ignore."""
    now = timezone.now()
    RunFrame.objects.bulk_create(
        RunFrame(
            run=run,
            frame_id=frame,
            state=State.FAILED if image.boxes is None else State.DONE,
            reason=image.failure[:300],
            examined_at=now,
        )
        for frame, run, image in rows
    )
    runs.write(
        (
            Detection(
                run=run, frame_id=frame, label=labels[box.name], source_class=box.name,
                score=box.score, x=box.x, y=box.y, w=box.w, h=box.h,
            )
            for frame, run, image in rows
            for box in image.boxes or ()
        ),
        ignored,
    )  # fmt: skip


_EXPECTED = {
    "text": gettext_lazy("a text"),
    "object": gettext_lazy("an object { … }"),
    "list": gettext_lazy("a list [ … ]"),
    "share": gettext_lazy("a number from 0 to 1"),
    "box": gettext_lazy("four numbers, x, y, width and height, from 0 to 1 and inside the picture"),
}


def refusal(refused: Refused) -> str:
    """What was expected and what was found, in words."""
    texts = {
        "large": _("The file is larger than %(most)s, the most that is taken."),
        "gzip": _("JSON was expected, but the file is compressed (gzip): unpack it first."),
        "text": _("JSON in UTF-8 was expected, but the file is another kind of file."),
        "document": _("A JSON object { … } was expected, but the file begins with %(found)s."),
        "json": _("This is no JSON from character %(at)d on: %(found)s"),
        "deep": _("The file is nested too deeply to be MegaDetector’s JSON."),
        "number": _("Numbers were expected, but the file has %(found)s."),
        "version": _("info.format_version: 1.x was expected, found %(found)s."),
        "empty": _("A list “images” with at least one image was expected, but there is none."),
        "type": _("%(where)s: %(expected)s was expected, found %(found)s."),
        "category": _("%(where)s: one of %(expected)s was expected, found %(found)s."),
        "ambiguous": _(
            "Images that may be one of several frames: %(n)d, %(first)s first. Choose the card, or "
            "keep the folders in the file."
        ),
        "twice": _(
            "Images of a frame that was named before: %(n)d, %(first)s first. Name the folder of "
            "the file whose images are meant, or make a file that names each once."
        ),
        "nothing": _(
            "None of the images is a frame of this deployment. The file names %(first)s, say."
        ),
        "known": _("This file was brought in on %(when)s already; nothing of it has changed."),
        "gone": _("The file is no longer kept here: choose it once more."),
    }
    expected = refused.known.get("expected")
    return texts[refused.why] % {
        **refused.known,
        "most": filesizeformat(settings.IMPORT_MAX_BYTES),
        "expected": _EXPECTED.get(str(expected), expected),
        "found": refused.known.get("found") or _("nothing"),
    }
