"""Figures as plotly charts: plain dictionaries, for plotly.js to draw. Pure.

Holds no words: names, units and hover texts come in. The colours are those of lacs.css.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

Chart = dict[str, Any]  # {"data": traces, "layout": …}

VALIDATED, PARTLY = "#0d6e8a", 0.45  # the second: opacity of a day that is read in part
GROUNDS = {"weekend": "#f4efe2", "holiday": "#e6dcc0"}  # behind such days
SCHOOL = ("#c9b8dc", "#a9c9a4", "#e3b7a0", "#b9c7d9")  # one for each strip of school holidays
STRIP = 0.05  # height of a strip, of the whole chart
ACTIVITY_COLOURS = {
    "bathing": "#25a5cf", "on_water": "#0d6e8a", "fishing": "#2f7d5b", "walking": "#93b442",
    "resting": "#8577b8", "bivouac": "#2b3a67", "pastoral": "#8a7a4f", "unknown": "#8b9aa1",
    "other": "#8b9aa1",
}  # fmt: skip
MACHINE, MACHINE_LIGHT = "#b8651b", "#fbeee2"
GAP, GAP_LINE = "#f1f3f4", "#9aa7ad"
INK, RULE = "#37474f", "#e3e8ea"
_DAY = 24 * 3600 * 1000  # milliseconds


def daily(
    days: Sequence[Mapping[str, Any]],
    not_observed: Sequence[date],
    *,
    names: Mapping[str, str],
    hover: Mapping[date, str],
    kinds: Mapping[date, str] | None = None,
    school: Sequence[tuple[str, Sequence[tuple[date, date]]]] = (),
) -> Chart:
    """Person-hours per day: what people settled, by activity, beside what only the machine said.

    The two are never stacked: they were counted over different frames. Days read in part are
    lighter. A day without pictures, or one whose pictures nobody has looked at, is a hatched band
    over the whole height; days that are "weekend" or "holiday" by `kinds` have a ground of their
    own. `school`: a name, and the school holidays that it has: a strip over the bars.
    `names`: words for each activity, "machine only", "not looked at",
    "not observed", "weekend", "holiday", "person-hours". `hover`: a text for each day.
    """
    read = [day for day in days if day["validated_person_hours"] is not None]
    heights = dict.fromkeys((day["day"] for day in read), 0.0)
    data = []
    for activity, colour in ACTIVITY_COLOURS.items():
        mine = [day for day in read if day["activities"].get(activity)]
        data.append(
            {
                "type": "bar", "name": names[activity], "offsetgroup": "validated",
                "x": [day["day"].isoformat() for day in mine],
                "y": [day["activities"][activity] for day in mine],
                "base": [heights[day["day"]] for day in mine],
                "marker": {
                    "color": colour,
                    "opacity": [1 if day["basis"] == "fully read" else PARTLY for day in mine],
                },
                **_said([hover[day["day"]] for day in mine]),
            }
        )  # fmt: skip
        for day in mine:
            heights[day["day"]] += day["activities"][activity]
    machine = [day for day in days if day["machine_only_person_hours"] is not None]
    unseen = [day["day"] for day in days if day["basis"] == "not looked at"]
    every = sorted([*(day["day"] for day in days), *not_observed])
    grounds = {kind: [day for day in every if (kinds or {}).get(day) == kind] for kind in GROUNDS}
    data += [
        {
            "type": "bar", "name": names["machine only"], "offsetgroup": "machine",
            "marker": _hatched("/", MACHINE, MACHINE_LIGHT, edge=1.5),
            "x": [day["day"].isoformat() for day in machine],
            "y": [day["machine_only_person_hours"] for day in machine],
            **_said([hover[day["day"]] for day in machine]),
        },
        _band(names["not looked at"], unseen, hover, _hatched(".", GAP_LINE, "#ffffff", edge=0)),
        _band(names["not observed"], not_observed, hover, _hatched("x", GAP_LINE, GAP, edge=0)),
    ]  # fmt: skip
    for kind, mine in grounds.items():
        if mine:
            marker = {"color": GROUNDS[kind], "line": {"color": RULE, "width": 1}}
            data.append(_key(names[kind], marker))
    ends = [f"{every[0] - timedelta(days=1)}T12:00", f"{every[-1]}T12:00"] if every else None
    layout = _layout(names["person-hours"])
    top = 1 - STRIP * len(school)
    layout["yaxis"]["domain"] = layout["yaxis2"]["domain"] = [0, top]
    widest = max((len(name) for name, _spans in school), default=0)
    layout["margin"]["l"] = max(layout["margin"]["l"], 16 + 6 * widest)
    return {
        "data": [trace for trace in data if trace["x"]],
        "layout": layout
        | {
            "bargap": 0.15 if len(every) > 20 else 0.35,
            "shapes": [
                _box(*run, GROUNDS[kind], 0, top)
                for kind, mine in grounds.items()
                for run in runs(mine)
            ]
            + [
                _box(*span, SCHOOL[n % len(SCHOOL)], 1 - STRIP * (n + 0.9), 1 - STRIP * (n + 0.1))
                for n, (_name, spans) in enumerate(school)
                for span in spans
            ],
            "annotations": [
                {"text": name, "showarrow": False, "xref": "paper", "yref": "paper", "x": -0.004,
                 "xanchor": "right", "y": 1 - STRIP * (n + 0.5), "yanchor": "middle",
                 "font": {"size": 11, "color": INK}}
                for n, (name, _spans) in enumerate(school)
            ],
            "xaxis": {
                "type": "date", "range": ends, "tickformat": "%-d %b",
                **({"dtick": _DAY} if len(every) <= 14 else {"nticks": 12}),
                "showgrid": False, "ticks": "outside", "tickcolor": RULE, "fixedrange": True,
            },
        },
    }  # fmt: skip


Series = tuple[str, Sequence[float | None], Sequence[str], Sequence[tuple[float, float] | None]]


def bars(
    places: Sequence[str],
    series: Sequence[Series],
    *,
    unit: str,
    colours: Sequence[str],
    unknown: tuple[str, Sequence[str]] | None = None,
    dates: bool = False,
) -> Chart:
    """Bars side by side over named places, or ISO `dates`; None is no bar.

    `series`: name, heights, hover texts and intervals by place (none at all: an empty sequence).
    `unknown`: a name, and the places that are hatched over the whole height.
    """
    data: list[dict[str, Any]] = []
    for number, (name, heights, texts, ends) in enumerate(series):
        known = [n for n, height in enumerate(heights) if height is not None]
        bar: dict[str, Any] = {
            "type": "bar", "name": name, "marker": {"color": colours[number]},
            "x": [places[n] for n in known], "y": [heights[n] for n in known],
            **_said([texts[n] for n in known]),
        }  # fmt: skip
        if any(ends):
            bar["error_y"] = _reaches([ends[n] for n in known], [heights[n] for n in known])
        data.append(bar)
    if unknown and unknown[1]:
        marker = _hatched("x", GAP_LINE, GAP, edge=0)
        data.append(
            {"type": "bar", "name": unknown[0], "yaxis": "y2", "xaxis": "x", "marker": marker,
             "x": list(unknown[1]), "y": [1] * len(unknown[1]), "hoverinfo": "skip",
             "offsetgroup": "whole"}
        )  # fmt: skip
    if dates:
        first = date.fromisoformat(places[0])
        days = (date.fromisoformat(places[-1]) - first).days + 1
        for bar in data:
            bar["width"] = 0.8 * _DAY
        return {
            "data": [trace for trace in data if trace["x"]],
            "layout": _layout(unit)
            | {
                "xaxis": {
                    "type": "date", "tickformat": "%-d %b", "tick0": places[0],
                    "range": [f"{first - timedelta(days=1)}T12:00", f"{places[-1]}T12:00"],
                    "dtick": (1 + (days - 1) // 10) * _DAY,
                    "showgrid": False, "fixedrange": True, "ticks": "outside", "tickcolor": RULE,
                },
            },
        }  # fmt: skip
    return {
        "data": [trace for trace in data if trace["x"]],
        "layout": _layout(unit)
        | {
            "bargap": 0.3 if len(places) > 4 else 0.7,
            "xaxis": {
                "type": "category", "categoryorder": "array", "categoryarray": list(places),
                "showgrid": False, "fixedrange": True, "automargin": True, "nticks": 24,
            },
        },
    }  # fmt: skip


def _reaches(
    ends: Sequence[tuple[float, float] | None], heights: Sequence[float | None]
) -> dict[str, Any]:
    """Intervals as plotly takes them: how far they reach above and below."""
    both = [
        (0.0, 0.0) if pair is None or height is None else (pair[1] - height, height - pair[0])
        for pair, height in zip(ends, heights, strict=True)
    ]
    return {
        "type": "data", "symmetric": False, "color": INK, "thickness": 1.25, "width": 4,
        "array": [above for above, _ in both], "arrayminus": [below for _, below in both],
    }  # fmt: skip


PASSAGES = ("#93b442", "#2f7d5b", "#c9a227", "#8577b8", "#b8651b", "#2b3a67")


def beside(
    days: Sequence[str],
    *,
    upper: Series,
    lower: Sequence[Series],
    units: tuple[str, str],
    partly: Collection[str] = (),
) -> Chart:
    """Two charts over the same ISO `days`, one above the other, each with its own axis and unit:
    what has two units is never laid on one scale. `partly`: days that are read in part, lighter.
    """
    found = bars(
        days,
        [upper, *lower],
        unit=units[0],
        colours=[VALIDATED, *(PASSAGES[n % len(PASSAGES)] for n in range(len(lower)))],
        dates=True,
    )
    for trace in found["data"]:
        del trace["width"]  # those of several counters stand side by side
        if trace["marker"]["color"] != VALIDATED:
            trace["yaxis"] = "y3"
        elif partly:
            trace["marker"]["opacity"] = [PARTLY if day in partly else 1 for day in trace["x"]]
    layout = found["layout"]
    layout["yaxis3"] = layout["yaxis"] | {"title": {"text": units[1]}, "domain": [0, 0.45]}
    layout["yaxis"] = layout["yaxis"] | {"domain": [0.55, 1]}
    layout["xaxis"]["anchor"] = "y3"
    return found


def by_hour(
    hours: Sequence[Mapping[str, Any]], *, names: Mapping[str, str], hover: Mapping[int, str]
) -> Chart:
    """Persons present on average at each local hour, among the frames that people settled.

    An hour that was watched and not read is a hatched band. `names`: words for "validated",
    "not read", "persons", "hour". `hover`: a text for each hour.
    """
    read = [each for each in hours if each["persons_present"] is not None]
    unread = [each["hour"] for each in hours if each["persons_present"] is None]
    data = [
        {
            "type": "bar", "name": names["validated"], "marker": {"color": VALIDATED},
            "x": [each["hour"] for each in read],
            "y": [each["persons_present"] for each in read],
            **_said([hover[each["hour"]] for each in read]),
            "error_y": _reaches(
                [None if each["low"] is None else (each["low"], each["high"]) for each in read],
                [each["persons_present"] for each in read],
            ),
        },
        _band(names["not read"], unread, hover, _hatched(".", GAP_LINE, "#ffffff", edge=0), 1),
    ]  # fmt: skip
    watched = [each["hour"] for each in hours]
    return {
        "data": [trace for trace in data if trace["x"]],
        "layout": _layout(names["persons"])
        | {
            "bargap": 0.15,
            "xaxis": {
                "title": {"text": names["hour"], "standoff": 8}, "tickvals": watched,
                "range": [min(watched) - 0.6, max(watched) + 0.6] if watched else None,
                "showgrid": False, "fixedrange": True, "automargin": True,
            },
        },
    }  # fmt: skip


def _hatched(shape: str, ink: str, ground: str, *, edge: float) -> dict[str, Any]:
    return {
        "color": ground,
        "line": {"color": ink, "width": edge},
        "pattern": {"shape": shape, "fgcolor": ink, "bgcolor": ground, "size": 6, "solidity": 0.25},
    }


def _band(
    name: str, places: Sequence[Any], hover: Mapping[Any, str], marker: dict[str, Any],
    width: float = _DAY,
) -> dict[str, Any]:  # fmt: skip
    """Bands over the whole height, on an axis of their own: they carry no value."""
    return {
        "type": "bar", "name": name, "yaxis": "y2", "marker": marker,
        "width": width, "offset": -width / 2,
        "x": [place.isoformat() if isinstance(place, date) else place for place in places],
        "y": [1] * len(places), **_said([hover[place] for place in places]),
    }  # fmt: skip


def _key(name: str, marker: dict[str, Any]) -> dict[str, Any]:
    """A line of the legend alone."""
    return {"type": "bar", "name": name, "x": [None], "y": [None], "marker": marker}


def _box(first: date, last: date, colour: str, low: float, high: float) -> dict[str, Any]:
    """Whole days under the bars, from `low` to `high` of the chart."""
    return {
        "type": "rect", "layer": "below", "xref": "x", "yref": "paper", "y0": low, "y1": high,
        "x0": f"{first - timedelta(days=1)}T12:00", "x1": f"{last}T12:00",
        "fillcolor": colour, "line": {"width": 0},
    }  # fmt: skip


def runs(days: Sequence[date]) -> list[tuple[date, date]]:
    """First and last of each run of days without a gap, `days` being in order."""
    runs: list[tuple[date, date]] = []
    for day in days:
        if runs and runs[-1][1] == day - timedelta(days=1):
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _said(texts: Sequence[str]) -> dict[str, Any]:
    return {"customdata": list(texts), "hovertemplate": "%{customdata}<extra></extra>"}


def _layout(unit: str) -> dict[str, Any]:
    return {
        "barmode": "group",
        "dragmode": False,
        "hovermode": "closest",
        "hoverlabel": {"align": "left", "bgcolor": "#ffffff", "font": {"color": INK}},
        "font": {"family": "system-ui, sans-serif", "size": 13, "color": INK},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 8, "t": 8, "b": 40},
        "legend": {"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "itemclick": False,
                   "itemdoubleclick": False},
        "showlegend": True,
        "yaxis": {"title": {"text": unit}, "rangemode": "tozero", "gridcolor": RULE,
                  "zeroline": True, "zerolinecolor": INK, "fixedrange": True, "automargin": True},
        "yaxis2": {"overlaying": "y", "range": [0, 1], "visible": False, "fixedrange": True},
    }  # fmt: skip
