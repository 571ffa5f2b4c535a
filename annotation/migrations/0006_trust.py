"""Hidden checks, trust, disputes, and the rule of a lake."""

from __future__ import annotations

from typing import ClassVar

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("annotation", "0005_turns_and_plans"),
        ("detection", "0007_deployments_since_1990"),
        ("lacs_web", "0002_lake_mask_cells"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.AddField(
            model_name="draft",
            name="bare",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="draft",
            name="check_frame",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="review",
            name="bare",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name="review",
            name="trust",
            field=models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict),
        ),
        migrations.AddField(
            model_name="settledframe",
            name="voices",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), db_default=[], default=list, size=None
            ),
        ),
        migrations.CreateModel(
            name="Dispute",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("weight", models.FloatField(default=0)),
                ("since", models.DateTimeField()),
                (
                    "frame",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="dispute",
                        to="detection.frame",
                    ),
                ),
            ],
            options={
                "ordering": ["-weight", "since"],
            },
        ),
        migrations.CreateModel(
            name="Judgement",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("answers", models.JSONField(default=dict)),
                ("with_machine", models.BooleanField(null=True)),
                (
                    "review",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="judgement",
                        to="annotation.review",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="judgements",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Check",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "frame",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="detection.frame",
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("reviewer", "frame"), name="check_once_per_reviewer"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="LakeRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "least_iou",
                    models.FloatField(default=0.5, verbose_name="least overlap of two boxes"),
                ),
                (
                    "tiny_px",
                    models.FloatField(
                        default=24.0, verbose_name="size below which boxes match by their distance"
                    ),
                ),
                (
                    "tiny_distance",
                    models.FloatField(
                        default=1.0, verbose_name="largest distance, in sizes of the box"
                    ),
                ),
                (
                    "least_trust",
                    models.FloatField(
                        default=0.8, verbose_name="least trust to settle with the machine"
                    ),
                ),
                (
                    "lake",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rule",
                        to="lacs_web.lake",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("least_iou__gt", 0),
                            ("least_iou__lte", 1),
                            ("tiny_px__gte", 0),
                            ("tiny_px__lte", 200),
                            ("tiny_distance__gt", 0),
                            ("tiny_distance__lte", 5),
                            ("least_trust__gte", 0.5),
                            ("least_trust__lte", 1),
                        ),
                        name="lake_rule_within_reason",
                    )
                ],
            },
        ),
    ]
