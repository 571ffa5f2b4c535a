"""Who is at the lake, when and where: a seeded rhythm of days. Draws and writes nothing.

Hours are the lake's local ones (summer time); frames carry the camera's clock, one hour behind.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

import numpy as np

from detection.labels import Activity, Label
from detection.scenes.model import Moment, Pose, Thing
from detection.scenes.valley import near_shore, path_point

_OPENS, _CLOSES = 5.5, 22.5  # local hours in which the camera takes pictures
_SUMMER = 1.0  # hours local time is ahead of the camera's clock
_HERD_DAY, _FOG_DAY = 1, 2  # of the card, counted from 0


@dataclass(frozen=True)
class Frame:
    """One picture to take."""

    moment: Moment
    things: tuple[Thing, ...]


@dataclass(frozen=True)
class _Stay:
    """Someone's presence from one local hour of the card's first day to another (may pass 24)."""

    kind: str  # bather, hiker, camper, tent, angler, boater, herd
    arrives: float
    leaves: float
    x: float
    y: float
    look: int
    scale: float = 1.0
    left: bool = False
    phase: float = 0.0


def plan(
    start: date, days: int, interval_minutes: int, seed: int, visitors: float = 1.0
) -> list[Frame]:
    """Frames of `days` days from `start`, in order; `visitors` times the usual number of parties.
    ValueError for less than one day or minute.
    """
    if days < 1 or interval_minutes < 1:
        raise ValueError("a card holds at least one day, at an interval of at least one minute")
    stays = [stay for day in range(days) for stay in _stays(start, day, seed, visitors)]
    frames = []
    for day in range(days):
        rng = np.random.default_rng([seed, day, 5])
        cloud, ripple = float(rng.uniform(0.1, 0.6)), float(rng.uniform(0.15, 0.4))
        for minute in range(round(_OPENS * 60), round(_CLOSES * 60) + 1, interval_minutes):
            hour = minute / 60
            breeze = ripple + 0.4 * float(np.exp(-(((hour - 16) / 3.5) ** 2)))
            fog = float(np.clip((9.75 - hour) / 1.5, 0, 1)) if day == _FOG_DAY else 0.0
            moment = Moment(
                at=datetime.combine(start, time()) + timedelta(days=day, hours=hour - _SUMMER),
                cloud=float(np.clip(cloud + 0.25 * np.sin(hour / 2.3 + 5 * cloud), 0, 1)),
                fog=fog,
                ripple=min(breeze, 1.0),
                shift_px=tuple(float(v) for v in np.round(rng.normal(0, 0.3, 2), 2)),  # type: ignore[arg-type]
            )
            things = [t for s in stays for t in _things(s, day * 24 + hour)]
            frames.append(Frame(moment, tuple(things)))
    return frames


def roughened(frames: Sequence[Frame], seed: int, knock: float = 4.0) -> list[Frame]:
    """The same people in hard conditions: clouds come and go from frame to frame, the mountain's
    shadow stands anywhere, the water is rippled or still, banks of fog drift by, and the camera is
    knocked twice, by `knock` pixels at most each way, and stays so.
    """
    rng = np.random.default_rng([seed, 17])
    knocks = set(rng.choice(np.arange(1, len(frames)), 2, replace=False).tolist())
    moved, rough = np.zeros(2), []
    for number, frame in enumerate(frames):
        if number in knocks:
            moved = moved + rng.uniform(knock / 2, knock, 2) * rng.choice([-1, 1], 2)
        x, y = moved + frame.moment.shift_px
        moment = replace(
            frame.moment,
            cloud=float(rng.uniform(0, 1)),
            ripple=float(rng.uniform(0, 1)),
            shadow_edge=float(rng.uniform(0, 0.8)) if rng.random() < 0.3 else None,
            bank=float(rng.uniform(0.3, 0.8)) if rng.random() < 0.15 else 0.0,
            bank_x=float(rng.uniform(0.1, 0.9)),
            shift_px=(round(float(x), 2), round(float(y), 2)),
        )
        rough.append(replace(frame, moment=moment))
    return rough


def _stays(start: date, day: int, seed: int, visitors: float) -> Iterator[_Stay]:
    rng = np.random.default_rng([seed, day, 7])
    weekend = (start + timedelta(days=day)).weekday() >= 5
    busy, base = visitors * (2.0 if weekend else 1.0), day * 24.0
    always = visitors >= 1  # a party of each kind, whatever the day

    def look() -> int:
        return int(rng.integers(0, 1000))

    for _ in range(rng.poisson(4 * busy) + always):  # bathers come in groups and keep to a spot
        arrives = base + float(np.clip(rng.normal(14.0, 1.3), 11.5, 17))
        leaves, x = arrives + float(rng.uniform(1.0, 3.5)), float(rng.uniform(0.36, 0.93))
        for place in range(int(rng.integers(1, 5))):
            spot = x + 0.022 * place
            inland = float(rng.uniform(0.03, 0.055))
            yield _Stay("bather", arrives, leaves, spot, float(near_shore(spot)[0]) + inland,
                        look(),
                        0.7 if rng.random() < 0.2 else 1.0, bool(rng.integers(2)),
                        float(rng.uniform(0, 6)))  # fmt: skip
    for _ in range(rng.poisson(7 * busy) + 2 * always):  # hikers walk the path up or down
        arrives, up = base + float(np.clip(rng.normal(12.5, 2.8), 7, 20)), bool(rng.integers(2))
        lasts = float(rng.uniform(0.5, 0.9))
        for place in range(int(rng.integers(1, 4))):
            yield _Stay("hiker", arrives + 0.03 * place, arrives + 0.03 * place + lasts, 0, 0,
                        look(),
                        left=not up)  # fmt: skip
    for place in range(rng.poisson(1.2 * busy) + always):  # bivouac is allowed from 19:00 to 9:00
        x, y = (
            0.06 + 0.115 * (place % 4),
            0.76 + 0.06 * (place // 4 % 3) + float(rng.uniform(0, 0.03)),
        )
        arrives, leaves = (
            base + 19 + float(rng.uniform(0, 0.9)),
            base + 24 + float(rng.uniform(7.5, 9)),
        )
        yield _Stay("tent", arrives, leaves, x, y, look())
        for side in range(int(rng.integers(1, 3))):
            yield _Stay("camper", arrives - 0.3, leaves + 0.2, x + 0.035 + 0.02 * side, y + 0.012,
                        look(),
                        left=not side, phase=float(rng.uniform(0, 6)))  # fmt: skip
    if rng.random() < 0.7:
        x, arrives = float(rng.uniform(0.25, 0.8)), base + float(rng.uniform(6.5, 8))
        yield _Stay("angler", arrives, arrives + 2.2, x, float(near_shore(x)[0]) + 0.006, look())
    if weekend or rng.random() < 0.4:
        yield _Stay(
            "boater", base + 14.5, base + 16.5, 0.62, 0.60, look(), phase=float(rng.uniform(0, 6))
        )
    if day == _HERD_DAY:
        yield _Stay("herd", base + 8, base + 11.5, 0.62, 0.85, int(rng.integers(1, 9)))


def _things(stay: _Stay, hour: float) -> Iterator[Thing]:
    """What stands for `stay` at `hour`; a state lasts a quarter of an hour or more."""
    if not stay.arrives <= hour < stay.leaves:
        return
    part = (hour - stay.arrives) / (stay.leaves - stay.arrives)
    turn = np.sin(hour * 2.6 + stay.phase)  # slow: neighbouring frames agree

    def person(x: float, y: float, does: Activity, pose: Pose) -> Thing:
        return Thing(Label.PERSON, x, y, does, pose, stay.look, stay.left, stay.scale)

    match stay.kind:
        case "tent":
            yield Thing(Label.TENT, stay.x, stay.y, look=stay.look)
        case "camper":
            clock = hour % 24
            if clock > 21.4 or clock < 6.8:
                return  # asleep
            yield person(stay.x, stay.y, Activity.BIVOUAC, Pose.SIT if turn > -0.2 else Pose.STAND)
        case "hiker":
            x, y = path_point(1 - part if stay.left else part)
            yield person(x, y, Activity.WALKING, Pose.WALK)
        case "angler":
            yield person(stay.x + 0.004 * turn, stay.y, Activity.FISHING, Pose.STAND)
        case "boater":
            x, y = (
                stay.x + 0.20 * np.sin(hour * 1.7 + stay.phase),
                stay.y + 0.03 * np.cos(hour * 2.1),
            )
            yield Thing(Label.BOAT, float(x), float(y), look=stay.look)
            yield person(float(x), float(y), Activity.ON_WATER, Pose.PADDLE)
        case "herd":
            yield from _herd(stay, part, hour)
        case _ if turn > 0.45:
            out = float(np.clip((turn - 0.45) * 0.15, 0.012, 0.09))
            yield person(
                stay.x - 0.01, float(near_shore(stay.x)[0]) - out, Activity.BATHING, Pose.SWIM
            )
        case _ if turn > 0.2:
            edge = float(near_shore(stay.x)[0]) + 0.008
            yield person(stay.x, edge, Activity.BATHING, Pose.STAND)
        case _:
            rests = (Pose.SIT, Pose.LIE, Pose.SIT, Pose.STAND)
            pose = rests[stay.look // 4 % 4]  # not by % 4, which chooses skin and hair
            yield person(stay.x, stay.y, Activity.RESTING, pose)


def _herd(stay: _Stay, part: float, hour: float) -> Iterator[Thing]:
    rng = np.random.default_rng(stay.look)
    middle = stay.x + 0.22 * (part - 0.4)
    for number in range(26):
        across, deep = rng.normal(0, 0.075), rng.uniform(-0.05, 0.06)
        sway = 0.012 * np.sin(hour * 3 + number)
        yield Thing(Label.SHEEP, float(np.clip(middle + across + sway, 0.3, 0.97)),
                    float(stay.y + deep), look=stay.look + number,
                    left=number % 3 == 0)  # fmt: skip
    yield Thing(Label.DOG, middle - 0.19, stay.y + 0.05, look=stay.look)
    yield Thing(
        Label.PERSON, middle - 0.22, stay.y + 0.045, Activity.PASTORAL, Pose.STAND, stay.look
    )
