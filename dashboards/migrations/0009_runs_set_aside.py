"""A run that is set aside changes figures as one that examines does."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

EXAMINED = """
CREATE OR REPLACE FUNCTION lacs_figures_examined() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dashboards_change (deployment_id, at)
    SELECT DISTINCT f.deployment_id, now()
    FROM new_rows r JOIN detection_frame f ON f.id = r.frame_id WHERE r.state IN ({states});
    RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("dashboards", "0008_readings_of_files"),
        ("detection", "0018_runs_set_aside"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(
            EXAMINED.format(states="'done', 'aside'"), EXAMINED.format(states="'done'")
        )
    ]
