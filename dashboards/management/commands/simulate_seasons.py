"""The study behind docs/attendance.md: do the intervals hold when people stop reading?"""

from __future__ import annotations

import json as jsonlib
import time
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from dashboards import study
from dashboards.seasons import DAYS, DETECTORS, LAKES

CELLS = {f"{lake.name}:{each.name}": (lake, each) for lake in LAKES for each in DETECTORS}


class Command(BaseCommand):
    help = "Simulate seasons, read them until the stop, and report coverage, bias and readings."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seasons", type=int, default=200, help="seasons of each cell")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--json", action="store_true")
        parser.add_argument(
            "--extrapolated",
            action="store_true",
            help="watch a part of each season's days, and hold the extrapolated season to the rest",
        )
        parser.add_argument(
            "--cell",
            action="append",
            metavar="LAKE:DETECTOR",
            help="only this cell; may be repeated. Known: " + ", ".join(CELLS),
        )

    def handle(
        self,
        *,
        seasons: int,
        seed: int,
        json: bool,
        extrapolated: bool,
        cell: list[str] | None,
        **options: Any,
    ) -> None:
        unknown = [name for name in cell or [] if name not in CELLS]
        if unknown:
            raise CommandError(f"No cell {', '.join(unknown)}. Known: {', '.join(CELLS)}.")
        if seasons < 1:
            raise CommandError("Give --seasons a number of at least 1.")
        if extrapolated:
            self._extrapolated(seasons, seed, json)
            return
        cells = []
        for name in cell or CELLS:
            start = time.perf_counter()
            found = study.cell(*CELLS[name], seasons, seed)
            seconds = (time.perf_counter() - start) / seasons
            cells.append(asdict(found) | {"seconds_per_season": seconds})
            if not json:
                self.stdout.write(
                    f"{name:20} coverage {found.coverage:6.1%} "
                    f"(truth below {found.truth_below:.1%}, above {found.truth_above:.1%})  "
                    f"bias {found.bias:+.2%} ({found.bias_present:+.4f} present)  "
                    f"read {found.read:.0f}  random {found.plain:.0f}  oracle {found.oracle:.0f}  "
                    f"census {found.census:.0f}  "
                    f"hours {found.hours_coverage:.1%} (±{found.hours_width:.0%})  "
                    f"weekdays {found.weekdays_coverage:.1%} (±{found.weekdays_width:.0%})  "
                    f"{seconds:.2f} s"
                )
                self.stdout.flush()
        if json:
            self.stdout.write(jsonlib.dumps({"seed": seed, "cells": cells}, indent=2))

    def _extrapolated(self, seasons: int, seed: int, json: bool) -> None:
        cells = []
        sorts = [(stretch, days) for stretch in study.STRETCHES for days in study.WATCHED]
        for lake in LAKES:
            for stretch, days in sorts:
                if days < stretch:
                    continue
                found = study.filled(lake, days, seasons, seed, stretch=stretch)
                cells.append(asdict(found))
                if not json:
                    held = "no interval"
                    if found.coverage is not None:
                        held = (
                            f"coverage {found.coverage:6.1%} (truth below "
                            f"{found.truth_below:.1%}, above {found.truth_above:.1%})  "
                            f"±{found.width:.0%}"
                        )
                    self.stdout.write(
                        f"{lake.name:12} {days:3} of {DAYS} days watched, stretches of "
                        f"{stretch:2}: refused {found.refused:6.1%}  bias {found.bias:+.2%}  {held}"
                    )
                    self.stdout.flush()
        if json:
            self.stdout.write(jsonlib.dumps({"seed": seed, "cells": cells}, indent=2))
