"""The panels of a lake's page: each a sentence, a chart, and the table behind it.

Takes figures, returns what the template lays out; counts nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.utils.dates import MONTHS, WEEKDAYS
from django.utils.formats import date_format
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from dashboards import charts, sentences
from dashboards.calendar import public_holidays
from dashboards.charts import runs
from dashboards.sentences import number

LEVELS = 6  # shades of the heat table
GROUPS = ("fortnights", "months", "seasons")
KIND_COLOURS = {"week": "#7ba7b8", "weekend": charts.VALIDATED, "holiday": "#2b3a67"}
Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Panel:
    """`key` names its chart and, as `table`, its file. The first cell of a row is its head.

    `columns`: the class of each column after the first, "num" where there are fewer. `marked`: rows
    that are no figures (gaps).
    """

    key: str
    title: str
    summary: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    chart: charts.Chart | None = None
    table: str = ""
    note: str = ""
    tall: bool = False
    columns: Sequence[str] = ()
    marked: frozenset[int] = frozenset()
    current: str = ""
    choices: list[tuple[str, str]] = field(default_factory=list)

    @property
    def classes(self) -> list[str]:
        """Of each column after the first."""
        missing = len(self.head) - 1 - len(self.columns)
        return [*self.columns, *["num"] * missing]

    @property
    def heads(self) -> list[tuple[str, str]]:
        return list(zip(self.head, ["", *self.classes], strict=True))

    @property
    def body(self) -> SafeString:
        """The rows as HTML: a season has thousands of cells, too many for a template's loop."""
        opens = ['<th scope="row">', *(f'<td class="{name}">' for name in self.classes)]
        ends = ["</th>", *["</td>"] * len(self.classes)]
        lines = []
        for n, row in enumerate(self.rows):
            cells = (a + escape(text) + z for a, text, z in zip(opens, row, ends, strict=True))
            lines.append(f"<tr{' class=gap' if n in self.marked else ''}>{''.join(cells)}</tr>")
        return mark_safe("\n".join(lines))  # noqa: S308 - every text is escaped


@dataclass(frozen=True)
class Cell:
    """One hour of one weekday. `level` 0 to LEVELS: a shade; "gap": not read; "": not watched."""

    text: str
    level: str


@dataclass(frozen=True)
class Heat:
    """`rows`: weekday, its mean with its interval, and its hours."""

    summary: str
    hours: list[int]
    rows: list[tuple[str, str, list[Cell]]]


def panels(figures: Figures, by: str, country: str) -> list[Panel]:
    """Those that have something to show, in the order of the page; `by` is one of GROUPS."""
    found = [_daily(figures, country), _hours(figures), _groups(figures, by)]
    if figures["frames_read"]:
        found.append(_day_types(figures))
        if figures["school"]:
            found.append(_school(figures))
        found += [_activities(figures), _nights(figures)]
    if figures["years"]:
        found.append(_years(figures))
    if figures["passages"]:
        found.append(_passages(figures))
    return found


def heat(figures: Figures) -> Heat | None:
    """Persons present on average by weekday and hour, as a table of shades; None if unread."""
    if not figures["frames_read"]:
        return None
    cells = {(cell["weekday"], cell["hour"]): cell for cell in figures["week"]}
    hours = sorted({hour for _, hour in cells})
    most = max((cell["persons_present"] or 0 for cell in cells.values()), default=0)

    def cell(weekday: int, hour: int) -> Cell:
        mine = cells.get((weekday, hour))
        if mine is None:
            return Cell("", "")
        mean = mine["persons_present"]
        if mean is None:
            return Cell("–", "gap")
        level = 0 if not mean else 1 + min(LEVELS - 1, int(LEVELS * mean / most))
        return Cell(number(mean), str(level))

    days = {each["weekday"]: each for each in figures["weekdays"]}

    def whole(weekday: int) -> str:
        each = days.get(weekday)
        if each is None:
            return ""
        mean = number(each["persons_present"], 2)
        if each["low"] is None:
            return mean
        return _("%(n)s (%(low)s to %(high)s)") % {
            "n": mean, "low": number(each["low"], 2), "high": number(each["high"], 2),
        }  # fmt: skip

    return Heat(
        summary=sentences.week_summary(figures),
        hours=hours,
        rows=[
            (str(WEEKDAYS[day]), whole(day), [cell(day, hour) for hour in hours])
            for day in range(7)
        ],
    )


