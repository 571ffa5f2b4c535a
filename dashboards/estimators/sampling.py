"""The sample that reading makes: the settled prefix of each stratum, and what to read next.

The queue serves a stratum in the order of ranks, so that its settled prefix is a simple random
sample without replacement at any time, whoever reads. It ends at the first unsettled frame, which
dashboards/rollups.py finds: one that was skipped, for it is hard to read, must not leave silently.
Frames read outside the queue are taken with certainty: they leave the sampled population and count
exactly.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dashboards.estimators.strata import Floats, Ints

FIRST = 5  # readings that each stratum gets before any other rule speaks
PILOT = 80  # readings before variances decide; until then strata are served by their size


def places(stratum: Ints, rank: NDArray[np.uint64]) -> Ints:
    """Each frame's place in its stratum's order, from 0: [frames]. `rank` breaks no ties: unique.

    Give only frames of the sampled population: those read outside the queue have no place.
    """
    order = np.lexsort((rank, stratum))
    sizes = np.bincount(stratum)
    place = np.empty(len(stratum), np.int64)
    place[order] = np.arange(len(stratum)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return place


def pilot(size: Ints) -> Ints:
    """First readings of each stratum: FIRST each, the rest of PILOT by size: [strata]."""
    least = np.minimum(FIRST, size)
    rest = max(PILOT - int(least.sum()), 0) * size / max(int(size.sum()), 1)
    return np.asarray(np.minimum(least + rest.astype(np.int64), size))


def next_readings(size: Ints, read: Ints, variance: Floats | None, count: int) -> Ints:
    """How many of the next `count` readings each stratum gets: [strata]. Arguments as `order`."""
    return np.bincount(order(size, read, variance, count), minlength=len(size))


def order(size: Ints, read: Ints, variance: Floats | None, count: int) -> Ints:
    """The stratum of each of the next `count` readings, the most useful first: [≤ count].

    `size`, `read`: frames of each stratum, in all and in the prefix; `variance`: of one frame, as
    `Total.planning` gives it, None while nothing is read. After the pilot each reading goes where
    it lowers the variance of the total most (Neyman): N² S² / (n (n + 1)). Less than `count` where
    less is left.
    """
    owed = np.maximum(pilot(size) - read, 0)
    given: Ints = np.clip(count - (np.cumsum(owed) - owed), 0, owed)
    first = np.repeat(np.arange(len(size)), given)
    count = min(count, int((size - read).sum())) - len(first)
    if count <= 0:
        return first
    if variance is None:
        variance = np.ones(len(size))
    # A stratum's gains fall with each reading, so the greedy choice is the `count` largest of all.
    had = (read + given)[:, None] + np.arange(count)
    gain = (size**2 * np.maximum(variance, 1e-300))[:, None] / np.maximum(had * (had + 1), 0.5)
    gain[had >= size[:, None]] = -1.0
    best = np.argsort(-gain.ravel(), kind="stable")[:count]
    return np.concatenate([first, best // count])
