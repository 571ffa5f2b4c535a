"""Which frames the estimates ask for next: their turns, in a table that the queue owns.

The queue (annotation) may not import the estimates, so they write down what they ask for: the next
STOCK readings of a lake, the most useful first, each stratum in the order of ranks. They rest on
the figures that are kept for each day, as its page does; `owed` finds the lakes whose figures are
others since, or are to be made anew, and a periodic task makes their plan.
Does not show figures: it takes all frames of a lake as one population.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from annotation.models import Plan, Turn
from dashboards import rollups
from dashboards.days import PACKED, Days, depth_of
from dashboards.estimators import sampling, stopping
from dashboards.estimators.strata import Ints
from dashboards.figures import Figure, Part
from dashboards.models import Change, DayFigures, DeploymentFigures
from dashboards.sheets import FEATURE, Sheet
from detection.models import Deployment, Frame
from lacs_web.models import Lake

STOCK = 500  # readings in turn: more than all reviewers of a lake do between two plans


@dataclass(frozen=True)
class Asked:
    """What a lake's frames say: its figure (None before every stratum is read), and what is next.

    `frames`, `read`: of the sampled population and of its settled prefixes; `turns`: ids of frames,
    the most useful reading first.
    """

    frames: int
    read: int
    figure: Figure | None
    more: int | None
    turns: list[int]


def owed() -> set[int]:
    """Ids of the lakes whose last plan rests on other figures, or whose figures are to be made
    anew. Two queries."""
    changed = Change.objects.filter(deployment=OuterRef("pk"))
    now: dict[int, list[tuple[int, object]]] = {}
    found = set()
    for lake, pk, at, behind in (
        Deployment.objects.order_by("pk")
        .annotate(behind=Exists(changed))
        .values_list("lake", "pk", "deploymentfigures__at", "behind")
    ):
        now.setdefault(lake, [])
        if at:
            now[lake].append((pk, at))
        if behind:
            found.add(lake)
    made = dict(Plan.objects.values_list("lake", "basis"))
    return found | {lake for lake, kept in now.items() if made.get(lake) != _basis(kept)}


def _basis(kept: Iterable[tuple[int, object]]) -> str:
    """Another one as soon as a figure of a deployment was written anew: (id, when) in its order."""
    return hashlib.sha256(repr(list(kept)).encode()).hexdigest()


def plan(*, lake: Lake) -> Plan | None:
    """Give out a lake's turns anew where its figures are others; None when another process is at
    it. What is long to make anew is left to the task that does so."""
    rollups.catch_up([lake])
    with transaction.atomic():
        Plan.objects.get_or_create(lake=lake)
        mine = Plan.objects.select_for_update(skip_locked=True).filter(lake=lake).first()
        if mine is None:
            return None
        places = _places(lake)
        basis = _basis((each.pk, each.at) for each in places)
        if mine.basis != basis:
            _write(mine, ask(*_sheet(places)), basis)
    return mine


def kept(lake: Lake) -> tuple[Sheet, Ints]:
    """All days of a lake laid together, as figures are kept, and the id of each frame. Two
    queries."""
    return _sheet(_places(lake))


def _places(lake: Lake) -> list[DeploymentFigures]:
    return list(DeploymentFigures.objects.filter(deployment__lake=lake).order_by("pk"))


def _sheet(places: Iterable[DeploymentFigures]) -> tuple[Sheet, Ints]:
    depths = {each.pk: depth_of(each) for each in places}
    rows = list(
        DayFigures.objects.filter(deployment__in=depths)
        .order_by("day", "deployment")
        .values(*PACKED, "features")
    )
    features = np.frombuffer(b"".join(row["features"] for row in rows), FEATURE)
    return Days(rows, depths).sheet, features["frame"]


def _write(mine: Plan, asked: Asked, basis: str) -> None:
    Turn.objects.filter(frame__deployment__lake=mine.lake_id).delete()
    # A frame may have gone, or gone to another lake, since the figures were made.
    here = Frame.objects.filter(pk__in=asked.turns, deployment__lake=mine.lake_id)
    there = set(here.values_list("pk", flat=True))
    turns = [pk for pk in asked.turns if pk in there]
    Turn.objects.bulk_create(Turn(frame_id=pk, place=place) for place, pk in enumerate(turns))
    mine.made_at, mine.basis = timezone.now(), basis
    mine.frames, mine.read, mine.more = asked.frames, asked.read, asked.more
    figure = asked.figure
    mine.total, mine.low, mine.high = (
        (figure.value, figure.low, figure.high) if figure else (None, None, None)
    )
    mine.save()


def ask(sheet: Sheet, ids: Ints) -> Asked:
    """The figure of all frames as they stand, and the readings that it asks for next.

    `ids`: of the frames of `sheet`, in their order.
    """
    part = Part(sheet)
    inside = np.flatnonzero(sheet.stratum >= 0)
    if not len(inside):
        return Asked(0, 0, None, None, [])
    total, watched = part.total(sheet.persons), part.watched()
    wanted = sampling.order(
        part.population.size,
        np.bincount(part.stratum, minlength=len(part.population.size)),
        total.planning if total else None,
        STOCK,
    )
    left = inside[~sheet.frames["settled"][inside]]
    stratum = part.number[sheet.stratum[left]]
    order = np.lexsort((sheet.frames["place"][left], stratum))
    return Asked(
        frames=len(inside),
        read=len(part.mine),
        figure=part.figure(sheet.persons) if total else None,
        more=stopping.progress(total, watched.value).more if total and watched else None,
        turns=_turns(wanted, stratum[order], ids[left[order]]),
    )


def _turns(wanted: Ints, stratum: Ints, ids: Ints) -> list[int]:
    """The frame of each wanted reading: the next of its stratum that is not settled.

    `stratum`, `ids` [frames not settled]: in the order in which they are read.
    """
    left = {number: iter(ids[stratum == number].tolist()) for number in np.unique(wanted)}
    found = (next(left[number], None) for number in wanted)
    return [pk for pk in found if pk is not None]