def closed_schools(figures: Figures) -> list[tuple[str, list[tuple[date, date]]]]:
    """Who has school holidays in the period, and when; alike regions stand together."""
    days: dict[str, list[date]] = {}
    for each in figures["calendar"]:
        for region in each["school"]:
            days.setdefault(region, []).append(each["day"])
    alike: dict[tuple[date, ...], list[str]] = {}
    for region in sorted(days):
        alike.setdefault(tuple(days[region]), []).append(region)
    return [(sentences.short_regions(mine), runs(dates)) for dates, mine in alike.items()]


def _figure(found: Mapping[str, Any] | None, digits: int = 1) -> list[str]:
    if found is None:
        return ["–", "–", "–"]
    return [number(found[name], digits) for name in ("value", "low", "high")]


def _ends(found: Mapping[str, Any] | None) -> tuple[float, float] | None:
    return None if found is None or found["low"] is None else (found["low"], found["high"])


def _daily(figures: Figures, country: str) -> Panel:
    names, said = sentences.daily_names(), sentences.bases()
    holidays = {
        day: name
        for year in range(figures["from"].year, figures["to"].year + 1)
        for day, name in public_holidays(country, year, get_language() or "fr").items()
    }
    kinds = {each["day"]: each["kind"] for each in figures["calendar"]}
    closed = closed_schools(figures)
    chart = charts.daily(
        figures["days"],
        figures["not_observed"],
        names=names,
        hover=sentences.daily_hover(figures, holidays),
        kinds=kinds,
        school=closed,
    )
    days = {day["day"]: day for day in figures["days"]}
    rows, gaps = [], set()
    part = _("%(read)s of %(frames)s")
    for n, each in enumerate(figures["calendar"]):
        when = each["day"]
        kind = holidays.get(when, names[each["kind"]])
        where = sentences.short_regions(each["school"])
        start = [sentences.weekday_and_day(when), kind, where]
        day = days.get(when)
        if day is None:
            gaps.add(n)
            rows.append([*start, said["not observed"], *[""] * 6])
            continue
        rows.append(
            [
                *start,
                said[day["basis"]],
                part % {"read": number(day["frames_read"], 0), "frames": number(day["frames"], 0)},
                number(day["watched_hours"]),
                number(day["read_hours"]),
                _or_empty(day["validated_person_hours"], 1),
                _or_empty(day["machine_only_person_hours"], 1),
                _or_empty(day["peak_persons"], 0),
            ]
        )
    notes = []
    if any(day["basis"] == "partly read" for day in days.values()):
        notes.append(_("Light bars: a day read in part, and only its hours that were read."))
    if closed:
        when = str(_("; ")).join(sentences.school_spans(where, spans) for where, spans in closed)
        notes.append(_("School holidays: %(when)s.") % {"when": when})
    return Panel(
        key="daily",
        title=_("Person-hours per day"),
        summary=sentences.daily_summary(figures),
        head=[
            _("Day"), _("Kind of day"), _("School holidays"), _("How it was got"), _("Frames read"),
            _("Hours watched"), _("Hours read"), _("Validated person-hours"),
            _("Machine only, not validated"), _("Peak"),
        ],
        columns=["", "", "", "num", "num", "num", "num validated", "num machine", "num"],
        rows=rows,
        marked=frozenset(gaps),
        chart=chart,
        table="days",
        tall=True,
        note=" ".join(notes),
    )  # fmt: skip


def _or_empty(value: float | None, digits: int) -> str:
    """What is not known stands empty in the table of days: there it is the rule."""
    return "" if value is None else number(value, digits)


def _hours(figures: Figures) -> Panel:
    read = bool(figures["frames_read"])
    return Panel(
        key="hours",
        title=_("Presence by hour of the day"),
        summary=sentences.hours_summary(figures),
        head=[
            _("Local hour"), _("Hours watched"), _("Hours read"), _("Validated person-hours"),
            _("Persons present on average"), _("low"), _("high"),
        ],
        columns=["num", "num", "num validated"],
        rows=[
            [
                sentences.hour_span(row["hour"]),
                number(row["watched_hours"]),
                number(row["read_hours"]),
                number(row["validated_person_hours"]),
                number(row["persons_present"], 2),
                number(row["low"], 2),
                number(row["high"], 2),
            ]
            for row in figures["hours"]
        ] if read else [],
        chart=charts.by_hour(
            figures["hours"],
            names=sentences.hours_names(figures["basis"]),
            hover=sentences.hours_hover(figures),
        ) if read else None,
        table="hours",
        note=_(
            "Machine counts, corrected by the frames read; the intervals hold at least 95% and are "
            "wide, for few frames are read at each hour."
        ) if any(row["low"] is not None for row in figures["hours"]) else "",
    )  # fmt: skip


