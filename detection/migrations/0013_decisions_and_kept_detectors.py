"""Decisions lose the deployment that their frame's card tells, and deployments gain the second
detector that was named in their settings by its SHA-256.
"""

from __future__ import annotations

from typing import Any, ClassVar

import django.db.models.deletion
from django.db import migrations, models


def tell_deployments(apps: Any, schema_editor: Any) -> None:
    for one in apps.get_model("detection", "Decision").objects.select_related("frame__batch"):
        one.deployment_id = one.frame.batch.deployment_id
        one.save(update_fields=["deployment"])


def take_out_of_settings(apps: Any, schema_editor: Any) -> None:
    detectors = apps.get_model("detection", "Detector").objects
    for one in apps.get_model("detection", "Deployment").objects.exclude(detection=None):
        sha256 = one.detection.pop("second", None)
        one.second_detector = detectors.filter(sha256=sha256).first()
        one.save(update_fields=["detection", "second_detector"])


def put_into_settings(apps: Any, schema_editor: Any) -> None:
    deployments = apps.get_model("detection", "Deployment").objects
    for one in deployments.exclude(second_detector=None).select_related("second_detector"):
        one.detection = {**(one.detection or {}), "second": one.second_detector.sha256}
        one.save(update_fields=["detection"])


class Migration(migrations.Migration):
    dependencies: ClassVar = [("detection", "0012_erased_frames")]

    operations: ClassVar = [
        migrations.AlterField(
            model_name="decision",
            name="deployment",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="decisions",
                to="detection.deployment",
            ),
        ),
        migrations.RunPython(migrations.RunPython.noop, tell_deployments),
        migrations.RemoveField(model_name="decision", name="deployment"),
        migrations.AddField(
            model_name="deployment",
            name="second_detector",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="detection.detector",
            ),
        ),
        migrations.RunPython(take_out_of_settings, put_into_settings),
    ]
