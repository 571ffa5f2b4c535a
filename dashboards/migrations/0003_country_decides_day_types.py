"""Strata go by the public holidays of the lake's country: figures follow when it changes.

Until now they knew 14 July and 15 August alone, so that all are owed anew.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

BODY = """
CREATE OR REPLACE FUNCTION lacs_figures_zoned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_change (deployment_id, at)
    SELECT d.id, now() FROM old_rows o JOIN new_rows n ON n.id = o.id
    JOIN detection_deployment d ON d.lake_id = n.id
    WHERE ({old}) IS DISTINCT FROM ({new});
    RETURN NULL;
END $$;
"""
FORWARDS = BODY.format(old="o.time_zone, o.country", new="n.time_zone, n.country")
BACKWARDS = BODY.format(old="o.time_zone", new="n.time_zone")
OWED = """
INSERT INTO dashboards_change (deployment_id, at)
SELECT d.id, now() FROM detection_deployment d
WHERE EXISTS (SELECT 1 FROM detection_frame f WHERE f.deployment_id = d.id);
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("dashboards", "0002_changes_are_written_by_triggers"),
        ("lacs_web", "0003_links_and_calendars"),
    ]

    operations: ClassVar = [migrations.RunSQL(FORWARDS + OWED, BACKWARDS + OWED)]
