"""The figures of a lake on the command line: the same that its page shows."""

from __future__ import annotations

import json as jsonlib
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.translation import override

from dashboards.attendance import attendance
from dashboards.periods import WrongPeriod, asked
from dashboards.sentences import extrapolated, what_to_read, wrong_period
from lacs_web.models import Lake


class Command(BaseCommand):
    help = "Print the figures of LAKE with their intervals, and per day what they rest on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("lake", metavar="LAKE", help="short name of the lake")
        parser.add_argument("--from", dest="first", metavar="DAY", required=True)
        parser.add_argument("--to", dest="last", metavar="DAY", required=True)
        parser.add_argument("--json", action="store_true")

    def handle(self, *, lake: str, first: str, last: str, json: bool, **options: Any) -> None:
        place = Lake.objects.filter(slug=lake).first()
        if place is None:
            known = ", ".join(Lake.objects.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"No lake “{lake}”. Known: {known}.")
        try:
            period = asked(first, last)
        except WrongPeriod as problem:
            with override("en"):  # as all that this command prints
                raise CommandError(wrong_period(str(problem))) from None
        result = attendance(place, period.first, period.last)
        if json:
            self.stdout.write(jsonlib.dumps(result, cls=DjangoJSONEncoder, indent=2))
            return
        self._whole(result)
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

    def _whole(self, result: Mapping[str, Any]) -> None:
        """What the whole period says, before its days."""
        for unit, figure in result["units"].items():
            if figure:
                self.stdout.write(f"{unit:13} {_figure(figure)}  {figure['basis']}")
        if result["present"]:
            self.stdout.write(f"{'present':13} {_figure(result['present'], 3)}  at a time")
        if result["tent_nights"] is not None:
            read = result["nights_read"]
            nights = f"at least {result['tent_nights']} over {read} night{'s'[: read != 1]} read"
            self.stdout.write(f"{'tent_nights':13} {nights}")
        with override("en"):
            for said in what_to_read(result["precision"]):
                self.stdout.write(said)
            if result["season"]:
                self.stdout.write(extrapolated(result["season"]))
        if not result["in_step"]:
            self.stdout.write("Some changes are not counted yet: run rebuild_figures, or wait.")


def _figure(found: Mapping[str, Any], digits: int = 2) -> str:
    if found["low"] is None:
        return f"{found['value']:.{digits}f} (no interval)"
    return f"{found['value']:.{digits}f} ({found['low']:.{digits}f} to {found['high']:.{digits}f})"


def _hours(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
