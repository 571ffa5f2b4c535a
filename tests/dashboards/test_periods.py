"""Periods: the usual ones lie within what was observed; wrong ones say which rule they break."""

from __future__ import annotations

from datetime import date

import pytest

from dashboards.periods import Period, WrongPeriod, asked, seasons, usual


def test_the_usual_periods_of_two_seasons() -> None:
    observed = Period(date(2024, 6, 20), date(2025, 8, 31))
    watched = {2024: date(2024, 6, 20), 2025: date(2025, 6, 1)}
    periods = usual(observed, watched)
    assert periods == {
        "week": Period(date(2025, 8, 25), date(2025, 8, 31)),
        "month": Period(date(2025, 8, 2), date(2025, 8, 31)),
        "season": Period(date(2025, 6, 1), date(2025, 8, 31)),
        "2024": Period(date(2024, 6, 20), date(2024, 12, 31)),
        "all": Period(date(2024, 6, 20), date(2025, 8, 31)),
    }
    assert (periods["week"].days, periods["month"].days) == (7, 30)
    assert usual(observed, {})["season"] == Period(date(2025, 1, 1), date(2025, 8, 31))


def test_a_year_that_was_not_watched_is_not_offered() -> None:
    long = Period(date(2022, 6, 20), date(2025, 8, 31))
    found = usual(long, {2025: date(2025, 6, 1), 2022: date(2022, 6, 20)})
    assert list(found) == ["week", "month", "season", "2022", "all"]


def test_a_short_survey_is_never_left() -> None:
    short = Period(date(2025, 7, 25), date(2025, 7, 28))
    assert set(usual(short, {}).values()) == {short}


def test_both_ends_are_included() -> None:
    assert asked("2025-07-26", "2025-07-26").days == 1


@pytest.mark.parametrize(
    ("first", "last", "rule"),
    [
        ("", "2025-07-26", "date"),
        ("26/07/2025", "2025-07-27", "date"),
        ("2025-02-30", "2025-07-27", "date"),
        ("2025-07-27", "2025-07-26", "order"),
        ("1900-01-01", "2025-07-26", "long"),
        ("9999-12-30", "9999-12-31", "years"),
        ("0001-01-01", "0001-01-02", "years"),
        ("1989-12-31", "1990-01-01", "years"),
    ],
)
def test_what_is_no_period(first: str, last: str, rule: str) -> None:
    with pytest.raises(WrongPeriod, match=rule):
        asked(first, last)


def test_seasons_are_calendar_years_cut_to_the_period() -> None:
    assert seasons(date(2024, 6, 20), date(2026, 2, 1)) == [
        (date(2024, 6, 20), date(2024, 12, 31)),
        (date(2025, 1, 1), date(2025, 12, 31)),
        (date(2026, 1, 1), date(2026, 2, 1)),
    ]
