"""Reviews are append-only: the database refuses all changes but forgetting the reviewer."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("annotation", "0001_initial"),
        ("detection", "0003_detections_are_immutable"),
    ]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            CREATE TRIGGER review_is_append_only BEFORE UPDATE ON annotation_review
                FOR EACH ROW WHEN (
                    NEW.reviewer_id IS NOT NULL
                    OR to_jsonb(NEW) - 'reviewer_id' <> to_jsonb(OLD) - 'reviewer_id'
                ) EXECUTE FUNCTION lacs_refuse_update();
            CREATE TRIGGER review_box_is_immutable BEFORE UPDATE ON annotation_reviewbox
                FOR EACH ROW EXECUTE FUNCTION lacs_refuse_update();
            """,
            """
            DROP TRIGGER review_box_is_immutable ON annotation_reviewbox;
            DROP TRIGGER review_is_append_only ON annotation_review;
            """,
        )
    ]
