"""An import that is taken back returns its frames to the sampled population: a change."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("dashboards", "0005_kept_exports"),
        ("annotation", "0010_what_was_counted_elsewhere"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            CREATE FUNCTION lacs_figures_import_undone() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO dashboards_change (deployment_id, at)
                SELECT DISTINCT f.deployment_id, now()
                FROM old_rows o JOIN new_rows n ON n.id = o.id
                JOIN annotation_review v ON v.imported_from_id = n.id
                JOIN detection_frame f ON f.id = v.frame_id
                WHERE o.undone_at IS DISTINCT FROM n.undone_at;
                RETURN NULL;
            END $$;
            CREATE TRIGGER figures_import_undone AFTER UPDATE ON annotation_import
                REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
                FOR EACH STATEMENT EXECUTE FUNCTION lacs_figures_import_undone();
            """,
            """
            DROP TRIGGER figures_import_undone ON annotation_import;
            DROP FUNCTION lacs_figures_import_undone();
            """,
        )
    ]
