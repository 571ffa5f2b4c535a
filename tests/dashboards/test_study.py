"""Simulated seasons and the study over them."""

from __future__ import annotations

import json
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from dashboards import seasons, study

LAKES = {lake.name: lake for lake in seasons.LAKES}
DETECTORS = {each.name: each for each in seasons.DETECTORS}


def drawn(lake: str, detector: str, number: int = 12) -> list[seasons.Season]:
    return [
        seasons.season(LAKES[lake], DETECTORS[detector], np.random.default_rng(seed))
        for seed in range(number)
    ]


def test_a_season_is_a_hundred_days_of_a_frame_each_five_minutes() -> None:
    one = drawn("normal", "good", 1)[0]
    assert one.counts.shape == one.machine.shape == one.readable.shape == (100, 192)
    assert not (one.known_unreadable & one.readable).any()
    assert one.machine.min() >= 0


@pytest.mark.parametrize(
    ("lake", "low", "high"), [("busy", 4, 9), ("normal", 0.4, 0.9), ("near-empty", 0.01, 0.06)]
)
def test_lakes_are_as_full_as_their_names_say(lake: str, low: float, high: float) -> None:
    assert low < np.mean([one.counts.mean() for one in drawn(lake, "good")]) < high


def test_people_come_at_noon_and_on_free_days_and_stay_for_a_while() -> None:
    counts = [one.counts for one in drawn("busy", "good")]
    by_hour = np.mean(counts, axis=(0, 1))
    assert by_hour[80:100].mean() > 3 * by_hour[:20].mean()
    free = np.mean([one.counts[one.free].mean() for one in drawn("busy", "good")])
    work = np.mean([one.counts[~one.free].mean() for one in drawn("busy", "good")])
    assert 1.6 < free / work < 3
    lagged = [np.corrcoef(each[:, 1:].ravel(), each[:, :-1].ravel())[0, 1] for each in counts]
    assert np.mean(lagged) > 0.8


@pytest.mark.parametrize(
    ("detector", "least", "most"), [("good", 0.9, 1.0), ("poor", 0.5, 0.9), ("useless", -0.1, 0.15)]
)
def test_detectors_are_as_good_as_their_names_say(detector: str, least: float, most: float) -> None:
    related = [
        np.corrcoef(s.counts.ravel(), s.machine.ravel())[0, 1] for s in drawn("normal", detector)
    ]
    assert least < np.mean(related) < most


def test_intervals_hold_in_a_few_seasons_and_the_seed_repeats_them() -> None:
    one = study.cell(LAKES["normal"], DETECTORS["good"], 40, seed=7)
    assert one.coverage >= 0.85
    assert abs(one.bias) < 0.03
    assert one.read < one.plain / 10
    assert one.hours_coverage > 0.93
    assert one.weekdays_coverage > 0.93
    assert one.weekdays_width < one.hours_width < 2
    again = study.cell(LAKES["normal"], DETECTORS["good"], 2, seed=7)
    assert again == study.cell(LAKES["normal"], DETECTORS["good"], 2, seed=7)
    assert again != study.cell(LAKES["normal"], DETECTORS["good"], 2, seed=8)


def test_a_stop_is_as_narrow_as_it_says() -> None:
    stop = study.one(LAKES["near-empty"], DETECTORS["good"], (3,))
    assert stop.figure.half <= stop.tolerance
    assert stop.figure.read < stop.census


def test_what_is_needed_by_hand() -> None:
    stratum = np.repeat([0, 1], [1000, 10])
    error = np.concatenate([np.tile([-1.0, 1.0], 500), np.tile([-50.0, 50.0], 5)])
    wanted = study.Z * 100.0
    # Sizes times deviations 1000 and 500: (1500)² / (100² + 1000 + 10 · 2500) = 62.5, of which
    # 20.8 for ten frames: these are read whole, and the rest takes 1000² / (100² + 1000).
    assert study._needed(stratum, error, wanted) == pytest.approx(10 + 1000**2 / 11000)
    assert study._needed(stratum, np.zeros(1010), wanted) == 0


def test_the_command_reports_a_cell() -> None:
    out = StringIO()
    call_command(
        "simulate_seasons", "--seasons", "2", "--json", "--cell", "normal:good", stdout=out
    )
    found = json.loads(out.getvalue())
    assert found["seed"] == 1
    (only,) = found["cells"]
    assert (only["lake"], only["detector"], only["seasons"]) == ("normal", "good", 2)
    with pytest.raises(CommandError, match="Known: busy:good"):
        call_command("simulate_seasons", "--cell", "full:good")
    with pytest.raises(CommandError, match="at least 1"):
        call_command("simulate_seasons", "--seasons", "0")


def test_a_season_watched_whole_is_the_truth_and_of_a_part_is_measured() -> None:
    whole = study.filled(LAKES["normal"], seasons.DAYS, 2, seed=1)
    assert whole.bias == pytest.approx(0, abs=0.01)  # fog alone is filled in
    part = study.filled(LAKES["normal"], 10, 2, seed=1)
    assert part == study.filled(LAKES["normal"], 10, 2, seed=1)
    assert part.width > 3 * whole.width


def test_extrapolated_seasons_hold_as_often_as_they_say() -> None:
    found = [
        study.filled(LAKES[lake], days, 60, seed=41, stretch=stretch)
        for lake, days in (("busy", 10), ("normal", 20), ("near-empty", 40))
        for stretch in (1, 5)
    ]
    given = [each.seasons * (1 - each.refused) for each in found]
    assert sum(given) > 300
    held = sum((each.coverage or 0.0) * n for each, n in zip(found, given, strict=True))
    assert held / sum(given) > 0.91  # of 95 %, ± 1.3


def test_five_days_give_no_interval() -> None:
    found = study.filled(LAKES["busy"], 5, 3, seed=41)
    assert (found.refused, found.coverage) == (1, None)
