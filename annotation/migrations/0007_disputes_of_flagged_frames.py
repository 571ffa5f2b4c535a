"""Frames that somebody flagged and nobody settled are in dispute; their weight is not known yet."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("annotation", "0006_trust")]

    operations: ClassVar = [
        migrations.RunSQL(
            """
            INSERT INTO annotation_dispute (frame_id, weight, since)
            SELECT r.frame_id, 0, min(r.at)
            FROM annotation_review r
            WHERE r.verdict = 'flag'
                AND NOT EXISTS (
                    SELECT 1 FROM annotation_review later
                    WHERE later.frame_id = r.frame_id AND later.author = r.author
                        AND later.id > r.id
                )
                AND NOT EXISTS (
                    SELECT 1 FROM annotation_settledframe s WHERE s.frame_id = r.frame_id
                )
            GROUP BY r.frame_id
            """,
            "DELETE FROM annotation_dispute",
        )
    ]
