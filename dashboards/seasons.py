"""Simulated seasons with known truth, to hold the estimators to: pure, seeded, fast.

A season is a grid of days × frames of one camera. Groups of people arrive (by hour, day type,
weather and season), stay and leave, so that counts are whole, overdispersed and autocorrelated;
each group sits at a distance for as long as it stays, so that a detector which misses it does so
again in the next frame. Things that stay in the picture are taken for people over hours, and so
are herds. Fog hides some frames; the machine knows of a part of them.
Draws no picture and knows no estimator.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

DAYS = 100
OPENS = 5.0  # o'clock, first frame
INTERVAL = 1 / 12  # hours
PER_DAY = 192  # 16 hours
HOLIDAYS = (29, 61)  # days of the season beside the weekends: 14 July, 15 August


@dataclass(frozen=True)
class Lake:
    """How many come. `groups`: mean arrivals on a working day of middling weather."""

    name: str
    groups: float
    weekend: float = 2.2  # times as many on weekends and holidays
    stay: float = 1.0  # hours, mean of an exponential
    weather: float = 0.6  # sd of the log of a day's level; its worst fifth is rain
    hourly: float = 0.5  # sd of the log of arrivals within the day
    outings: float = 0.03  # share of groups that bring some eight people more


@dataclass(frozen=True)
class Detector:
    """How well a machine counts people. Probabilities are per person or per frame."""

    name: str
    near: float  # recall of the nearest group
    far: float  # recall of the farthest
    repeats: float  # share of daylight spent taking something that stays for a person
    herd: float  # share of a herd's animals taken for people


LAKES = (
    Lake("busy", groups=34.0),
    Lake("normal", groups=3.4),
    Lake("near-empty", groups=0.2),
)
DETECTORS = (
    Detector("good", near=0.98, far=0.72, repeats=0.02, herd=0.02),
    Detector("poor", near=0.65, far=0.05, repeats=0.05, herd=0.10),
    Detector("useless", near=0.02, far=0.02, repeats=0.40, herd=0.20),
)


@dataclass(frozen=True)
class Season:
    """Arrays [days, frames per day] unless said otherwise."""

    counts: Ints  # people in the picture, seen or not
    machine: Ints  # people that the machine counts
    readable: Bools  # what a reviewer would say
    known_unreadable: Bools  # what the machine says of its own accord
    free: Bools  # [days] weekend or holiday
    clock: Floats  # [frames per day] hours after midnight


def season(lake: Lake, detector: Detector, rng: np.random.Generator) -> Season:
    """One season of `lake` as `detector` counts it."""
    shape = (DAYS, PER_DAY)
    clock = OPENS + INTERVAL * np.arange(PER_DAY, dtype=np.float64)
    weekday = (np.arange(DAYS) + rng.integers(7)) % 7
    free = (weekday >= 5) | np.isin(np.arange(DAYS), HOLIDAYS)

    weather = _autocorrelated(rng, DAYS, 0.6)
    level = np.exp(lake.weather * weather - lake.weather**2 / 2)
    level[weather < -0.84] *= 0.15  # rain: the worst fifth
    level *= np.where(free, lake.weekend, 1.0)
    level *= 1 + 0.5 * np.cos((np.arange(DAYS) - 55) / DAYS * 2 * np.pi)
    profile = np.exp(-(((clock - 11) / 2.5) ** 2) / 2) + 0.3 * np.exp(
        -(((clock - 17.5) / 1.2) ** 2)
    )
    profile /= profile.sum()
    wave = _autocorrelated(rng, DAYS * PER_DAY, 0.95).reshape(shape)
    wave = np.exp(lake.hourly * wave - lake.hourly**2 / 2)
    arrivals = rng.poisson(lake.groups * level[:, None] * profile * wave)

    starts = np.repeat(np.arange(arrivals.size), arrivals.ravel())
    sizes = 1 + rng.poisson(1.0, starts.size)
    sizes += np.where(rng.random(starts.size) < lake.outings, rng.poisson(8.0, starts.size), 0)
    stays = 1 + rng.exponential(lake.stay / INTERVAL, starts.size).astype(np.int64)
    ends = np.minimum(starts + stays, (starts // PER_DAY + 1) * PER_DAY)
    distance = rng.random(starts.size)

    # One row for each group in each frame that it stays.
    length = ends - starts
    group = np.repeat(np.arange(starts.size), length)
    offset = np.arange(group.size) - np.repeat(np.cumsum(length) - length, length)
    frame = starts[group] + offset
    recall = detector.near + (detector.far - detector.near) * distance
    found = rng.binomial(sizes[group], recall[group])
    counts = np.bincount(frame, sizes[group], DAYS * PER_DAY).astype(np.int64)
    machine = np.bincount(frame, found, DAYS * PER_DAY).astype(np.int64)

    machine += _spells(rng, detector.repeats, hours=1.5)
    herd = _spells(rng, 0.01, hours=2.0) * rng.integers(10, 60)
    machine += rng.binomial(herd, detector.herd)

    fog = (_spells(rng, 0.03, hours=1.0) > 0).reshape(shape)
    known = fog & (rng.random(shape) < 0.5)
    machine = np.where(fog.ravel(), rng.binomial(machine, 0.3), machine)
    return Season(
        counts=counts.reshape(shape),
        machine=machine.reshape(shape),
        readable=~fog,
        known_unreadable=known,
        free=free,
        clock=clock,
    )


def _autocorrelated(rng: np.random.Generator, length: int, rho: float) -> Floats:
    """A standard normal autoregression of order one: [length]."""
    noise = rng.standard_normal(length)
    noise[1:] *= np.sqrt(1 - rho**2)
    return np.asarray(lfilter([1.0], [1.0, -rho], noise))


def _spells(rng: np.random.Generator, share: float, *, hours: float) -> Ints:
    """How many spells of about `hours` lie over each frame; `share` is their mean: [frames]."""
    total = DAYS * PER_DAY
    number = rng.poisson(share * total * INTERVAL / hours)
    start = rng.integers(0, total, number)
    length = 1 + rng.exponential(hours / INTERVAL, number).astype(np.int64)
    edges = np.bincount(start, minlength=total + 1)
    edges -= np.bincount(np.minimum(start + length, total), minlength=total + 1)
    return np.cumsum(edges)[:total]
