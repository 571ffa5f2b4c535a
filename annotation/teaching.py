"""A detector learns from what people settled: which frames, their pictures, how good it became.

Pictures are read through the vault, as a run reads them, into one file without a name that only
this process and the one it starts can reach: it is gone when they end, however they end. What
learns from them is a program of its own (detection/training/tuning.py), for it needs torch.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np
import simplejpeg
from django.conf import settings
from django.db.models import Q, QuerySet
from numpy.typing import NDArray

from annotation.models import ReviewBox, SettledFrame, VerdictChoice
from detection import choosing, inference
from detection.detecting import Looking
from detection.labels import COUNTED_SCORE
from detection.measuring import Judged, judge, summary
from detection.models import Deployment, Detection, Detector, Frame, TaughtFrame, Zone
from detection.onnx.boxes import Boxes
from detection.onnx.engine import ALONE, Around, DetectorSettings, load_engine
from detection.splitting import Picture
from detection.zoning import Boxed, Polygon, stands_in
from lacs_web.models import AuditEvent, Lake, User

_QUALITY = 95  # of the JPEGs that are learnt from
_LURES = 20  # a frame
FAMILY = "centres"  # the layout of the network that can be trained here


class Untrained(Exception):
    """The program that trains ended without a detector; str() is what it said."""


def teachable(detector: Detector) -> bool:
    """Whether it is a network of ours; whether it can be read, the program that trains says."""
    return detector.layout == FAMILY


def labels(detector: Detector) -> set[str]:
    return {label for label in detector.class_map.values() if label}


def pictures(lakes: Sequence[Lake], detector: Detector) -> list[Picture]:
    """Settled, readable frames of these lakes whose originals are kept. Three queries."""
    rows = _allowed().filter(deployment__lake__in=lakes).order_by("captured_at", "pk")
    boxes = ReviewBox.objects.filter(
        review__in=SettledFrame.objects.filter(frame__deployment__lake__in=lakes).values("review"),
        label__in=labels(detector),
    )
    count = Counter(boxes.values_list("review__frame", flat=True))
    taught = set(TaughtFrame.objects.filter(detector=detector).values_list("frame", flat=True))
    zones = {lake.pk: lake.zone for lake in lakes}
    told = rows.values_list("pk", "deployment__camera", "deployment__lake", "captured_at")
    return [
        Picture(pk, camera, at.astimezone(zones[lake]).date(), count[pk], pk in taught)
        for pk, camera, lake, at in told
        if at is not None
    ]


def still_allowed(frames: Iterable[int]) -> list[Frame]:
    """Those of `frames` that may still be learnt from, in the order of time."""
    rows = _allowed().filter(pk__in=list(frames)).select_related("deployment")
    return list(rows.order_by("deployment", "captured_at", "pk"))


def _allowed() -> QuerySet[Frame]:
    return Frame.objects.filter(
        settled__readable=True, quarantine="", purge=None, captured_at__isnull=False
    ).exclude(settled__review__verdict=VerdictChoice.COUNTED)  # it has no boxes


def beside(learn: Sequence[Picture], by: str, lakes: Sequence[Lake]) -> list[str]:
    """SHA-256 of all settled frames of the cameras or days in `learn`, unreadable ones too: were
    only the readable ones taken out of the sample, the others would speak for too many.
    """
    settled = Frame.objects.filter(deployment__lake__in=lakes, settled__isnull=False)
    if by == "camera":
        cameras = {each.camera for each in learn}
        return list(settled.filter(deployment__camera__in=cameras).values_list("sha256", flat=True))
    days = {each.day for each in learn}
    zones = {lake.pk: lake.zone for lake in lakes}
    told = settled.exclude(captured_at=None)
    return [
        sha256
        for sha256, at, lake in told.values_list("sha256", "captured_at", "deployment__lake")
        if at is not None and at.astimezone(zones[lake]).date() in days
    ]


def tell(lakes: Sequence[Lake], detector: Detector, frames: int, user: User | None = None) -> None:
    """Write to the audit trail that unmasked pictures are about to be learnt from."""
    for lake in lakes:
        AuditEvent.objects.create(
            user=user,
            lake=lake,
            action="training begun",
            detail={"detector": detector.sha256, "frames": frames},
        )


@dataclass(frozen=True, eq=False)
class _Written(Boxes):
    """No box; where frame and background were written, and how many bytes of each."""

    at: tuple[int, int, int] = (0, 0, 0)


class _Pairs:
    """In the place of a network: keeps what one is given instead of looking at it."""

    names: tuple[str, ...] = ()

    def __init__(self, file: IO[bytes], still_side: int) -> None:
        self.file, self.still_side = file, still_side
        self._lock = threading.Lock()

    def detect(self, rgb: NDArray[np.uint8], around: Around = ALONE) -> Boxes:
        frame = _jpeg(rgb)
        behind = b"" if around.background is None else _jpeg(around.background.rgb())
        none = Boxes.empty()
        with self._lock:
            at = self.file.tell()
            self.file.write(frame + behind)
        return _Written(none.xyxy, none.scores, none.classes, (at, len(frame), len(behind)))


def _jpeg(rgb: NDArray[np.uint8]) -> bytes:
    data: bytes = simplejpeg.encode_jpeg(
        np.ascontiguousarray(rgb), quality=_QUALITY, colorspace="RGB", colorsubsampling="444"
    )
    return data


def gather(frames: Sequence[Frame], known: set[str], file: IO[bytes]) -> list[dict[str, Any]]:
    """Write each frame and its background to `file`; a row for each, as training/pairs.py reads
    it. A frame whose picture cannot be read is left out.
    """
    stated, zones, lures = _stated(frames), _zones(frames), _lures(frames, known)
    pairs = _Pairs(file, choosing.DEFAULT_LONG_SIDE)
    rows = []
    for place in _by_deployment(frames):
        for index, seen in inference.look(pairs, place):
            if isinstance(seen, Exception) or not isinstance(seen.boxes, _Written):
                continue
            frame = place[index]
            boxes, ignored = stated[frame.pk], zones[frame.deployment_id]
            kept = [each for each in _outside(boxes, ignored) if each.label in known]
            rows.append(
                {
                    "at": seen.boxes.at,
                    "labels": [each.label for each in kept],
                    "boxes": [_sides(each) for each in kept],
                    "ignored": [
                        *(_sides(each) for each in boxes if each not in kept),
                        *map(_around, ignored),
                    ],
                    "lures": lures[frame.pk],
                }
            )
    file.flush()
    return rows


B = TypeVar("B", bound=Boxed)


def _outside(boxes: Iterable[B], ignored: Sequence[Polygon]) -> list[B]:
    return [each for each in boxes if not any(stands_in(each, one) for one in ignored)]


def _by_deployment(frames: Sequence[Frame]) -> Iterator[list[Frame]]:
    held: dict[int | None, list[Frame]] = defaultdict(list)
    for frame in frames:
        held[frame.deployment_id].append(frame)
    yield from held.values()


def _stated(frames: Sequence[Frame]) -> dict[int, list[ReviewBox]]:
    found: dict[int, list[ReviewBox]] = {frame.pk: [] for frame in frames}
    settled = SettledFrame.objects.filter(frame__in=found)
    by_review = dict(settled.values_list("review", "frame"))
    for box in ReviewBox.objects.filter(review__in=by_review).order_by("pk"):
        found[by_review[box.review_id]].append(box)
    return found


def _zones(frames: Sequence[Frame]) -> dict[int | None, list[Polygon]]:
    held: dict[int | None, list[Polygon]] = defaultdict(list)
    places = {frame.deployment_id for frame in frames}
    for zone in Zone.objects.filter(deployment__in=places, kind=Zone.Kind.IGNORE):
        held[zone.deployment_id].append(zone.polygon)
    return held


def _lures(frames: Sequence[Frame], known: set[str]) -> dict[int, list[list[float]]]:
    """What detectors were sure of in each frame, the surest first: places worth learning from,
    right or wrong.
    """
    held: dict[int, list[list[float]]] = defaultdict(list)
    sure = Detection.objects.sure().filter(frame__in=[frame.pk for frame in frames])
    for box in sure.filter(label__in=known).order_by("-score", "pk"):
        if len(held[box.frame_id]) < _LURES:
            held[box.frame_id].append(_sides(box))
    return held


def _sides(box: Any) -> list[float]:
    return [box.x, box.y, box.w, box.h]


def _around(polygon: Polygon) -> list[float]:
    xs, ys = zip(*polygon, strict=True)
    return [min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)]


def train(task: dict[str, Any], pictures: IO[bytes], folder: Path) -> Path:
    """Have the program that trains carry out `task`, or go on with it; the file that it made.

    It holds the other end of a pipe, so that it ends when this process does. Raises Untrained.
    """
    command = [sys.executable, "-m", "detection.training.tuning", str(folder)]
    with subprocess.Popen(
        [*command, "--pictures", str(pictures.fileno())],
        cwd=settings.BASE_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=[pictures.fileno()],
        text=True,
    ) as child:
        assert child.stdin is not None  # noqa: S101 - asked for above
        assert child.stderr is not None  # noqa: S101 - likewise
        try:
            child.stdin.write(json.dumps(task) + "\n")
            child.stdin.flush()
            said = child.stderr.read()
        except BrokenPipeError:
            said = child.stderr.read()
        except BaseException:
            child.kill()
            raise
    made = folder / "detector.onnx"
    if child.returncode or not made.is_file():
        raise Untrained(said.strip()[-2000:] or f"it ended with {child.returncode}")
    return made


def as_run(path: Path, detector: Detector) -> Looking:
    """The file at `path` in the place of `detector`, as a run uses it."""
    chosen = DetectorSettings.from_dict(choosing.options())
    engine = load_engine(path, chosen, threads=1, providers=settings.INFERENCE_PROVIDERS)
    return Looking(engine, tuple(detector.class_map.get(name) or "" for name in engine.names))


def measure(eye: Looking, frames: Sequence[Frame], known: set[str]) -> dict[str, dict[str, Any]]:
    """Class → summary of what `eye` finds in `frames` against what people settled there."""
    stated, zones = _stated(frames), _zones(frames)
    judged: dict[str, list[Judged]] = defaultdict(list)
    for place in _by_deployment(frames):
        for index, seen in inference.look(eye.network, place):
            if isinstance(seen, Exception):
                continue
            frame = place[index]
            ignored = zones[frame.deployment_id]
            truth = _outside(stated[frame.pk], ignored)
            found = _outside(eye.boxes(seen), ignored)
            for label in known:
                mine = [box for box in found if box.label == label]
                scores = np.array([box.score for box in mine], np.float32)
                theirs = [box for box in truth if box.label == label]
                judged[label].append(
                    judge(_pixels(mine, frame), scores, _pixels(theirs, frame), _NOTHING)
                )
    every = {label: summary(judged[label], COUNTED_SCORE) for label in sorted(judged)}
    return {label: told for label, told in every.items() if told["truth"]}


_NOTHING = np.zeros((0, 4), np.float32)


def _pixels(boxes: Sequence[Any], frame: Frame) -> NDArray[np.float32]:
    rows = np.array([[b.x, b.y, b.x + b.w, b.y + b.h] for b in boxes], np.float32).reshape(-1, 4)
    return rows * np.array([frame.width, frame.height] * 2, np.float32)


def at_work(lakes: Sequence[Lake]) -> Detector | None:
    """The detector of new cards there that can be trained: a deployment's own, else the default."""
    places = Deployment.objects.filter(lake__in=lakes)
    chosen = Detector.objects.filter(
        Q(pk__in=places.values("detector"))
        | Q(pk__in=places.values("second_detector"))
        | Q(is_default=True),
        layout=FAMILY,
    )
    return chosen.order_by("is_default", "-pk").first()
