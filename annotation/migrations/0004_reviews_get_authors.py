"""Reviews of one person on one frame get one author; those of the forgotten keep one each."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("annotation", "0003_holds_and_drafts")]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            ALTER TABLE annotation_review DISABLE TRIGGER review_is_append_only;
            UPDATE annotation_review r SET author = drawn.author
            FROM (
                SELECT frame_id, reviewer_id, gen_random_uuid() AS author
                FROM annotation_review WHERE reviewer_id IS NOT NULL GROUP BY 1, 2
            ) drawn
            WHERE r.frame_id = drawn.frame_id AND r.reviewer_id = drawn.reviewer_id;
            ALTER TABLE annotation_review ENABLE TRIGGER review_is_append_only;
            """,
            migrations.RunSQL.noop,
        )
    ]
