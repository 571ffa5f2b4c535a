"""The checking desk of a lake: one's own progress, what is disputed, what was noted, the rule."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotation import opinions, progress, ruling
from annotation.models import (
    Comment,
    Dispute,
    Draft,
    LabelChoice,
    LakeRule,
    Review,
    SettledFrame,
    VerdictChoice,
)
from annotation.presenting import picture
from annotation.queue import Desk
from annotation.reviewing import StatedBox, submit
from annotation.settling import DECISIVE, Mark, Rule, Statement
from detection.labels import Verdict
from detection.models import Detection, Frame
from lacs_web.access import Action, fetch, lake_for, may
from lacs_web.models import AuditEvent, User

MOST = 10  # disputes, and threads, on the page


@dataclass(frozen=True)
class Opinion:
    """One side of a dispute, as a ranger sees it: nameless. `key`: a review's id, or "machine"."""

    key: str
    name: str
    words: str
    comment: str
    marks: Sequence[Mark]


class CommentForm(forms.Form):
    text = forms.CharField(
        label=gettext_lazy("Your word on this frame"),
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = LakeRule
        fields = ("least_iou", "tiny_px", "tiny_distance", "least_trust")
        help_texts = {
            "least_iou": gettext_lazy("Shared part of two boxes, 0 to 1. Usual: 0.5."),
            "tiny_px": gettext_lazy("Pixels; smaller boxes are compared by their centres. 24."),
            "tiny_distance": gettext_lazy("How far apart such centres may lie. Usual: 1."),
            "least_trust": gettext_lazy(
                "How sure we must be that somebody is right before their word and the machine’s "
                "settle a frame, 0.5 to 1; at 1 this never happens. Usual: 0.8."
            ),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        limits = {"least_iou": (0.05, 1), "tiny_px": (0, 200), "tiny_distance": (0.1, 5),
                  "least_trust": (0.5, 1)}  # fmt: skip
        for name, (low, high) in limits.items():
            value = cleaned.get(name)
            if value is not None and not low <= value <= high:
                words = _("Choose a number from %(low)s to %(high)s.") % {"low": low, "high": high}
                self.add_error(name, words)
        return cleaned

    @property
    def rule(self) -> Rule:
        return Rule(**self.cleaned_data)


@require_safe
def desk(request: HttpRequest, lake: str) -> HttpResponse:
    user = cast("User", request.user)
    place = lake_for(user, Action.REVIEW, lake)
    mine = Desk.of(user, place)
    today = timezone.now().astimezone(place.zone).date()
    midnight = datetime.combine(today, time(), place.zone)
    disputes = Dispute.objects.filter(frame__deployment__lake=place)
    context = {
        "lake": place,
        "may": may(user, place),
        "room": "checking",
        "today": progress.card(mine, midnight, None),
        "disputes": _disputes(disputes) if mine.settles else [],
        "n_disputes": disputes.count() if mine.settles else 0,
        "threads": _threads(mine),
    }
    return render(request, "annotation/desk.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def thread(request: HttpRequest, frame: int) -> HttpResponse:
    """What was written about a frame, for who has stated on it, and may settle it.

    Volunteers write once they have stated, and read once it is settled: reviews are blind.
    """
    user = cast("User", request.user)
    found = _frame(user, Action.REVIEW, frame)
    place = found.deployment.lake
    mine = Desk.of(user, place)
    stated = mine.settles or Review.objects.filter(frame=found, reviewer=user).exists()
    form = CommentForm(request.POST or None)
    if request.method == "POST" and stated and form.is_valid():
        Comment.objects.create(frame=found, author=user, text=form.cleaned_data["text"])
        return redirect("annotation:thread", frame)
    said = opinions.opinions([found])[found.pk]
    reads = mine.settles or Frame.objects.filter(_open_to(user), pk=found.pk).exists()
    mine_only = found.comments.filter(author=user)
    context = {
        "lake": place,
        "may": may(user, place),
        "room": "checking",
        "frame": found,
        "image": picture(found.pk),
        "stated": stated,
        "reads": reads,
        "notes": [
            review
            for review in said.reviews
            if review.comment and (reads or review.reviewer_id == user.pk)
        ],
        "comments": (found.comments.all() if reads else mine_only).select_related("author"),
        "opinions": _opinions(said) if mine.settles else [],
        "form": form,
    }
    return render(request, "annotation/thread.html", context)


@require_POST
def agree(request: HttpRequest, frame: int) -> HttpResponse:
    """Settle a frame with one of the opinions on it: `opinion` is a review's id or "machine"."""
    user = cast("User", request.user)
    found = _frame(user, Action.SETTLE, frame)
    given = request.POST.get("opinion", "")
    said = opinions.opinions([found])[found.pk]
    verdict = ""
    boxes: list[StatedBox] = []
    if given == "machine" and said.machine is not None:
        seen = Detection.objects.counted().filter(frame=found, label__in=LabelChoice.values)
        last = found.run_frames.filter(state="done").order_by("-run").values("run")[:1]
        verdict = Verdict.BOXES
        boxes = [StatedBox(b.label, "", b.x, b.y, b.w, b.h) for b in seen.filter(run__in=last)]
    else:
        review = next((each for each in said.reviews if str(each.pk) == given), None)
        if review is not None:
            verdict = review.verdict
            boxes = [StatedBox(b.label, b.activity, b.x, b.y, b.w, b.h) for b in review.boxes.all()]
    if verdict not in DECISIVE:
        return HttpResponseBadRequest(_("This opinion decides nothing; choose another."))
    if verdict == Verdict.BOXES and not boxes:
        verdict = Verdict.NOBODY
    submit(frame=found, reviewer=user, request_id=uuid.uuid4(), verdict=verdict, boxes=boxes)
    messages.success(request, _("The frame is settled."))
    return redirect("annotation:desk", found.deployment.lake.slug)


@require_http_methods(["GET", "HEAD", "POST"])
def rule(request: HttpRequest, lake: str) -> HttpResponse:
    """The lake's rule: what another would do, and changing it."""
    user = cast("User", request.user)
    place = lake_for(user, Action.MANAGE, lake)
    row = LakeRule.objects.filter(lake=place).first() or LakeRule(lake=place)
    form = RuleForm(request.POST or None, instance=row)
    effect = None
    if request.method == "POST" and form.is_valid():
        if request.POST.get("do") == "apply":
            done = ruling.change(lake=place, rule=form.rule, by=user)
            messages.success(
                request,
                _(
                    "The rule is changed: %(newly)d frames newly settled, %(lost)d open again, "
                    "%(other)d settled otherwise."
                )
                % {"newly": done.newly, "lost": done.lost, "other": done.other},
            )
            return redirect("annotation:rule", place.slug)
        effect = ruling.preview(place, form.rule)
    changes = AuditEvent.objects.filter(lake=place, action="rule changed").select_related("user")
    context = {
        "lake": place,
        "may": may(user, place),
        "room": "checking",
        "form": form,
        "effect": effect,
        "changes": changes[:MOST],
    }
    return render(request, "annotation/rule.html", context)


def _frame(user: User, action: Action, frame: int) -> Frame:
    found = fetch(
        Frame.objects.filter(quarantine="").select_related("deployment__lake__park"),
        user=user,
        action=action,
        lake="deployment__lake",
        pk=frame,
    )
    if found.captured_at is None:
        raise Http404
    return found


def _disputes(rows: QuerySet[Dispute]) -> list[dict[str, Any]]:
    """The first MOST, heaviest first, each with its opinions. Five queries."""
    some = list(rows.select_related("frame__deployment")[:MOST])
    said = opinions.opinions([each.frame for each in some])
    return [
        {
            "frame": each.frame,
            "image": picture(each.frame_id),
            "weight": each.weight,
            "opinions": _opinions(said[each.frame_id]),
        }
        for each in some
    ]


def _opinions(said: opinions.Opinions) -> list[Opinion]:
    """Volunteers' and rangers' words in the order they came, then the machine's."""
    found = [
        Opinion(
            key=str(review.pk) if review.verdict in DECISIVE else "",
            name=_name(review, number),
            words=_words(review.verdict, statement),
            comment=review.comment,
            marks=statement.marks,
        )
        for number, (review, statement) in enumerate(
            sorted(zip(said.reviews, said.statements, strict=True), key=lambda pair: pair[0].pk), 1
        )
    ]
    if said.machine is not None:
        words = _words(Verdict.BOXES, said.machine)
        found.append(Opinion("machine", _("Machine"), words, "", said.machine.marks))
    return found


def _name(review: Review, number: int) -> str:
    if review.imported_from_id:
        return _("Brought in")
    return _("Ranger") if review.alone else _("Opinion %(n)d") % {"n": number}


def _words(verdict: str, statement: Statement) -> str:
    """ "2 × person, 1 × tent", or the verdict."""
    if verdict == Verdict.BOXES and statement.marks:
        labels = [mark.label for mark in statement.marks]
        return ", ".join(
            f"{labels.count(label)} × {LabelChoice(label).label}" for label in dict.fromkeys(labels)
        )
    nobody = verdict == Verdict.BOXES
    return str(VerdictChoice.NOBODY.label if nobody else VerdictChoice(verdict).label)


def _open_to(user: User) -> Q:
    """Frames on which a volunteer may read what others wrote: stated on, settled, and no check.

    Of a check they are told as little as of a frame that is still open.
    """
    stated = Review.objects.filter(frame=OuterRef("pk"), reviewer=user)
    check = Draft.objects.filter(frame=OuterRef("pk"), reviewer=user, check_frame=True)
    settled = SettledFrame.objects.filter(frame=OuterRef("pk"))
    return Q(Exists(stated), ~Exists(check), Exists(settled))


def _threads(mine: Desk) -> list[Frame]:
    """Frames with something written about them that `mine` may read, the latest word first."""
    noted = Review.objects.filter(frame=OuterRef("pk")).exclude(comment="")
    spoken = Comment.objects.filter(frame=OuterRef("pk"))
    frames = Frame.objects.filter(
        Exists(noted) | Exists(spoken), deployment__lake=mine.lake, quarantine=""
    )
    if not mine.settles:
        frames = frames.filter(_open_to(mine.reviewer))
    return list(
        frames.select_related("deployment")
        .annotate(
            n_words=Count("comments", distinct=True)
            + Count("reviews", filter=~Q(reviews__comment=""), distinct=True)
        )
        .order_by("-n_words", "-captured_at")[:MOST]
    )
