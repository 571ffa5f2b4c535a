"""Hours as istSOS takes them in: `text/csv;subtype=istSOS`, a column for each observed property.

The first line holds the URIs of the properties, the first column the instant in ISO 8601 with its
offset; a property's quality index stands beside it under its own URI and `:qualityIndex`, as
csv2istsos.py and getObservation write it (istsos.org, "Insertion of new observations"). Commas and
decimal points, no byte order mark. The park's importer (PnEcrins/Istsos-import) maps columns by
their names and takes what is no number for missing: here it is always `Nan`.

One row an hour that was watched, at its beginning; hours not watched have none. Quality: 210, every
frame of the hour was read; 200, some were; 100, the machine's count of persons alone; 0, nothing is
known and the value is missing. Herds are a property of their own, and of a sensitive activity who
reads figures alone has no column: an hour holds too few persons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, time

from dashboards import rollups
from dashboards.discretion import Discretion
from dashboards.formats import hourly, table
from dashboards.periods import Period
from lacs_web.models import Lake

PARAMETER = "urn:ogc:def:parameter:x-istsos:1.0"
TIME = f"{PARAMETER}:time:iso8601"
PROPERTIES = {
    "personnes": "persons",
    "baigneurs": "bathers",
    "pecheurs": "anglers",
    "bateaux": "boats",
    "tentes": "tents",
    "troupeaux": "herds",
}
MISSING = "Nan"
UNKNOWN, RAW, PARTLY, WHOLE = 0, 100, 200, 210


def parts(lake: Lake, period: Period, rule: Discretion | None = None) -> Iterator[bytes]:
    rollups.catch_up([lake], at_once=False)
    units = hourly.told(rule)
    head = [TIME]
    for unit in units:
        uri = f"{PARAMETER}:lake:attendance:{PROPERTIES[unit]}"
        head += [uri, f"{uri}:qualityIndex"]
    yield from table.lines(head, _rows(lake, period, units))


def _rows(lake: Lake, period: Period, units: Sequence[str]) -> Iterator[list[str]]:
    for each in hourly.hours(lake, period, units):
        row = [datetime.combine(each.day, time(each.hour), lake.zone).isoformat()]
        for unit, count in zip(units, each.counts, strict=True):
            value, quality = count, WHOLE if each.whole else PARTLY
            if count is None:
                value = each.machine if unit == "personnes" else None
                quality = UNKNOWN if value is None else RAW
            row += [MISSING if value is None else table.decimal(value, "."), str(quality)]
        yield row
