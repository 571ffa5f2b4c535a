"""What figures say in words, in the reader's language: charts' summaries, names and hover texts.

Nothing here counts. "Visitors" is no word of ours: frames count presence, not people who came.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import date, time
from functools import lru_cache
from typing import Any, Literal

from babel.dates import get_day_names, get_month_names
from django.template.defaultfilters import floatformat
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format, get_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from annotation.models import ActivityChoice
from dashboards.discretion import OTHER
from dashboards.estimators.season import DAYS, PEOPLED
from dashboards.periods import FIRST_YEAR, LAST_YEAR, MOST_DAYS
from lacs_web.models import SchoolHoliday


def bases() -> dict[str, str]:
    """How a figure was got → words, wherever it stands."""
    return {
        "fully read": _("fully read"),
        "corrected": _("machine counts, corrected by the frames read"),
        "partly read": _("counted on the frames read alone"),
        "machine only": _("machine only, not validated"),
        "not looked at": _("watched, not counted yet"),
        "not observed": _("not observed"),
    }


def heads() -> dict[str, str]:
    """Columns of `attendance --json` as heads of tables for people, with their units."""
    low, high = _("low (95%)"), _("high (95%)")
    hours = {
        "watched_hours": _("Watched (h)"),
        "read_hours": _("Read (h)"),
        "days_observed": _("Days observed"),
    }
    present = {"value": _("Persons present on average"), "low": low, "high": high}

    def under(what: str, names: Mapping[str, str]) -> dict[str, str]:
        return {key: _("%(what)s: %(name)s") % {"what": what, "name": name}
                for key, name in names.items()}  # fmt: skip

    def nested(key: str, names: Mapping[str, str]) -> dict[str, str]:
        return {f"{key}.{name}": said for name, said in names.items()}

    rated = hours | nested("present", present)
    person_hours = {"value": _("Person-hours"), "low": _("Person-hours: low (95%)"),
                    "high": _("Person-hours: high (95%)")}  # fmt: skip
    return {
        "lake": _("Lake"), "day": _("Day"), "basis": _("How it was got"), "frames": _("Frames"),
        "frames_read": _("Frames read"), "share_read": _("Share read (0 to 1)"),
        "validated_person_hours": _("Validated person-hours"),
        "machine_only_hours": _("Seen by the machine only (h)"),
        "machine_only_person_hours": _("Person-hours of the machine only"),
        "peak_persons": _("Most persons at once"), "detectors": _("Detectors"),
        "rules": _("Validation rules"), "hour": _("Hour"), "weekday": _("Weekday (0: Monday)"),
        "persons_present": _("Persons present on average"), "low": low, "high": high,
        "kind": _("Kind of day"), "region": _("Region"), "school": _("School holidays in"),
        "activity": _("Activity"), "unit": _("Unit"), "value": _("Hours"), "share": _("Share"),
        "counter": _("Counter"), "hours_counted": _("Hours counted"), "passages": _("Passages"),
        "night": _("Night that ends on"), "tents": _("Tents"), "from": _("From"), "to": _("To"),
        **rated,
        **nested("holidays", under(_("Holidays"), rated)),
        **nested("term", under(_("Term"), rated)),
        **nested("person_hours", person_hours),
        **nested("then", under(_("The year before"), present)),
        **nested("now", under(_("This year"), present)),
    }  # fmt: skip


def behind() -> str:
    return _(
        "Frames or reviews came in that these figures do not hold yet; they are being counted."
    )


def wrong_period(rule: str) -> str:
    """What to do about a period that could not be read."""
    return {
        "date": _("A date was not understood: give both as year-month-day."),
        "order": _("The period ended before it began: exchange the two dates."),
        "long": _("Choose at most %(days)d days at a time.") % {"days": MOST_DAYS},
        "years": _("Choose days of the years %(first)d to %(last)d.")
        % {"first": FIRST_YEAR, "last": LAST_YEAR},
    }[rule]


def day_name(day: date) -> str:
    """With its weekday."""
    return _dated(day, "l", get_language()) + " " + long_day(day)


def long_day(day: date) -> str:
    return _dated(day, "DATE_FORMAT", get_language())


def short_day(day: date) -> str:
    return _dated(day, "SHORT_DATE_FORMAT", get_language())


def weekday_and_day(day: date) -> str:
    """As tables have it: short."""
    return _dated(day, "D", get_language()) + " " + short_day(day)


@lru_cache(maxsize=20_000)
def _dated(day: date, pattern: str, language: str | None) -> str:
    """`date_format`, which takes longer than all else of a page that names each day of a season."""
    return date_format(day, pattern)


def number(value: float | None, digits: int = 1) -> str:
    """For reading, with the signs of the reader's language; an en dash where nothing is known.

    As `floatformat` has it, in a tenth of its time.
    """
    if value is None:
        return "–"
    if abs(value * 10**digits % 1 - 0.5) < 1e-6:  # halves go up, in decimals
        return floatformat(value, f"{digits}g")
    return f"{value:,.{digits}f}".translate(_signs(get_language()))


@lru_cache
def _signs(language: str | None) -> dict[int, str]:
    """From Python's signs to those of the language that is active."""
    return str.maketrans(
        {",": get_format("THOUSAND_SEPARATOR"), ".": get_format("DECIMAL_SEPARATOR")}
    )


