"""The only door by which a picture leaves the server.

It fails closed: while no detector has looked at a frame, the whole of it is masked; after that,
every person box is, the machine's above a low score and any that a human ever stated. A rendition
is made when it is asked for and never stored, so that a new box masks at once everywhere. What
leaves carries no EXIF, for previews are encoded anew.

The door itself does not ask who stands before it: detection/views/pictures.py does. Lifting the
mask is a row (Lifting), which answers who saw what.
"""

from __future__ import annotations

import contextlib
import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import cv2
import numpy as np
import simplejpeg
from django.conf import settings
from django.db.models.functions import Now
from numpy.typing import NDArray

from detection.cards import vault
from detection.cards.decode import Undecodable, decode
from detection.labels import Label
from detection.models import Detection, Frame, Lifting, Purge, RunFrame
from detection.mosaic import Rect, mask_all, mask_people
from detection.onnx import background
from lacs_web.models import AuditEvent, User

QUALITY = 85
SHOWN_SIDE = 1600  # pixels of the longer side of what leaves, at most
NEAR = timedelta(hours=36)  # from which a background is gathered
MOST_NEAR = 48  # frames that are looked at for it
KEPT = 2  # decoded originals that a process keeps
_kept: dict[str, NDArray[np.uint8]] = {}  # by SHA-256, the last used last
_keeping = threading.Lock()
Source = Callable[[Sequence[Frame]], Mapping[int, Sequence[Rect]]]
_sources: list[Source] = []


def also_mask(source: Source) -> None:
    """Have the person boxes that `source` knows of frames, by their ids, masked as well.

    Reviews lie to the right of this app and may not be imported here; they register themselves.
    """
    if source not in _sources:
        _sources.append(source)


@dataclass(frozen=True)
class Rendition:
    """What of a frame may leave: a recipe, cheap to compare, made into pixels by `jpeg`.

    `people` is None while nobody knows where people are; then the whole frame is masked.
    """

    sha256: str
    cells: int
    people: tuple[Rect, ...] | None
    lifted: bool = False
    region: Rect | None = None  # only this part, in the pixels of the original
    purged: bool = False  # its original went: what was made of that is not shown again

    @property
    def tag(self) -> str:
        """Changes whenever the picture would."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:32]

    def jpeg(self) -> bytes:
        """At most 1600 pixels long. Raises FileNotFoundError when the preview is gone."""
        if self.region is None:
            data = vault.preview(self.sha256)
            if self.lifted:
                return data
            rgb = self._masked(np.asarray(simplejpeg.decode_jpeg(data, "RGB"), np.uint8))
        else:
            # Masked whole and then cut: were the mosaic laid out anew in each region, many
            # regions side by side would tell more of a person than one.
            # Of what was purged this process may still remember the original.
            rgb = _preview(self.sha256) if self.purged else _sharpest(self.sha256)
            rgb = _cut(self._masked(rgb, self.region), self.region)
        return bytes(simplejpeg.encode_jpeg(rgb, quality=QUALITY, colorspace="RGB"))

    def _masked(self, rgb: NDArray[np.uint8], region: Rect | None = None) -> NDArray[np.uint8]:
        """`rgb` with its mask; people who do not reach into `region` need none."""
        if self.lifted:
            return rgb
        if self.people is None:
            return mask_all(rgb)
        people = [each for each in self.people if region is None or _near(each, region)]
        unit = max(1.0, max(rgb.shape[:2]) / SHOWN_SIDE)
        return mask_people(rgb, people, cells=self.cells, unit=unit)


def _near(one: Rect, other: Rect) -> bool:
    """Whether `one`, with any margin that a mask may have, reaches into `other`."""
    across, down = one.w + 0.02, one.h + 0.02
    return (
        one.x - across < other.x + other.w
        and other.x < one.x + one.w + across
        and one.y - down < other.y + other.h
        and other.y < one.y + one.h + down
    )


def _sharpest(sha256: str) -> NDArray[np.uint8]:
    """The frame in all its pixels; the preview's where the original is gone."""
    try:
        return _original(sha256)
    except (FileNotFoundError, Undecodable):
        return _preview(sha256)


