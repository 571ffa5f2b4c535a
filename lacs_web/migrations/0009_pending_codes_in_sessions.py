"""A secret that nobody confirmed lies in a session, no longer here: each row is asked for."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.utils import timezone


def drop_unconfirmed(apps: Any, schema_editor: Any) -> None:
    apps.get_model("lacs_web", "SecondFactor").objects.filter(confirmed_at=None).delete()


def all_are_confirmed(apps: Any, schema_editor: Any) -> None:
    apps.get_model("lacs_web", "SecondFactor").objects.update(confirmed_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [
        ("lacs_web", "0008_few_persons"),
    ]

    operations = [
        migrations.RunPython(drop_unconfirmed, all_are_confirmed),
        migrations.RemoveField(model_name="secondfactor", name="confirmed_at"),
    ]
