"""Drawn days shared by the tests of what knows a frame's neighbours; drawn once."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from detection.benchmarks.drawn import Days, draw
from detection.onnx.background import Still, remember
from detection.scenes.model import Moment, View
from detection.scenes.plan import plan
from detection.scenes.render import render

VIEW = View(640, 480)


@pytest.fixture(scope="session")
def weekend() -> Days:
    """Three days, a frame every 40 minutes, with a herd on the second and fog on the third."""
    return draw(VIEW, plan(date(2025, 7, 25), 3, 40, seed=1))


@pytest.fixture(scope="session")
def quiet() -> list[Still]:
    """Two days without anybody, in changing light, wind and shake."""
    random = np.random.default_rng(1)
    stills = []
    for half_hour in range(24):
        at = datetime(2025, 7, 25, 7) + timedelta(days=half_hour % 2, minutes=30 * half_hour)  # noqa: DTZ001
        moment = Moment(
            at,
            cloud=float(random.uniform(0.1, 0.6)),
            ripple=float(random.uniform(0.15, 0.6)),
            shift_px=(float(random.normal(0, 0.3)), float(random.normal(0, 0.3))),
        )
        stills.append(remember(render(VIEW, moment).image, moment.seconds))
    return stills