def _preview(sha256: str) -> NDArray[np.uint8]:
    return np.asarray(simplejpeg.decode_jpeg(vault.preview(sha256), "RGB"), np.uint8)


def _original(sha256: str) -> NDArray[np.uint8]:
    """Kept for the next region, since a sheet of crops asks for many of one frame; but only while
    the file is there: what was purged is served from no memory either.

    Raises FileNotFoundError, Undecodable.
    """
    with _keeping:
        for gone in [each for each in _kept if not vault.holds(each)]:
            del _kept[gone]
        rgb = _kept.pop(sha256, None)
    if rgb is None:
        data = vault.original(sha256)
        rgb = decode(data, long_side=1 << 16, max_pixels=settings.PICTURE_MAX_PIXELS).rgb
        rgb.setflags(write=False)
    with _keeping:
        _kept[sha256] = rgb
        for oldest in list(_kept)[:-KEPT]:
            del _kept[oldest]
    return rgb


def _cut(rgb: NDArray[np.uint8], region: Rect) -> NDArray[np.uint8]:
    """The pixels [h, w, 3] of `region`, at least one, reduced to SHOWN_SIDE."""
    height, width = rgb.shape[:2]
    left, top = min(int(region.x * width), width - 1), min(int(region.y * height), height - 1)
    right = max(left + 1, min(width, round((region.x + region.w) * width)))
    bottom = max(top + 1, min(height, round((region.y + region.h) * height)))
    cut = rgb[top:bottom, left:right]
    shrink = SHOWN_SIDE / max(cut.shape[:2])
    if shrink < 1:
        size = (max(1, round(cut.shape[1] * shrink)), max(1, round(cut.shape[0] * shrink)))
        cut = np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)
    return np.ascontiguousarray(cut)


def rendition(frame: Frame, *, lifted: bool = False, region: Rect | None = None) -> Rendition:
    """What of `frame`, or of a `region` of it, may be shown.

    `lifted` only to somebody for whom `is_lifted` holds.
    """
    (made,) = renditions([frame], lifted=lifted, region=region)
    return made


def renditions(
    frames: Sequence[Frame], *, lifted: bool = False, region: Rect | None = None
) -> list[Rendition]:
    """What may be shown of each of `frames`. Six queries, however many they are."""
    purged = set(Purge.objects.filter(frame__in=frames).values_list("frame", flat=True))
    known = _examined(frames)
    people: dict[int, list[Rect]] = defaultdict(list)
    if known:
        machine = Detection.objects.filter(
            frame__in=known, label=Label.PERSON, score__gte=settings.MASK_SCORE
        ).order_by("pk")
        for pk, *box in machine.values_list("frame", "x", "y", "w", "h"):
            people[pk].append(Rect(*box))
        seen = [frame for frame in frames if frame.pk in known]
        for source in _sources:
            for pk, rects in source(seen).items():
                people[pk] += rects
    return [
        Rendition(
            frame.sha256,
            frame.deployment.lake.mask_cells,
            tuple(people[frame.pk]) if frame.pk in known else None,
            lifted and frame.pk not in purged,
            region,
            frame.pk in purged,
        )
        for frame in frames
    ]


def examined(frame: Frame) -> bool:
    """Whether a detector that finds people has looked at `frame`, so that they are known.

    Never of one that somebody had erased: the whole of it is masked for good.
    """
    return bool(_examined([frame]))


def _examined(frames: Sequence[Frame]) -> set[int]:
    done = RunFrame.objects.showing().filter(frame__in=frames)
    known = done.exclude(frame__purge__rule__has_key="erased")
    return set(known.order_by().values_list("frame", flat=True).distinct())


