"""Strata and ranks: which frames are read as one population, and in which order.

A frame's stratum rests on what is known before anybody reads: deployment, day type and machine
counts. Its rank is a keyed hash of its id. Neither ever depends on a review.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Lower edges of the classes of machine counts; the doubling keeps a busy lake's crowds apart.
EDGES = (1, 3, 6, 12, 24)
# A stratum holds at least this share of its deployment's frames: each costs first readings.
LEAST_SHARE = 1 / 64


def ranks(ids: Iterable[int], key: bytes) -> NDArray[np.uint64]:
    """A pseudo-random rank for each frame id: [frames]; equal for all time for one `key`.

    Keyed BLAKE2b of eight bytes: nobody who does not hold the key can choose frames by rank.
    """
    return np.array(
        [
            int.from_bytes(hashlib.blake2b(b"%d" % one, key=key, digest_size=8).digest(), "big")
            for one in ids
        ],
        dtype=np.uint64,
    )


def summed(group: Ints, value: Floats, groups: int) -> Floats:
    """Sums of `value` [n] by `group` [n]: [groups]."""
    return np.asarray(np.bincount(group, value, groups), np.float64)


def strata(deployment: Ints, free: Bools, machine: Floats, lively: Bools) -> Ints:
    """Number of each frame's stratum, from 0 without gaps: [frames].

    All arguments are [frames]. `deployment`: any integer; `free`: weekend or holiday; `machine`:
    machine count; `lively`: whether the machine saw somebody within half an hour, which parts the
    frames without a machine count, for that is where misses hide. A thin stratum joins the other
    day type of its class, else the neighbouring class of its deployment.
    """
    level = np.digitize(machine, EDGES) + 1
    level = np.where((level == 1) & ~lively, 0, level)
    label = np.stack([deployment, level, free.astype(np.int64)], axis=1)
    kinds, number, sizes = np.unique(label, axis=0, return_inverse=True, return_counts=True)
    into = np.arange(len(kinds))
    for place in np.unique(kinds[:, 0]):
        here = np.flatnonzero(kinds[:, 0] == place)
        least = LEAST_SHARE * sizes[here].sum()
        while len(here) > 1:
            thinnest = here[np.argmin(sizes[here])]
            if sizes[thinnest] >= least:
                break
            others = here[here != thinnest]
            apart = np.abs(kinds[others, 1] - kinds[thinnest, 1])
            nearest = others[np.argmin(apart)]
            sizes[nearest] += sizes[thinnest]
            into[into == thinnest] = nearest
            here = others
    return np.asarray(np.unique(into[number.ravel()], return_inverse=True)[1], np.int64)