def percent(share: float | None) -> str:
    return "–" if share is None else _("%(n)s%%") % {"n": number(100 * share, 0)}


def daily_summary(figures: Mapping[str, Any]) -> str:
    """The chart of days, in one sentence."""
    validated, machine = figures["validated_person_hours"], figures["machine_only_person_hours"]
    parts = []
    if validated is None:
        parts.append(_("no frame is read yet"))
    else:
        parts.append(
            _("%(n)s validated person-hours over %(read)s hours read")
            % {"n": number(validated), "read": number(figures["read_hours"])}
        )
        read = [day for day in figures["days"] if day["validated_person_hours"]]
        if len(read) > 1:
            most = max(read, key=lambda day: day["validated_person_hours"])
            parts.append(
                _("most of them on %(day)s (%(n)s)")
                % {"day": day_name(most["day"]), "n": number(most["validated_person_hours"])}
            )
    if machine is not None:
        parts.append(
            _("%(n)s person-hours by machine only, which are not validated")
            % {"n": number(machine)}
        )
    if gaps := len(figures["not_observed"]):
        parts.append(
            ngettext("%(n)d day not observed", "%(n)d days not observed", gaps) % {"n": gaps}
        )
    return _("From %(first)s to %(last)s: %(what)s.") % {
        "first": long_day(figures["from"]),
        "last": long_day(figures["to"]),
        "what": ", ".join(parts),
    }


def hours_summary(figures: Mapping[str, Any]) -> str:
    """The chart of hours, in one sentence."""
    read = [each for each in figures["hours"] if each["persons_present"] is not None]
    most = max(read, key=lambda each: each["persons_present"], default=None)
    if most is None:
        return _("No frame of this period is read yet, so no hour has a validated figure.")
    if not most["persons_present"]:
        return _("Nobody was present on the frames read, at any hour.")
    said = {"hours": hour_span(most["hour"]), "n": number(most["persons_present"], 2)}
    if most["low"] is None:
        return (
            _("On the frames read, presence is highest from %(hours)s: %(n)s persons on average.")
            % said
        )
    return _("Presence is highest from %(hours)s: %(n)s persons on average (%(interval)s).") % (
        said | {"interval": interval(most["low"], most["high"], 2)}
    )


def hour_span(hour: int) -> str:
    """A local hour: "14:00 to 15:00"."""
    return _("%(hour)d:00 to %(next)d:00") % {"hour": hour, "next": hour + 1}


def rule(text: str) -> str:
    """A rule as settled frames store it (JSON), in words. Its numbers are its version."""
    rule = json.loads(text)
    if rule["clause"] == "alone":
        return _("settled by one person with the right to do so alone")
    if rule["clause"] == "imported":
        kind, _space, digest = rule["source"].rpartition(" ")
        return _("counted elsewhere and brought in from a file (%(kind)s, SHA-256 %(digest)s…)") % {
            "kind": kind,
            "digest": digest,
        }
    if rule["clause"] == "trusted and machine":
        return _(
            "settled by one trusted reviewer (trust %(trust)s or more) who agrees with the machine"
        ) % {"trust": percent(rule["least_trust"])}
    return _(
        "settled by two reviewers who agree: their boxes overlap by %(iou)s or more or, below "
        "%(px)s px, lie within %(distance)s times their size"
    ) % {
        "iou": percent(rule["least_iou"]),
        "px": floatformat(rule["tiny_px"], -1),
        "distance": floatformat(rule["tiny_distance"], -1),
    }