def lift(*, frame: Frame, user: User) -> None:
    """Let `user` see `frame` unmasked for a while; written to the audit trail.

    Whether they may is for the caller to ask.
    """
    AuditEvent.objects.create(
        user=user, lake=frame.deployment.lake, action="mask lifted", detail={"frame": frame.pk}
    )
    Lifting.objects.create(
        frame=frame, user=user, until=Now() + timedelta(seconds=settings.LIFTED_SECONDS)
    )


def is_purged(frame: Frame) -> bool:
    """Whether the original of `frame` went, or is going: nothing of it is shown unmasked."""
    return Purge.objects.filter(frame=frame).exists()


def is_lifted(frame: Frame, user: User) -> bool:
    """Whether `user` has lifted the mask of `frame` and the time for it has not run out."""
    if is_purged(frame):
        return False
    return Lifting.objects.filter(frame=frame, user=user, until__gt=Now()).exists()


STAMP_SHARE = 1 / 14  # of the height, at the top and at the bottom: where cameras burn in the time


def stamp(frame: Frame) -> bytes:
    """JPEG of the strips with the burned-in time, one above the other; persons there are masked.

    Only for those who may lift the mask: before a detector has run nobody knows who is in them.
    Raises FileNotFoundError when the preview is gone.
    """
    made, rgb = rendition(frame), _preview(frame.sha256)
    if made.people is None and made.purged:  # the time went with the picture
        rgb = mask_all(rgb)
    elif made.people:
        rgb = mask_people(rgb, made.people, cells=made.cells)
    strip = max(8, round(rgb.shape[0] * STAMP_SHARE))
    both = np.ascontiguousarray(np.concatenate([rgb[:strip], rgb[-strip:]]))
    return bytes(simplejpeg.encode_jpeg(both, quality=QUALITY, colorspace="RGB"))


def behind(frame: Frame) -> bytes | None:
    """JPEG of what the still camera sees when nothing happens, in the light of `frame`; None
    where too few frames of like light are near.

    Who sits still long enough would be part of it: so it is made of masked neighbours.
    """
    assert frame.captured_at is not None  # noqa: S101 - the caller asks for dated frames
    near = Frame.objects.filter(
        deployment=frame.deployment_id,
        captured_at__range=(frame.captured_at - NEAR, frame.captured_at + NEAR),
    ).exclude(pk=frame.pk)
    slots: dict[int, Frame] = {}
    for other in near.order_by("captured_at").select_related("deployment__lake"):
        assert other.captured_at is not None  # noqa: S101
        slots.setdefault(int(other.captured_at.timestamp() // background.APART), other)
    still = _still(frame, vault.preview(frame.sha256))
    others: dict[float, Frame] = {}
    stills = []
    for other in sorted(slots.values(), key=lambda each: abs(_since(each, frame)))[:MOST_NEAR]:
        with contextlib.suppress(OSError, ValueError):  # a preview is gone or damaged
            stills.append(_still(other, vault.preview(other.sha256)))
            others[stills[-1].at] = other
    chosen = background.neighbours(still, stills)
    masked = [_still(others[each.at], rendition(others[each.at]).jpeg()) for each in chosen]
    made = background.background(still, masked)
    if made is None:
        return None
    rgb = np.ascontiguousarray(made.rgb())
    return bytes(simplejpeg.encode_jpeg(rgb, quality=QUALITY, colorspace="RGB"))


def _since(one: Frame, other: Frame) -> float:
    return _seconds(one) - _seconds(other)


def _seconds(frame: Frame) -> float:
    assert frame.captured_at is not None  # noqa: S101
    return frame.captured_at.timestamp()


def _still(frame: Frame, jpeg: bytes) -> background.Still:
    rgb = np.asarray(simplejpeg.decode_jpeg(jpeg, "RGB", min_width=background.SIDE), np.uint8)
    return background.remember(rgb, _seconds(frame))
