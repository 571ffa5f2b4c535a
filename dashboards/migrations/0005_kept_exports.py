"""Files that a worker makes and keeps for who asked, and the pieces that they are made in."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("dashboards", "0004_features_stand_beside_frames"),
        ("lacs_web", "0009_pending_codes_in_sessions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptExport",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=20)),
                ("first", models.DateField()),
                ("last", models.DateField()),
                ("language", models.CharField(max_length=10)),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("ready", "Ready"),
                            ("failed", "Failed"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        default="pending",
                        max_length=9,
                    ),
                ),
                ("done", models.PositiveIntegerField(default=0)),
                ("total", models.PositiveIntegerField()),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("seconds", models.FloatField(default=0)),
                ("claim", models.UUIDField(null=True)),
                ("lease_until", models.DateTimeField(null=True)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("ready_at", models.DateTimeField(null=True)),
                ("ends_at", models.DateTimeField(null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "lake",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="lacs_web.lake",
                    ),
                ),
            ],
            options={
                "ordering": ["-pk"],
            },
        ),
        migrations.CreateModel(
            name="KeptPiece",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=100)),
                ("size", models.PositiveBigIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("entries", models.JSONField(default=list)),
                ("facts", models.JSONField(default=dict)),
                (
                    "frames",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list, size=None
                    ),
                ),
                ("masks", models.CharField(max_length=64)),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="pieces",
                        to="dashboards.keptexport",
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.AddConstraint(
            model_name="keptexport",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "pending")),
                fields=("asked_by", "lake", "kind", "first", "last"),
                name="export_made_once_at_a_time",
            ),
        ),
        migrations.AddConstraint(
            model_name="keptexport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "pending"), ("ends_at__isnull", False), _connector="OR"
                ),
                name="export_kept_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="keptpiece",
            constraint=models.UniqueConstraint(
                fields=("export", "number"), name="piece_of_export_once"
            ),
        ),
    ]
