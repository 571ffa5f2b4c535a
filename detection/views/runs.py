"""Detection of a deployment: runs started, paused, repeated, looked at; detectors tried."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from detection import choosing, comparing, overview, runs, tasks, trying
from detection.detecting import changed, is_whole
from detection.forms import DetectionForm
from detection.labels import COUNTED_SCORE
from detection.models import Batch, Deployment, Detection, Frame, Run, RunFrame, Suppression, Trial
from detection.onnx.runtime import LACKS
from lacs_web import access
from lacs_web.access import Action
from lacs_web.models import Lake, User

FAILURES = 200  # frames named on the page of a run
SHOWN = 12  # pictures of suppressed boxes


@never_cache
@require_safe
def of_deployment(request: HttpRequest, deployment: str) -> HttpResponse:
    """What changes while runs are at work, as the deployment's page asks for again."""
    one = _deployment(request, Action.READ_CARDS, deployment)
    may = access.may(request.user, one.lake)
    context = {"deployment": one, "lake": one.lake, "may": may, **of(one)}
    return render(request, "detection/runs.html", context)


def of(deployment: Deployment) -> dict[str, Any]:
    """The runs of a deployment for detection/runs.html. Two queries."""
    works = overview.work(Run.objects.filter(batch__deployment=deployment))
    return {"works": works, "going_on": any(each.run.finished_at is None for each in works)}


@require_POST
def start(request: HttpRequest, deployment: str) -> HttpResponse:
    """A run over one card, or one over each card of the deployment that has frames."""
    one = _deployment(request, Action.DETECT, deployment)
    form = DetectionForm(request.POST, deployment=one)
    if not form.is_valid():
        return _refused(request, form, one)
    data, started, busy = form.cleaned_data, 0, 0
    idle: list[Batch] = []
    if data["keep"]:
        runs.keep_for_new_cards(
            deployment=one,
            detector=data["detector"],
            second=data["second"],
            options=form.options(),
            user=cast("User", request.user),
        )
    batches = [data["batch"]] if data["batch"] else one.batches.all()
    for batch in batches:
        try:
            run = runs.start_run(
                batch=batch,
                detector=data["detector"],
                second=data["second"],
                options=form.options(),
                user=cast("User", request.user),
            )
        except runs.AlreadyRunning:
            busy += 1
        except runs.NothingToExamine:
            idle.append(batch)
        else:
            started += 1
            tasks.ring_for(run)
    _tell_started(request, started, busy, idle)
    return redirect("detection:deployment", one.slug)


@require_POST
def end_kept(request: HttpRequest, deployment: str) -> HttpResponse:
    """Examine new cards as usual again: what was kept for them is taken back."""
    one = _deployment(request, Action.DETECT, deployment)
    runs.take_back_kept(deployment=one, user=cast("User", request.user))
    messages.success(request, _("New cards are examined by the default detector again."))
    return redirect("detection:deployment", one.slug)


@require_POST
def pause(request: HttpRequest, run: int) -> HttpResponse:
    """Pause a run, or take it up again: POST paused=1 or paused=0."""
    one = _run(request, Action.DETECT, run)
    paused = request.POST.get("paused") == "1"
    runs.set_paused(run=one, paused=paused, user=cast("User", request.user))
    if not paused:
        tasks.ring_for(one)
    return redirect("detection:deployment", one.batch.deployment.slug)


@require_POST
def repeat(request: HttpRequest, run: int) -> HttpResponse:
    """A new run with the same detector and settings: POST frames=failed, or all there are."""
    one = _run(request, Action.DETECT, run)
    if one.imported_from:
        messages.error(request, _("This run was made elsewhere: it cannot be repeated here."))
        return redirect("detection:deployment", one.batch.deployment.slug)
    try:
        again = runs.start_run(
            batch=one.batch,
            detector=one.detector,
            second=one.second_detector,
            options=one.settings,
            user=cast("User", request.user),
            repeats=one,
            only_failed=request.POST.get("frames") == "failed",
        )
    except runs.AlreadyRunning:
        _tell_started(request, 0, 1)
    except runs.NothingToExamine:
        _tell_started(request, 0, 0, [one.batch])
    else:
        tasks.ring_for(again)
        _tell_started(request, 1, 0)
    return redirect("detection:deployment", one.batch.deployment.slug)


