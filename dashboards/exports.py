"""Figures per day as a file that French and Italian spreadsheets and R open as they are. Pure.

One format whatever the reader's language, so that a script never meets two: UTF-8 with a byte
order mark (without it Excel misreads accents), semicolons and decimal commas (what Excel expects
in France and Italy, and R's read.csv2), ISO dates, and the column names of `attendance --json`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date
from typing import Any

NUMBERS = (
    "frames", "frames_read", "watched_hours", "read_hours", "share_read",
    "validated_person_hours", "machine_only_hours", "machine_only_person_hours", "peak_persons",
)  # fmt: skip
COLUMNS = ("lake", "day", "basis", *NUMBERS, "detectors", "rules")


def days_csv(figures: Mapping[str, Any]) -> str:
    """One line for each day of the period; a day not observed has a basis and no figure."""
    out = io.StringIO()
    lines = csv.writer(out, delimiter=";")
    lines.writerow(COLUMNS)
    observed = {day["day"]: day for day in figures["days"]}
    for day in sorted([*observed, *figures["not_observed"]]):
        each = observed.get(day)
        if each is None:
            none = [""] * (len(COLUMNS) - 3)
            lines.writerow([figures["lake"], day.isoformat(), "not observed", *none])
            continue
        lines.writerow(
            [
                figures["lake"], day.isoformat(), each["basis"],
                *(_number(each[name]) for name in NUMBERS),
                _words(each["detectors"]), _words(each["rules"]),
            ]
        )  # fmt: skip
    return "\ufeff" + out.getvalue()


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
    "years": ("from", "to", "then.value", "then.low", "then.high", "now.value", "now.low",
              "now.high"),
}  # fmt: skip


def rows_of(figures: Mapping[str, Any], table: str) -> list[Mapping[str, Any]]:
    """The rows of one of TABLES."""
    if table == "day_type_hours":
        return [
            {"kind": kind["kind"], **row} for kind in figures["day_types"] for row in kind["hours"]
        ]
    rows = figures[table]
    if isinstance(rows, Mapping):
        name = TABLES[table][0]
        return [{name: key, **(row or {})} for key, row in rows.items()]
    return list(rows)


def value_of(row: Mapping[str, Any], column: str) -> Any:
    """Of a nested figure, by its joined name; a list as words; None where nothing is known."""
    value: Any = row
    for part in column.split("."):
        value = value.get(part) if value else None
    return " + ".join(value) if isinstance(value, list) else value


def table_csv(figures: Mapping[str, Any], table: str) -> str:
    """One of TABLES, in the same format."""
    out = io.StringIO()
    lines = csv.writer(out, delimiter=";")
    lines.writerow(("lake", *TABLES[table]))
    for row in rows_of(figures, table):
        lines.writerow([figures["lake"], *(_cell(row, column) for column in TABLES[table])])
    return "\ufeff" + out.getvalue()


def _cell(row: Mapping[str, Any], column: str) -> str:
    value = value_of(row, column)
    if value is None or isinstance(value, float):
        return _number(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def _number(value: float | None) -> str:
    """Rounded to what a second of presence is worth; empty, never 0, where nothing is known."""
    return "" if value is None else f"{value:.4f}".rstrip("0").rstrip(".").replace(".", ",")


def _words(texts: list[str]) -> str:
    """Joined, and never taken for a formula by a spreadsheet: people choose detectors' names."""
    joined = " + ".join(texts)
    return f"'{joined}" if joined[:1] in "=+-@\t\r" and joined else joined
