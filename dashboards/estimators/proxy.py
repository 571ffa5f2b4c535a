"""What a frame's count is expected to be, from machine counts around it, hour and day type.

Linear in a few features, its slopes fitted to settled frames, each settled frame predicted by
slopes that have not seen it (five folds). Cross-fitting keeps the corrected total unbiased however
poor the prediction is: Angelopoulos and others (PPI, arXiv 2301.09633; PPI++, 2311.01453), Zrnic
and Candès (cross-prediction, arXiv 2309.16598); the slopes are those of the optimal regression
estimator (Särndal, Swensson, Wretman 1992, ch. 6).
"""

from __future__ import annotations

import numpy as np

from dashboards.estimators.strata import Bools, Floats, Ints

NEAR, HALF, WIDE, SEASON = 0.26, 0.51, 1.01, 0.76  # hours to each side, a rounding more
FEATURES = (
    "machine", "near", "wide", "day", "hour",
    "noon", "slope", "arc", "free noon", "free hour",
)  # fmt: skip
# Nested: how many leading features each kind of proxy uses.
KINDS = {"none": 0, "machine": 1, "neighbours": 5, "all": len(FEATURES)}
FOLDS = 5


def features(
    deployment: Ints, day: Ints, clock: Floats, free: Bools, machine: Floats
) -> tuple[Floats, Bools]:
    """Features [frames, 10] and whether the machine saw somebody within half an hour [frames].

    `day`: number of the local day; `clock`: local hours after midnight; all arguments [frames].
    """
    same_day = _Neighbours(_groups(deployment, day), clock, machine)
    near, near_n = same_day.within(NEAR)
    half, _ = same_day.within(HALF)
    wide, wide_n = same_day.within(WIDE)
    whole, whole_n = same_day.within(24.0)
    season = _Neighbours(_groups(deployment, free.astype(np.int64)), clock, machine)
    hour, hour_n = season.within(SEASON)
    place = _groups(deployment, np.zeros_like(day))
    first = np.full(place.max(initial=0) + 1, np.inf)
    last = np.full(place.max(initial=0) + 1, -np.inf)
    np.minimum.at(first, place, clock)
    np.maximum.at(last, place, clock)
    through = np.pi * (clock - first[place]) / np.maximum(last - first, 1e-9)[place]
    noon = np.sin(through) ** 2
    usual = (hour + machine) / (hour_n + 1)
    x = np.stack(
        [
            machine,
            near / np.maximum(near_n, 1),
            (wide - near) / np.maximum(wide_n - near_n, 1),
            whole / np.maximum(whole_n, 1),
            usual,
            noon,
            np.sin(2 * through),
            np.sin(through),
            free * noon,
            free * usual,
        ],
        axis=1,
    )
    return x, half > 0


def slopes(x: Floats, y: Floats, weight: Floats, fold: Ints) -> dict[str, Floats]:
    """For each kind of proxy the slopes [folds, columns used] of y [n] on x [n, features].

    Both are centred within strata; row k is fitted without fold k. A small ridge keeps few readings
    from being fitted too closely.
    """
    weighted = x * weight[:, None]
    gram = np.empty((FOLDS, x.shape[1], x.shape[1]))
    moment = np.empty((FOLDS, x.shape[1]))
    for k in range(FOLDS):
        mine = fold == k
        gram[k] = weighted[mine].T @ x[mine]
        moment[k] = weighted[mine].T @ y[mine]
    gram = gram.sum(axis=0) - gram
    moment = moment.sum(axis=0) - moment
    found = {}
    for kind, used in KINDS.items():
        part = gram[:, :used, :used]
        size = np.einsum("kii->ki", part)
        ridge = 2.0 * used / max(len(y), 1) * size + 1e-9 * size.max(initial=0.0) + 1e-12
        part = part + ridge[:, :, None] * np.eye(used)
        found[kind] = np.linalg.solve(part, moment[:, :used, None])[..., 0]
    return found


def _groups(first: Ints, second: Ints) -> Ints:
    """A number from 0 for each pair of values: [frames]."""
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    return np.asarray(np.unique(a * (b.max(initial=0) + 1) + b, return_inverse=True)[1], np.int64)


class _Neighbours:
    """The other values of a frame's group, by their distance in hours."""

    def __init__(self, group: Ints, clock: Floats, value: Floats) -> None:
        key = group * 100.0 + clock  # a clock stays below 24: groups lie more than 24 hours apart
        self.order = np.argsort(key, kind="stable")
        self.key, self.value = key[self.order], value
        self.total = np.concatenate([[0.0], np.cumsum(value[self.order])])

    def within(self, hours: float) -> tuple[Floats, Ints]:
        """Their sum and their number: [frames] each."""
        low = np.searchsorted(self.key, self.key - hours, side="left")
        high = np.searchsorted(self.key, self.key + hours, side="right")
        sums = np.empty(len(self.value))
        number = np.empty(len(self.value), np.int64)
        sums[self.order] = self.total[high] - self.total[low]
        number[self.order] = high - low
        return sums - self.value, number - 1