def daily_names() -> dict[str, str]:
    known = bases()
    return activity_names() | {
        "machine only": known["machine only"],
        "not looked at": known["not looked at"],
        "not observed": _("not observed (not zero)"),
        **day_kinds(),
        "person-hours": _("person-hours"),
    }


def day_kinds() -> dict[str, str]:
    return {
        "week": _("working day"),
        "weekend": _("weekend"),
        "holiday": _("public holiday"),
    }


def region_name(region: str) -> str:
    return str(SchoolHoliday.Region(region).label)


def short_regions(regions: Iterable[str]) -> str:
    """For the edge of a chart: "zones A, B, Piemonte"."""
    zones: list[str] = []
    others: list[str] = []
    for region in regions:
        country, _dash, name = region.partition("-")
        (zones if country == "FR" else others).append(
            name if country == "FR" else region_name(region)
        )
    if zones:
        said = ngettext("zone %(names)s", "zones %(names)s", len(zones))
        others.insert(0, said % {"names": ", ".join(zones)})
    return ", ".join(others)


def series_name(basis: str | None) -> str:
    """What bars are that rest on frames read."""
    return bases()["corrected"] if basis == "corrected" else _("validated")


def hours_names(basis: str | None) -> dict[str, str]:
    return {
        "validated": series_name(basis),
        "not read": _("watched, not read yet"),
        "persons": _("persons present on average"),
        "hour": _("local hour"),
    }


def daily_hover(figures: Mapping[str, Any], holidays: Mapping[date, str]) -> dict[date, str]:
    """A text for each day of the period; plotly reads <br> and nothing else in it."""
    said_bases, activities = bases(), activity_names()
    validated = _("validated: %(n)s person-hours over %(read)s h read")
    machine = _("not validated: %(n)s person-hours by machine over %(hours)s h")
    what, watched = _("%(what)s: %(n)s"), _("%(hours)s h watched")
    days = {day["day"]: day for day in figures["days"]}
    texts = {}
    for each in figures["calendar"]:
        when, day = each["day"], days.get(each["day"])
        said = [day_name(when)]
        if when in holidays:
            said.append(holidays[when])
        if each["school"]:
            said.append(school_on(each["school"]))
        if day is None:
            texts[when] = lines(*said, said_bases["not observed"])
            continue
        said.append(said_bases[day["basis"]])
        if day["validated_person_hours"] is not None:
            said.append(
                validated
                % {"n": number(day["validated_person_hours"]), "read": number(day["read_hours"])}
            )
            said += [
                what % {"what": activities[name], "n": number(value)}
                for name, value in day["activities"].items()
            ]
        if day["machine_only_person_hours"] is not None:
            said.append(
                machine
                % {
                    "n": number(day["machine_only_person_hours"]),
                    "hours": number(day["machine_only_hours"]),
                }
            )
        said.append(watched % {"hours": number(day["watched_hours"])})
        texts[when] = lines(*said)
    return texts


def school_on(regions: Iterable[str]) -> str:
    return _("school holidays: %(where)s") % {"where": short_regions(regions)}


def school_spans(where: str, spans: Iterable[tuple[date, date]]) -> str:
    """When schools are closed, in words."""
    return _("%(where)s: %(when)s") % {
        "where": where, "when": ", ".join(span_name(*span) for span in spans),
    }  # fmt: skip


def hours_hover(figures: Mapping[str, Any]) -> dict[int, str]:
    return {
        each["hour"]: lines(
            hour_span(each["hour"]),
            _("%(n)s persons on average over %(read)s h read")
            % {"n": number(each["persons_present"], 2), "read": number(each["read_hours"])},
            *([interval(each["low"], each["high"], 2)] if each["low"] is not None else []),
        )
        for each in figures["hours"]
    }