def _groups(figures: Figures, by: str) -> Panel:
    groups = figures[by]
    names, said = [_group_name(group, by) for group in groups], sentences.bases()
    rows = [
        [
            name,
            said[group["basis"]],
            number(group["days_observed"], 0),
            number(group["watched_hours"], 0) if group["days_observed"] else "–",
            *_figure(group["person_hours"], 0),
            *_figure(group["present"], 2),
        ]
        for name, group in zip(names, groups, strict=True)
    ]
    known = [group["present"] for group in groups]
    named = sentences.series_name(figures["basis"])
    hover = [
        sentences.lines(
            name,
            _("%(n)s persons at a time") % {"n": number(each["value"], 2)},
            sentences.interval(each["low"], each["high"], 2),
        )
        if each
        else ""
        for name, each in zip(names, known, strict=True)
    ]
    chart = charts.bars(
        names,
        [(named, [each and each["value"] for each in known], hover, _all_ends(known))],
        unit=_("persons at a time"),
        colours=[charts.VALIDATED],
        unknown=(
            _("no figure: not observed, or too little read"),
            [name for name, each in zip(names, known, strict=True) if each is None],
        ),
    )
    titles = {
        "fortnights": _("By fortnight"), "months": _("By month"), "seasons": _("By season"),
    }  # fmt: skip
    offered = [each for each in GROUPS if each != "seasons" or len(figures["seasons"]) > 1]
    return Panel(
        key="groups",
        title=titles[by],
        summary=sentences.groups_summary(groups),
        head=[
            _("Period"), _("How it was got"), _("Days observed"), _("Hours watched"),
            _("Person-hours"), _("low"), _("high"), _("Persons at a time"), _("low"), _("high"),
        ],
        columns=[""],
        rows=rows,
        chart=chart if any(known) else None,
        table=by,
        note=_("Person-hours are those of the hours watched; compare persons at a time."),
        current=by,
        choices=[(each, titles[each]) for each in offered],
    )  # fmt: skip


def _all_ends(known: Iterable[Mapping[str, Any] | None]) -> list[tuple[float, float] | None]:
    return [_ends(each) for each in known]


def _group_name(group: Mapping[str, Any], by: str) -> str:
    first, last = group["from"], group["to"]
    if by == "seasons":
        return _("Season %(year)s") % {"year": first.year}
    if by == "months":
        return f"{MONTHS[first.month]} {first.year}"
    month = date_format(first, "N")
    return f"{first.day}–{last.day} {month} {first.year}"


def _day_types(figures: Figures) -> Panel:
    kinds = {kind["kind"]: kind for kind in figures["day_types"]}
    names = sentences.day_kinds()
    hours = sorted({cell["hour"] for kind in kinds.values() for cell in kind["hours"]})
    cells = {
        name: {cell["hour"]: cell for cell in kind["hours"]} for name, kind in kinds.items()
    }  # fmt: skip
    spans = [sentences.hour_span(hour) for hour in hours]

    def series(kind: str) -> charts.Series:
        mine = [cells[kind].get(hour) for hour in hours]
        texts = [
            sentences.lines(
                names[kind],
                span,
                _("%(n)s persons on average") % {"n": number(cell["persons_present"], 2)},
                *(
                    [sentences.interval(cell["low"], cell["high"], 2)]
                    if cell["low"] is not None
                    else []
                ),
            )
            if cell
            else ""
            for span, cell in zip(spans, mine, strict=True)
        ]
        return names[kind], [cell and cell["persons_present"] for cell in mine], texts, ()

    def row(kind: str, cell: Mapping[str, Any] | None, value: str) -> list[str]:
        if cell is None:
            return ["", "", ""]
        return [number(cell[name], 2) for name in (value, "low", "high")]

    whole = [text for name, kind in kinds.items() for text in row(name, kind["present"], "value")]
    by_hour = [
        [text for name in kinds for text in row(name, cells[name].get(hour), "persons_present")]
        for hour in hours
    ]
    return Panel(
        key="day_types",
        title=_("Week, weekend and public holidays"),
        summary=sentences.day_types_summary(figures),
        head=[
            _("Local hour"),
            *(text for kind in kinds for text in (names[kind], _("low"), _("high"))),
        ],
        rows=[
            [_("all hours"), *whole],
            *([span, *cells] for span, cells in zip(spans, by_hour, strict=True)),
        ],
        chart=charts.bars(
            [str(hour) for hour in hours],
            [series(kind) for kind in kinds],
            unit=_("persons present on average"),
            colours=[KIND_COLOURS[kind] for kind in kinds],
        ),
        table="day_types",
        note=_("Days observed: %(what)s.")
        % {
            "what": ", ".join(
                f"{names[name]} {number(kind['days_observed'], 0)}" for name, kind in kinds.items()
            )
        },
    )


