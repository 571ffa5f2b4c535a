"""What does not fit together in figures: those kept that are not what the frames say."""

from __future__ import annotations

from dashboards import rollups
from dashboards.models import Change
from detection.doctor import Finding
from detection.models import Deployment


def figures_out_of_step() -> Finding | None:
    """Kept figures that differ, where nothing is owed that would renew them."""
    places = Deployment.objects.exclude(pk__in=Change.objects.values("deployment"))
    wrong: dict[int, list[str]] = {}
    for place in places.select_related("lake").order_by("pk"):
        if found := rollups.differences(place):
            wrong[place.pk] = found
    if not wrong:
        return None

    def mend() -> int:
        for pk in wrong:
            rollups.rebuild(pk)
        return sum(map(len, wrong.values()))

    return Finding(
        "figures out of step with their frames",
        [line for found in wrong.values() for line in found],
        "Pages and exports show them as they are kept. --mend makes them anew from the frames.",
        mend,
    )


CHECKS = [figures_out_of_step]
