"""Kept days as figures take them: what was counted, and their frames laid together. Pure.

Rows come from `dashboards.models.DayFigures` as mappings of COLUMNS; nothing here asks a database.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cached_property
from typing import Any, Protocol

from dashboards import sheets
from dashboards.sheets import Depth, Packed, Sheet

TALLY = (
    "n_frames", "n_read", "watched_hours", "read_hours", "validated_person_hours",
    "machine_only_hours", "machine_only_person_hours", "peak_persons", "runs", "rules",
)  # fmt: skip
PACKED = ("deployment", "day", "frames", "readings", "population")
PACE = ("seconds", "n_brought")
COLUMNS = (*TALLY, *PACKED, *PACE)


@dataclass(frozen=True)
class Tally:
    """What was counted over some frames, none of them known to be unreadable. Hours are hours."""

    frames: int
    frames_read: int
    watched_hours: float
    read_hours: float
    validated_person_hours: float | None  # over the hours read; None when none was
    machine_only_hours: float
    machine_only_person_hours: float | None  # not validated attendance; None when none
    peak_persons: int | None  # among the frames read; None when none was
    runs: Sequence[int] = ()  # ids of the runs that examined the frames
    rules: Sequence[str] = ()  # by which the frames read were settled

    @classmethod
    def of(cls, parts: Sequence[Tally]) -> Tally:
        """All of `parts` together; an unknown part adds nothing and is never a zero."""
        return cls(
            frames=sum(part.frames for part in parts),
            frames_read=sum(part.frames_read for part in parts),
            watched_hours=sum(part.watched_hours for part in parts),
            read_hours=sum(part.read_hours for part in parts),
            validated_person_hours=_total(part.validated_person_hours for part in parts),
            machine_only_hours=sum(part.machine_only_hours for part in parts),
            machine_only_person_hours=_total(part.machine_only_person_hours for part in parts),
            peak_persons=max(
                (part.peak_persons for part in parts if part.peak_persons is not None), default=None
            ),
            runs=sorted({run for part in parts for run in part.runs}),
            rules=sorted({rule for part in parts for rule in part.rules}),
        )

    @property
    def basis(self) -> str:
        """How it was got: "fully read", "partly read", "machine only" or "not looked at"."""
        if self.frames_read == 0:
            return "machine only" if self.machine_only_hours else "not looked at"
        return "fully read" if self.frames_read == self.frames else "partly read"

    @property
    def share_read(self) -> float | None:
        """Of the watched hours; None where there are none."""
        return self.read_hours / self.watched_hours if self.watched_hours else None

    def figures(self) -> dict[str, Any]:
        """As JSON and templates take them, without what only `method` needs."""
        counted = {k: v for k, v in asdict(self).items() if k not in ("runs", "rules")}
        return counted | {"basis": self.basis, "share_read": self.share_read}


@dataclass(frozen=True)
class Days:
    """Some kept days of a lake, in the order of time; `depths` by deployment."""

    rows: Sequence[Mapping[str, Any]]
    depths: Mapping[int, Depth]

    @property
    def kept(self) -> set[date]:
        return {row["day"] for row in self.rows}

    def on(self, days: Collection[date]) -> Days:
        return Days([row for row in self.rows if row["day"] in days], self.depths)

    def between(self, first: date, last: date) -> Days:
        return Days([row for row in self.rows if first <= row["day"] <= last], self.depths)

    @cached_property
    def sheet(self) -> Sheet:
        packed = [Packed(*(row[name] for name in PACKED)) for row in self.rows]
        # Strata of deployments that have no day here would be strata that nobody reads.
        return sheets.sheet(packed, {pk: self.depths[pk] for pk in {p.deployment for p in packed}})

    @cached_property
    def tallies(self) -> dict[date, Tally]:
        """By day; a day without a readable frame is absent: not observed."""
        parts: dict[date, list[Tally]] = {}
        for row in self.rows:
            if row["n_frames"]:
                parts.setdefault(row["day"], []).append(Tally(*(row[name] for name in TALLY)))
        return {day: mine[0] if len(mine) == 1 else Tally.of(mine) for day, mine in parts.items()}

    @property
    def pace(self) -> float | None:
        """Seconds that a reading took of those that were read here; None where nothing is known."""
        seconds = float(sum(row["seconds"] for row in self.rows))
        read = len(self.sheet.reading) - sum(row["n_brought"] for row in self.rows)
        return seconds / read if seconds > 0 and read > 0 else None


class Kept(Protocol):
    """As dashboards.models.DeploymentFigures."""

    sizes: Any
    read: Any
    ends: Any


def depth_of(figures: Kept | None) -> Depth:
    """None: of a deployment without figures."""
    return Depth(figures.sizes, figures.read, figures.ends) if figures else Depth([], [], [])


def _total(parts: Iterable[float | None]) -> float | None:
    """The sum of what is known; None, never zero, when nothing is."""
    known = [part for part in parts if part is not None]
    return sum(known) if known else None
