"""Find and explain what does not fit together; mend what can be mended."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from annotation import doctor as reviews
from dashboards import doctor as figures
from detection import doctor as cards

SHOWN = 5


class Command(BaseCommand):
    help = "Find and explain what does not fit together; with --mend put right what can be."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mend", action="store_true")

    def handle(self, *, mend: bool, **options: Any) -> None:
        left = 0
        for check in [*cards.CHECKS, *reviews.CHECKS, *figures.CHECKS]:
            found = check()
            if found is None:
                continue
            more = len(found.which) - SHOWN
            shown = ", ".join(found.which[:SHOWN]) + (f" and {more} more" if more > 0 else "")
            self.stdout.write(f"{len(found.which)} {found.what}: {shown}\n  {found.why}")
            if mend and found.mend:
                self.stdout.write(f"  Mended: {found.mend()}.")
                found = check()
            left += len(found.which) if found else 0
        if left:
            raise CommandError(f"{left} things do not fit together{', still' if mend else ''}.")
        self.stdout.write("Everything fits together.")
