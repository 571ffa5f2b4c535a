"""The overview: lakes on a map and in a ranking, how far they are read, and the machinery."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from dashboards import sentences
from dashboards.machinery import machinery
from dashboards.ranking import Standing, ranking
from lacs_web.access import Action, lakes, may_each
from lacs_web.models import Lake

SCALE = 100.0  # width of the drawn intervals, in units of their drawing


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    visible = list(lakes(request.user, Action.READ_FIGURES).select_related("park"))
    rights = may_each(request.user, visible)
    found = ranking(visible, request.GET.get("year", ""))
    managed = [lake for lake in visible if rights[lake.pk].get("manage")]
    shown = {row.lake.pk for row in found.rows}
    context = {
        "years": found.years,
        "year": found.year,
        "rows": _drawn(found.rows),
        "without": [lake for lake in visible if lake.pk not in shown],
        "lakes": visible,
        "unplaced": [lake for lake in visible if lake.latitude is None],
        "may_manage": bool(managed),
        "machinery": machinery(managed) if managed else None,
        "map": {"words": _words(), "lakes": _points(visible, found.rows)},
        "placed": any(lake.latitude is not None for lake in visible),
    }
    return render(request, "dashboards/overview.html", context)


def _drawn(rows: Sequence[Standing]) -> list[dict[str, Any]]:
    """Each row with where its interval begins and ends in a drawing of SCALE units."""
    widest = max((row.high or row.value or 0.0 for row in rows), default=0.0) or 1.0

    def place(value: float) -> str:
        return f"{SCALE * value / widest:.2f}"  # a point, whatever the language

    bases = sentences.bases()
    return [
        {
            "row": row,
            "said": bases[row.basis],
            "share": sentences.percent(row.share_read),
            "to_read": sentences.left_to_read(row.precision),
            "at": None if row.value is None else place(row.value),
            "low": None if row.low is None else place(row.low),
            "width": None if row.low is None or row.high is None else place(row.high - row.low),
        }
        for row in rows
    ]


def _points(visible: Sequence[Lake], rows: Sequence[Standing]) -> list[dict[str, Any]]:
    """What the map draws; the figure's words come along."""
    known = {row.lake.pk: row for row in rows}
    points = []
    for lake in visible:
        if lake.latitude is None:
            continue
        row = known.get(lake.pk)
        text = _("no figures this year")
        if row is not None and row.value is not None:
            text = _("%(n)s persons present on average") % {"n": sentences.number(row.value, 2)}
        points.append(
            {
                "id": lake.pk,
                "name": lake.name,
                "text": text,
                "at": [lake.latitude, lake.longitude],
                "value": row.value if row else None,
                "validated": row is not None and row.basis not in ("machine only", "not looked at"),
                "url": reverse("dashboards:lake", args=[lake.slug]),
            }
        )
    return points


def _words() -> dict[str, str]:
    return {"zoomIn": _("Zoom in"), "zoomOut": _("Zoom out")}