@require_safe
def one(request: HttpRequest, run: int) -> HttpResponse:
    """What a run was, what it could not examine, what it found and what of that does not count."""
    found = _run(request, Action.READ_CARDS, run)
    rows = RunFrame.objects.filter(run=found)
    problems = dict(RunFrame.Problem.choices)
    proposed = rows.exclude(problem="").values_list("problem").annotate(n=Count("pk"))
    context = {
        "run": found,
        "work": overview.work(Run.objects.filter(pk=found.pk))[0],
        "tiling": overview.tiling(found),
        "ran_on": found.engine.partition(LACKS)[0],
        "lacked": found.engine.partition(LACKS)[2],
        "waits_for": [
            changed(each)
            for each in (found.detector, found.second_detector)
            if each and not found.finished_at and not is_whole(each)
        ],
        "failures": list(
            rows.filter(state=RunFrame.State.FAILED)
            .select_related("frame")
            .order_by("pk")[:FAILURES]
        ),
        "proposed": [(problems[name], n) for name, n in proposed.order_by("problem")],
        "labels": _labels(found),
        "suppressed": _suppressed(found),
        "others": Run.objects.filter(batch=found.batch)
        .exclude(pk=found.pk)
        .select_related("detector"),
    }
    if "suppressed" in request.GET and access.allows(
        request.user, Action.SEE_PICTURES, found.batch.deployment.lake
    ):
        context["pictures"] = _pictures_of_suppressed(found)
    return _page(request, "run", found.batch.deployment.lake, context)


@require_safe
def beside(request: HttpRequest, run: int, other: int) -> HttpResponse:
    """Two runs of one batch compared."""
    first, second = (_run(request, Action.READ_CARDS, each) for each in (run, other))
    if first.batch_id != second.batch_id:
        raise Http404
    context = {
        "run": first,
        "other": second,
        "comparison": comparing.compare(first, second),
        "tilings": [overview.tiling(each) for each in (first, second)],
    }
    return _page(request, "runs_beside", first.batch.deployment.lake, context)


@require_POST
def try_out(request: HttpRequest, deployment: str) -> HttpResponse:
    """Try what the form says on ten frames; nothing of it counts."""
    one = _deployment(request, Action.DETECT, deployment)
    form = DetectionForm(request.POST, deployment=one)
    if not form.is_valid():
        return _refused(request, form, one)
    asked = trying.ask(
        deployment=one,
        detector=form.cleaned_data["detector"],
        second=form.cleaned_data["second"],
        options=form.options(),
        user=cast("User", request.user),
    )
    tasks.ring(tasks.try_out, asked.pk)
    return redirect("detection:trial", asked.pk)


@never_cache
@require_safe
def trial(request: HttpRequest, trial: int) -> HttpResponse:
    found = _trial(request, trial)
    return _page(request, "trial", found.deployment.lake, _tried(found))


@never_cache
@require_safe
def trial_state(request: HttpRequest, trial: int) -> HttpResponse:
    """What the page of a trial asks for again until it is done."""
    found = _trial(request, trial)
    context = {"lake": found.deployment.lake, **_tried(found)}
    return render(request, "detection/trial_state.html", context)


def _tried(found: Trial) -> dict[str, Any]:
    """A trial, and its pictures with their boxes. One query."""
    frames = Frame.objects.in_bulk([each["frame"] for each in found.results])
    pictures = [
        {
            "picture": frames[each["frame"]],
            "seconds": each.get("seconds"),
            "reason": each.get("reason"),
            "boxes": _overlay(frames[each["frame"]], each.get("boxes", [])),
        }
        for each in found.results
        if each["frame"] in frames
    ]
    seconds = [each["seconds"] for each in found.results if "seconds" in each]
    return {
        "trial": found,
        "tiling": choosing.tiling(found.settings).label,
        "pictures": pictures,
        "mean": sum(seconds) / len(seconds) if seconds else None,
        "counted": sum(len(each["boxes"]) for each in pictures),
        "purged": found.state == Trial.State.FAILED and trying.all_purged(found.deployment),
    }


