"""A way in for somebody who has no password, or forgot it."""

from __future__ import annotations

import json as jsonlib
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from lacs_web import codes
from lacs_web.accounts import make_link
from lacs_web.models import User


class Command(BaseCommand):
    help = "Make a link that signs the person with the address EMAIL in once, within a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--without-code",
            action="store_true",
            help="forget their authenticator app, for one who lost it; be sure that it is they",
        )

    def handle(self, *, email: str, json: bool, without_code: bool, **options: Any) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"Nobody is known by {email}. Invite people on a lake's page.")
        if not user.is_active:
            raise CommandError(f"{email} was deactivated, so no link would let them in.")
        if without_code:
            codes.forget(user=user, by=None)
        url = make_link(user=user, by=None)
        self.stdout.write(jsonlib.dumps({"email": user.email, "signin_url": url}) if json else url)
