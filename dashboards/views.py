"""Pages of figures: the lakes that somebody may see, and each lake's attendance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_safe

from dashboards import exporting, panels, rollups, sentences
from dashboards.attendance import attendance, overview, watched_years
from dashboards.effort import effort as effort_at
from dashboards.exports import TABLES, days_csv, table_csv
from dashboards.periods import Period, WrongPeriod, chosen, usual
from lacs_web.access import Action, lake_for, lakes, may, may_each
from lacs_web.models import Lake, User


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    visible = list(lakes(request.user, Action.READ_FIGURES).select_related("park"))
    rights, seen = may_each(request.user, visible), overview(visible)
    cards = [{"lake": lake, "may": rights[lake.pk], "seen": seen.get(lake.pk)} for lake in visible]
    return render(request, "dashboards/home.html", {"cards": cards})


@require_safe
def lake(request: HttpRequest, lake: str) -> HttpResponse:
    place = lake_for(request.user, Action.READ_FIGURES, lake)
    return lake_page(
        request,
        place,
        query=request.GET,
        observed=exporting.whole(place),
        rights=may(request.user, place),
        template="dashboards/lake.html",
    )


def lake_page(
    request: HttpRequest,
    place: Lake,
    *,
    query: Mapping[str, Any],
    observed: Period | None,
    rights: Mapping[str, bool],
    template: str,
    beside: Sequence[Mapping[str, Any]] = (),
) -> HttpResponse:
    """The attendance of `place` over the period that `query` asks for.

    Who asks was let in before: this page is that of a shared link too, which has no `rights` and
    may lead to other lakes `beside`.
    """
    context: dict[str, Any] = {"lake": place, "may": rights, "room": "figures", "beside": beside}
    if observed is None:
        return render(request, template, context)
    in_step = rollups.catch_up([place])
    presets = usual(observed, watched_years(place))
    try:
        period = chosen(query, presets)
    except WrongPeriod as problem:
        messages.warning(request, sentences.wrong_period(str(problem)))
        period = presets["season"]
    figures = attendance(
        place, period.first, period.last, in_step=in_step,
        discreet=not rights.get(Action.READ_FEW.name.lower()),
    )  # fmt: skip
    if not rights:  # what lies outside the period is not shared
        figures["years"] = []
    context |= {
        "observed": observed,
        "period": period,
        "presets": _presets(presets, period, query.get("period", "")),
        "figures": figures,
    }
    if figures["days"]:
        by = query.get("by", "")
        if by not in panels.GROUPS:
            by = "months" if period.days > 92 else "fortnights"
        daily, hours, *shown = panels.panels(figures, by, place.country)
        context |= _said(figures) | _charts([daily, hours, *shown])
        context |= {"daily": daily, "hourly": hours, "panels": shown, "heat": panels.heat(figures)}
        context["no_school_holidays"] = not panels.closed_schools(figures)
    return render(request, template, context)


@never_cache
@require_GET
def attendance_csv(request: HttpRequest, lake: str) -> HttpResponse:
    """The days of the lake's page as a file; the same period, asked in the same way.

    `?table=` names another of its tables (dashboards.exports.TABLES); `?decimal=point` writes
    decimals with a point.
    """
    place = lake_for(request.user, Action.READ_FIGURES, lake)
    in_step = rollups.catch_up([place])
    try:
        period = exporting.period(place, request.GET)
    except WrongPeriod as problem:
        return HttpResponseBadRequest(
            sentences.wrong_period(str(problem)), content_type="text/plain; charset=utf-8"
        )
    table = request.GET.get("table", "days")
    if table != "days" and table not in TABLES:
        known = ", ".join(["days", *TABLES])
        return HttpResponseBadRequest(
            _("There is no such table; there are: %(tables)s.") % {"tables": known},
            content_type="text/plain; charset=utf-8",
        )
    try:
        sign = exporting.decimal_sign(request.GET.get("decimal", ""))
    except ValidationError as refusal:
        return HttpResponseBadRequest(
            " ".join(refusal.messages), content_type="text/plain; charset=utf-8"
        )
    figures = exporting.figures(
        lake=place, period=period, by=cast("User", request.user), in_step=in_step, format="csv",
        table=table,
    )  # fmt: skip
    lines = days_csv(figures, sign) if table == "days" else table_csv(figures, table, sign)
    part = "" if table == "days" else f"-{table}"
    name = f"attendance{part}-{place.slug}-{period.first}-{period.last}.csv"
    return HttpResponse(
        b"".join(lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_safe
def effort(request: HttpRequest, lake: str) -> HttpResponse:
    """Minutes of checking and what they gave, for who answers for the lake."""
    place = lake_for(request.user, Action.MANAGE, lake)
    context = {
        "lake": place, "may": may(request.user, place), "room": "checking",
        "effort": effort_at(place),
    }  # fmt: skip
    return render(request, "dashboards/effort.html", context)


def _presets(presets: dict[str, Period], chosen: Period, wanted: str) -> list[dict[str, Any]]:
    """Over a short survey several are the same period: the one that was asked for is current."""
    names = {
        "week": _("Last 7 days"),
        "month": _("Last 30 days"),
        "season": _("Season %(year)s") % {"year": presets["season"].last.year},
        "all": _("All observed"),
        **{key: _("Season %(year)s") % {"year": key} for key in presets if key.isdigit()},
    }
    likely = [wanted, "season", *presets]
    current = next((key for key in likely if presets.get(key) == chosen), None)
    return [{"key": key, "name": names[key], "current": key == current} for key in presets]


def _said(figures: dict[str, Any]) -> dict[str, Any]:
    """The key figures in words."""
    peak = figures["peak"]
    return {
        "basis": sentences.bases()[figures["basis"]],
        "behind": "" if figures["in_step"] else sentences.behind(),
        "hours_figure": _with_interval(figures["units"]["person_hours"]),
        "present": _with_interval(figures["present"], 2),
        "units": [
            {"name": name, "figure": found, "said": _with_interval(found)}
            for unit, name in sentences.unit_names().items()
            if unit != "person_hours" and (found := figures["units"][unit]) and found["value"]
        ],
        "cameras": sentences.cameras(figures["cameras"]),
        "few_units": sentences.few_units(figures["discretion"]),
        "to_read": sentences.what_to_read(figures["precision"]),
        "to_read_more": sentences.to_read(figures),
        "missed": sentences.miss_rate(figures["missed"]),
        "extrapolated": sentences.extrapolated(figures["season"]) if figures["season"] else "",
        "share_read": sentences.percent(figures["share_read"]),
        "peak_hour": sentences.hour_span(peak["hour"]) if peak else "",
        "rules": [sentences.rule(text) for text in figures["method"]["rules"]],
    }


def _with_interval(found: Mapping[str, Any] | None, digits: int = 1) -> str:
    return sentences.interval(found["low"], found["high"], digits) if found else ""


def _charts(shown: list[panels.Panel]) -> dict[str, Any]:
    return {
        "charts": {
            "locale": get_language(),
            "words": sentences.plotly_locale(),
            **{panel.key: panel.chart for panel in shown if panel.chart},
        },
    }
