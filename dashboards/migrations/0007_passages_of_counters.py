"""Hours of pedestrian counters."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("dashboards", "0006_imports_taken_back"),
        ("lacs_web", "0009_pending_codes_in_sessions"),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="PassageHour",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("counter", models.CharField(max_length=100)),
                ("at", models.DateTimeField()),
                ("n", models.FloatField()),
                (
                    "lake",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="passages",
                        to="lacs_web.lake",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("lake", "counter", "at"), name="passages_once_an_hour"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("n__gte", 0)), name="passages_positive"
                    ),
                ],
            },
        ),
    ]
