"""Figures per day as a file that French and Italian spreadsheets and R open as they are. Pure.

One format whatever the reader's language, so that a script never meets two: UTF-8 with a byte
order mark (without it Excel misreads accents), semicolons and decimal commas (what Excel expects
in France and Italy, and R's read.csv2), ISO dates, and the column names of `attendance --json`.
Decimals take a point where that is asked for.
Each line says whether the figures are in step with frames and reviews: files outlive the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from dashboards.formats import table

NUMBERS = (
    "frames", "frames_read", "watched_hours", "read_hours", "share_read",
    "validated_person_hours", "machine_only_hours", "machine_only_person_hours", "peak_persons",
)  # fmt: skip
COLUMNS = ("lake", "day", "basis", *NUMBERS, "detectors", "rules")


def days_csv(figures: Mapping[str, Any], decimal: str = ",") -> Iterator[bytes]:
    """One line for each day of the period; a day not observed has a basis and no figure."""
    return _csv(figures, COLUMNS, _days(figures, decimal))


def _days(figures: Mapping[str, Any], decimal: str) -> Iterator[list[str]]:
    observed = {day["day"]: day for day in figures["days"]}
    for day in sorted([*observed, *figures["not_observed"]]):
        each = observed.get(day)
        if each is None:
            none = [""] * (len(COLUMNS) - 3)
            yield [figures["lake"], day.isoformat(), "not observed", *none]
            continue
        yield [
            figures["lake"], day.isoformat(), each["basis"],
            *(table.decimal(each[name], decimal) for name in NUMBERS),
            " + ".join(each["detectors"]), " + ".join(each["rules"]),
        ]  # fmt: skip


# Table → its columns; those of nested figures are joined by a point.
TABLES = {
    "hours": ("hour", "watched_hours", "read_hours", "validated_person_hours", "persons_present",
              "low", "high"),
    "week": ("weekday", "hour", "watched_hours", "read_hours", "persons_present"),
    "weekdays": ("weekday", "watched_hours", "read_hours", "persons_present", "low", "high"),
    "day_types": ("kind", "days_observed", "watched_hours", "read_hours", "present.value",
                  "present.low", "present.high"),
    "day_type_hours": ("kind", "hour", "persons_present", "low", "high"),
    "school": ("region", "holidays.days_observed", "holidays.watched_hours",
               "holidays.present.value", "holidays.present.low", "holidays.present.high",
               "term.days_observed", "term.watched_hours", "term.present.value",
               "term.present.low", "term.present.high"),
    "calendar": ("day", "kind", "school"),
    "activities": ("activity", "basis", "value", "low", "high", "share"),
    "units": ("unit", "basis", "value", "low", "high"),
    "nights": ("night", "tents"),
    **dict.fromkeys(
        ("months", "fortnights", "seasons"),
        ("from", "to", "basis", "days_observed", "watched_hours", "frames", "frames_read",
         "person_hours.value", "person_hours.low", "person_hours.high",
         "present.value", "present.low", "present.high"),
    ),
    "passages": ("counter", "day", "hours_counted", "passages"),
    "years": ("from", "to", "then.value", "then.low", "then.high", "now.value", "now.low",
              "now.high"),
}  # fmt: skip


def rows_of(figures: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    """The rows of one of TABLES."""
    if name == "day_type_hours":
        return [
            {"kind": kind["kind"], **row} for kind in figures["day_types"] for row in kind["hours"]
        ]
    if name == "passages":
        return [
            {"counter": each["counter"], **row} for each in figures[name] for row in each["days"]
        ]
    rows = figures[name]
    if isinstance(rows, Mapping):
        first = TABLES[name][0]
        return [{first: key, **(row or {})} for key, row in rows.items()]
    return list(rows)


def value_of(row: Mapping[str, Any], column: str) -> Any:
    """Of a nested figure, by its joined name; a list as words; None where nothing is known."""
    value: Any = row
    for part in column.split("."):
        value = value.get(part) if value else None
    return " + ".join(value) if isinstance(value, list) else value


def table_csv(figures: Mapping[str, Any], name: str, decimal: str = ",") -> Iterator[bytes]:
    """One of TABLES, in the same format."""
    columns = TABLES[name]
    rows = (
        [figures["lake"], *(_cell(row, column, decimal) for column in columns)]
        for row in rows_of(figures, name)
    )
    return _csv(figures, ("lake", *columns), rows)


def _csv(
    figures: Mapping[str, Any], head: Sequence[str], rows: Iterable[list[str]]
) -> Iterator[bytes]:
    state = "true" if figures["in_step"] else "false"
    return table.lines(
        (*head, "in_step"), ([*row, state] for row in rows), delimiter=";", mark=True
    )


def _cell(row: Mapping[str, Any], column: str, decimal: str) -> str:
    value = value_of(row, column)
    if value is None or isinstance(value, float):
        return table.decimal(value, decimal)
    return value.isoformat() if isinstance(value, date) else str(value)