def _school(figures: Figures) -> Panel:
    rows = figures["school"]
    places = [sentences.short_regions([row["region"]]) for row in rows]
    named = [("holidays", _("school holidays")), ("term", _("other days"))]

    def series(key: str, name: str) -> charts.Series:
        rates = [row[key]["present"] for row in rows]
        texts = [
            sentences.lines(
                place,
                name,
                _("%(n)s persons at a time") % {"n": number(rate["value"], 2)},
                sentences.interval(rate["low"], rate["high"], 2),
            )
            if rate
            else ""
            for place, rate in zip(places, rates, strict=True)
        ]
        return name, [rate and rate["value"] for rate in rates], texts, _all_ends(rates)

    known = any(row[key]["present"] for row in rows for key, _name in named)
    return Panel(
        key="school",
        title=_("School holidays against other days"),
        summary=sentences.school_summary(rows[0]),
        head=[
            _("Region"),
            *(
                text
                for _key, name in named
                for text in (_("Days observed"), name, _("low"), _("high"))
            ),
        ],
        rows=[
            [
                sentences.region_name(row["region"]),
                *(
                    text
                    for key, _name in named
                    for text in (
                        number(row[key]["days_observed"], 0), *_figure(row[key]["present"], 2),
                    )
                ),
            ]
            for row in rows
        ],
        chart=charts.bars(
            places,
            [series(*each) for each in named],
            unit=_("persons at a time"),
            colours=[charts.VALIDATED, "#7ba7b8"],
        ) if known else None,
        table="school",
    )  # fmt: skip


def _activities(figures: Figures) -> Panel:
    names, said = sentences.activity_names(), sentences.bases()
    found = sorted(figures["activities"].items(), key=lambda each: each[1]["value"], reverse=True)
    found = [(name, figure) for name, figure in found if figure["value"] > 0]
    places = [names[name] for name, _figure in found]
    hover = [
        sentences.lines(
            names[name],
            _("%(n)s person-hours") % {"n": number(figure["value"])},
            sentences.interval(figure["low"], figure["high"]),
        )
        for name, figure in found
    ]
    values = [figure["value"] for _name, figure in found]
    chart = charts.bars(
        places,
        [
            (
                sentences.series_name(figures["basis"]),
                values,
                hover,
                _all_ends(figure for _name, figure in found),
            )
        ],
        unit=_("person-hours"),
        colours=[charts.VALIDATED],
    )
    return Panel(
        key="activities",
        title=_("Activities"),
        summary=sentences.activities_summary(figures),
        head=[
            _("Activity"), _("How it was got"), _("Person-hours"), _("low"), _("high"), _("Share"),
        ],
        columns=[""],
        rows=[
            [
                names[name],
                said[figure["basis"]],
                *_figure(figure),
                sentences.percent(figure["share"]),
            ]
            for name, figure in found
        ],
        chart=chart if found else None,
        table="activities",
        note=sentences.few(figures["discretion"]),
    )  # fmt: skip


def _nights(figures: Figures) -> Panel:
    nights = figures["nights"]
    places = [sentences.short_day(night["night"]) for night in nights]
    hover = [
        sentences.lines(place, sentences.at_least_tents(night["tents"]))
        if night["tents"] is not None
        else ""
        for place, night in zip(places, nights, strict=True)
    ]
    tents = [night["tents"] for night in nights]
    chart = charts.bars(
        [night["night"].isoformat() for night in nights],
        [(_("highest count of tents settled"), tents, hover, ())],
        unit=_("tents"),
        colours=[charts.ACTIVITY_COLOURS["bivouac"]],
        dates=True,
    ) if any(tents) else None  # fmt: skip
    outside, few = figures["tents_outside_hours"], sentences.fewer_than(figures["discretion"])
    return Panel(
        key="nights",
        title=_("Nights with tents"),
        summary=sentences.nights_summary(figures),
        head=[_("Night that begins on"), _("Tents, at least")],
        rows=[
            [place, few if night["tents"] is None else number(night["tents"], 0)]
            for place, night in zip(places, nights, strict=True)
        ],
        chart=chart,
        table="nights",
        note=_("Tents outside %(hours)s, by day, summed: %(n)s.")
        % {"hours": sentences.night_hours(figures["night"]), "n": number(outside, 0)}
        if outside is not None
        else "",
    )


