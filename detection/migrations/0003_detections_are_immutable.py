"""Machine boxes are immutable: the database refuses to change one."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("detection", "0002_initial")]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            CREATE FUNCTION lacs_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME
                    USING ERRCODE = 'integrity_constraint_violation';
            END $$;
            CREATE TRIGGER detection_is_immutable BEFORE UPDATE ON detection_detection
                FOR EACH ROW EXECUTE FUNCTION lacs_refuse_update();
            """,
            """
            DROP TRIGGER detection_is_immutable ON detection_detection;
            DROP FUNCTION lacs_refuse_update();
            """,
        )
    ]