def _overlay(frame: Frame, boxes: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Boxes sure enough to count, in pixels of `frame` as an SVG takes them."""
    return [
        {
            "label": box["label"],
            "score": box["score"],
            "x": f"{box['x'] * frame.width:.1f}",
            "y": f"{box['y'] * frame.height:.1f}",
            "w": f"{box['w'] * frame.width:.1f}",
            "h": f"{box['h'] * frame.height:.1f}",
        }
        for box in boxes
        if box["label"] and box["score"] >= COUNTED_SCORE
    ]


def _labels(run: Run) -> list[tuple[str, int]]:
    """Counted boxes by class."""
    counted = Detection.objects.counted().filter(run=run).order_by()
    return list(counted.values_list("label").annotate(n=Count("pk")).order_by("-n", "label"))


def _suppressed(run: Run) -> list[tuple[str, int]]:
    """Boxes that would count but for their suppression, by reason."""
    words = dict(Suppression.Reason.choices)
    rows = _would_count(run).values_list("reason").annotate(n=Count("pk")).order_by("reason")
    return [(str(words[reason]), n) for reason, n in rows]


def _would_count(run: Run) -> Any:
    return Suppression.objects.filter(
        detection__run=run, detection__score__gte=COUNTED_SCORE
    ).exclude(detection__label="")


def _pictures_of_suppressed(run: Run) -> list[dict[str, Any]]:
    """Some frames, spread over the run, with the boxes on them that do not count. Two queries."""
    frames = list(
        _would_count(run)
        .order_by("detection__frame")
        .values_list("detection__frame", flat=True)
        .distinct()
    )
    chosen = frames[:: max(1, len(frames) // SHOWN)][:SHOWN]
    rows = _would_count(run).filter(detection__frame__in=chosen).select_related("detection__frame")
    found: dict[int, dict[str, Any]] = {}
    for row in rows.order_by("detection__frame__captured_at", "pk"):
        box = row.detection
        shown = found.setdefault(box.frame_id, {"picture": box.frame, "boxes": []})
        shown["boxes"] += _overlay(box.frame, [vars(box)])
    return list(found.values())


def _tell_started(
    request: HttpRequest, started: int, busy: int, idle: Sequence[Batch] = ()
) -> None:
    """How many runs were `started`, for how many cards the detector was `busy`, and the cards
    where there was nothing to examine.
    """
    if started:
        told = ngettext("%(n)d run is started.", "%(n)d runs are started.", started)
        messages.success(request, told % {"n": started})
    if busy:
        messages.warning(
            request,
            _("This detector is at work there already, or paused: wait for it, or resume it."),
        )
    if not started and not busy:
        if Frame.objects.filter(batch__in=idle, purge__isnull=False).exists():
            told = _("The originals of these frames were purged: nothing is left to examine.")
        else:
            told = _("There are no dated frames to examine yet.")
        messages.warning(request, told)


def _refused(request: HttpRequest, form: DetectionForm, one: Deployment) -> HttpResponse:
    for name, errors in form.errors.items():
        messages.error(request, f"{form.fields[name].label}: {' '.join(map(str, errors))}")
    return redirect("detection:deployment", one.slug)


def _deployment(request: HttpRequest, action: Action, slug: str) -> Deployment:
    with_place = Deployment.objects.select_related("lake__park")
    return access.fetch(with_place, user=request.user, action=action, slug=slug)


def _run(request: HttpRequest, action: Action, pk: int) -> Run:
    whole = Run.objects.select_related(
        "batch__deployment__lake__park", "detector", "second_detector", "started_by", "repeats"
    )
    return access.fetch(
        whole, user=request.user, action=action, lake="batch__deployment__lake", pk=pk
    )


def _trial(request: HttpRequest, pk: int) -> Trial:
    whole = Trial.objects.select_related("deployment__lake__park", "detector", "second_detector")
    return access.fetch(
        whole, user=request.user, action=Action.DETECT, lake="deployment__lake", pk=pk
    )


def _page(request: HttpRequest, name: str, lake: Lake, context: dict[str, Any]) -> HttpResponse:
    frame = {"lake": lake, "may": access.may(request.user, lake), "room": "deployments"}
    return render(request, f"detection/{name}.html", frame | context)