def _years(figures: Figures) -> Panel:
    years = figures["years"]
    now = years[0]["now"]  # on the days like those of the latest of the other years
    bars = [(str(each["from"].year), each["then"]) for each in reversed(years)]
    bars.append((str(figures["to"].year), now))
    hover = [
        sentences.lines(
            year,
            _("%(n)s persons at a time") % {"n": number(rate["value"], 2)},
            sentences.interval(rate["low"], rate["high"], 2),
        )
        for year, rate in bars
    ]
    rates = [rate for _year, rate in bars]
    named = sentences.series_name(figures["basis"])
    return Panel(
        key="years",
        title=_("Year against year, on like days"),
        summary=sentences.years_summary(years),
        head=[
            _("Year"), _("Persons at a time"), _("low"), _("high"),
            str(figures["to"].year), _("low"), _("high"),
        ],
        rows=[
            [str(each["from"].year), *_figure(each["then"], 2), *_figure(each["now"], 2)]
            for each in years
        ],
        chart=charts.bars(
            [year for year, _rate in bars],
            [(named, [rate["value"] for rate in rates], hover, _all_ends(rates))],
            unit=_("persons at a time"),
            colours=[charts.VALIDATED],
        ),
        table="years",
        note=_(
            "Like days: the same part of the year, fortnights and kinds of day that were watched "
            "in both years."
        ),
    )  # fmt: skip


def _passages(figures: Figures) -> Panel:
    """Counters beside cameras: two charts over the same days, each with its own unit."""
    counters = figures["passages"]
    by_day = [{each["day"]: each for each in counter["days"]} for counter in counters]
    days = {day["day"]: day for day in figures["days"]}
    read = [each for each in figures["days"] if each["validated_person_hours"] is not None]
    shown = sorted({*(each["day"] for each in read), *(day for each in by_day for day in each)})

    def series(name: str, found: Mapping[date, Mapping[str, Any]]) -> charts.Series:
        mine = [found.get(day) for day in shown]
        texts = [
            sentences.lines(
                sentences.weekday_and_day(day),
                name,
                _("%(n)s passages") % {"n": number(each["passages"], 0)},
                _("%(n)s hours counted") % {"n": number(each["hours_counted"], 0)},
            )
            if each
            else ""
            for day, each in zip(shown, mine, strict=True)
        ]
        return name, [each["passages"] if each else None for each in mine], texts, ()

    partly = {each["day"].isoformat() for each in read if each["basis"] == "partly read"}
    light = _("Light bars: a day read in part, and only its hours that were read.")
    validated = [days[day]["validated_person_hours"] if day in days else None for day in shown]
    said = [
        ""
        if value is None
        else sentences.lines(
            sentences.weekday_and_day(day), _("%(n)s person-hours") % {"n": number(value)}
        )
        for day, value in zip(shown, validated, strict=True)
    ]
    return Panel(
        key="passages",
        title=_("Pedestrian counters beside the cameras"),
        summary=sentences.passages_summary(figures),
        head=[
            _("Day"),
            *(
                text
                for each in counters
                for text in (
                    _("%(counter)s: passages") % {"counter": each["counter"]}, _("Hours counted"),
                )
            ),
            _("Validated person-hours"), _("Hours read"),
        ],
        rows=[
            [
                sentences.weekday_and_day(day),
                *(
                    text
                    for found in by_day
                    for text in (
                        (number(found[day]["passages"], 0), number(found[day]["hours_counted"], 0))
                        if day in found
                        else ("–", "–")
                    )
                ),
                number(days[day]["validated_person_hours"] if day in days else None),
                number(days[day]["read_hours"] if day in days else None),
            ]
            for day in shown
        ],
        chart=charts.beside(
            [day.isoformat() for day in shown],
            upper=(_("validated person-hours"), validated, said, ()),
            lower=[series(*pair) for pair in zip(
                [each["counter"] for each in counters], by_day, strict=True)],
            units=(_("person-hours"), _("passages")),
            partly=partly,
        ),
        table="passages",
        tall=True,
        note=" ".join([*([light] if partly else []), _(
            "A passage is somebody who goes by the counter; person-hours are presence at the lake. "
            "The two are never added. Hours that a counter missed are gaps."
        )]),
    )  # fmt: skip
