"""Charts: valid plotly figures in which nothing unknown is a zero and nothing machine is human."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import plotly.graph_objects as go

from dashboards import charts

FIRST = date(2025, 7, 25)
NAMES = {
    name: name
    for name in (
        *charts.ACTIVITY_COLOURS,
        "weekend",
        "holiday",
        "machine only",
        "not looked at",
        "not observed",
        "person-hours",
        "validated",
        "not read",
        "persons",
        "hour",
    )
}


def day(
    number: int, basis: str, activities: dict[str, float] | None, machine: float | None
) -> dict[str, Any]:
    return {
        "day": FIRST + timedelta(days=number), "basis": basis, "activities": activities or {},
        "validated_person_hours": None if activities is None else sum(activities.values()),
        "machine_only_person_hours": machine,
    }  # fmt: skip


def draw(days: list[dict[str, Any]], gaps: list[date]) -> charts.Chart:
    hover = {each["day"]: "said" for each in days} | dict.fromkeys(gaps, "gap")
    return charts.daily(days, gaps, names=NAMES, hover=hover)


def test_each_kind_of_day_has_its_own_mark() -> None:
    gap = FIRST + timedelta(days=4)
    drawn = draw(
        [
            day(0, "fully read", {"bathing": 2.5, "walking": 10.0}, None),
            day(1, "partly read", {"bathing": 1.0}, 3.0),
            day(2, "machine only", None, 4.0),
            day(3, "not looked at", None, None),
        ],
        [gap],
    )
    traces = {trace["name"]: trace for trace in drawn["data"]}
    assert list(traces) == [
        "bathing", "walking", "machine only", "not looked at", "not observed",
    ]  # fmt: skip
    assert traces["bathing"]["y"] == [2.5, 1.0]
    assert traces["bathing"]["marker"]["opacity"] == [1, charts.PARTLY]
    assert traces["walking"]["base"] == [2.5]  # stacked
    assert traces["machine only"]["y"] == [3.0, 4.0]
    assert traces["machine only"]["marker"]["pattern"]["shape"]
    assert traces["not observed"]["x"] == [gap.isoformat()]
    for band in ("not looked at", "not observed"):  # carry no value
        assert traces[band]["yaxis"] == "y2"
    assert charts.MACHINE_LIGHT not in charts.ACTIVITY_COLOURS.values()
    assert drawn["layout"]["barmode"] == "group"  # different frames are never stacked
    go.Figure(drawn)  # plotly knows every property


def test_what_does_not_occur_has_no_legend() -> None:
    drawn = draw([day(0, "fully read", {"fishing": 1.0}, None)], [])
    assert [trace["name"] for trace in drawn["data"]] == ["fishing"]
    go.Figure(drawn)


def test_weekends_and_school_holidays_are_marked() -> None:
    days = [FIRST + timedelta(days=n) for n in range(4)]
    drawn = charts.daily(
        [day(1, "fully read", {"fishing": 1.0}, None)], [days[0], *days[2:]], names=NAMES,
        hover=dict.fromkeys(days, "said"),
        kinds={days[0]: "week", days[1]: "weekend", days[2]: "weekend", days[3]: "holiday"},
        school=[("zone A", [(days[0], days[1])]), ("zone B", [])],
    )  # fmt: skip
    weekend, holiday, strip = drawn["layout"]["shapes"]
    assert (weekend["x0"], weekend["x1"]) == ("2025-07-25T12:00", "2025-07-27T12:00")
    assert (holiday["x0"], holiday["x1"]) == ("2025-07-27T12:00", "2025-07-28T12:00")
    assert (strip["x0"], strip["x1"]) == ("2025-07-24T12:00", "2025-07-26T12:00")
    assert drawn["layout"]["yaxis"]["domain"][1] <= strip["y0"] < strip["y1"] <= 1
    assert [each["text"] for each in drawn["layout"]["annotations"]] == ["zone A", "zone B"]
    assert [trace["name"] for trace in drawn["data"]][-2:] == ["weekend", "holiday"]
    go.Figure(drawn)


def test_bars_have_their_intervals_and_the_unknown_none() -> None:
    drawn = charts.bars(
        ["June", "July", "August"],
        [
            ("now", [2.0, None, 3.0], ["a", "", "c"], [(1.5, 2.75), None, None]),
            ("then", [1.0, 1.5, None], ["d", "e", ""], []),
        ],
        unit="persons", colours=["#000000", "#ffffff"], unknown=("no figure", ["July"]),
    )  # fmt: skip
    now, then, unknown = drawn["data"]
    assert (now["x"], now["y"]) == (["June", "August"], [2.0, 3.0])
    assert now["error_y"]["array"] == [0.75, 0.0]
    assert now["error_y"]["arrayminus"] == [0.5, 0.0]
    assert then["x"] == ["June", "July"]
    assert (unknown["x"], unknown["yaxis"]) == (["July"], "y2")
    go.Figure(drawn)


def test_nothing_to_draw() -> None:
    assert draw([], [])["data"] == []


def test_an_hour_not_read_is_no_zero() -> None:
    hours: list[dict[str, Any]] = [
        {"hour": 9, "persons_present": None, "low": None, "high": None},
        {"hour": 10, "persons_present": 0.5, "low": 0.25, "high": 1.5},
        {"hour": 11, "persons_present": 0.0, "low": None, "high": None},
    ]
    drawn = charts.by_hour(hours, names=NAMES, hover={9: "a", 10: "b", 11: "c"})
    traces = {trace["name"]: trace for trace in drawn["data"]}
    assert (traces["validated"]["x"], traces["validated"]["y"]) == ([10, 11], [0.5, 0.0])
    assert traces["validated"]["error_y"]["array"] == [1.0, 0.0]
    assert traces["validated"]["error_y"]["arrayminus"] == [0.25, 0.0]
    assert traces["not read"]["x"] == [9]
    go.Figure(drawn)
    assert charts.by_hour([], names=NAMES, hover={})["data"] == []
