"""Kinds of day on days that anybody can look up in a calendar."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboards.calendar import (
    Band,
    Kind,
    bands_on,
    french_school_year,
    kind_of_day,
    public_holidays,
    schools_on,
)

EASTERS = {2024: date(2024, 3, 31), 2025: date(2025, 4, 20), 2026: date(2026, 4, 5),
           2027: date(2027, 3, 28), 2038: date(2038, 4, 25)}  # fmt: skip


@pytest.mark.parametrize("easter", EASTERS.values())
def test_days_that_move_with_easter(easter: date) -> None:
    for after in (1, 39, 50):  # Easter Monday, Ascension, Whit Monday
        assert kind_of_day(easter + timedelta(days=after), "FR") is Kind.HOLIDAY
    assert kind_of_day(easter, "FR") is Kind.WEEKEND  # a Sunday like any other, by French law
    assert kind_of_day(easter, "IT") is Kind.HOLIDAY
    assert kind_of_day(easter + timedelta(days=1), "IT") is Kind.HOLIDAY
    assert kind_of_day(easter + timedelta(days=39), "IT") is Kind.WEEK


@pytest.mark.parametrize(
    ("day", "country", "kind"),
    [
        (date(2025, 7, 14), "FR", Kind.HOLIDAY),  # a Monday
        (date(2025, 7, 14), "IT", Kind.WEEK),
        (date(2025, 8, 15), "FR", Kind.HOLIDAY),
        (date(2025, 8, 15), "IT", Kind.HOLIDAY),
        (date(2026, 8, 15), "FR", Kind.HOLIDAY),  # a Saturday: a holiday all the same
        (date(2025, 6, 2), "IT", Kind.HOLIDAY),
        (date(2025, 6, 2), "FR", Kind.WEEK),
        (date(2025, 4, 25), "IT", Kind.HOLIDAY),
        (date(2025, 12, 26), "IT", Kind.HOLIDAY),
        (date(2025, 12, 26), "FR", Kind.WEEK),
        (date(2025, 7, 26), "FR", Kind.WEEKEND),
        (date(2025, 7, 27), "IT", Kind.WEEKEND),
        (date(2025, 7, 28), "FR", Kind.WEEK),
    ],
)
def test_known_days(day: date, country: str, kind: Kind) -> None:
    assert kind_of_day(day, country) is kind


def test_france_has_eleven_holidays_a_year() -> None:
    assert all(len(public_holidays("FR", year)) == 11 for year in (2024, 2025, 2026))


def test_names_are_in_the_readers_language_or_the_countrys_own() -> None:
    assert public_holidays("FR", 2025, "fr")[date(2025, 8, 15)] == "Assomption"
    assert public_holidays("IT", 2025, "it")[date(2025, 12, 25)] == "Natale"
    assert public_holidays("IT", 2025, "fr")[date(2025, 12, 25)] == "Natale"


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)), st.sampled_from(["FR", "IT"]))
def test_every_day_has_one_kind(day: date, country: str) -> None:
    kind = kind_of_day(day, country)
    assert (kind is Kind.HOLIDAY) == (day in public_holidays(country, day.year))
    assert (kind is Kind.WEEK) <= (day.weekday() < 5)


def test_school_holidays_lie_beside_the_kind_of_day() -> None:
    summer = Band(date(2025, 7, 5), date(2025, 8, 31), "FR-A", "été")
    other = Band(date(2025, 8, 1), date(2025, 9, 10), "IT-21", "estate")
    assert bands_on(date(2025, 7, 4), [summer, other]) == []
    assert bands_on(date(2025, 7, 5), [summer, other]) == [summer]
    assert bands_on(date(2025, 8, 31), [other, summer]) == [summer, other]
    assert bands_on(date(2025, 9, 10), [summer, other]) == [other]


def test_the_french_school_year_by_the_ministrys_table() -> None:
    year = french_school_year(2024)
    assert {band.region for band in year} == {"FR-A", "FR-B", "FR-C"}
    winter = {band.region: band for band in year if "hiver" in band.name}
    # Winter 2025: zone B from 8 February, C from 15 February, A from 22 February.
    assert winter["FR-B"].first == date(2025, 2, 8)
    assert winter["FR-C"].first == date(2025, 2, 15)
    assert winter["FR-A"].first == date(2025, 2, 22)
    assert winter["FR-A"].last == date(2025, 3, 9)
    christmas = [band for band in year if "Noël" in band.name]
    assert {(band.first, band.last) for band in christmas} == {
        (date(2024, 12, 21), date(2025, 1, 5))
    }
    assert french_school_year(2099) == []


def test_schools_are_open_or_closed_only_where_the_year_is_written_down() -> None:
    spring = Band(date(2025, 4, 5), date(2025, 4, 21), "FR-B", "Printemps")
    said = {
        date(2025, 4, 5): False,
        date(2025, 4, 22): True,
        date(2024, 9, 1): True,
        date(2025, 8, 31): True,
        date(2024, 8, 31): None,  # another school year, of which nothing is known
        date(2025, 9, 1): None,
    }
    assert {day: schools_on(day, [spring]) for day in said} == said
    assert schools_on(date(2025, 4, 5), []) is None
