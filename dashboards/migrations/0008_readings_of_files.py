"""How many frames of a day a file settled: until there are files, none."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("dashboards", "0007_passages_of_counters"),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="dayfigures",
            name="n_brought",
            field=models.IntegerField(db_default=0, default=0),
        ),
    ]