def lines(*lines: str) -> str:
    return "<br>".join(lines)


def plotly_locale() -> dict[str, Any]:
    """Day and month names and number signs of the reader's language, as plotly.js takes them."""
    language = get_language() or "en"
    sunday_first = [6, 0, 1, 2, 3, 4, 5]

    def days(width: Literal["wide", "abbreviated"]) -> list[str]:
        names = get_day_names(width, locale=language)
        return [names[n] for n in sunday_first]

    def months(width: Literal["wide", "abbreviated"]) -> list[str]:
        names = get_month_names(width, locale=language)
        return [names[n] for n in range(1, 13)]

    return {
        "format": {
            "days": days("wide"),
            "shortDays": days("abbreviated"),
            "months": months("wide"),
            "shortMonths": months("abbreviated"),
            "decimal": get_format("DECIMAL_SEPARATOR"),
            "thousands": get_format("THOUSAND_SEPARATOR"),
        }
    }


def interval(low: float | None, high: float | None, digits: int = 1) -> str:
    """The 95 % interval of a figure; what it lacks where there is none."""
    if low is None or high is None:
        return _("too little is read for an interval")
    if low == high:
        return _("exact: everything was read")
    return _("95%% interval: %(low)s to %(high)s") % {
        "low": number(low, digits),
        "high": number(high, digits),
    }


def what_to_read(precision: Mapping[str, Any] | None, unit: str = "") -> list[str]:
    """What is still to read for a figure that is known well enough, in a sentence or two.

    `unit`: its name; person-hours where none is given.
    """
    if precision is None:
        return []
    unit = unit or unit_names()["person_hours"]
    if precision["done"]:
        if precision["absolute"]:
            return [
                _("The figure is small, and known to ±%(n)s %(unit)s: that is enough.")
                % {"n": number(precision["half"]), "unit": unit}
            ]
        return [_("Known to ±10%: no more frames have to be checked for this figure.")]
    more = {"n": number(precision["more"], 0)}
    if precision["first"]:
        said = [
            ngettext(
                "Verify about %(n)s more frame before an interval can be given.",
                "Verify about %(n)s more frames before an interval can be given.",
                precision["more"],
            )
            % more
        ]
    elif precision["absolute"]:
        said = [
            ngettext(
                "Verify about %(n)s more frame for ±%(tolerance)s %(unit)s; the figure is so "
                "small that ±10%% would ask for nearly every frame.",
                "Verify about %(n)s more frames for ±%(tolerance)s %(unit)s; the figure is so "
                "small that ±10%% would ask for nearly every frame.",
                precision["more"],
            )
            % (more | {"tolerance": number(precision["tolerance"]), "unit": unit})
        ]
    else:
        said = [
            ngettext(
                "Verify about %(n)s more frame for ±10%%.",
                "Verify about %(n)s more frames for ±10%%.",
                precision["more"],
            )
            % more
        ]
    if precision["minutes"] is not None:
        minutes = max(1, round(precision["minutes"]))
        said.append(
            ngettext(
                "That is about %(n)s minute at this lake’s pace of %(pace)s s a settled frame.",
                "That is about %(n)s minutes at this lake’s pace of %(pace)s s a settled frame.",
                minutes,
            )
            % {"n": number(minutes, 0), "pace": number(precision["seconds_a_frame"])}
        )
    return said


def left_to_read(precision: Mapping[str, Any] | None) -> str:
    """`what_to_read`, as short as a cell of a table."""
    if precision is None:
        return ""
    if precision["done"]:
        return _("known well enough")
    more = {"n": number(precision["more"], 0)}
    if precision["first"]:
        said = _("about %(n)s more for an interval") % more
    elif precision["absolute"]:
        tolerance = {"tolerance": number(precision["tolerance"])}
        said = _("about %(n)s more for ±%(tolerance)s person-hours") % (more | tolerance)
    else:
        said = _("about %(n)s more for ±10%%") % more
    if precision["minutes"] is None:
        return said
    minutes = number(max(1, round(precision["minutes"])), 0)
    return _("%(said)s (%(minutes)s min)") % {"said": said, "minutes": minutes}


