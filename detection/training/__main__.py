"""`python -m detection.training FOLDER`: train, or go on with, the detector kept in FOLDER."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from pathlib import Path
from typing import Any

from detection.training.fit import Config, train


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m detection.training", description=__doc__)
    parser.add_argument("folder", type=Path, help="checkpoints, log and the exported file")
    kinds = typing.get_type_hints(Config)
    for field in dataclasses.fields(Config):
        name = f"--{field.name.replace('_', '-')}"
        if isinstance(field.default, tuple):
            inner = typing.get_args(kinds[field.name])[0]
            parser.add_argument(name, type=inner, nargs="*", default=field.default)
        elif isinstance(field.default, bool):
            parser.add_argument(name, action=argparse.BooleanOptionalAction, default=field.default)
        else:
            parser.add_argument(name, type=kinds[field.name], default=field.default)
    return parser.parse_args()


def main() -> None:
    given = vars(_arguments())
    folder = given.pop("folder")
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    config = Config(**values)
    print(train(config, folder))  # noqa: T201


if __name__ == "__main__":
    main()
