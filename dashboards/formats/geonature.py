"""Days as GeoNature's import takes them into a protocol of its Monitoring module: one CSV file.

A line holds site, visit and observation together, told apart by their UUIDs and the prefixes s__,
v__ and o__ of that module's fields (PnX-SI/gn_module_monitoring, docs/import.md and its
tests/test_import/files/valid_hierarchy.csv, from GeoNature 2.17 on); commas and decimal points.
`v__heures_observees`, `v__heures_lues`, `o__unite` and `o__heures` are fields that the protocol
declares. Dataset, observer and taxon are constants of the mapping, for they are the park's lists;
`o__cd_nom` stands empty to be filled where units are to have taxa of their own.

The site is the lake, a visit is one local day that was watched, an observation one unit counted on
the frames read of that day, in hours (`o__heures`); a day that nobody read is a visit without an
observation, which is no zero. UUIDs are made from names: what is imported twice stays one. Herds
are a unit of their own; a sensitive activity is left out for who reads figures alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from django.conf import settings

from dashboards import rollups
from dashboards.discretion import Discretion
from dashboards.formats import hourly, table
from dashboards.periods import Period
from dashboards.sheets import FRAME, READING
from lacs_web.models import Lake

COLUMNS = (
    "uuid_base_site", "s__base_site_code", "s__base_site_name", "s__base_site_description", "x",
    "y", "uuid_base_visit", "v__visit_date_min", "v__visit_date_max", "v__heures_observees",
    "v__heures_lues", "uuid_observation", "o__cd_nom", "o__unite", "o__heures", "o__comments",
)  # fmt: skip


def parts(lake: Lake, period: Period, rule: Discretion | None = None) -> Iterator[bytes]:
    """`lake` has a place on the map: a site asks for it."""
    rollups.catch_up([lake], at_once=False)
    yield from table.lines(COLUMNS, _rows(lake, period, hourly.told(rule)))


def _rows(lake: Lake, period: Period, units: Sequence[str]) -> Iterator[list[Any]]:
    here = uuid.uuid5(uuid.NAMESPACE_URL, f"{settings.PUBLIC_URL}/lakes/{lake.slug}/")
    site = [here, lake.slug, lake.name, str(lake.park), lake.longitude, lake.latitude]
    for day, rows in hourly.days(lake, period):
        watched, read = (
            table.decimal(sum(row[name] for row in rows), ".")
            for name in ("watched_hours", "read_hours")
        )
        mine = uuid.uuid5(here, day.isoformat())
        visit = [*site, mine, day.isoformat(), day.isoformat(), watched, read]
        counted = _counted(rows, units)
        if counted is None:
            yield [*visit, "", "", "", "", ""]
            continue
        for unit, hours in zip(units, counted, strict=True):
            said = table.decimal(float(hours), ".")
            yield [*visit, uuid.uuid5(mine, unit), "", unit, said, f"{read} h / {watched} h"]


def _counted(rows: Sequence[dict[str, Any]], units: Sequence[str]) -> Any:
    """Count-hours of each unit on the readable frames read; None where there is none."""
    total, any_read = np.zeros(len(units)), False
    for row in rows:
        frames, readings = (
            np.frombuffer(row["frames"], FRAME),
            np.frombuffer(row["readings"], READING),
        )
        mine = frames[readings["frame"]]
        weight = mine["hours"] * mine["readable"]
        any_read = any_read or bool(mine["readable"].any())
        for number, unit in enumerate(units):
            total[number] += readings["counts"][:, hourly.COLUMNS[unit]].sum(axis=1) @ weight
    return total if any_read else None