def miss_rate(missed: Mapping[str, Any] | None) -> str:
    """How the detector did on the frames that people read."""
    if missed is None:
        return _("not measured yet: no frame was both examined and read")
    if missed["missed"] is None:
        said = _("nobody was there on the frames read")
    else:
        said = _("%(share)s of the persons were missed") % {"share": percent(missed["missed"])}
    if missed["extra"] is not None:
        said += ", " + _("%(share)s of its persons were none") % {"share": percent(missed["extra"])}
    return ngettext(
        "%(said)s (measured on %(n)s frame, count against count)",
        "%(said)s (measured on %(n)s frames, count against count)",
        missed["frames"],
    ) % {"said": said, "n": number(missed["frames"], 0)}


def cameras(most: int) -> str:
    """What it means that several watched at once; nothing where one did."""
    if most < 2:
        return ""
    return _(
        "%(n)s cameras watched this lake at the same time: their person-hours are added, and "
        "somebody whom two of them see counts twice. Persons at a time are the mean of one camera."
    ) % {"n": number(most, 0)}


def extrapolated(season: Mapping[str, Any]) -> str:
    """What the extrapolation is, of what it is made, and what it leaves out."""
    said = []
    filled = season["unwatched_hours"] - season["blind_hours"]
    if filled >= 0.5 and season["low"] is None:
        said.append(
            ngettext(
                "Extrapolated to scheduled hours that were not watched or not examined: %(n)s "
                "person-hours, without an interval: that takes %(days)s watched days, and people "
                "on %(peopled)s of them. Of these, %(observed)s are the observed part, over "
                "%(watched)s hours; %(gap)s hour is filled in from the same camera, kind of day "
                "and hour.",
                "Extrapolated to scheduled hours that were not watched or not examined: %(n)s "
                "person-hours, without an interval: that takes %(days)s watched days, and people "
                "on %(peopled)s of them. Of these, %(observed)s are the observed part, over "
                "%(watched)s hours; %(gap)s hours are filled in from the same camera, kind of day "
                "and hour.",
                round(filled),
            )
            % {
                "n": number(season["total"], 0),
                "days": DAYS,
                "peopled": PEOPLED,
                "observed": number(season["observed"], 0),
                "watched": number(season["watched_hours"], 0),
                "gap": number(filled, 0),
            }
        )
    elif filled >= 0.5:
        said.append(
            ngettext(
                "Extrapolated to scheduled hours that were not watched or not examined: %(n)s "
                "person-hours (95%% interval: %(low)s to %(high)s). Of these, %(observed)s are the "
                "observed part, over %(watched)s hours; %(gap)s hour is filled in from the same "
                "camera, kind of day and hour.",
                "Extrapolated to scheduled hours that were not watched or not examined: %(n)s "
                "person-hours (95%% interval: %(low)s to %(high)s). Of these, %(observed)s are the "
                "observed part, over %(watched)s hours; %(gap)s hours are filled in from the same "
                "camera, kind of day and hour.",
                round(filled),
            )
            % {
                "n": number(season["total"], 0),
                "low": number(season["low"], 0),
                "high": number(season["high"], 0),
                "observed": number(season["observed"], 0),
                "watched": number(season["watched_hours"], 0),
                "gap": number(filled, 0),
            }
        )
        said.append(
            _(
                "Where few days were watched, or all of them in one stretch, this interval may "
                "hold the truth less often than 95%."
            )
        )
    blind = round(season["blind_hours"])
    if blind:
        said.append(
            ngettext(
                "%(n)s scheduled hour of a camera, kind of day and hour that was never watched is "
                "in no figure.",
                "%(n)s scheduled hours of cameras, kinds of day and hours that were never watched "
                "are in no figure.",
                blind,
            )
            % {"n": number(blind, 0)}
        )
    return " ".join(said)


def extrapolation_measured() -> str:
    """How often the interval of an extrapolated season holds (docs/attendance.md)."""
    return _(
        "Measured on simulated seasons of 100 days, 10 to 80 of them watched, this interval held "
        "the truth in %(shares)s of the seasons (days watched without a break in brackets); fewer "
        "days give none: manage.py simulate_seasons --extrapolated --seasons 500 --seed 1."
    ) % {
        "shares": ", ".join(
            f"{percent(low)}–{percent(high)} ({days})"
            for days, low, high in ((1, 0.94, 1.0), (5, 0.90, 1.0), (20, 0.85, 0.98))
        )
    }


