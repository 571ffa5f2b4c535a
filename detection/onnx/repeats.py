"""Static things that are taken for people again and again: a rock, a buoy, a sign.

A box is suppressed when nothing changed where it lies and the same thing fires at that place at
other times too, in a good share of the frames of like light. Three things speak for a visitor
instead, and any one is enough: the box itself differs from the background; the stay that it
belongs to began or ended with a difference (so a tent that stands all night is no rock, and
neither is who sits still for hours); a person said so. Suppressed boxes are named with a reason,
never dropped. Pure: boxes of one camera in, reasons out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from detection.labels import Label

CAME = 0.08  # share of a box that differs, for something to be there that was not
_AWAY = 2 * 3600.0  # seconds after which a place is looked at anew
_PAUSE = 45 * 60.0  # seconds that a stay may go unseen
_TIMES = 3  # firings at other times, at least
_RATE = 0.2  # of the frames of like light at other times, at least
_DAYS = 3  # on which a thing that may stand for long, or one without background, must fire
_DAY = 86_400.0
_RADIUS, _LIKE = 6.0, 10.0  # of thumbnails: frames of one light, and of like light
OVERLAP = 0.4  # IoU of boxes of one thing, each grown by SLACK
SLACK = 0.002  # of the frame, to each side: a knocked camera moves a narrow stone off itself
LONG: frozenset[str] = frozenset({Label.TENT, Label.BOAT})  # may stand for days


class Reason(StrEnum):
    RECURS = "recurs"  # fires here at other times too, and nothing changed
    DISMISSED = "dismissed"  # a person said that it is a thing


@dataclass(frozen=True, eq=False)
class Sightings:
    """Boxes of one camera. `frame` int [N], index into the frames' instants; `xyxy` [N,4] as
    fractions; `labels` [N]; `evidence` [N], share of the box that differs from the background, NaN
    where there was none.
    """

    frame: NDArray[np.int64]
    xyxy: NDArray[np.float64]
    labels: Sequence[str]
    evidence: NDArray[np.float32]


@dataclass(frozen=True)
class Decision:
    """A person's word on a place, for the season: `visitor` True accepts, False dismisses."""

    label: str
    xyxy: tuple[float, float, float, float]
    visitor: bool


