"""Figures as a workbook: a sheet that says how they were got, then one for each table. Pure.

Numbers are numbers, days are days; heads are for people, those of CSV for programs. Nothing that
people typed is ever a formula.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import xlsxwriter

from dashboards.exports import COLUMNS, TABLES, rows_of, value_of

Method = Sequence[tuple[str, str]]
_PART = 64 * 1024  # bytes that leave at a time


def workbook(
    figures: Mapping[str, Any],
    *,
    method: Method,
    names: Mapping[str, str],
    heads: Mapping[str, str],
) -> Iterator[bytes]:
    """`method`: (what, how) of the first sheet; `names` of sheets: "method", "days", TABLES';
    `heads` of their columns, by the names of `attendance --json`.
    """
    with tempfile.TemporaryFile() as file:
        book = xlsxwriter.Workbook(
            file,
            {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
             "default_date_format": "yyyy-mm-dd"},
        )  # fmt: skip
        bold = book.add_format({"bold": True})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet(names["method"])
        sheet.set_column(0, 0, 28)
        sheet.set_column(1, 1, 90, wrapped)
        for number, (what, how) in enumerate(method):
            sheet.write_string(number, 0, what, bold)
            sheet.write_string(number, 1, how, wrapped)
        _table(book, names["days"], [heads[each] for each in COLUMNS], _days(figures), bold)
        for table, columns in TABLES.items():
            rows = _rows(figures, table)
            head = [heads[each] for each in ("lake", *columns)]
            _table(book, names.get(table, table), head, rows, bold)
        book.close()
        file.seek(0)
        while part := file.read(_PART):
            yield part


def _days(figures: Mapping[str, Any]) -> Iterator[list[Any]]:
    observed = {day["day"]: day for day in figures["days"]}
    for day in sorted([*observed, *figures["not_observed"]]):
        each = observed.get(day)
        row: list[Any] = [figures["lake"], day, each["basis"] if each else "not observed"]
        if each:
            row += [each[name] for name in COLUMNS[3:-2]]
            row += [" + ".join(each["detectors"]), " + ".join(each["rules"])]
        yield row


def _rows(figures: Mapping[str, Any], table: str) -> Iterator[list[Any]]:
    for row in rows_of(figures, table):
        yield [figures["lake"], *(value_of(row, column) for column in TABLES[table])]


def _table(
    book: Any, name: str, head: Sequence[str], rows: Iterator[Sequence[Any]], bold: Any
) -> None:
    sheet = book.add_worksheet(name[:31])
    sheet.freeze_panes(1, 0)
    sheet.set_column(0, len(head) - 1, 16)
    for column, word in enumerate(head):
        sheet.write_string(0, column, word, bold)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if value is None:
                continue  # not known, which is no zero
            if isinstance(value, str):
                sheet.write_string(number, column, value)
            elif isinstance(value, bool):
                sheet.write_boolean(number, column, value)
            elif isinstance(value, date):
                sheet.write_datetime(number, column, value)
            else:
                sheet.write_number(number, column, value)
