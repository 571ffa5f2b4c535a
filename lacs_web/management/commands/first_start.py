"""What a first start needs, and every later start may repeat."""

from __future__ import annotations

import io
import json as jsonlib
import os
from argparse import ArgumentParser
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.urls import reverse

from lacs_web.accounts import make_link
from lacs_web.models import Lake, User


class Command(BaseCommand):
    help = "Make the first administrator and register the detector, where either is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--email", default="administrator@localhost")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, email: str, json: bool, **options: Any) -> None:
        administrator = (
            User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
        )
        if administrator is None:
            administrator = User.objects.create_superuser(email)
        messages = [self._detector()]
        if administrator.last_login is None and not administrator.has_usable_password():
            address = make_link(user=administrator, by=None)
        else:  # a link in a log is a way in for whoever reads it
            address = settings.PUBLIC_URL + reverse("signin")
            messages.append(
                "A new one-time link, if you need one: make manage "
                f'ARGS="signin_link {administrator.email}" (with docker compose: '
                f"docker compose exec web python manage.py signin_link {administrator.email})"
            )
        result = {
            "signin_url": address,
            "messages": messages,
            "demo_wanted": self._demo_wanted(),
        }
        self.stdout.write(jsonlib.dumps(result) if json else "\n".join([address, *messages]))

    def _detector(self) -> str:
        detectors = apps.get_model("detection", "Detector").objects.filter(is_default=True)
        file = os.environ.get("LACS_DETECTOR", "")
        if not file and not detectors.exists() and self._demo_wanted():
            # It finds drawn people, and too few of real ones to mask them: never a server's first.
            file = str(settings.SHIPPED_DETECTOR)
        if file:
            try:
                call_command("register_detector", file, stdout=io.StringIO())
            except CommandError as problem:
                return f"The detector {file} was refused: {problem}"
        detector = detectors.first()
        if detector is None:
            return "Detection waits for a model: name an ONNX file by LACS_DETECTOR."
        return f"Detector: {detector.name}"

    def _demo_wanted(self) -> bool:
        """Until it is wholly there; never beside the lakes of somebody who has begun."""
        if os.environ.get("LACS_DEMO", "1") == "0" or Lake.objects.exclude(slug="demo").exists():
            return False
        batches = apps.get_model("detection", "Batch").objects
        return settings.DEMO_CARD.exists() or not batches.filter(closed_at__isnull=False).exists()
