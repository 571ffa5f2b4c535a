"""Since when a frame is settled; what was written last is all that is known of those from before."""

from __future__ import annotations

from typing import ClassVar

import django.utils.timezone
from django.db import migrations, models
from django.db.models.functions import Now


class Migration(migrations.Migration):
    dependencies: ClassVar = [("annotation", "0008_comments")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="settledframe",
            name="since",
            field=models.DateTimeField(db_default=Now(), default=django.utils.timezone.now),
        ),
        migrations.RunSQL(
            # No figure changes by it: they need not be reckoned anew.
            """
            ALTER TABLE annotation_settledframe DISABLE TRIGGER USER;
            UPDATE annotation_settledframe SET since = at;
            ALTER TABLE annotation_settledframe ENABLE TRIGGER USER;
            """,
            migrations.RunSQL.noop,
        ),
    ]
