"""Imports, their reviews, and counts without boxes; these are as immutable as boxes."""

from __future__ import annotations

from typing import ClassVar

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("annotation", "0009_settled_since"),
        ("detection", "0016_detections_made_elsewhere"),
        ("lacs_web", "0009_pending_codes_in_sessions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations: ClassVar = [
        migrations.CreateModel(
            name="Import",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("camtrap-dp", "Camtrap DP package"),
                            ("timelapse", "Timelapse (CSV)"),
                            ("coco", "COCO (JSON)"),
                            ("yolo", "YOLO (text files)"),
                        ],
                        max_length=10,
                    ),
                ),
                ("file", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64)),
                ("settings", models.JSONField(default=dict)),
                ("frames", models.PositiveIntegerField()),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("undone_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["-at", "-pk"],
            },
        ),
        migrations.CreateModel(
            name="ReviewCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "label",
                    models.CharField(
                        choices=[
                            ("person", "person"),
                            ("tent", "tent"),
                            ("boat", "boat"),
                            ("dog", "dog"),
                            ("sheep", "sheep"),
                            ("cattle", "cattle"),
                            ("goat", "goat"),
                            ("horse", "horse or mule"),
                            ("vehicle", "vehicle"),
                            ("other", "other"),
                        ],
                        max_length=10,
                    ),
                ),
                (
                    "activity",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("bathing", "bathing"),
                            ("on_water", "on the water"),
                            ("fishing", "fishing"),
                            ("walking", "walking"),
                            ("resting", "resting"),
                            ("bivouac", "bivouac"),
                            ("pastoral", "pastoral work"),
                            ("unknown", "unknown"),
                        ],
                        max_length=10,
                    ),
                ),
                ("n", models.PositiveSmallIntegerField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="review",
            name="review_verdict_known",
        ),
        migrations.AlterField(
            model_name="review",
            name="verdict",
            field=models.CharField(
                choices=[
                    ("boxes", "the boxes are right"),
                    ("nobody", "nobody here"),
                    ("unreadable", "unreadable"),
                    ("skip", "skipped"),
                    ("flag", "flagged to the ranger"),
                    ("counted", "counted elsewhere, without boxes"),
                ],
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="lake",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="imports",
                to="lacs_web.lake",
            ),
        ),
        migrations.AddField(
            model_name="import",
            name="undone_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="imported_from",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reviews",
                to="annotation.import",
            ),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("verdict__in", ["boxes", "nobody", "unreadable", "skip", "flag", "counted"])
                ),
                name="review_verdict_known",
            ),
        ),
        migrations.AddField(
            model_name="reviewcount",
            name="review",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="counts",
                to="annotation.review",
            ),
        ),
        migrations.AddConstraint(
            model_name="import",
            constraint=models.UniqueConstraint(
                condition=models.Q(("undone_at", None)),
                fields=("lake", "sha256"),
                name="import_once_per_lake",
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewcount",
            constraint=models.UniqueConstraint(
                fields=("review", "label", "activity"), name="review_count_once_per_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewcount",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "label__in",
                        [
                            "person",
                            "tent",
                            "boat",
                            "dog",
                            "sheep",
                            "cattle",
                            "goat",
                            "horse",
                            "vehicle",
                            "other",
                        ],
                    ),
                    ("n__gte", 1),
                    ("n__lte", 1000),
                ),
                name="review_count_within_reason",
            ),
        ),
        migrations.RunSQL(
            """
            CREATE TRIGGER review_count_is_immutable BEFORE UPDATE ON annotation_reviewcount
                FOR EACH ROW EXECUTE FUNCTION lacs_refuse_update();
            """,
            "DROP TRIGGER review_count_is_immutable ON annotation_reviewcount;",
        ),
    ]
