"""How far an export is, without what a killed worker told of the piece it did not finish."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("dashboards", "0009_runs_set_aside")]

    operations: ClassVar = [
        migrations.AddField("keptpiece", "done", models.PositiveIntegerField(null=True))
    ]
