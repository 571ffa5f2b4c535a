"""Features repeat no column of their frames, and no clock time is rounded up to the next hour.

All days are owed anew; until then they stand as they were, in the packing of now.
"""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from django.db import migrations

WIDTH = 10
BESIDE = np.dtype([("frame", "<i8"), ("x", "<f4", (WIDTH,))])
APART = np.dtype([("frame", "<i8"), ("stratum", "<i2"), ("place", "<i4"), ("x", "<f4", (WIDTH,))])
FRAME = np.dtype(
    [
        ("clock", "<f4"), ("hours", "<f8"), ("stratum", "<i2"), ("place", "<i4"),
        ("machine", "<u2"), ("examined", "?"), ("settled", "?"), ("readable", "?"),
    ]
)  # fmt: skip
OWED = """
INSERT INTO dashboards_change (deployment_id, at)
SELECT d.id, now() FROM detection_deployment d
WHERE EXISTS (SELECT 1 FROM detection_frame f WHERE f.deployment_id = d.id);
"""


def pack_beside(apps: Any, schema_editor: Any) -> None:
    for day in _days(apps):
        kept = np.frombuffer(bytes(day.features), APART)
        frames = np.frombuffer(bytes(day.frames), FRAME).copy()
        frames["clock"] = np.minimum(frames["clock"], np.nextafter(np.float32(24), np.float32(0)))
        _write(day, _same(kept, BESIDE), frames)


def pack_apart(apps: Any, schema_editor: Any) -> None:
    for day in _days(apps):
        frames = np.frombuffer(bytes(day.frames), FRAME)
        features = _same(np.frombuffer(bytes(day.features), BESIDE), APART)
        features["stratum"], features["place"] = frames["stratum"], frames["place"]
        _write(day, features, frames)


def _days(apps: Any) -> Any:
    days = apps.get_model("dashboards", "DayFigures").objects.only("frames", "features")
    return days.iterator(chunk_size=100)


def _same(rows: Any, kind: Any) -> Any:
    found = np.zeros(len(rows), kind)
    found["frame"], found["x"] = rows["frame"], rows["x"]
    return found


def _write(day: Any, features: Any, frames: Any) -> None:
    day.features, day.frames = features.tobytes(), frames.tobytes()
    day.save(update_fields=["features", "frames"])


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("dashboards", "0003_country_decides_day_types"),
        ("detection", "0007_deployments_since_1990"),
    ]

    operations: ClassVar = [
        migrations.RunPython(pack_beside, pack_apart),
        migrations.RunSQL(OWED, OWED),
    ]