def activity_names() -> dict[str, str]:
    known = {choice.value: str(choice.label) for choice in ActivityChoice}
    return known | {OTHER: _("other activities")}


def few(discretion: Mapping[str, Any] | None) -> str:
    """What is grouped for whoever reads figures alone, and from how many persons on it is not."""
    if discretion is None:
        return ""
    names = activity_names()
    return _(
        "To protect people, these activities stand by themselves only on days (tents: in nights) "
        "on which %(n)s or more were seen at once: %(what)s. On all other days they are in “other "
        "activities”, with resting and unknown, whether somebody was there or not; their figures "
        "speak of those days alone, and are at least."
    ) % {
        "n": number(discretion["fewer_than"], 0),
        "what": ", ".join(names[each] for each in discretion["activities"]),
    }


def few_units(discretion: Mapping[str, Any] | None) -> str:
    """The same beside figures of the period, in short."""
    if discretion is None:
        return ""
    names = activity_names()
    return _("At least, for %(what)s: only days on which %(n)s or more were seen at once.") % {
        "n": number(discretion["fewer_than"], 0),
        "what": ", ".join(names[each] for each in discretion["activities"]),
    }


def fewer_than(discretion: Mapping[str, Any] | None) -> str:
    """In the place of a small number, none included."""
    if discretion is None:
        return "–"
    return _("fewer than %(n)s") % {"n": number(discretion["fewer_than"], 0)}


def unit_names() -> dict[str, str]:
    return {
        "person_hours": _("person-hours"),
        "bather_hours": _("bather-hours"),
        "angler_hours": _("angler-hours"),
        "boat_hours": _("boat-hours"),
        "herd_hours": _("hours with a herd in sight"),
    }


