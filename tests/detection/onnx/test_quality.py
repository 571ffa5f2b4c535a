"""Frames that cannot be read are proposed, those that can are left alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from detection.benchmarks.drawn import Days
from detection.onnx.background import Still, remember
from detection.onnx.quality import Problem, judge
from detection.scenes.model import Moment
from detection.scenes.render import render
from tests.detection.onnx.conftest import VIEW


def near(stills: list[Still], at: int) -> list[Still]:
    return [*stills[max(0, at - 30) : at], *stills[at + 1 : at + 31]]


def test_a_days_frames_are_judged_as_they_were_drawn(weekend: Days) -> None:
    """Of what nobody could read all is proposed; of the rest hardly anything."""
    wrong = []
    for at, drawn in enumerate(weekend.drawn):
        found = judge(weekend.stills[at], near(weekend.stills, at))
        fog = weekend.frames[at].moment.fog
        if not drawn.readable:
            assert found.problems == ((Problem.FOG,) if fog > 0.5 else (Problem.DARK,))
        elif fog < 0.1 and found.problems:
            wrong.append((weekend.frames[at].moment.at, found))
    assert len(wrong) <= 0.05 * len(weekend.drawn), wrong


@pytest.mark.parametrize("hour", [9, 12, 16])
@pytest.mark.parametrize(
    ("weather", "problem"),
    [
        ({}, None),
        ({"cloud": 1.0}, None),
        ({"cloud": 0.0}, None),
        ({"ripple": 1.0}, None),
        ({"rain": 1.0}, None),
        ({"shadow_edge": 0.5}, None),
        ({"shift_px": (2.0, 1.5)}, None),  # the wind
        ({"fog": 0.6}, Problem.FOG),
        ({"fog": 0.9}, Problem.FOG),
        ({"snow": 0.3}, Problem.SNOW),
        ({"snow": 0.6}, Problem.SNOW),
        ({"shift_px": (8.0, -3.0)}, Problem.MOVED),
        ({"shift_px": (-40.0, 20.0)}, Problem.MOVED),
        ({"turn_deg": 2.0}, Problem.MOVED),
    ],
)
def test_weather_is_told_from_what_ails_the_camera(
    weather: dict[str, Any], problem: Problem | None, hour: int, quiet: list[Still]
) -> None:
    moment = Moment(datetime(2025, 7, 27, hour, 7), **weather)  # noqa: DTZ001
    found = judge(remember(render(VIEW, moment).image, moment.seconds), quiet)
    assert found.problems == (() if problem is None else (problem,))


def test_drops_on_the_lens_are_proposed(quiet: list[Still]) -> None:
    """Most of them: a few drops before the sky hide nothing."""
    proposed = 0
    for hour in range(8, 18):
        moment = Moment(datetime(2025, 7, 27, hour, 7), drops=14)  # noqa: DTZ001
        found = judge(remember(render(VIEW, moment).image, moment.seconds), quiet)
        proposed += found.problems == (Problem.WET,)
    assert proposed >= 7


def test_how_far_the_camera_moved_is_told(quiet: list[Still]) -> None:
    moment = Moment(datetime(2025, 7, 27, 12, 7), shift_px=(12.0, -6.0))  # noqa: DTZ001
    found = judge(remember(render(VIEW, moment).image, moment.seconds), quiet)
    assert found.shift == pytest.approx((12 / 640, -6 / 640), abs=0.001)


def test_with_too_few_others_only_darkness_is_told(quiet: list[Still]) -> None:
    fog = Moment(datetime(2025, 7, 27, 12), fog=0.9)  # noqa: DTZ001
    assert judge(remember(render(VIEW, fog).image, fog.seconds), quiet[:2]).problems == ()
    night = Moment(datetime(2025, 7, 27, 23))  # noqa: DTZ001
    still = remember(render(VIEW, night).image, night.seconds)
    assert judge(still, []).problems == (Problem.DARK,)
