"""The figures of a lake on the command line: the same that its page shows."""

from __future__ import annotations

import json as jsonlib
from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder

from dashboards.attendance import attendance
from lacs_web.models import Lake


class Command(BaseCommand):
    help = "Print validated person-hours per day of LAKE, with what they rest on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("lake", metavar="LAKE", help="short name of the lake")
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True)
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True)
        parser.add_argument("--json", action="store_true")

    def handle(self, *, lake: str, first: date, last: date, json: bool, **options: Any) -> None:
        place = Lake.objects.filter(slug=lake).first()
        if place is None:
            known = ", ".join(Lake.objects.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"No lake “{lake}”. Known: {known}.")
        if last < first:
            raise CommandError("The period ends before it begins: exchange --from and --to.")
        result = attendance(place, first, last)
        if json:
            self.stdout.write(jsonlib.dumps(result, cls=DjangoJSONEncoder, indent=2))
            return
        self.stdout.write("day         watched h  read   validated person-h  machine only  basis")
        for day in result["days"]:
            self.stdout.write(
                f"{day['day']}  {day['watched_hours']:9.2f}  {day['share_read']:4.0%}  "
                f"{_hours(day['validated_person_hours']):>18}  "
                f"{_hours(day['machine_only_person_hours']):>12}"
                f"  {day['basis']}"
            )
        if result["not_observed"]:
            missing = ", ".join(map(str, result["not_observed"]))
            self.stdout.write(f"Not observed, and not zero: {missing}.")


def _hours(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
