"""Measure one thing: `benchmarks/NAME.py` of an app says what, against which limit or peer."""

from __future__ import annotations

import importlib
import json as jsonlib
import pkgutil
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from django.apps import apps
from django.core.management.base import BaseCommand, CommandError

KEYS = {"what", "figure", "unit", "ratio", "conditions"}  # and "limit" or "peer", or both


class Command(BaseCommand):
    help = "Measure NAME in this very run, with the limit or the peer that it is held against."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, name: str, json: bool, **options: Any) -> None:
        known = benchmarks()
        if name not in known:
            there = ", ".join(sorted(known)) or "none"
            raise CommandError(f"There is no benchmark called {name}; there are: {there}.")
        measured = _measure(known[name])
        self.stdout.write(jsonlib.dumps({"name": name, **measured}) if json else _line(measured))


def benchmarks() -> dict[str, str]:
    """Name → module of every benchmark of the installed apps."""
    found = {}
    for app in apps.get_app_configs():
        folder = Path(app.path) / "benchmarks"
        for module in pkgutil.iter_modules([str(folder)]):
            found[module.name] = f"{app.name}.benchmarks.{module.name}"
    return found


def _measure(module: str) -> dict[str, Any]:
    measure = cast("Callable[[], dict[str, Any]]", importlib.import_module(module).measure)
    measured = measure()
    if missing := KEYS - set(measured):
        raise CommandError(f"{module} does not say: {', '.join(sorted(missing))}.")
    if not {"limit", "peer"} & set(measured):
        raise CommandError(f"{module} names neither a limit nor a peer.")
    return measured


def _line(measured: dict[str, Any]) -> str:
    against = "peer" if "peer" in measured else "limit"
    conditions = ", ".join(f"{key} {value}" for key, value in measured["conditions"].items())
    return (
        f"{measured['what']}: {measured['figure']} {measured['unit']}; "
        f"{against} {measured[against]}, ratio {measured['ratio']}\n({conditions})"
    )