def to_read(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Of each other unit that was seen: its name, and what is still to read for it."""
    names = unit_names()
    return [
        (names[unit], " ".join(what_to_read(each, names[unit])))
        for unit, each in figures["to_read"].items()
        if each and unit != "person_hours"
    ]


def week_summary(figures: Mapping[str, Any]) -> str:
    """The heat table, in one sentence: of whole weekdays where their intervals are known."""
    days = [day for day in figures["weekdays"] if day["low"] is not None]
    if best := max(days, key=lambda day: day["persons_present"], default=None):
        return _("Presence is highest on %(day)s: %(n)s persons on average (%(interval)s).") % {
            "day": WEEKDAYS[best["weekday"]],
            "n": number(best["persons_present"], 2),
            "interval": interval(best["low"], best["high"], 2),
        }
    read = [cell for cell in figures["week"] if cell["persons_present"] is not None]
    most = max(read, key=lambda cell: cell["persons_present"], default=None)
    if most is None:
        return _("No frame of this period is read yet.")
    if not most["persons_present"]:
        return _("Nobody was present on the frames read, at any hour.")
    return _("Presence is highest on %(day)s, %(hours)s: %(n)s persons on average.") % {
        "day": WEEKDAYS[most["weekday"]],
        "hours": hour_span(most["hour"]),
        "n": number(most["persons_present"], 2),
    }


def day_types_summary(figures: Mapping[str, Any]) -> str:
    found = {kind["kind"]: kind["present"] for kind in figures["day_types"] if kind["present"]}
    if len(found) < 2:
        return _("Too little is read to hold the kinds of day against each other.")
    named = {
        "week": _("on working days"),
        "weekend": _("on weekends"),
        "holiday": _("on public holidays"),
    }
    parts = [
        _("%(n)s persons at a time %(when)s (%(interval)s)")
        % {
            "n": number(each["value"], 2),
            "when": named[kind],
            "interval": interval(each["low"], each["high"], 2),
        }
        for kind, each in found.items()
    ]
    return _("; ").join(parts) + "."


def school_summary(row: Mapping[str, Any]) -> str:
    """One region's school holidays against its other days."""
    off, on = row["holidays"]["present"], row["term"]["present"]
    if not off or not on:
        return _("Too little is read to hold school holidays against other days.")
    return _(
        "In the school holidays of %(where)s %(off)s persons at a time (%(off_interval)s), on "
        "other days %(on)s (%(on_interval)s)."
    ) % {
        "where": region_name(row["region"]),
        "off": number(off["value"], 2),
        "off_interval": interval(off["low"], off["high"], 2),
        "on": number(on["value"], 2),
        "on_interval": interval(on["low"], on["high"], 2),
    }


def activities_summary(figures: Mapping[str, Any]) -> str:
    seen = {name: figure for name, figure in figures["activities"].items() if figure["value"] > 0}
    if not seen:
        return _("No activity was seen on the frames read.")
    most = max(seen, key=lambda name: seen[name]["value"])
    return _("Most person-hours are of the activity “%(what)s”: %(share)s.") % {
        "what": activity_names()[most],
        "share": percent(seen[most]["share"]),
    }


def nights_summary(figures: Mapping[str, Any]) -> str:
    if figures["nights"] and figures["tent_nights"] is None:
        return _("In each night with a frame read: %(few)s tents at once.") % {
            "few": fewer_than(figures["discretion"])
        }
    if figures["tent_nights"] is None:
        return _("No frame of a night (%(hours)s) is read yet.") % {
            "hours": night_hours(figures["night"])
        }
    most = max(figures["nights"], key=lambda night: night["tents"] or 0)
    tents, nights = figures["tent_nights"], figures["nights_read"]
    said = _("%(tents)s over %(nights)s") % {
        "tents": ngettext("At least %(n)s tent-night", "At least %(n)s tent-nights", tents)
        % {"n": number(tents, 0)},
        "nights": ngettext(
            "%(n)s night with a frame read", "%(n)s nights with a frame read", nights
        )
        % {"n": number(nights, 0)},
    }
    if most["tents"]:
        said += ", " + _("most of them (%(n)s) in the night of %(day)s") % {
            "n": number(most["tents"], 0),
            "day": long_day(most["night"]),
        }
    return said + "."


def at_least_tents(tents: int) -> str:
    return ngettext("at least %(n)s tent", "at least %(n)s tents", tents) % {"n": number(tents, 0)}


def night_hours(night: Mapping[str, time]) -> str:
    """The lake's own: "19:00 to 09:00"."""
    return _("%(begins)s to %(ends)s") % {
        "begins": f"{night['begins']:%H:%M}",
        "ends": f"{night['ends']:%H:%M}",
    }


def groups_summary(groups: list[Mapping[str, Any]]) -> str:
    """Months or fortnights, in one sentence."""
    known = [group for group in groups if group["present"]]
    if not known:
        return _("Too little is read to say how the parts of this period differ.")
    most = max(known, key=lambda group: group["present"]["value"])
    return _("Presence was highest %(when)s: %(n)s persons at a time (%(interval)s).") % {
        "when": span_name(most["from"], most["to"]),
        "n": number(most["present"]["value"], 2),
        "interval": interval(most["present"]["low"], most["present"]["high"], 2),
    }


def years_summary(years: list[Mapping[str, Any]]) -> str:
    now, then = years[0]["now"], years[0]["then"]
    return _(
        "On like days %(now)s persons at a time (%(now_interval)s), against %(then)s in %(year)s "
        "(%(then_interval)s)."
    ) % {
        "now": number(now["value"], 2),
        "now_interval": interval(now["low"], now["high"], 2),
        "then": number(then["value"], 2),
        "then_interval": interval(then["low"], then["high"], 2),
        "year": years[0]["from"].year,
    }


def passages_summary(figures: Mapping[str, Any]) -> str:
    """What each counter counted, and that it is another thing than presence."""
    said = [
        ngettext(
            "%(counter)s counted %(n)s passages on %(days)s day",
            "%(counter)s counted %(n)s passages on %(days)s days",
            each["days_counted"],
        )
        % {
            "counter": each["counter"],
            "n": number(each["passages"], 0),
            "days": number(each["days_counted"], 0),
        }
        for each in figures["passages"]
    ]
    return str(_("; ")).join(said) + "."


def span_name(first: date, last: date) -> str:
    return _("from %(first)s to %(last)s") % {
        "first": short_day(first),
        "last": short_day(last),
    }
