"""Features around a frame and cross-fitted slopes, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from dashboards.estimators import proxy
from dashboards.estimators.proxy import FEATURES, features, slopes


def test_features_look_around_within_the_day_and_the_deployment() -> None:
    # Two days of one camera every quarter of an hour, and another camera at the same time.
    deployment = np.array([0, 0, 0, 0, 0, 1])
    day = np.array([0, 0, 0, 0, 1, 0])
    clock = np.array([10.0, 10.25, 10.5, 12.0, 10.25, 10.25])
    machine = np.array([4.0, 0.0, 2.0, 0.0, 0.0, 8.0])
    x, lively = features(deployment, day, clock, np.zeros(6, bool), machine)
    found = dict(zip(FEATURES, x.T, strict=True))
    assert found["machine"].tolist() == machine.tolist()
    assert found["near"].tolist() == [0, 3, 0, 0, 0, 0]  # within a quarter of an hour, itself not
    assert found["wide"].tolist() == [2, 0, 4, 0, 0, 0]  # up to an hour, without the near ones
    assert found["day"] == pytest.approx([2 / 3, 2, 4 / 3, 2, 0, 0])
    # Within ¾ hour of day on any day of the type: 4, 0, 2 and 0 of the second day.
    assert found["hour"] == pytest.approx([1.5, 1.5, 1.5, 0, 1.5, 8])
    assert lively.tolist() == [True, True, True, False, False, False]


def test_the_day_is_an_arc_from_the_first_frame_to_the_last() -> None:
    clock = np.array([6.0, 13.0, 20.0])
    x, _ = features(np.zeros(3, int), np.zeros(3, int), clock, np.ones(3, bool), np.ones(3))
    found = dict(zip(FEATURES, x.T, strict=True))
    assert found["noon"] == pytest.approx([0, 1, 0])
    assert found["slope"] == pytest.approx([0, 0, 0], abs=1e-12)
    assert found["free noon"] == pytest.approx([0, 1, 0])
    assert found["free hour"] == pytest.approx(found["hour"])


def test_one_frame_alone_has_features() -> None:
    x, lively = features(
        np.zeros(1, int), np.zeros(1, int), np.array([7.0]), np.zeros(1, bool), np.ones(1)
    )
    assert np.isfinite(x).all()
    assert not lively[0]


def test_slopes_of_each_fold_leave_that_fold_out() -> None:
    x = np.zeros((10, len(FEATURES)))
    x[:, 0] = np.tile([1.0, -1.0], 5)
    y = 2 * x[:, 0]
    y[[0, 5]] = [100.0, -100.0]  # fold 0 is nonsense
    fold = np.arange(10) % 5
    beta = slopes(x, y, np.ones(10), fold)
    # Without fold 0: Σxy = 16, Σx² = 8, ridge 2 · 1 / 10 of it: 16 / 9.6.
    assert beta["machine"][0, 0] == pytest.approx(16 / 9.6)
    # Without fold 1: 200 + 12 over 9.6.
    assert beta["machine"][1, 0] == pytest.approx(212 / 9.6)
    assert {kind: part.shape for kind, part in beta.items()} == {
        kind: (5, used) for kind, used in proxy.KINDS.items()
    }