def repeats(
    sightings: Sightings,
    instants: NDArray[np.float64],
    light: NDArray[np.float32] | None = None,
    decisions: Sequence[Decision] = (),
    wanted: NDArray[np.bool_] | None = None,
) -> list[Reason | None]:
    """Why each box is suppressed, or None: [N]. Given `wanted` [N], the others are only what those
    are seen against, and have None.

    `instants` [F] seconds of all frames, also of those without boxes; `light` [F,…] thumbnails of
    them (`Still.thumb`), without which light goes by the hour. Of two `decisions` on one place the
    later counts.
    """
    if not len(sightings.frame):
        return []
    lights, like = _lights(instants, light)
    reasons: list[Reason | None] = [None] * len(sightings.frame)
    for label, members in _places(sightings):
        asked = np.ones(len(members), bool) if wanted is None else wanted[members]
        if not asked.any():
            continue
        held = np.median(sightings.xyxy[members], axis=0)
        words = [d.visitor for d in decisions if d.label == label and _same(held, d.xyxy)]
        said = words[-1] if words else None
        if said is True:
            continue
        frames = sightings.frame[members]
        shown = sightings.evidence[members]
        came = shown >= CAME  # a NaN did not
        if said is False:
            suppressed = ~came
        else:
            stays = _stays(instants[frames])
            visited = came | _visits(stays, came)
            fires = _fires_elsewhen(frames, asked, instants, lights, like)
            days = len(np.unique(instants[frames] // _DAY))
            if label in LONG:
                fires &= (days >= _DAYS) and not visited.any()
            suppressed = ~visited & fires & (~np.isnan(shown) | (days >= _DAYS))
        for member in members[suppressed & asked].tolist():
            reasons[member] = Reason.RECURS if said is None else Reason.DISMISSED
    return reasons


def _places(sightings: Sightings) -> list[tuple[str, NDArray[np.intp]]]:
    """Label and members of each place, its boxes in the order of frames."""
    found: list[tuple[str, list[int], NDArray[np.float64]]] = []
    cells: dict[tuple[str, int, int], list[int]] = defaultdict(list)
    pitch = 0.05
    for member in np.argsort(sightings.frame, kind="stable").tolist():
        box, label = sightings.xyxy[member], sightings.labels[member]
        column, row = (int((box[axis] + box[axis + 2]) / 2 / pitch) for axis in (0, 1))
        near = {
            place: common
            for x in (column - 1, column, column + 1)
            for y in (row - 1, row, row + 1)
            for place in cells[label, x, y]
            if (common := overlap(found[place][2], box)) >= OVERLAP
        }
        if near:
            _, members, mean = found[max(near, key=near.__getitem__)]  # beside it may be another
            members.append(member)
            mean += (box - mean) / min(len(members), 20)  # in place: it follows slow drift
        else:
            cells[label, column, row].append(len(found))
            found.append((label, [member], box.astype(np.float64).copy()))
    return [(label, np.array(members, np.intp)) for label, members, _ in found]


def _same(a: NDArray[np.float64], b: Sequence[float] | NDArray[np.float64]) -> bool:
    return overlap(a, b) >= OVERLAP


def overlap(
    a: Sequence[float] | NDArray[np.float64], b: Sequence[float] | NDArray[np.float64]
) -> float:
    """IoU of two boxes (left, top, right, bottom as fractions), each grown by SLACK."""
    more = 2 * SLACK
    wide = min(a[2], b[2]) - max(a[0], b[0]) + more
    high = min(a[3], b[3]) - max(a[1], b[1]) + more
    if wide <= 0 or high <= 0:
        return 0.0
    areas = [(box[2] - box[0] + more) * (box[3] - box[1] + more) for box in (a, b)]
    return float(wide * high / (sum(areas) - wide * high))


def _stays(times: NDArray[np.float64]) -> NDArray[np.int64]:
    """[M] number of the stay that each firing, at `times` [M] in order, belongs to."""
    return np.cumsum(np.diff(times, prepend=times[0]) > _PAUSE)


def _visits(stays: NDArray[np.int64], came: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """[M] whether a firing belongs to a stay that began or ended with a difference."""
    result = np.zeros(len(stays), bool)
    for stay in np.unique(stays):
        within = np.flatnonzero(stays == stay)
        result[within] = bool(came[within[0]] or came[within[-1]])
    return result


def _fires_elsewhen(
    frames: NDArray[np.int64],
    asked: NDArray[np.bool_],
    instants: NDArray[np.float64],
    lights: NDArray[np.int64],
    like: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """[M] whether the thing fires often enough at other times, in like light; where `asked` [M]."""
    firing = np.unique(frames)
    result = np.zeros(len(frames), bool)
    for position in np.flatnonzero(asked).tolist():
        frame = int(frames[position])
        alike = like[lights[frame]]
        others = (np.abs(instants - instants[frame]) >= _AWAY) & alike[lights]
        times = np.count_nonzero(others[firing])
        result[position] = times >= _TIMES and times >= _RATE * np.count_nonzero(others)
    return result


def _lights(
    instants: NDArray[np.float64], light: NDArray[np.float32] | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The kind of light of each frame [F], and which kinds are alike [K,K]."""
    if light is None:
        hours = (instants % _DAY // 3600).astype(np.int64)
        apart = np.abs(np.arange(24)[:, None] - np.arange(24)[None])
        return hours, np.minimum(apart, 24 - apart) <= 1
    flat = light.reshape(len(instants), -1)
    leaders: list[NDArray[np.float32]] = []
    kinds = np.zeros(len(instants), np.int64)
    for frame, thumb in enumerate(flat):
        gaps = np.array([np.abs(thumb - leader).mean() for leader in leaders])
        if not len(gaps) or gaps.min() > _RADIUS:
            leaders.append(thumb)
            kinds[frame] = len(leaders) - 1
        else:
            kinds[frame] = int(gaps.argmin())
    every = np.stack(leaders)
    gaps = np.abs(every[:, None] - every[None]).mean(axis=2)
    return kinds, gaps <= _LIKE
